"""Video diffusion: model families as data, the embedded model, sampling on shared noise, and training on warped noise.

This package reads clip folders and tensors; it never sees a mesh. Noise enters a sampler once, through ``latents=``.
"""

from .families import FAMILIES as FAMILIES
from .families import ModelFamily as ModelFamily
from .families import family_of as family_of
from .families import layout_for as layout_for
from .generate import check_options as check_options
from .generate import generate as generate
