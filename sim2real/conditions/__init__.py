"""What video models are conditioned on and trained against: depth, normals, edges, instances, materials, a plain render."""

from .behind import ClearLooker as ClearLooker
from .coverage import coverage as coverage
from .depth import DepthRange as DepthRange
from .depth import DepthRangeEstimate as DepthRangeEstimate
from .depth import control_depth as control_depth
from .depth import estimate_depth_range as estimate_depth_range
from .depth import metric_depth as metric_depth
from .edges import edge_pixels as edge_pixels
from .edges import edges as edges
from .normals import camera_normals as camera_normals
from .normals import decode_normals as decode_normals
from .normals import encode_normals as encode_normals
from .rgb.deferred import Shader as Shader
from .rgb.deferred import ShadowOptions as ShadowOptions
from .samples import Layers as Layers
from .samples import Sampler as Sampler
from .segmentation import instance_ids as instance_ids
from .surface import SurfacePictures as SurfacePictures
from .surface import SurfaceShader as SurfaceShader
