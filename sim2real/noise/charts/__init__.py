"""Where on a surface a point lies: charts of meshes, built once and kept."""
