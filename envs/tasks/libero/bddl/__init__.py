"""The reader of BDDL definitions: reader.py reads files, problem.py has the result."""
