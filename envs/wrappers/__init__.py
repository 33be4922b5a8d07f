"""The environment as a Gymnasium environment and as a dm_env environment."""
