"""Measurements, as ratios within one run; `python -m benchmarks` says which there are."""
