"""How a policy uses its codes in benchmarks: what `python -m ambidex.benchmarks.codes.code_usage` is made of."""
