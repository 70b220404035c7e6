"""Tubes with round ends along segments that move: what cables and tendons look like."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ....primitives import capsule
from ....records import Material, Mesh

SLICES, RINGS = 12, 2
"""Of a tube, and of each of its ends."""
THICK_M, THICK_SLICES, THICK_RINGS = 0.01, 28, 4
"""The same of tubes of a larger radius, which are seen to have sides; around as MuJoCo has it where a model says nothing."""
_SHORTEST = 1e-9


class Tubes:
    """A fixed number of tubes.

    A tube turns with its segment by the shortest way from where it is at rest, so that what is on it does not spin.
    """

    def __init__(
        self, start: Float[np.ndarray, "tubes 3"], end: Float[np.ndarray, "tubes 3"], radius: Float[np.ndarray, "tubes"]
    ) -> None:
        """Take the tubes at rest: where they start and end, and their radii in metres."""
        thick = len(radius) > 0 and float(np.max(radius)) > THICK_M
        slices, rings = (THICK_SLICES, THICK_RINGS) if thick else (SLICES, RINGS)
        unit = capsule(1.0, 1.0, segments=slices, rings=rings)
        self._unit, self._upper = unit, np.asarray(unit.vertices)[:, 2] > 0
        self._offset = np.asarray(unit.vertices, np.float64) - np.where(self._upper, 1.0, -1.0)[:, None] * [0, 0, 1]
        self._start, self._radius = start, radius
        self._axis, self._length = _directions(end - start, np.tile([0.0, 0, 1], (len(start), 1)))
        self._turn = turn_between(np.tile([0.0, 0, 1], (len(start), 1)), self._axis)

    def mesh(self, name: str, material: Material) -> Mesh:
        """All tubes at rest; those without length are made twice as long as they are thin, to have a surface to be charted."""
        count, unit = len(self._start), self._unit
        length = np.maximum(self._length, 2 * self._radius)[:, None]
        vertices = self.vertices(self._start, self._start + length * self._axis, self._radius)
        first = np.arange(count) * len(unit.vertices)
        faces = (unit.faces[None] + first[:, None, None]).reshape(-1, 3)
        normals = np.einsum("tij,fcj->tfci", self._turn, np.asarray(unit.normals)).reshape(-1, 3, 3)
        return Mesh(name, vertices, faces, normals=normals, material=material, outside_only=True)

    def vertices(
        self, start: Float[np.ndarray, "tubes 3"], end: Float[np.ndarray, "tubes 3"], radius: Float[np.ndarray, "tubes"]
    ) -> Float[np.ndarray, "vertices 3"]:
        """The vertices while the tubes are elsewhere."""
        axis, _ = _directions(end - start, self._axis)
        turn = turn_between(self._axis, axis) @ self._turn
        around = np.einsum("tij,vj->tvi", turn, self._offset) * radius[:, None, None]
        return (around + np.where(self._upper[:, None], end[:, None], start[:, None])).reshape(-1, 3)


def _directions(
    segment: Float[np.ndarray, "tubes 3"], otherwise: Float[np.ndarray, "tubes 3"]
) -> tuple[Float[np.ndarray, "tubes 3"], Float[np.ndarray, "tubes"]]:
    """Unit directions, given ones where a segment has no length, and lengths."""
    length = np.linalg.norm(segment, axis=1)
    long = (length > _SHORTEST)[:, None]
    return np.where(long, segment / np.where(long, length[:, None], 1), otherwise), length


def turn_between(a: Float[np.ndarray, "rows 3"], b: Float[np.ndarray, "rows 3"]) -> Float[np.ndarray, "rows 3 3"]:
    """The rotations by the smallest angle that turn unit vectors into others; opposed ones by half a turn about any axis."""
    cosine = np.einsum("ri,ri->r", a, b)[:, None, None]
    axis = np.cross(a, b)
    zero = np.zeros(len(a))
    x, y, z = axis.T
    skew = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1).reshape(-1, 3, 3)
    opposed = cosine < -1 + 1e-9
    small = np.eye(3) + skew + skew @ skew / np.where(opposed, 1, 1 + cosine)
    across = np.cross(a, np.eye(3)[np.abs(a).argmin(axis=1)])
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    half = 2 * across[:, :, None] * across[:, None, :] - np.eye(3)
    return np.where(opposed, half, small)
