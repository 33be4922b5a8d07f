"""A policy in one process that answers many: server, client, batches of fixed size, and the execution of chunks."""
