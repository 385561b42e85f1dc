"""Fuzzing of the torch-free pipeline: whatever a file holds, analysing it ends in findings or a graph, fast and small.

`python -m tests.fuzz` makes specs (mutated texts, mutated trees, specs generated from the catalogue, floods), analyses
each in a worker process with limits on time and memory, and says which inputs broke a promise, made small.
"""
