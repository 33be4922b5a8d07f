"""Tasks defined by BDDL files: LIBERO's four suites of ten, its suite of ninety, and a user's own."""
