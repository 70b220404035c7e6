"""Random rooms, things, robot arms, cameras and light, made of nothing but a seed."""

from .scene import random_scene as random_scene
