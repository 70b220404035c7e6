"""Parameters that vary from one specimen of a sensor to the next, within ranges that their records state."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from ..scene.readers.scene_file.yaml import Entry

Record = TypeVar("Record", bound=Entry)


@dataclass(frozen=True)
class Factor:
    """A parameter is multiplied with a number between ``1 / most`` and ``most``, even in its logarithm."""

    most: float

    def varied(self, value: float, rng: np.random.Generator) -> float:
        """Another value."""
        return value * float(self.most ** rng.uniform(-1, 1))


@dataclass(frozen=True)
class Offset:
    """A number between ``-most`` and ``most`` is added to a parameter."""

    most: float

    def varied(self, value: float, rng: np.random.Generator) -> float:
        """Another value."""
        return value + self.most * float(rng.uniform(-1, 1))


def varied(record: Record, seed: int, place: str = "") -> Record:
    """A record whose parameters are moved within their ranges, and within what they may be.

    What is 0 or absent stays so, and a record of nothing but defaults, which does nothing, stays as it is.

    Args:
        record: frozen parameters, nested or not.
        seed: of the draws.
        place: the record's own place in a larger one; every parameter is drawn by seed and place alone.
    """
    if record == type(record)():
        return record
    changes: dict[str, Any] = {}
    for name, field in type(record).model_fields.items():
        value, own = getattr(record, name), f"{place}.{name}"
        if isinstance(value, Entry):
            changes[name] = varied(value, seed, own)
            continue
        ranges = [mark for mark in field.metadata if isinstance(mark, (Factor, Offset))]
        if not ranges or value is None or value == 0:
            continue
        rng = np.random.default_rng(int.from_bytes(hashlib.blake2b(f"{seed}/{own}".encode(), digest_size=16).digest(), "big"))
        numbers = value if isinstance(value, tuple) else (value,)
        drawn = tuple(_held(ranges[0].varied(float(number), rng), type(number), field.metadata) for number in numbers)
        changes[name] = drawn if isinstance(value, tuple) else drawn[0]
    return record.model_copy(update=changes)


def _held(value: float, kind: type, metadata: list[Any]) -> float | int:
    """A value within the bounds that its annotation gives, whole where it was whole."""
    for mark in metadata:
        value = min(max(value, float(getattr(mark, "ge", value))), float(getattr(mark, "le", np.inf)))
    return round(value) if kind is int else value
