"""Pools of workers that hand out jobs and survive workers that die; pool.py has the one of processes."""
