"""Triangles and a camera to fragments: what surface every pixel sees. Needs torch; Warp is loaded by its backend only."""

from .backend import BACKENDS as BACKENDS
from .backend import rasterizer as rasterizer
from .cut import CutView as CutView
from .fragments import Fragments as Fragments
from .interpolate import interpolate as interpolate
from .interpolate import surface as surface
from .protocol import Rasterizer as Rasterizer
from .protocol import Visibility as Visibility
from .silhouettes import antialiased as antialiased
from .view import view_of as view_of
from .windows import part_boxes as part_boxes
from .windows import window_of as window_of
