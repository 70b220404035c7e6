"""What is to be found, from what, and an estimate of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Float32

from ..camera import Camera
from ..scene import Scene, Triangles, triangles_of
from ..transforms import inverse_rigid, rigid


@dataclass(frozen=True, eq=False)
class Problem:
    """Masks of a robot, what is known of its motion, and the camera whose place is asked for.

    - ``camera``: its size, lens and first intrinsics count, not where it is.
    - ``frames``: of the scene, one per mask.
    - ``world_from_carrier``: what the camera is fixed to in those frames: the world (all are the identity), or a link.
    - ``robot``: which parts of the scene the masks show; all others may hide them.
    - ``masks``: the share of every pixel that is robot, 0 to 1.
    """

    scene: Scene
    camera: Camera
    frames: tuple[int, ...]
    world_from_carrier: Float[np.ndarray, "masks 4 4"]
    robot: Bool[np.ndarray, "parts"]
    masks: Float32[np.ndarray, "masks height width"]

    @cached_property
    def triangles(self) -> Triangles:
        """Of the scene, made once."""
        return triangles_of(self.scene)


@dataclass(frozen=True, eq=False)
class Estimate:
    """Where the camera is on its carrier, and a factor on the focal lengths that it started with."""

    camera_from_carrier: Float[np.ndarray, "4 4"]
    zoom: float = 1.0

    def moved(self, step: Float[np.ndarray, "unknowns"], pivot: Float[np.ndarray, "3"]) -> Estimate:
        """What the camera sees is turned about a point of its frame, then shifted, then enlarged.

        Args:
            step: rotation vector (radians), shift (metres), and where the focal length is unknown the logarithm of a factor.
            pivot: camera axes, metres.
        """
        turn = rotation_from_vector(step[:3])
        change = rigid(turn, pivot - turn @ pivot + step[3:6])
        zoom = self.zoom * float(np.exp(step[6])) if len(step) > 6 else self.zoom
        return replace(self, camera_from_carrier=change @ self.camera_from_carrier, zoom=zoom)

    @property
    def carrier_from_camera(self) -> Float[np.ndarray, "4 4"]:
        """Where the camera is."""
        return inverse_rigid(self.camera_from_carrier)

    def seen_by(self, camera: Camera) -> Float[np.ndarray, "3 3"]:
        """Intrinsics of a camera (its first), enlarged as this estimate says."""
        k = camera.intrinsics[0].copy()
        k[:2, :2] *= self.zoom
        return k


def rotation_from_vector(vector: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3 3"]:
    """The rotation about a vector by its length in radians (Rodrigues' formula)."""
    angle = float(np.linalg.norm(vector))
    x, y, z = vector
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    sine, versine = np.sinc(angle / np.pi), np.sinc(angle / (2 * np.pi)) ** 2 / 2
    return np.eye(3) + sine * skew + versine * skew @ skew


def angle_between(a: Float[np.ndarray, "3 3"], b: Float[np.ndarray, "3 3"]) -> float:
    """The angle of the rotation that leads from one to the other, radians; exact for small ones, too."""
    turn = a.T @ b
    sine = np.linalg.norm([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]]) / 2
    return float(np.arctan2(sine, (np.trace(turn) - 1) / 2))
