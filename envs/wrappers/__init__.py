"""TODO envs/wrappers."""
