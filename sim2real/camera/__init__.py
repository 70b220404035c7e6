"""Cameras: lenses, views of an instant, the way between pixels, lines of sight and points. Numpy only, but for kernels."""

from .lens import PINHOLE as PINHOLE
from .lens import Lens as Lens
from .rays import camera_from_px as camera_from_px
from .rays import check_lens as check_lens
from .rays import px_from_camera as px_from_camera
from .rays import ray_from_px as ray_from_px
from .rays import ray_table as ray_table
from .view import Camera as Camera
from .view import View as View
