"""From a camera that is far off to one whose outlines lie near those of the masks."""

from __future__ import annotations

from itertools import product

import numpy as np
from jaxtyping import Float, Float32

from ..camera import camera_from_px, px_from_camera
from .losses import agreement
from .problem import Estimate
from .views import RobotViews

ROLLS_DEG = (-10.0, 0.0, 10.0)
NEARER = (-0.12, 0.0, 0.12)
"""By how much of its distance the robot is moved towards the camera."""
AROUND_DEG = (-8.0, 0.0, 8.0)
"""Turns about the robot, both ways."""


def starts(views: RobotViews, masks: Float32[np.ndarray, "masks height width"], given: Estimate, keep: int) -> list[Estimate]:
    """Cameras around a given one that see the robot most as the masks do, the best first.

    Each is turned so that the robot's middle is where the masks have it; what is left is tried on two grids: roll and distance,
    then, with the best of them, turns about the robot.

    Args:
        views: draws the robot, at a small size.
        masks: of that size.
        given: the camera to start from.
        keep: how many to return.
    """
    aimed = _aimed(views, masks, given)
    pivot = np.mean([views.middle(aimed, k) for k in range(views.count)], axis=0)
    distance = max(float(np.linalg.norm(pivot)), 1e-6)
    ahead = pivot / distance
    best, found = (0.0, 0.0), list[tuple[float, Estimate]]()
    for turns in (product(ROLLS_DEG, NEARER), product(AROUND_DEG, AROUND_DEG)):
        level = []
        for one, two in turns:
            (roll, nearer), (right, down) = ((one, two), (0.0, 0.0)) if not found else (best, (one, two))
            turn = np.deg2rad([down, right, 0.0]) + np.deg2rad(roll) * ahead
            tried = aimed.moved(np.concatenate([turn, -nearer * pivot]), pivot)
            level.append((agreement(drawn(views, tried), masks), tried, (roll, nearer)))
        best = max(level, key=lambda entry: entry[0])[2]
        found += [entry[:2] for entry in level]
    found.sort(key=lambda pair: -pair[0])
    return [one for _, one in found[:keep]]


def drawn(views: RobotViews, estimate: Estimate) -> Float32[np.ndarray, "masks height width"]:
    """The robot in the frames of all masks."""
    return np.stack([views.coverage(estimate, k) for k in range(views.count)])


def _aimed(views: RobotViews, masks: np.ndarray, estimate: Estimate, rounds: int = 3) -> Estimate:
    """Turn the camera until the robot's middle is, on average, where the masks' is."""
    lens, k = views.camera.lens, views.intrinsics(estimate)
    there = np.array([_middle_of(mask) for mask in masks])
    for _ in range(rounds):
        here = []
        for index in range(views.count):
            coverage = views.coverage(estimate, index)
            if coverage.sum() > 0.1 * masks[index].sum():
                here.append(_middle_of(coverage))
            else:
                middle = views.middle(estimate, index)
                place = px_from_camera(middle, k, lens) if middle[2] > 0 else np.full(2, np.nan)
                here.append(place if np.isfinite(place).all() else np.array(views.camera.size[::-1]) / 2)
        ones = np.ones(views.count)
        before, after = (camera_from_px(px, ones, k, lens).mean(axis=0) for px in (np.array(here), there))
        if lens.parallel:
            shift = np.append((after - before)[:2], 0.0)
            estimate = estimate.moved(np.concatenate([np.zeros(3), shift]), np.zeros(3))
            continue
        before, after = before / np.linalg.norm(before), after / np.linalg.norm(after)
        axis = np.cross(before, after)
        sine = float(np.linalg.norm(axis))
        if sine > 1e-9:
            turn = axis / sine * np.arctan2(sine, before @ after)
            estimate = estimate.moved(np.concatenate([turn, np.zeros(3)]), np.zeros(3))
    return estimate


def _middle_of(coverage: Float32[np.ndarray, "height width"]) -> Float[np.ndarray, "2"]:
    """Centroid (x, y), px."""
    total = float(coverage.sum())
    rows, columns = coverage.sum(axis=1), coverage.sum(axis=0)
    height, width = coverage.shape
    return np.array([columns @ (np.arange(width) + 0.5), rows @ (np.arange(height) + 0.5)]) / total
