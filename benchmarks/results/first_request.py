"""Digests of what a policy was sent first in an episode: they show what a perturbation changed for it."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from hashlib import sha256

import numpy as np

from ambidex.policies.messages import ObservationMessage

DIGITS = 16  # of a digest, enough to tell two arrays apart [hexadecimal digits]


def message_digests(message: ObservationMessage) -> dict[str, str]:
    """Part of an observation, such as "qpos" and "images.top" -> its digest; of the instruction the text itself."""
    return digests({field.name: getattr(message, field.name) for field in fields(message)})


def digests(parts: Mapping[str, object]) -> dict[str, str]:
    """Name of each array and text in nested mappings -> digest of the array, the text itself; others are left out."""
    return dict(_digests(parts, ""))


def _digests(parts: Mapping[str, object], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in parts.items():
        if isinstance(value, Mapping):
            yield from _digests(value, f"{prefix}{name}.")
        elif isinstance(value, np.ndarray) and value.dtype != object:
            yield f"{prefix}{name}", sha256(value.tobytes()).hexdigest()[:DIGITS]
        elif isinstance(value, str) and value:
            yield f"{prefix}{name}", value
