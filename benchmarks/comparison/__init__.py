"""Compares the results of policies, for `compare-policies`. Start with compare.py."""
