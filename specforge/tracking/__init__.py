"""Runs in other people's tools: what `metrics.jsonl` says, as TensorBoard's events or as a run of MLflow.

In: the folder of a run, finished or in progress. Out: the same numbers there, each epoch once. The folder stays the
truth: what a tool has missed is sent when it is next asked for. torch is not needed.
"""
