"""Dataset formats, the recorder, video, and the commands that read and write episodes."""

if __name__ != "ambidex.recorders":
    raise ImportError(
        f"This folder is the package 'ambidex.recorders' and was imported as {__name__!r}. "
        "Install the project (pip install -e .) and import it under its full name."
    )
