"""The kinds of values that scene files hold, each with the one-line error of its wrong values."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from .yaml import LARGEST, error, shown

SMALLEST = 1e-9
"""Length, scale, focal length or rate that is not nothing."""
MOST_CELLS = 65536
"""Of a checkerboard or a plane."""


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError
    number = float(value)  # YAML reads 1e-3 as a string
    if not abs(number) <= LARGEST:
        raise ValueError
    return number


def _numbers(value: Any, counts: tuple[int, ...], of: str = "numbers") -> tuple[float, ...]:
    try:
        if not isinstance(value, (list, tuple)) or len(value) not in counts:
            raise ValueError
        return tuple(_number(v) for v in value)
    except (ValueError, OverflowError):
        right = f"{' or '.join(map(str, counts))} {of} up to {LARGEST:g} in brackets"
        raise error(f"is {shown(value)}, must be {right}") from None


def _color(value: Any) -> tuple[float, ...]:
    if isinstance(value, str) and re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        return tuple(int(value[k : k + 2], 16) / 255 for k in (1, 3, 5))
    if isinstance(value, (list, tuple)):
        color = _numbers(value, (3, 4))
        if all(0 <= c <= 1 for c in color):
            return color
    raise error(f'is {shown(value)}, must be [red, green, blue] from 0 to 1, or "#rrggbb"')


def _quaternion(value: Any) -> tuple[float, ...]:
    q = _numbers(value, (4,), "numbers (w, x, y, z)")
    if math.hypot(*q) < 1e-9:
        raise error(f"is {shown(value)}, must not be all zero")
    return q


def _axis(value: Any) -> tuple[float, ...]:
    named = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}
    if isinstance(value, str) and value in named:
        return named[value]
    axis = _numbers(value, (3,), "numbers")
    if math.hypot(*axis) < 1e-9:
        raise error(f"is {shown(value)}, must not be all zero")
    return axis


def _scale(value: Any) -> tuple[float, ...]:
    scale = _numbers([value] * 3 if isinstance(value, (int, float, str)) else value, (3,))
    if min(map(abs, scale)) < SMALLEST:
        raise error(f"is {shown(value)}, must not be zero, but of {SMALLEST:g} at least")
    return scale


def _point_or_name(value: Any) -> tuple[float, ...] | str:
    return value if isinstance(value, str) else _numbers(value, (3,), "numbers, or the name of an object,")


def _intervals(value: Any) -> tuple[tuple[int, int | None], ...]:
    pairs = value if isinstance(value, list) and value and isinstance(value[0], list) else [value]
    for pair in pairs:
        good = isinstance(pair, list) and len(pair) == 2 and type(pair[0]) is int and (pair[1] is None or type(pair[1]) is int)
        if not good or pair[0] < 0 or (pair[1] is not None and pair[1] < pair[0]):
            raise error(f"is {shown(value)}, must be [first frame, last frame] (last may be null), or a list of such pairs")
    return tuple((a, b) for a, b in pairs)


def _pair(value: Any, names: str) -> tuple[int, int]:
    if not isinstance(value, (list, tuple)) or len(value) != 2 or any(type(v) is not int or v < 1 for v in value):
        raise error(f"is {shown(value)}, must be two positive whole numbers [{names}]")
    return value[0], value[1]


def _distortion(value: Any) -> tuple[float, ...]:
    return _numbers(value, (4, 5, 8, 12), "numbers (k1 k2 p1 p2 k3 ..., as OpenCV orders them)")


def _zoom(value: Any) -> tuple[float, ...]:
    try:
        if not isinstance(value, (list, tuple)) or len(value) < 2:
            raise ValueError
        factors = tuple(_number(v) for v in value)
        if min(factors) <= 0:
            raise ValueError
    except (ValueError, OverflowError):
        raise error(f"is {shown(value)}, must be two or more positive numbers in brackets") from None
    return factors


def _cells(value: Any) -> tuple[int, int]:
    cells = _pair(value, "along the first axis, along the second")
    if cells[0] * cells[1] > MOST_CELLS:
        raise error(f"is {shown(value)}, which are {cells[0] * cells[1]} cells, must be at most {MOST_CELLS}")
    return cells


Size = Annotated[tuple[int, int], BeforeValidator(lambda v: _pair(v, "height, width"))]
Cells = Annotated[tuple[int, int], BeforeValidator(_cells)]
Numbers2 = Annotated[tuple[float, ...], BeforeValidator(lambda v: _numbers(v, (2,)))]
Numbers3 = Annotated[tuple[float, ...], BeforeValidator(lambda v: _numbers(v, (3,)))]
Numbers4 = Annotated[tuple[float, ...], BeforeValidator(lambda v: _numbers(v, (4,)))]
HalfSize = Annotated[tuple[float, ...], BeforeValidator(lambda v: _numbers(v, (2, 3)))]
Color = Annotated[tuple[float, ...], BeforeValidator(_color)]
Quaternion = Annotated[tuple[float, ...], BeforeValidator(_quaternion)]
Axis = Annotated[tuple[float, ...], BeforeValidator(_axis)]
Scale = Annotated[tuple[float, ...], BeforeValidator(_scale)]
PointOrName = Annotated[tuple[float, ...] | str, BeforeValidator(_point_or_name)]
Intervals = Annotated[tuple[tuple[int, int | None], ...], BeforeValidator(_intervals)]
Distortion = Annotated[tuple[float, ...], BeforeValidator(_distortion)]
Zoom = Annotated[tuple[float, ...], BeforeValidator(_zoom)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(ge=SMALLEST)]
