"""MJCF data: robots, objects and arenas. SOURCE.md says where each figure comes from."""

if __name__ != "ambidex.assets":
    raise ImportError(
        f"This folder is the package 'ambidex.assets' and was imported as {__name__!r}. "
        "Install the project (pip install -e .) and import it under its full name."
    )
