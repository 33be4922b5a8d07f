"""TODO envs/tasks/libero/initial."""
