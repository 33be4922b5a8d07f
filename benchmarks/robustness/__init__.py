"""Robustness benchmarks: the same episodes clean and perturbed, on all axes and levels, and the report on them."""
