"""TODO scripted_policies/libero/skills."""
