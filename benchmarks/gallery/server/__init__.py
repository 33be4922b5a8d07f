"""TODO benchmarks/gallery/server."""
