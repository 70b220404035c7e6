"""From a scene to a clip folder: every camera and frame rasterized once; noise, conditions and labels from the same surface."""

from .clip import render_clip as render_clip
from .frame import FrameRenderer as FrameRenderer
from .plan import DEFAULT_KINDS as DEFAULT_KINDS
from .plan import KINDS as KINDS
