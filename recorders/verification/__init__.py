"""Verification of datasets by replaying actions: verify.py is the entry."""
