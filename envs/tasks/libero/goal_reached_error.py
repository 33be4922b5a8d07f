"""A start from which there is nothing to do."""

from ambidex.errors import EpisodeStartError


class GoalReachedError(EpisodeStartError):
    """The goal holds when the episode begins, so it would say nothing of who acts; names the goal."""
