"""Recoverability: a policy continues from the stored states of another one's failures. Start with run.py."""
