"""Results folders of run-benchmark: reading, writing and counting their episodes. Start with folder.py."""
