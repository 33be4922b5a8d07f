"""Axes that change what happens: the initial state, actions and dynamics."""
