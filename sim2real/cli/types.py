"""Option values that click does not know: sizes, frame ranges, intrinsics, comma-separated choices."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click


class Size(click.ParamType):
    """``HxW`` in pixels."""

    name = "HxW"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Parse ``480x720``."""
        if isinstance(value, tuple):
            return value
        height, _, width = str(value).lower().partition("x")
        if not (height.isdecimal() and width.isdecimal()) or not 1 <= int(height) <= 16384 or not 1 <= int(width) <= 16384:
            self.fail(f"{value!r} is not HEIGHTxWIDTH in pixels (1 to 16384), for example 480x720", param, ctx)
        return int(height), int(width)


class Intrinsics(click.ParamType):
    """``fx,fy,cx,cy`` in pixels."""

    name = "FX,FY,CX,CY"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float, float, float]:
        """Parse four numbers."""
        if isinstance(value, tuple):
            return value  # type: ignore[return-value]
        try:
            fx, fy, cx, cy = (float(v) for v in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not fx,fy,cx,cy in pixels, for example 600,600,320,240", param, ctx)
        if not (fx > 0 and fy > 0):
            self.fail(f"{value!r}: focal lengths must be greater than 0", param, ctx)
        return fx, fy, cx, cy


class Shard(click.ParamType):
    """``I/N``: which of N equal shares."""

    name = "I/N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Parse ``3/100``."""
        if isinstance(value, tuple):
            return value
        index, _, count = str(value).partition("/")
        if not (index.isdecimal() and count.isdecimal()) or int(count) < 1 or int(index) > int(count):
            self.fail(f"{value!r} is not I/N with I from 0 to N - 1, or from 1 to N, for example 3/100", param, ctx)
        return int(index), int(count)


class Tiles(click.ParamType):
    """Rows and columns of a canvas."""

    name = "RxC"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Parse ``2x2``."""
        if isinstance(value, tuple):
            return value
        rows, _, columns = str(value).partition("x")
        if not all(side.isdecimal() and len(side) < 3 and int(side) for side in (rows, columns)):
            self.fail(f"{value!r} is not ROWSxCOLUMNS, for example 2x2", param, ctx)
        return int(rows), int(columns)


class Numbers(click.ParamType):
    """Small whole numbers, separated by commas."""

    name = "G,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Parse ``0,1,2``."""
        if isinstance(value, tuple):
            return value
        words = [word.strip() for word in str(value).split(",")]
        if not all(word.isdecimal() and len(word) < 5 for word in words):
            self.fail(f"{value!r} is not a list of whole numbers, for example 0,1,2", param, ctx)
        return tuple(dict.fromkeys(int(word) for word in words))


class Falling(click.ParamType):
    """Numbers, separated by commas; the record that takes them checks that they fall."""

    name = "T,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float | int, ...]:
        """Parse ``999,750,500,250``."""
        if isinstance(value, tuple):
            return value
        try:
            numbers = tuple(float(word) for word in str(value).split(","))
        except ValueError:
            numbers = ()
        if not numbers or not all(map(math.isfinite, numbers)):
            self.fail(f"{value!r} is not a list of numbers, for example 999,750,500,250", param, ctx)
        return tuple(int(number) if number == int(number) else number for number in numbers)


class Shares(click.ParamType):
    """A number from 0 to 1, or ``name=number`` pairs separated by commas."""

    name = "B|NAME=B,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | dict[str, float]:
        """Parse ``0.9`` or ``robot=1,background=0.5,*=0.9``."""
        if isinstance(value, (float, dict)):
            return value
        pairs = [entry.rpartition("=") for entry in str(value).split(",")]
        found = {name.strip(): self._share(number, param, ctx) for name, _, number in pairs}
        if len(pairs) == 1 and not pairs[0][1]:
            return next(iter(found.values()))
        if "" in found or len(found) < len(pairs):
            self.fail(f"{value!r} must name each class or instance once, for example robot=1,background=0.5,*=0.9", param, ctx)
        return found

    def _share(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            share = float(text)
        except ValueError:
            share = math.nan
        if not 0 <= share <= 1:
            self.fail(f"{text.strip()!r} is not a number from 0 to 1", param, ctx)
        return share


class Weights(click.ParamType):
    """Names with weights, separated by commas; a name alone has weight 1."""

    name = "KIND=W,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, float]:
        """Parse ``depth=0.6,edges=0.4``."""
        if isinstance(value, dict):
            return value
        found: dict[str, float] = {}
        for entry in str(value).split(","):
            name, _, number = (part.strip() for part in entry.partition("="))
            try:
                weight = float(number) if number else 1.0
            except ValueError:
                weight = math.nan
            if not name or name in found or not math.isfinite(weight):
                self.fail(f"{value!r} is not names with weights, each once, for example depth=0.6,edges=0.4", param, ctx)
            found[name] = weight
        return found


class LoraFile(click.ParamType):
    """``FILE`` or ``FILE:SCALE``."""

    name = "FILE[:SCALE]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Path, float]:
        """Parse ``warp.safetensors:0.8``."""
        if isinstance(value, tuple):
            return value
        path, colon, scale = str(value).rpartition(":")
        try:
            return (Path(path), float(scale)) if colon else (Path(scale), 1.0)
        except ValueError:
            return Path(str(value)), 1.0


class _RgbOrPath(click.ParamType):
    """A path, or the word ``rgb``."""

    name = "IMAGE|rgb"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | str:
        """Leave ``rgb`` as it is."""
        return value if value == "rgb" or isinstance(value, Path) else Path(value)


RGB_OR_PATH = _RgbOrPath()


class Names(click.ParamType):
    """Names, separated by commas."""

    name = "NAME,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Parse ``robot,table``."""
        if isinstance(value, tuple):
            return value
        names = tuple(name.strip() for name in str(value).split(","))
        if "" in names:
            self.fail(f"{value!r} is not names separated by commas, for example robot,table", param, ctx)
        return names


class Seed(click.IntRange):
    """A number from 0 to 2^63 - 1, of which the help makes no words."""

    def __init__(self) -> None:
        """Take all that 63 bits hold."""
        super().__init__(0, 2**63 - 1)

    def _describe_range(self) -> str:
        return ""


class Choices(click.ParamType):
    """Some of a fixed set of words, separated by commas."""

    name = "KIND,..."

    def __init__(self, valid: Callable[[], Sequence[str]]) -> None:
        """Take the words that there are when a value is converted."""
        self.valid = valid

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> frozenset[str]:
        """Parse ``noise,depth``."""
        if isinstance(value, frozenset):
            return value
        words = frozenset(w.strip() for w in str(value).split(",") if w.strip())
        unknown = sorted(words - set(self.valid()))
        if unknown or not words:
            self.fail(f"{', '.join(unknown) or 'nothing'} is not among {', '.join(self.valid())}", param, ctx)
        return words
