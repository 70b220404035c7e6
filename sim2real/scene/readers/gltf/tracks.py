"""Animations of glTF: keys of nodes, and what is between them (glTF 2.0 specification, appendix C)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from ....errors import UnknownNameError
from ....transforms import slerp
from .accessors import array_of
from .document import MOST, Document

_WIDTHS = {"translation": 3, "rotation": 4, "scale": 3}
_WAYS = ("LINEAR", "STEP", "CUBICSPLINE")
LONGEST_S = 1e7
_ROUNDED = 1e-6
"""Of a time that files have with seven digits: a frame at a key is not before it."""


@dataclass(frozen=True, eq=False)
class Track:
    """Values of one thing over time.

    - ``values``: one row per key. ``tangents``: where they are splines, what comes into and goes out of every key, per second.
    - ``turns``: they are quaternions (x, y, z, w), which stay of unit length.
    """

    seconds: Float[np.ndarray, "keys"]
    values: Float[np.ndarray, "keys numbers"]
    way: str = "LINEAR"
    tangents: Float[np.ndarray, "keys 2 numbers"] | None = None
    turns: bool = False

    def at(self, times: Float[np.ndarray, "frames"]) -> Float[np.ndarray, "frames numbers"]:
        """The values at some times; before the first key and after the last one, those of that key."""
        t = np.clip(times, self.seconds[0], self.seconds[-1])
        if self.way == "STEP" or len(self.seconds) == 1:
            late = _ROUNDED * np.maximum(t, 1)
            return self._unit(self.values[np.searchsorted(self.seconds, t + late, side="right") - 1])
        key = np.clip(np.searchsorted(self.seconds, t, side="right") - 1, 0, len(self.seconds) - 2)
        length = np.diff(self.seconds)[key]
        u = ((t - self.seconds[key]) / np.where(length > 0, length, 1))[:, None]
        a, b = self.values[key], self.values[key + 1]
        if self.tangents is not None:
            out, into = (length[:, None] * self.tangents[at, side] for at, side in ((key, 1), (key + 1, 0)))
            u2, u3 = u * u, u * u * u
            return self._unit((2 * u3 - 3 * u2 + 1) * a + (u3 - 2 * u2 + u) * out + (3 * u2 - 2 * u3) * b + (u3 - u2) * into)
        return slerp(self._unit(a), self._unit(b), u[:, 0]) if self.turns else (1 - u) * a + u * b

    def _unit(self, values: np.ndarray) -> np.ndarray:
        if not self.turns:
            return values
        length = np.linalg.norm(values, axis=1, keepdims=True)
        return np.where(length > 0, values / np.where(length > 0, length, 1), [0.0, 0, 0, 1])

    @property
    def rests(self) -> bool:
        """Whether it has one value at all times."""
        return bool((self.values == self.values[0]).all()) and (self.tangents is None or not self.tangents.any())


@dataclass(frozen=True, eq=False)
class Animation:
    """What moves: tracks by node and path (``translation``, ``rotation``, ``scale``, ``weights``), until ``seconds``.

    ``unread`` counts channels of other paths.
    """

    name: str
    tracks: dict[tuple[int, str], Track]
    seconds: float
    unread: int = 0


def animation_names(document: Document) -> list[str]:
    """Names of all animations; those without a name get their number."""
    entries = [document.entry("animations", k) for k in range(document.count("animations"))]
    return [str(entry.get("name") or f"animation_{k}") for k, entry in enumerate(entries)]


def animation_of(document: Document, name: str | None) -> Animation | None:
    """One of a file's animations.

    Args:
        document: the file.
        name: which; ``None``: the first, if there is one.

    Raises:
        UnknownNameError: there is none of that name; lists those that there are.
        UnreadableFileError: its keys are no times and values of what they move.
    """
    names = animation_names(document)
    if name is not None and name not in names:
        raise UnknownNameError(name, names, what="animation", where=document.path)
    if not names:
        return None
    index = 0 if name is None else names.index(name)
    entry = document.entry("animations", index)
    tracks: dict[tuple[int, str], Track] = {}
    unread = 0
    for channel in entry["channels"]:
        target = channel["target"]
        path = target.get("path")
        if "node" not in target or path not in (*_WIDTHS, "weights"):
            unread += 1
            continue
        document.entry("nodes", target["node"])
        tracks[target["node"], path] = _track(document, entry["samplers"][channel["sampler"]], path)
    seconds = max((float(track.seconds[-1]) for track in tracks.values()), default=0.0)
    if seconds > LONGEST_S:
        raise document.broken(f"its animation {names[index]} lasts {seconds:g} s")
    return Animation(names[index], tracks, seconds, unread)


def _track(document: Document, sampler: dict[str, Any], path: str) -> Track:
    seconds = array_of(document, sampler.get("input"), ("SCALAR",), "times of keys")[:, 0].astype(np.float64)
    kind = {"weights": "SCALAR", "rotation": "VEC4"}.get(path, "VEC3")
    values = array_of(document, sampler.get("output"), (kind,), f"keys of {path}").astype(np.float64)
    way, count = sampler.get("interpolation", "LINEAR"), len(seconds)
    if way not in _WAYS:
        raise document.broken(f"keys of {path} are joined by {way!r}, must be {', '.join(_WAYS)}")
    if count == 0 or (np.diff(seconds) < 0).any() or seconds[0] < 0:
        raise document.broken(f"the times of keys of {path} do not go up from 0")
    three = 3 if way == "CUBICSPLINE" else 1
    rows = values.size // (three * count) if path == "weights" else _WIDTHS[path]
    if rows == 0 or values.size != count * three * rows or not (np.abs(values) <= MOST).all():
        raise document.broken(f"{count} keys of {path} have {values.size} numbers, or endless ones")
    values = values.reshape(count, three, rows)
    if path == "rotation" and not (np.linalg.norm(values[:, three // 2], axis=1) > 1e-6).all():
        raise document.broken("a key of a rotation is no quaternion: all of it is 0")
    tangents = values[:, [0, 2]] if three == 3 else None
    return Track(seconds, values[:, three // 2], way, tangents, path == "rotation")
