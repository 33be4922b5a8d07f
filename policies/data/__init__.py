"""TODO policies/data."""
