"""TODO envs/tasks/libero/bddl."""
