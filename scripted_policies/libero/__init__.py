"""The expert of all LIBERO tasks: a planner that reads goal atoms and composes motions by geometry."""
