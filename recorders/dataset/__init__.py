"""Dataset folders: reading them and their episodes, the files they hold, and what to do when one is damaged."""
