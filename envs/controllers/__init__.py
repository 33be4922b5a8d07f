"""One file per control mode."""
