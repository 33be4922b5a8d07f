"""Perturbations: named changes of an episode by a known amount, one axis per file."""
