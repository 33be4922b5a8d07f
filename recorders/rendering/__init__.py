"""TODO recorders/rendering."""
