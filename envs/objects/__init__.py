"""Models of objects and fixtures, one function per category.

To add a mug: write a function in dishes.py that makes its model with an `ObjectBuilder` (building/builder.py), and add
the category to registry.py and its properties to assets/libero/objects.json.
"""
