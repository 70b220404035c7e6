"""Levenberg-Marquardt on outlines: far steps on small pictures first, sub-pixel ones at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from .coarse import drawn, starts
from .losses import agreement, outline_misses, robust_weights
from .problem import Estimate, Problem
from .projection import motion_jacobian
from .views import RobotViews

SMALL_PX = 96
"""Longer side of the pictures on which the search begins."""
CANDIDATES = 3
"""Starts that are followed up."""
STAGES = ((12.0, 1), (4.0, 2))
"""In whole pictures: how far from an outline the mask's is looked for, px, and samples across a pixel."""
ROUNDS = 6
STILL_PX = 0.02
"""A step that moves outlines by less ends a stage."""
MOST_DAMPING = 1e6


@dataclass(frozen=True, eq=False)
class Equations:
    """What the outlines of all frames say of the camera, linear about an estimate.

    - ``jacobian`` (places, unknowns): motion along the outlines' normals, px; ``misses``: how far they should move.
    - ``weights``: of the places; ``tiles``: places with one number stand close together in one frame.
    - ``pivot``: what the unknowns turn about. ``agreement``: intersection over union of all masks.
    """

    jacobian: Float[np.ndarray, "n unknowns"]
    misses: Float[np.ndarray, "n"]
    weights: Float[np.ndarray, "n"]
    tiles: Float[np.ndarray, "n 3"]
    pivot: Float[np.ndarray, "3"]
    agreement: float

    @property
    def spread_m(self) -> float:
        """Metres that make a shift as visible as a turn by one radian, about."""
        turns, shifts = (np.sqrt((self.jacobian[:, part] ** 2).mean()) for part in (slice(0, 3), slice(3, 6)))
        return float(turns / shifts) if shifts > 0 else 1.0


Tell = Callable[[str, int, int], None]


def solve(problem: Problem, start: Estimate, *, zooms: bool = False, tell: Tell | None = None) -> Estimate:
    """Find the camera from which the robot's outlines are those of the masks.

    Args:
        problem: masks, and how the robot stood.
        start: a camera that may be ten centimetres and ten degrees off, and more where the robot is large in the picture.
        zooms: whether the focal length is looked for, too.
        tell: called as the work goes on.
    """
    found = far(problem, start)
    for done, (reach, side) in enumerate(STAGES):
        if tell is not None:
            tell("find the camera", done + 1, len(STAGES) + 1)
        found = refined(RobotViews(problem, side=side), problem.masks, found, reach, zooms=zooms)
    if tell is not None:
        tell("find the camera", len(STAGES) + 1, len(STAGES) + 1)
    return found


def far(problem: Problem, start: Estimate) -> Estimate:
    """The best of several searches on small pictures."""
    height, width = problem.camera.size
    factor = max(max(height, width) / SMALL_PX, 1.0)
    small = (max(round(height / factor), 1), max(round(width / factor), 1))
    masks = np.stack([shrunk(mask, small) for mask in problem.masks])
    whole = RobotViews(problem)
    near = np.median([whole.middle(start, k)[2] for k in range(whole.count)])
    pixel_m = factor / problem.camera.intrinsics[0, 0, 0] * (1.0 if problem.camera.lens.parallel else max(float(near), 0.1))
    views = RobotViews(problem, small, detail_m=0.7 * pixel_m)
    ends = [refined(views, masks, one, 8.0) for one in starts(views, masks, start, CANDIDATES)]
    best = max(ends, key=lambda one: agreement(drawn(views, one), masks))
    return refined(views, masks, best, 4.0)


def refined(
    views: RobotViews,
    masks: Float32[np.ndarray, "masks height width"],
    estimate: Estimate,
    reach_px: float,
    *,
    zooms: bool = False,
) -> Estimate:
    """The estimate after steps that bring the outlines together, as long as masks come to agree better or stay as they are."""
    damping = 1e-4
    now = equations(views, masks, estimate, reach_px, zooms=zooms)
    for _ in range(ROUNDS):
        if now is None:
            return estimate
        step = damped_step(now, damping)
        size = float(np.sqrt(np.average((now.jacobian @ step) ** 2, weights=now.weights + 1e-9)))
        tried = estimate.moved(step, now.pivot)
        then = equations(views, masks, tried, reach_px, zooms=zooms)
        if then is None or then.agreement < now.agreement - 2e-3:
            damping = max(damping, 1e-2) * 10
            if damping > MOST_DAMPING:
                return estimate
            continue
        estimate, now, damping = tried, then, max(damping / 10, 1e-6)
        if size < STILL_PX:
            return estimate
    return estimate


def damped_step(at: Equations, damping: float) -> Float[np.ndarray, "unknowns"]:
    """The step of Levenberg and Marquardt."""
    weighted = at.jacobian * at.weights[:, None]
    normal = weighted.T @ at.jacobian
    diagonal = np.diag(normal)
    floor = diagonal.max() * 1e-9 + 1e-300
    return np.linalg.solve(normal + np.diag(damping * diagonal + floor), weighted.T @ at.misses)


def equations(
    views: RobotViews,
    masks: Float32[np.ndarray, "masks height width"],
    estimate: Estimate,
    reach_px: float,
    *,
    zooms: bool = False,
    tile_px: int = 16,
) -> Equations | None:
    """What the outlines say at an estimate; ``None`` where the robot is in no picture."""
    outlines = [views.outline(estimate, k) for k in range(views.count)]
    if sum(len(one.pixels) for one in outlines) < 12:
        return None
    pivot = np.concatenate([one.points for one in outlines]).mean(axis=0)
    k, lens = views.intrinsics(estimate), views.camera.lens
    rows, misses, tiles = [], [], []
    for index, (one, mask) in enumerate(zip(outlines, masks, strict=True)):
        moves = motion_jacobian(one.points, one.pixels, pivot, k, lens, zooms=zooms)
        rows.append(np.einsum("nk,nku->nu", one.normals, moves))
        misses.append(outline_misses(one, mask, reach_px))
        tiles.append(np.column_stack([np.full(len(one.pixels), index), one.pixels // tile_px]))
    every = np.concatenate(misses)
    coverage = np.stack([one.coverage for one in outlines])
    return Equations(
        np.concatenate(rows), every, robust_weights(every), np.concatenate(tiles), pivot, agreement(coverage, masks)
    )


def shrunk(mask: Float32[np.ndarray, "height width"], size: tuple[int, int]) -> Float32[np.ndarray, "rows columns"]:
    """A mask at a smaller size: every pixel the mean of what it covers."""
    for axis, target in enumerate(size):
        count = mask.shape[axis]
        edges = np.arange(target + 1) * (count / target)
        total = np.concatenate([np.zeros_like(mask.take([0], axis)), np.cumsum(mask, axis, dtype=np.float64)], axis)
        below = np.minimum(edges.astype(int), count - 1)
        part = edges - below
        at = total.take(below, axis) + mask.take(below, axis) * np.expand_dims(part, 1 - axis)
        mask = (np.diff(at, axis=axis) * (target / count)).astype(np.float32)
    return mask


def agreements(views: RobotViews, masks: Float32[np.ndarray, "masks height width"], estimate: Estimate) -> list[float]:
    """Intersection over union, mask by mask."""
    return [agreement(views.coverage(estimate, k), mask) for k, mask in enumerate(masks)]
