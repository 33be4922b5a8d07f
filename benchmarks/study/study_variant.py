"""How the GPU study trains."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A way of training ACT.

    Attributes:
        name: Its name.
        image_size: Height and width of its pictures [px].
        training: Flags of train-policy, beside data, seed and output folder.
        imagenet: Whether the image encoder starts from published weights if there are any.
    """

    name: str
    image_size: tuple[int, int]
    training: Mapping[str, str]
    imagenet: bool


PUBLISHED = Variant(name="published", image_size=(480, 640), training={"preset": "paper"}, imagenet=True)
"""The original's: 10,000 steps of 8 samples at 1e-5 (Zhao et al. 2023)."""

FAST = Variant(
    name="fast",
    image_size=(240, 320),
    training={
        "preset": "paper",
        "steps": "6000",
        "batch-size": "64",
        "learning-rate": "1e-4",
        "backbone-learning-rate": "1e-4",
        "warmup-steps": "300",
        "schedule": "cosine",
        "gradient-clip": "10",
        "ema-decay": "0.999",
        "backbone-norm": "group",
        "backbone-weights": "none",
    },
    imagenet=False,
)
"""The same network, from scratch on pictures of half the size: 384,000 samples in 6,000 steps."""

SMOKE = Variant(
    name="smoke",
    image_size=(48, 64),
    training={"preset": "tiny", "steps": "6", "batch-size": "2", "chunk-size": "20", "execute-steps": "20"},
    imagenet=False,
)
"""Nothing can be learnt like this; it shows that everything runs."""

VARIANTS: Mapping[str, Variant] = {variant.name: variant for variant in (FAST, PUBLISHED)}
