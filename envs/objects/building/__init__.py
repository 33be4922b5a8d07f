"""Builds models of objects: builder.py from meshes and boxes; canvas.py and surfaces.py draw textures."""
