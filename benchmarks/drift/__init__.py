"""The program `python -m ambidex.benchmarks.drift`: whether tasks behave as under other versions of MuJoCo."""
