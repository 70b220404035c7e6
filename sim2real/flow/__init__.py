"""Optical flow: exact flow and visibility from geometry."""

from .exact import Flow as Flow
from .exact import exact_flow as exact_flow
