"""RoboVLMs: a vision-language model becomes a policy by a structure, a head and an action space."""
