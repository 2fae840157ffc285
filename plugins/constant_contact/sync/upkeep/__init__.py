"""Upkeep: what is missing, what is forgotten, what a restore must not undo."""
