"""Calibrate, and write what was found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from jaxtyping import UInt8

from ..camera import Camera
from ..clip import new_folder
from ..clip.images import write_png
from ..errors import BadValueError
from ..scene.cameras.file import camera_entry
from ..transforms import quaternion_from_rotation
from .overlay import mask_picture, overlay
from .problem import Estimate, Problem, angle_between
from .solve import STAGES, Tell, agreements, equations, solve
from .uncertainty import Uncertainty, uncertainty_of
from .views import RobotViews

LOST, POOR = 0.2, 0.8
"""Agreement of masks (intersection over union) below which there is no result, and below which there is a warning."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """A camera that was found.

    - ``before`` and ``after``: intersection over union of drawn and given masks, mask by mask.
    - ``warnings``: sentences for the user.
    """

    problem: Problem
    start: Estimate
    found: Estimate
    uncertainty: Uncertainty
    before: tuple[float, ...]
    after: tuple[float, ...]
    warnings: tuple[str, ...]

    @property
    def camera(self) -> Camera:
        """Size, lens and intrinsics that were found; where it is, is ``found.carrier_from_camera``."""
        k = np.repeat(self.found.seen_by(self.problem.camera)[None], len(self.problem.camera.intrinsics), axis=0)
        return replace(self.problem.camera, intrinsics=k)

    @property
    def moved_by(self) -> tuple[float, float]:
        """How far the first guess was off, metres and degrees."""
        a, b = self.start.carrier_from_camera, self.found.carrier_from_camera
        return float(np.linalg.norm(a[:3, 3] - b[:3, 3])), float(np.rad2deg(angle_between(a[:3, :3], b[:3, :3])))


def calibrate(problem: Problem, start: Estimate, *, fit_focal: bool = False, tell: Tell | None = None) -> Calibration:
    """Find the camera that sees the robot as the masks show it.

    Args:
        problem: masks and the robot.
        start: a first guess.
        fit_focal: look for the focal length, too.
        tell: called as the work goes on.

    Raises:
        BadValueError: the robot is not found near where the masks have it.
    """
    found = solve(problem, start, zooms=fit_focal, tell=tell)
    views = RobotViews(problem, side=STAGES[-1][1])
    before, after = (tuple(agreements(views, problem.masks, one)) for one in (start, found))
    last = equations(views, problem.masks, found, STAGES[-1][0], zooms=fit_focal)
    if last is None or np.mean(after) < LOST:
        fix = "check the joint states, --robot, the focal length and the camera to start from"
        raise BadValueError(
            "the agreement of the masks with the robot", f"{100 * np.mean(after):.0f} %", right=f"at least {100 * LOST:.0f} %",
            fix=f"the robot is not in view where the masks have it; {fix}",
        )  # fmt: skip
    uncertainty = uncertainty_of(last)
    warnings = list(uncertainty.warnings)
    if np.mean(after) < POOR:
        warnings.append(
            f"the masks agree with the robot by {100 * np.mean(after):.0f} % only: look at the overlay pictures; joint states, "
            "focal length or --robot may be wrong"
        )
    return Calibration(problem, start, found, uncertainty, before, after, tuple(warnings))


def write_calibration(
    done: Calibration,
    output: Path,
    *,
    pictures: Sequence[UInt8[np.ndarray, "height width 3"]] | None = None,
    attached_to: str | None = None,
    overwrite: bool = False,
) -> None:
    """Write the camera, figures and pictures to a folder.

    Args:
        done: what was found.
        output: the folder: ``camera.json`` for ``--camera-file``, ``camera.yaml`` for scene files, ``calibration.json`` and
            ``overlay/``; whole at the end, or absent.
        pictures: what the camera saw, one per mask; ``None``: the masks are drawn.
        attached_to: the instance or camera that it rides on.
        overwrite: replace an older calibration.

    Raises:
        OutputExistsError: the output exists and is not to be overwritten.
        UnwritableOutputError: the disk is full, or the place cannot be written.
    """
    problem = done.problem
    entry = camera_entry(done.camera, done.found.carrier_from_camera, attached_to)
    views = RobotViews(problem, side=STAGES[-1][1])
    with new_folder(output, overwrite=overwrite) as work:
        (work / "camera.json").write_text(json.dumps(entry, indent=1) + "\n", encoding="utf-8")
        (work / "camera.yaml").write_text(camera_yaml(entry), encoding="utf-8")
        (work / "calibration.json").write_text(json.dumps(figures(done), indent=1) + "\n", encoding="utf-8")
        (work / "overlay").mkdir()
        for index, mask in enumerate(problem.masks):
            under = mask_picture(mask) if pictures is None else pictures[index]
            lines = (views.coverage(one, index) for one in (done.start, done.found))
            write_png(work / "overlay" / f"{index:04d}.png", overlay(under, *lines))


def camera_yaml(entry: dict[str, Any]) -> str:
    """The same camera as a block of scene files."""
    k = np.array(entry["K"])
    attached = "attached_to" in entry
    pose = np.array(entry["link_from_camera" if attached else "world_from_camera"])
    block = {
        "name": entry["name"],
        "size": entry["size"],
        "intrinsics": [float(k[0, 0]), float(k[1, 1]), float(k[0, 2]), float(k[1, 2])],
        **{key: entry[key] for key in ("projection", "distortion", "near", "attached_to") if key in entry},
        "position": pose[:3, 3].tolist(),
        "quaternion": quaternion_from_rotation(pose[:3, :3]).tolist(),
    }
    return yaml.safe_dump({"cameras": [block]}, sort_keys=False, default_flow_style=None, width=120)


def figures(done: Calibration) -> dict[str, Any]:
    """What was found and how well, ready for JSON."""
    metres, degrees = done.moved_by
    sure = done.uncertainty
    return {
        "source": str(done.problem.scene.source),
        "sha256": done.problem.scene.sha256,
        "frames": list(done.problem.frames),
        "iou_before": list(done.before),
        "iou_after": list(done.after),
        "moved_mm": 1000 * metres,
        "moved_deg": degrees,
        "position_std_mm": sure.position_mm.tolist(),
        "rotation_std_deg": sure.rotation_deg.tolist(),
        "focal_factor": done.found.zoom,
        "focal_std": sure.zoom,
        "covariance": sure.covariance.tolist(),
        "warnings": list(done.warnings),
    }
