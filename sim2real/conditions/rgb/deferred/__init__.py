"""Plain but decent pictures at once: deferred shading of what the rasterizer sees, in Warp."""

from .shader import Shader as Shader
from .shadows import ShadowOptions as ShadowOptions
