"""Errors of training and of checkpoints."""

from ambidex.envs.errors import AmbidexError, UsageError


class CheckpointError(AmbidexError):
    """A checkpoint or run folder that is damaged, foreign, or cannot be written."""


class TrainingError(AmbidexError):
    """Training cannot go on: the loss is not finite, or the machine cannot do what is asked."""


class NoImagesError(UsageError):
    """A policy that looks at images, and data without any."""
