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
_SAMPLES = 1 << 16
_STEPS = 30
_AT_ONCE = 1 << 14
"""Lines of sight that are solved together: arrays that small stay in a processor's cache."""

_Jacobian = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


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
    out = np.empty(xy.shape)
    for start in range(0, len(xy), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        x, y = np.ascontiguousarray(xy[some].T)
        out[some, 0], out[some, 1] = _solved(x, y, lens)
    return out.reshape(shape)


def _solved(x: np.ndarray, y: np.ndarray, lens: Lens) -> tuple[np.ndarray, np.ndarray]:
    """The lines of sight that a lens moves to (x, y); not a number where there is none."""
    radius, moved = _radii(lens)
    reach = np.sqrt(x * x + y * y)
    scale = np.where(reach > 0, np.interp(reach, moved, radius) / np.where(reach > 0, reach, 1), 1.0)
    out_x, out_y, good = x * scale, y * scale, np.zeros(len(x), bool)
    left: np.ndarray | slice = slice(None)
    for _ in range(_STEPS):
        at_x, at_y = out_x[left], out_y[left]
        found_x, found_y, jacobian = _moved(at_x, at_y, lens)
        miss_x, miss_y = x[left] - found_x, y[left] - found_y
        step_x, step_y, det = _step(jacobian, miss_x, miss_y)
        size, bound = np.sqrt(step_x * step_x + step_y * step_y), 0.2 * (1 + np.sqrt(at_x * at_x + at_y * at_y))
        part = np.minimum(1.0, bound / np.maximum(size, 1e-300))  # beyond the bound, the map's tangent is not to be trusted
        out_x[left], out_y[left] = at_x + step_x * part, at_y + step_y * part
        again = size > 1e-8 * bound  # a step that small squares to nothing
        good[left] = ~again & (det > 0)
        if not again.any():
            break
        left = np.flatnonzero(again) if isinstance(left, slice) else left[again]
    good &= out_x * out_x + out_y * out_y <= field_of(lens) ** 2
    return np.where(good, out_x, np.nan), np.where(good, out_y, np.nan)


def _step(jacobian: _Jacobian, miss_x: np.ndarray, miss_y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the Jacobian turns into a miss, or the miss itself where that cannot be told; and the determinant."""
    xx, xy, yx, yy = jacobian
    det = xx * yy - xy * yx
    sound = det > 1e-9
    inverse = 1 / np.where(sound, det, 1.0)
    step_x, step_y = (yy * miss_x - xy * miss_y) * inverse, (xx * miss_y - yx * miss_x) * inverse
    return np.where(sound, step_x, miss_x), np.where(sound, step_y, miss_y), det


@np.errstate(all="ignore")  # outside of the field anything may come out; callers look
def lens_map(
    xy: Float[np.ndarray, "*shape 2"], lens: Lens
) -> tuple[Float[np.ndarray, "*shape 2"], Float[np.ndarray, "*shape 2 2"]]:
    """What the lens does to (x, y), whether or not it makes sense there, and its Jacobian."""
    shape = np.shape(xy)
    x, y = np.asarray(xy, np.float64).reshape(-1, 2).T
    moved_x, moved_y, jacobian = _moved(x, y, lens)
    return np.stack([moved_x, moved_y], axis=-1).reshape(shape), np.stack(jacobian, axis=-1).reshape(*shape, 2)


def _moved(x: np.ndarray, y: np.ndarray, lens: Lens) -> tuple[np.ndarray, np.ndarray, _Jacobian]:
    """Where a lens moves (x, y), and how that changes: x by x, x by y, y by x, y by y."""
    t = x * x + y * y
    g, slope = _radial(t, lens)
    _, _, p1, p2, *_, s1, s2, s3, s4 = _twelve(lens)
    moved_x, moved_y = x * g, y * g
    xx, both, yy = g + 2 * x * x * slope, 2 * x * y * slope, g + 2 * y * y * slope
    if not any((p1, p2, s1, s2, s3, s4)):
        return moved_x, moved_y, (xx, both, both, yy)
    prism_x, prism_y = 2 * (s1 + 2 * s2 * t), 2 * (s3 + 2 * s4 * t)
    both = both + 2 * p1 * x + 2 * p2 * y
    jacobian = xx + 2 * p1 * y + 6 * p2 * x + x * prism_x, both + y * prism_x, both + x * prism_y
    moved_x = moved_x + 2 * p1 * x * y + p2 * (t + 2 * x * x) + t * (s1 + s2 * t)
    moved_y = moved_y + 2 * p2 * x * y + p1 * (t + 2 * y * y) + t * (s3 + s4 * t)
    return moved_x, moved_y, (*jacobian, yy + 6 * p1 * y + 2 * p2 * x + y * prism_y)


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
        k1, k2, _, _, k3, k4, k5, k6, *_ = _twelve(lens)
        a, b = 1 + t * (k1 + t * (k2 + t * k3)), 1 + t * (k4 + t * (k5 + t * k6))
        a_slope, b_slope = k1 + t * (2 * k2 + t * (3 * k3)), k4 + t * (2 * k5 + t * (3 * k6))
        return a / b, (a_slope * b - a * b_slope) / (b * b)
    k1, k2, k3, k4 = lens.distortion
    r = np.sqrt(t)
    near = r < 1e-3
    safe = np.where(near, 1.0, r)
    angle = np.arctan(safe)
    w = angle * angle
    bend = 1 + w * (k1 + w * (k2 + w * (k3 + w * k4)))
    g = angle * bend / safe
    bend_slope = k1 + w * (2 * k2 + w * (3 * k3 + w * (4 * k4)))
    slope = ((bend + 2 * w * bend_slope) / (1 + safe * safe) - g) / (2 * safe * safe)
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
