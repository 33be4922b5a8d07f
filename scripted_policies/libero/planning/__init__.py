"""TODO scripted_policies/libero/planning."""
