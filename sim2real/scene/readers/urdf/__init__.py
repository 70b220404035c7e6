"""URDF robots, moved by tables of recorded joint positions."""
