"""In which order a recording writes quaternions. Their lengths do not tell; how things turn and stand does.

Isaac Lab wrote (w, x, y, z) until version 2 and writes (x, y, z, w) since 3, into the same tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .log import QuaternionOrder, Track

ORDERS: tuple[QuaternionOrder, ...] = ("wxyz", "xyzw")
_UPRIGHT = 0.99
_SAME = 0.9999
_LEAST_TURN_RAD, _LEAST_COSINE, _LEAST_MARGIN = 0.05, 0.8, 0.1


@dataclass(frozen=True)
class Found:
    """The order, ``None`` where it cannot be told; and why, in words."""

    order: QuaternionOrder | None
    why: str


def order_of(tracks: Sequence[Track]) -> Found:
    """Find the order of a recording's quaternions.

    First by recorded angular velocities: the axis about which a thing turns from frame to frame is that of its velocity in one
    order only. Where nothing turns, by how things stand in the first frame: robots and what lies on a table stand upright.
    Things that do so in both orders (turned by 180 degrees about the vertical in one, not turned in the other) count if there
    are two.
    """
    agreement = _agreement(tracks)
    if agreement is not None:
        order = _better(agreement)
        said = ", ".join(f"{value:.2f} as {name}" for name, value in zip(ORDERS, agreement, strict=True))
        if order is not None:
            return Found(order, f"things turn about the axes of their angular velocities (cosine {said})")
    first = np.stack([track.root[0, 3:] / np.linalg.norm(track.root[0, 3:]) for track in tracks])
    stands = [_upright(in_order(first, order)) > _UPRIGHT for order in ORDERS]
    votes = [int((one & ~other).sum()) for one, other in (stands, stands[::-1])]
    said = " and ".join(f"{int(one.sum())} of {len(first)} as {name}" for name, one in zip(ORDERS, stands, strict=True))
    if max(votes) and not min(votes):
        return Found(ORDERS[int(np.argmax(votes))], f"in the first frame, {said} stand upright")
    still = [int((np.abs(in_order(first, order)[:, 0]) > _SAME).sum()) for order in ORDERS]
    if not max(votes) and max(still) >= 2 and not min(still):
        order = ORDERS[int(np.argmax(still))]
        return Found(order, f"in the first frame, {max(still)} of {len(first)} are not turned as {order}")
    return Found(None, f"nothing turns with a recorded velocity, and in the first frame {said} stand upright")


def in_order(quaternions: Float[np.ndarray, "*batch 4"], order: QuaternionOrder) -> Float[np.ndarray, "*batch 4"]:
    """Quaternions (w, x, y, z) from those of a recording."""
    return quaternions if order == "wxyz" else np.roll(quaternions, 1, axis=-1)


def _upright(wxyz: np.ndarray) -> np.ndarray:
    """The cosine between up and what was up before the rotation."""
    return 1 - 2 * (wxyz[:, 1] ** 2 + wxyz[:, 2] ** 2)


def _agreement(tracks: Sequence[Track]) -> tuple[float, float] | None:
    """Mean cosine between turns from frame to frame and velocities, by order, weighted by angle; ``None`` if nothing turns."""
    total, weight = np.zeros(2), 0.0
    for track in tracks:
        if track.turning is None or track.frames < 2:
            continue
        speed = (track.turning[1:] + track.turning[:-1]) / 2
        turns = [_turns(in_order(track.root[:, 3:], order)) for order in ORDERS]
        angle = np.linalg.norm(turns[0], axis=1)
        lengths = angle * np.linalg.norm(speed, axis=1)
        good = (angle > 1e-4) & (angle < 2.5) & (np.linalg.norm(speed, axis=1) > 1e-3)
        if good.any():
            cosines = [(turn[good] * speed[good]).sum(axis=1) / lengths[good] for turn in turns]
            total += [float((cosine * angle[good]).sum()) for cosine in cosines]
            weight += float(angle[good].sum())
    return None if weight < _LEAST_TURN_RAD else (float(total[0] / weight), float(total[1] / weight))


def _turns(wxyz: np.ndarray) -> np.ndarray:
    """Rotation vectors about the world's axes from every frame to the next."""
    w, v = wxyz[:, 0], wxyz[:, 1:]
    scalar = w[1:] * w[:-1] + (v[1:] * v[:-1]).sum(axis=1)
    vector = v[1:] * w[:-1, None] - v[:-1] * w[1:, None] - np.cross(v[1:], v[:-1])
    length = np.linalg.norm(vector, axis=1)
    angle = 2 * np.arctan2(length, np.abs(scalar)) * np.where(scalar < 0, -1, 1)
    return vector * (angle / np.where(length > 0, length, 1))[:, None]


def _better(agreement: tuple[float, float]) -> QuaternionOrder | None:
    if abs(agreement[0] - agreement[1]) < _LEAST_MARGIN or max(agreement) < _LEAST_COSINE:
        return None
    return ORDERS[int(np.argmax(agreement))]
