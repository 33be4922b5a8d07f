"""Simulation: tasks, robots, controllers, the environment (env.py) and the rollout loop (rollout.py)."""

if __name__ != "ambidex.envs":
    raise ImportError(
        f"This folder is the package 'ambidex.envs' and was imported as {__name__!r}. "
        "Install the project (pip install -e .) and import it under its full name."
    )
