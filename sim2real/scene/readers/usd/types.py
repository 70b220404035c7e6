"""USD's classes as names for annotations, without importing it (it brings no types of its own)."""

from __future__ import annotations

from typing import Any, TypeAlias

Stage: TypeAlias = Any
Prim: TypeAlias = Any
Attribute: TypeAlias = Any
ShadeMaterial: TypeAlias = Any
Shader: TypeAlias = Any
