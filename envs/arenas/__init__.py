"""Arenas of LIBERO: table, floor, walls and lights, without robot and objects."""
