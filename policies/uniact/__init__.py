"""UniAct: a codebook of universal actions that embodiments share, and an interpreter for each. Start with `model`."""
