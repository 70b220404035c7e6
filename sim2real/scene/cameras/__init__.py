"""Cameras of scenes: one that circles them, names that can be folders, files of their own."""
