"""TODO policies/serving."""
