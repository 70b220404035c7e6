"""Projections, and what lenses do to lines of sight (x, y) before the intrinsics bring them to pixels. Float64, numpy only."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float
from numpy.polynomial import Polynomial

from ..errors import BadValueError, UnknownNameError

Projection = Literal["perspective", "fisheye", "orthographic"]
PROJECTIONS: tuple[Projection, ...] = get_args(Projection)
COEFFICIENTS = {"perspective": (0, 4, 5, 8, 12), "fisheye": (4,), "orthographic": (0,)}
"""How many coefficients each projection may have."""

WIDEST_DEG = 89.0
"""Rays farther than this from the axis cannot be drawn (a surface is found by its depth along the axis)."""
_SAMPLES = 4096
_STEPS = 30


@dataclass(frozen=True)
class Lens:
    """What bends the rays of a camera.

    - ``projection``: one of ``PROJECTIONS``.
    - ``distortion``: in OpenCV's order. Perspective: none, or k1 k2 p1 p2 [k3 [k4 k5 k6 [s1 s2 s3 s4]]]. Fisheye: k1 k2 k3 k4.

    Reference: OpenCV, Camera Calibration and 3D Reconstruction; Kannala and Brandt, A generic camera model, 2006 (fisheye).
    """

    projection: Projection = "perspective"
    distortion: tuple[float | int, ...] = ()

    def __post_init__(self) -> None:
        """Refuse unknown projections and coefficients that do not belong to them."""
        if self.projection not in PROJECTIONS:
            raise UnknownNameError(self.projection, PROJECTIONS, what="projection")
        object.__setattr__(self, "distortion", tuple(float(c) for c in self.distortion))
        counts = COEFFICIENTS[self.projection]
        if len(self.distortion) not in counts or not np.isfinite(self.distortion).all():
            right = f"{' or '.join(map(str, counts))} finite numbers for a camera with projection {self.projection}"
            raise BadValueError("the distortion", list(self.distortion), right=right)

    @property
    def parallel(self) -> bool:
        """Whether lines of sight are parallel (orthographic)."""
        return self.projection == "orthographic"

    @property
    def bent(self) -> bool:
        """Whether the intrinsics alone do not give the rays."""
        return self.projection == "fisheye" or any(self.distortion)

    @property
    def plain(self) -> bool:
        """Whether this is a pinhole."""
        return not self.parallel and not self.bent


PINHOLE = Lens()


def distorted(xy: Float[np.ndarray, "*shape 2"], lens: Lens) -> Float[np.ndarray, "*shape 2"]:
    """Where a lens moves lines of sight, (x, y) before the intrinsics; not a number where it does not show them."""
    moved, jacobian = lens_map(xy, lens)
    with np.errstate(invalid="ignore"):
        shown = ((xy * xy).sum(-1) <= field_of(lens) ** 2) & (_determinant(jacobian) > 0)
    return np.where(shown[..., None], moved, np.nan)


@np.errstate(all="ignore")
def undistorted(xy: Float[np.ndarray, "*shape 2"], lens: Lens) -> Float[np.ndarray, "*shape 2"]:
    """The lines of sight that a lens moves to given places, by Newton's method from the radial solution.

    Returns:
        (x, y) with ``distorted(result) = xy`` to about 1e-15; not a number where there is none.
    """
    shape, xy = np.shape(xy), np.asarray(xy, np.float64).reshape(-1, 2)
    radius, moved = _radii(lens)
    reach = np.linalg.norm(xy, axis=-1, keepdims=True)
    out = xy * np.where(reach > 0, np.interp(reach, moved, radius) / np.where(reach > 0, reach, 1), 1.0)
    left = np.arange(len(xy))
    for _ in range(_STEPS):
        at = out[left]
        found, jacobian = lens_map(at, lens)
        step = _solved(jacobian, xy[left] - found)
        size = np.linalg.norm(step, axis=-1, keepdims=True)
        bound = 0.2 * (1 + np.linalg.norm(at, axis=-1, keepdims=True))  # beyond, the map's tangent is not to be trusted
        out[left] = at + step * np.minimum(1.0, bound / np.maximum(size, 1e-300))
        left = left[size[:, 0] > 1e-9 * bound[:, 0]]  # a step that small squares to nothing
        if not len(left):
            break
    found, jacobian = lens_map(out, lens)
    good = np.abs(found - xy).max(axis=-1) <= 1e-9
    good &= ((out * out).sum(-1) <= field_of(lens) ** 2) & (_determinant(jacobian) > 0)
    return np.where(good[:, None], out, np.nan).reshape(shape)


def _solved(j: np.ndarray, miss: np.ndarray) -> np.ndarray:
    """``j`` applied backwards to ``miss``; ``miss`` itself where it cannot be."""
    det = _determinant(j)
    x = j[..., 1, 1] * miss[..., 0] - j[..., 0, 1] * miss[..., 1]
    y = j[..., 0, 0] * miss[..., 1] - j[..., 1, 0] * miss[..., 0]
    sound = det > 1e-9
    return np.where(sound[..., None], np.stack([x, y], axis=-1) / np.where(sound, det, 1.0)[..., None], miss)


@np.errstate(all="ignore")  # outside of the field anything may come out; callers look
def lens_map(
    xy: Float[np.ndarray, "*shape 2"], lens: Lens
) -> tuple[Float[np.ndarray, "*shape 2"], Float[np.ndarray, "*shape 2 2"]]:
    """What the lens does to (x, y), whether or not it makes sense there, and its Jacobian."""
    shape = np.shape(xy)
    x, y = np.asarray(xy, np.float64).reshape(-1, 2).T
    t = x * x + y * y
    g, slope = _radial(t, lens)
    _, _, p1, p2, *_, s1, s2, s3, s4 = _twelve(lens)
    moved = [
        x * g + 2 * p1 * x * y + p2 * (t + 2 * x * x) + t * (s1 + s2 * t),
        y * g + 2 * p2 * x * y + p1 * (t + 2 * y * y) + t * (s3 + s4 * t),
    ]
    both = 2 * x * y * slope + 2 * p1 * x + 2 * p2 * y
    prism_x, prism_y = 2 * (s1 + 2 * s2 * t), 2 * (s3 + 2 * s4 * t)
    rows = [
        [g + 2 * x * x * slope + 2 * p1 * y + 6 * p2 * x + x * prism_x, both + y * prism_x],
        [both + x * prism_y, g + 2 * y * y * slope + 6 * p1 * y + 2 * p2 * x + y * prism_y],
    ]
    jacobian = np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
    return np.stack(moved, axis=-1).reshape(shape), jacobian.reshape(*shape, 2)


def _determinant(j: np.ndarray) -> np.ndarray:
    return np.asarray(j[..., 0, 0] * j[..., 1, 1] - j[..., 0, 1] * j[..., 1, 0])


def _twelve(lens: Lens) -> tuple[float, ...]:
    """k1 k2 p1 p2 k3 k4 k5 k6 s1 s2 s3 s4; of a fisheye, none of them."""
    given = () if lens.projection == "fisheye" else lens.distortion
    return (*given, *(0.0,) * (12 - len(given)))


def _polynomials(lens: Lens) -> tuple[Polynomial, Polynomial]:
    """Numerator and denominator of the radial factor, in the squared radius."""
    k1, k2, _, _, k3, k4, k5, k6, *_ = _twelve(lens)
    return Polynomial([1.0, k1, k2, k3]), Polynomial([1.0, k4, k5, k6])


def _radial(t: np.ndarray, lens: Lens) -> tuple[np.ndarray, np.ndarray]:
    """By how much a radius grows, and the derivative of that, for squared radii ``t``."""
    if lens.projection != "fisheye":
        above, below = _polynomials(lens)
        a, b = above(t), below(t)
        return a / b, (above.deriv()(t) * b - a * below.deriv()(t)) / (b * b)
    k1, k2, k3, k4 = lens.distortion
    bend = Polynomial([1.0, k1, k2, k3, k4])
    r = np.sqrt(t)
    near = r < 1e-3
    safe = np.where(near, 1.0, r)
    angle = np.arctan(safe)
    w = angle * angle
    g = angle * bend(w) / safe
    slope = ((bend(w) + 2 * w * bend.deriv()(w)) / (1 + safe * safe) - g) / (2 * safe * safe)
    c1, c2 = k1 - 1 / 3, k2 - k1 + 1 / 5  # series about the axis
    return np.where(near, 1 + t * (c1 + t * c2), g), np.where(near, c1 + 2 * t * c2, slope)


@functools.lru_cache(maxsize=64)
def field_of(lens: Lens) -> float:
    """The largest radius of a line of sight up to which its place in the picture grows with it."""
    if lens.projection == "fisheye":
        k1, k2, k3, k4 = lens.distortion
        folds = _roots(Polynomial([1.0, 3 * k1, 5 * k2, 7 * k3, 9 * k4]))  # in the squared angle
        widest = np.deg2rad(WIDEST_DEG)
        return float(np.tan(min(_least_positive(folds) ** 0.5, widest)))
    above, below = _polynomials(lens)
    t = Polynomial([0.0, 1.0])
    growth = above * below + 2 * t * (above.deriv() * below - above * below.deriv())
    folds = np.concatenate([_roots(growth), _roots(below)])
    return float(min(_least_positive(folds) ** 0.5, np.tan(np.deg2rad(WIDEST_DEG))))


def _roots(polynomial: Polynomial) -> np.ndarray:
    return polynomial.trim(1e-30).roots()  # coefficients that small would overflow, and move nothing


def _least_positive(roots: np.ndarray) -> float:
    along, off = np.real(roots), np.imag(roots)
    real = along[(np.abs(off) <= 1e-9 * (1 + np.abs(along))) & (along > 0)]
    return float(real.min(initial=np.inf))


@functools.lru_cache(maxsize=64)
@np.errstate(all="ignore")
def _radii(lens: Lens) -> tuple[np.ndarray, np.ndarray]:
    """Samples of radii before and after the lens, ascending, out to its field; tangential terms left out."""
    radius = np.tan(np.linspace(0, np.arctan(field_of(lens)), _SAMPLES))
    grown = np.nan_to_num(_radial(radius * radius, lens)[0], posinf=1e300)
    return radius, np.maximum.accumulate(radius * grown)
