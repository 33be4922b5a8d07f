"""Merging of the shards of a recording: source.py reads and compares them, merge.py makes one dataset of them."""
