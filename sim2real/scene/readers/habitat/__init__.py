"""Habitat's gfx-replay files: what was rendered, keyframe by keyframe."""
