"""Speed, measured against the plainest program that does the same: `python -m benchmarks`."""
