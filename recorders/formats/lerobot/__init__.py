"""LeRobot datasets v3.0: ours, and those that other programs wrote. layout.py has the names in it."""
