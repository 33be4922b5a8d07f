"""The page that shows episodes, and its server."""
