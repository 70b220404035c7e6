"""From a scene to a clip folder: every camera and frame rasterized once; noise, conditions and labels from the same surface."""

from .bake import BakeOptions as BakeOptions
from .bake import bake_scene as bake_scene
from .bake_record import Baked as Baked
from .bake_record import BakedTexture as BakedTexture
from .bake_record import read_baked as read_baked
from .clip import render_clip as render_clip
from .frame import FrameRenderer as FrameRenderer
from .options import RenderOptions as RenderOptions
