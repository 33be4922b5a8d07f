"""Axes that change how the scene looks: cameras, light and colours."""
