"""Clips from real videos, without any mesh: noise that moves with what is seen, edges, and depth where it is supplied."""

from .depth import DepthFiles as DepthFiles
from .depth import camera_matrix as camera_matrix
from .depth import read_poses as read_poses
from .labels import MaskFiles as MaskFiles
from .motion import DepthMotion as DepthMotion
from .motion import EstimatedMotion as EstimatedMotion
from .motion import FileMotion as FileMotion
from .motion import MotionSource as MotionSource
from .pictures import Pictures as Pictures
from .pictures import open_part as open_part
from .pictures import open_pictures as open_pictures
from .warp import Known as Known
from .warp import WarpOptions as WarpOptions
from .warp import warp_video as warp_video
from .warp import warp_videos as warp_videos
