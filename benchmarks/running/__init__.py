"""What `run-benchmark` is made of."""
