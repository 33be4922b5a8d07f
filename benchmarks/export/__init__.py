"""Results as tables, a figure and a file for leaderboards, for `export-results`: entries.py reads them."""
