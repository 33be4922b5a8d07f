"""Universal actions to a robot's own: one interpreter for each kind of robot."""
