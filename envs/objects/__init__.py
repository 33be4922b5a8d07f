"""Things on the table: one function per category that makes its MuJoCo model, and the figures they are built from."""
