"""A policy's own settings, as a checkpoint has them; read without torch."""

import json
from pathlib import Path
from typing import Any

from ambidex.codec import from_json
from ambidex.errors import CheckpointError, UsageError
from ambidex.policies.training.run_folder import CONFIG, find_checkpoint


def stored_settings(path: Path, policy: str, kind: type[Any]) -> Any:
    """The settings of a checkpoint.

    Args:
        path: A run's folder, checkpoints/last, or checkpoints/STEP.
        policy: The policy it has to be of.
        kind: Type of the settings.

    Raises:
        UsageError: There is no checkpoint, or it is of another policy.
        CheckpointError: It is damaged, or of another version.
    """
    file = find_checkpoint(path) / CONFIG
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        if stored["policy"] == policy:
            return from_json(kind, stored["config"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{file} cannot be read: {error}. Restore the checkpoint from a copy.") from error
    raise UsageError(
        f"{path} is a checkpoint of {stored['policy']}, and --policy is {policy}. Give --policy {stored['policy']}."
    )
