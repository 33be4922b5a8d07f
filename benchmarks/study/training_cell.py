"""One setting in which training is timed."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TrainingCell:
    """One setting in which training is timed.

    Attributes:
        variant: How it trains.
        precision: "fp32" (TF32 in matrix products on a GPU) or "bf16".
        compile: With torch.compile.
    """

    variant: str
    precision: str
    compile: bool

    @property
    def name(self) -> str:
        return f"{self.variant}-{self.precision}-{'compiled' if self.compile else 'eager'}"
