"""Fingerprints of what a file holds of an episode; stored with it, so that damage is noticed and named."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from ambidex.envs.types import Episode

Arrays = Mapping[str, "np.ndarray[Any, Any]"]
"""Name of a dataset -> its values."""


def digests(episode: Episode, arrays: Arrays, spec: Mapping[str, object] | None = None) -> dict[str, str]:
    """SHA-256 of each array under its name, and of what the attributes say under "attributes".

    Args:
        episode: Whose attributes.
        arrays: What is stored.
        spec: The spec as the file has it, which may lack younger fields; None for the episode's own.
    """
    parts = {"attributes": _attributes(episode, spec)} | {name: array.tobytes() for name, array in arrays.items()}
    return {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}


def _attributes(episode: Episode, spec: Mapping[str, object] | None) -> bytes:
    identity = [
        spec or episode.spec.to_dict(), episode.seed, episode.outcome, episode.stage,
        episode.model_sha256, dict(episode.versions),
    ]  # fmt: skip
    return json.dumps(identity, sort_keys=True).encode()
