"""Specs, run with some seeds -> `specs/results.json`, and from that `specs/README.md`: what was claimed, what measured.

A number comes from the files of a finished run or is not there. Nothing here imports torch until a spec is trained.
"""
