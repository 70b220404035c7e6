"""Path-traced pictures by Mitsuba (optional extra ``pathtrace``), and the removal of the noise that paths leave."""

from ....scene.light.environment import Environment as Environment
from ....scene.light.plain import lighting_of as lighting_of
from .trace import PathTracer as PathTracer
