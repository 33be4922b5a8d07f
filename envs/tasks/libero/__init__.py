"""Tasks described by BDDL files: LIBERO's suites and a user's own."""
