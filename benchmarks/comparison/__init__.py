"""What `compare-policies` is made of."""
