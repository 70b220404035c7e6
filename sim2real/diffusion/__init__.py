"""Video diffusion: model families as data, the embedded model, sampling on shared noise, and training on warped noise.

This package reads clip folders and tensors; it never sees a mesh. Noise enters a sampler once, through ``latents=``.
"""

from .families import families as families
from .families import family_of as family_of
from .families import layout_for as layout_for
from .family import ClipFacts as ClipFacts
from .family import ModelFamily as ModelFamily
from .generate import check_clip as check_clip
from .generate import check_finer as check_finer
from .generate import check_options as check_options
from .generate import generate as generate
from .large_models import LargeModelOptions as LargeModelOptions
from .large_models import Lora as Lora
from .options import GenerateOptions as GenerateOptions
