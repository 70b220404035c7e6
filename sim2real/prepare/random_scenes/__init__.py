"""Random rooms, things, robot arms, cameras and light, made of nothing but a seed and what public packages lend."""

from .scene import RandomScene as RandomScene
from .scene import random_scene as random_scene
