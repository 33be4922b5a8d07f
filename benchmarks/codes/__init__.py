"""How a policy uses its codes: the programs `code_usage` (statistics) and `code_grid` (images of rollouts)."""
