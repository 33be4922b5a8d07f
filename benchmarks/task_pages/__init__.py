"""Writes the pages of task suites for the documentation: `python -m ambidex.benchmarks.task_pages`."""
