"""From a scene to a clip folder: every camera and frame rasterized once; noise, conditions and labels from the same surface."""

from typing import TYPE_CHECKING

from .bake_record import Baked as Baked
from .bake_record import BakedTexture as BakedTexture
from .bake_record import read_baked as read_baked
from .clip import render_clip as render_clip
from .frame import FrameRenderer as FrameRenderer
from .options import RenderOptions as RenderOptions

if TYPE_CHECKING:
    from .bake import BakeOptions as BakeOptions
    from .bake import bake_scene as bake_scene


def __getattr__(name: str) -> object:
    """Loads what bakes when it is first used: rendering does without its kernels."""
    if name not in ("BakeOptions", "bake_scene"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import bake

    return getattr(bake, name)
