"""Videos of stored episodes. jobs.py says what to render, worker.py renders one, make.py those of a results folder."""
