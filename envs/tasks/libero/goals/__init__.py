"""TODO envs/tasks/libero/goals."""
