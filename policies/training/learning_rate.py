"""What the learning rate does over a run."""

import math


def rate_factor(step: int, *, steps: int, warmup_steps: int, schedule: str) -> float:
    """Share of the highest rate in a step, in (0, 1].

    Args:
        step: From 0.
        steps: Of the whole run.
        warmup_steps: Over these it rises linearly.
        schedule: "cosine" falls to 0 at `steps` (Loshchilov & Hutter, "SGDR", ICLR 2017), "constant" stays at 1.
    """
    if step < warmup_steps:
        return (step + 1) / (warmup_steps + 1)
    if schedule == "constant":
        return 1.0
    progress = (step - warmup_steps) / max(1, steps - warmup_steps)
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, progress)))
