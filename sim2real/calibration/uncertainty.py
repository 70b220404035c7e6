"""How well masks tell where the camera is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .solve import Equations

PIXEL_VARIANCE = 1 / 12
"""Of an edge that is known to a pixel, px^2."""
MUCH_M, MUCH_DEG, MUCH_ZOOM = 0.02, 1.0, 0.02
"""Standard deviations from which on a user is warned."""


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """Standard deviations of a calibration.

    - ``covariance`` of (rotation vector in camera axes, rad; the camera's place in camera axes, m; logarithm of the focal
      length's factor, where it was looked for).
    - ``warnings``: what the masks do not tell, in sentences.
    """

    covariance: Float[np.ndarray, "unknowns unknowns"]
    warnings: tuple[str, ...] = ()

    @property
    def rotation_deg(self) -> Float[np.ndarray, "3"]:
        """About the camera's axes (right, down, forward)."""
        return np.rad2deg(np.sqrt(np.diag(self.covariance)[:3]))

    @property
    def position_mm(self) -> Float[np.ndarray, "3"]:
        """Along the camera's axes (right, down, forward)."""
        return 1000 * np.sqrt(np.diag(self.covariance)[3:6])

    @property
    def zoom(self) -> float | None:
        """Relative, of the focal length; ``None`` where it was given."""
        return float(np.sqrt(self.covariance[6, 6])) if len(self.covariance) > 6 else None


def uncertainty_of(at: Equations) -> Uncertainty:
    """Covariance by Gauss and Newton's Hessian.

    Misses that stand close together are not independent: they are summed by tiles before they are squared (the sandwich of
    Huber and White, clustered), and every place adds the variance of an edge that is known to a pixel only.

    Args:
        at: what the outlines say where the search ended.
    """
    scale = np.ones(at.jacobian.shape[1])
    scale[3:6] = at.spread_m  # so that all unknowns move outlines alike
    jacobian = at.jacobian * scale
    weighted = jacobian * at.weights[:, None]
    normal = weighted.T @ jacobian
    values, vectors = np.linalg.eigh(normal)
    floor = max(float(values.max()), 1e-300) * 1e-12
    inverse = (vectors / np.maximum(values, floor)) @ vectors.T
    _, group = np.unique(at.tiles, axis=0, return_inverse=True)
    pull = np.zeros((group.max() + 1, len(scale)))
    np.add.at(pull, group.ravel(), weighted * at.misses[:, None])
    quantized = PIXEL_VARIANCE * (weighted * at.weights[:, None]).T @ jacobian
    step = np.outer(scale, scale) * (inverse @ (pull.T @ pull + quantized) @ inverse)
    moved = _of_camera(at.pivot, len(scale))
    covariance = moved @ step @ moved.T
    return Uncertainty(covariance, _warnings(covariance))


def _of_camera(pivot: Float[np.ndarray, "3"], unknowns: int) -> Float[np.ndarray, "unknowns unknowns"]:
    """From steps of ``Estimate.moved`` to the camera's own turn and the way of its center, both in camera axes.

    The scene turns by w about the pivot p and shifts by t: the center, which stays at the origin, moves by w x p - t in it.
    """
    x, y, z = pivot
    out = np.eye(unknowns)
    out[3:6, :3] = -np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    out[3:6, 3:6] = -np.eye(3)
    return out


def _warnings(covariance: Float[np.ndarray, "unknowns unknowns"]) -> tuple[str, ...]:
    place, turn = (np.sqrt(np.linalg.eigvalsh(covariance[part, part]).max()) for part in (slice(3, 6), slice(0, 3)))
    turn_deg = float(np.rad2deg(turn))
    found = []
    advice = "add masks of other joint states, in which the robot is larger in the picture or reaches elsewhere"
    if place > MUCH_M or turn_deg > MUCH_DEG:
        size = f"{1000 * place:.0f} mm and {turn_deg:.1f} degrees" if place < 10 else "any distance"
        found.append(f"the masks do not tell where the camera is (it may be off by {size}); {advice}")
    if len(covariance) > 6 and np.sqrt(covariance[6, 6]) > MUCH_ZOOM:
        found.append(f"the masks do not tell the focal length ({100 * np.sqrt(covariance[6, 6]):.0f} % off, perhaps); {advice}")
    return tuple(found)
