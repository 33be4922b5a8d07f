"""Pools of workers on a Ray cluster: the jobs and results of `ambidex.worker_pool.Pool`, on many machines."""
