"""Runs the episodes of a benchmark. Start with benchmark.py; plan.py checks the flags, protocol.py fills them in."""
