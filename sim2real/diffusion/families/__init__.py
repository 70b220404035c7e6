"""Families of video models: one module or package each, named in ``registry``."""

from .registry import families as families
from .registry import family_of as family_of
from .registry import layout_for as layout_for
