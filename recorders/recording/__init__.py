"""TODO recorders/recording."""
