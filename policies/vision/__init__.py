"""Image encoders that policies share."""
