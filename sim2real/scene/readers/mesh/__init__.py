"""Mesh files: what trimesh reads, as meshes and materials of ours."""
