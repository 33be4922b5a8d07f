"""The world and its contract: robots, tasks, controllers, the environment and the one rollout loop."""

if __name__ != "ambidex.envs":
    raise ImportError(
        f"This folder is the package 'ambidex.envs' and was imported as {__name__!r}. "
        "Install the project (pip install -e .) and import it under its full name."
    )
