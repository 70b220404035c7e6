"""Path-traced pictures by Mitsuba (optional extra ``pathtrace``), and the removal of the noise that paths leave."""

from .trace import PathTracer as PathTracer
