"""Training clips: random scenes, path-traced, with all that a simulator knows about them and noise that moves with them."""

from .clips import Recipe as Recipe
from .clips import make_training_clips as make_training_clips
