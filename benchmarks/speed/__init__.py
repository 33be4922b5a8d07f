"""TODO benchmarks/speed."""
