"""Statistics of two policies on the same episodes: pure functions of outcomes. docs/statistics.md explains them."""
