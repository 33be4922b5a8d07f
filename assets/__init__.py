"""MJCF files of robots, objects and arenas, and LIBERO's definitions. SOURCE.md has the sources of the numbers."""

if __name__ != "ambidex.assets":
    raise ImportError(
        f"This folder is the package 'ambidex.assets' and was imported as {__name__!r}. "
        "Install the project (pip install -e .) and import it under its full name."
    )
