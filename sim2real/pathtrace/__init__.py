"""Path-traced pictures of scenes (Mitsuba), and random scenes and clips to train on."""

from .random_scene import random_scene as random_scene
from .trace import PathTracer as PathTracer
from .training_clips import Recipe as Recipe
from .training_clips import make_training_clips as make_training_clips
