"""From what the main camera sees and what is to be done to the features a universal action is chosen by."""
