"""Learned policies and their shared trainer."""

if __name__ != "ambidex.policies":
    raise ImportError(
        f"This folder is the package 'ambidex.policies' and was imported as {__name__!r}. "
        "Install the project (pip install -e .) and import it under its full name."
    )
