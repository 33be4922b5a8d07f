"""Policies over a network: the websocket protocol of openpi, its client, and a server for our checkpoints."""
