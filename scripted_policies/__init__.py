"""Scripted experts: motions that end on conditions, and one expert per task."""

if __name__ != "ambidex.scripted_policies":
    raise ImportError(
        f"This folder is the package 'ambidex.scripted_policies' and was imported as {__name__!r}. "
        "Install the project (pip install -e .) and import it under its full name."
    )
