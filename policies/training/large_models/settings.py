"""Settings of a policy that decide which weights of its vision-language model are trained. Needs no torch."""

import math
from dataclasses import dataclass, field

from ambidex.codec import ADDED_LATER
from ambidex.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class TrainedWeights:
    """Which weights of a vision-language model are trained; a base class for the config of a policy.

    The switches and the defaults of LoRA are those of RoboVLMs (arXiv 2412.14058).

    Raises:
        UsageError: A value is out of range, or two settings exclude each other.
    """

    freeze_backbone: bool = field(default=False, metadata={ADDED_LATER: True})
    """Freeze the text tower and what connects it with images; image encoder and embeddings have their own flags."""
    train_vision: bool = field(default=True, metadata={ADDED_LATER: True})
    """Train the image encoder."""
    train_text_embedding: bool = field(default=True, metadata={ADDED_LATER: True})
    """Train the embeddings of words."""
    train_decoder_layers: int = field(default=0, metadata={ADDED_LATER: True})
    """Train only this many of the text tower's layers, the last ones; 0 trains all."""
    lora_rank: int = field(default=0, metadata={ADDED_LATER: True})
    """Rank of the LoRA matrices that are trained instead of the text tower's linear layers; 0 for no LoRA. 64 in
    RoboVLMs."""
    lora_alpha: float = field(default=16.0, metadata={ADDED_LATER: True})
    """Scale of LoRA, which is divided by the rank."""
    lora_dropout: float = field(default=0.05, metadata={ADDED_LATER: True})
    """Share of the inputs of LoRA that training drops."""

    def __post_init__(self) -> None:
        ranges = {"train_decoder_layers": math.inf, "lora_rank": math.inf, "lora_alpha": math.inf, "lora_dropout": 1.0}
        for name, end in ranges.items():
            value = getattr(self, name)
            if not 0 <= value < end:
                expected = "from 0 to below 1" if end == 1.0 else "0 or more"
                raise UsageError(f"{name} must be {expected}, got {value}.", field=name, got=value, expected=expected)
        if self.lora_rank and self.train_decoder_layers:
            flags = f"--lora-rank {self.lora_rank} and --train-decoder-layers {self.train_decoder_layers}"
            problem = f"{flags} exclude each other."
            raise UsageError(problem, "Set one of them to 0.", fields=("lora_rank", "train_decoder_layers"))
