"""TODO scripted_policies/libero/lookahead."""
