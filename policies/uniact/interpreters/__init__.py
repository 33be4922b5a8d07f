"""Interpreters: universal actions to the actions of an embodiment."""
