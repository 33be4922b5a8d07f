"""Axes that change what a policy gets: its images, disturbed or late."""
