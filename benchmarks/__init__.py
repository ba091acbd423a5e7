"""Speed, always with a peer beside it: `python -m benchmarks`."""
