"""Merges results folders of shards into that of one run. Start with merge.py; parts.py checks that they fit."""
