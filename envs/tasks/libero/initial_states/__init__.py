"""Initial states: placement by LIBERO's rules, and LIBERO's files of stored states."""
