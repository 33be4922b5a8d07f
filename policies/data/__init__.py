"""Training data: datasets as one table, their split, and batches of samples and frames."""
