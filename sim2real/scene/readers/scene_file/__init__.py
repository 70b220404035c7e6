"""Scene files (YAML): what may stand in them, and what it becomes."""
