"""TODO envs/simulation."""
