"""Families of video models: facts about each, and an adapter for those that run."""

from .facts import FAMILIES as FAMILIES
from .facts import ModelFamily as ModelFamily
from .facts import family_of as family_of
from .facts import layout_for as layout_for
