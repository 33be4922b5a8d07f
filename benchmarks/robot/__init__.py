"""Evaluation on real robots: `evaluate-robot`. protocol.py is what a driver implements, simulated.py one that does."""
