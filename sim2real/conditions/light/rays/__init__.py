"""Rays through the triangles of a scene, on a CPU: trees of boxes of what stands still, and of each part that moves."""
