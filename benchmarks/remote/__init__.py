"""Evaluates a policy on a server. Start with agents.py; first_exchange.py asks the server before any episode."""
