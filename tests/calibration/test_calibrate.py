from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim2real.calibration import Estimate, calibrate
from sim2real.calibration.problem import angle_between
from sim2real.camera.paths import UP
from sim2real.transforms import inverse_rigid, look_at

from .arm import arm, camera_at, off_by, problem_for, true_pose


def miss(found: Estimate, truth: Estimate) -> tuple[float, float]:
    """Millimetres and degrees between two cameras."""
    a, b = found.carrier_from_camera, truth.carrier_from_camera
    return 1000 * float(np.linalg.norm(a[:3, 3] - b[:3, 3])), float(np.rad2deg(angle_between(a[:3, :3], b[:3, :3])))


@pytest.mark.parametrize("seed", [0, 1])
def test_a_camera_is_found_from_ten_centimetres_and_ten_degrees_off(tmp_path: Path, seed: int) -> None:
    scene = arm(tmp_path)
    problem, truth = problem_for(scene, camera_at(true_pose()))
    start = Estimate(inverse_rigid(off_by(true_pose(), 0.1, 10, seed)))
    done = calibrate(problem, start)
    mm, degrees = miss(done.found, truth)
    assert mm < 4 and degrees < 0.25
    assert min(done.after) > 0.95 > 0.8 > np.mean(done.before)
    assert mm < 5 * np.linalg.norm(done.uncertainty.position_mm) < 25
    assert not done.warnings


@pytest.mark.slow
def test_a_camera_on_a_link_is_found_in_the_links_axes(tmp_path: Path) -> None:
    scene = arm(tmp_path)
    carrier = scene.world_from_instance[:, [i.name for i in scene.instances].index("turret")]
    link_from_camera = look_at(np.array([0.75, 0.2, 0.6]), np.array([0.05, 0, 0.2]), UP)
    camera = replace(camera_at(np.eye(4)), world_from_camera=carrier @ link_from_camera)
    problem, truth = problem_for(scene, camera, carrier)
    done = calibrate(problem, Estimate(inverse_rigid(off_by(link_from_camera, 0.03, 5))))
    mm, degrees = miss(done.found, truth)
    assert mm < 4 and degrees < 0.5


@pytest.mark.slow
def test_a_focal_length_is_found_along_with_the_place(tmp_path: Path) -> None:
    scene = arm(tmp_path)
    camera = camera_at(true_pose())
    problem, truth = problem_for(scene, camera)
    k = camera.intrinsics.copy()
    k[:, :2, :2] *= 1.04
    wrong = replace(problem, camera=replace(camera, intrinsics=k))
    start = Estimate(inverse_rigid(off_by(true_pose(), 0.03, 3)))
    done = calibrate(wrong, start, fit_focal=True)
    assert done.camera.intrinsics[0, 0, 0] == pytest.approx(camera.intrinsics[0, 0, 0], rel=0.015)
    assert miss(done.found, truth)[0] < 12
    assert done.uncertainty.zoom is not None and done.uncertainty.zoom < 0.02


def test_a_robot_that_cannot_tell_where_the_camera_is_gives_a_warning(tmp_path: Path) -> None:
    scene = arm(tmp_path)
    far = true_pose()
    far[:3, 3] *= 12
    problem, _ = problem_for(scene, camera_at(far))
    done = calibrate(problem, Estimate(inverse_rigid(far)))
    assert any("do not tell where the camera is" in warning for warning in done.warnings)
