"""Light by following rays: lamps, shadows, and what surfaces send back to each other."""

from .tracer import LightPictures as LightPictures
from .tracer import LightTracer as LightTracer
