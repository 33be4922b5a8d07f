"""From episode files to batches."""
