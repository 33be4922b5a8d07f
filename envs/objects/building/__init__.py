"""TODO envs/objects/building."""
