"""Datasets of other programs: what is common to all, and those in HDF5. They have no simulation states."""
