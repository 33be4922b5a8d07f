"""The program `python -m ambidex.benchmarks.soak`: whether a long run of a command keeps what it takes constant."""
