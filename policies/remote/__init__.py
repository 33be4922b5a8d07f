"""Policies over a network: the websocket protocol of openpi, its client, and a server for our checkpoints."""

API_KEY = "AMBIDEX_API_KEY"
"""Environment variable with the key that clients send to servers in the header Authorization."""
