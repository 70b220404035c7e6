"""MuJoCo's classes as names for annotations, without importing it (it brings no types of its own)."""

from __future__ import annotations

from typing import Any, TypeAlias

MjModel: TypeAlias = Any
MjData: TypeAlias = Any
