"""TODO recorders/hdf5."""
