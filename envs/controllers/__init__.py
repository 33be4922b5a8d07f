"""Control modes: each converts an agent's actions into joint commands."""
