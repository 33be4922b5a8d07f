"""LIBERO's predicates, evaluated on a scene, and the success of a task."""
