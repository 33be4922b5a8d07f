"""TODO benchmarks/videos."""
