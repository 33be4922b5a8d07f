"""TODO benchmarks/evaluation."""
