"""Haze: it grows with distance, begins and ends where the model says, and hides what is behind it, not what is before it."""

from dataclasses import replace

import numpy as np
import pytest

from sim2real.conditions.rgb.deferred.exposure import EXPOSURE, radiance_shown_as
from sim2real.scene import Material
from sim2real.scene.light.lamps import Haze, Lights
from sim2real.scene.primitives import box, plane

from .stage import camera_at, scene_of
from .test_rgb import shader_of

BLACK = Material((0.0, 0.0, 0.0, 1.0), roughness=1.0)
HAZE = Haze((0.5, 0.25, 0.125), reach=8.0, depth=0.7)
WIDE = plane((300.0, 300.0))
EYE = camera_at((0.0, 0.0, 1.0), (0.0, 10.0, 0.0), (240, 20), fov_deg=5.0)


def shown(*things, haze: Haze | None = HAZE, backdrop=((0.0, 0.0, 0.0),) * 2, camera=EYE, rest=WIDE):
    floor = (replace(rest, material=BLACK), (0.0, 0.0, 0.0))
    scene = replace(scene_of([floor, *things], camera), lights=Lights(haze=haze, backdrop=backdrop))
    return shader_of(scene, ambient_occlusion=0.0).radiance(camera, 0)


def falls(camera=EYE) -> np.ndarray:
    """Metres that lines of sight fall per metre, per row in the middle column."""
    y = np.arange(camera.size[0]) + 0.5
    rays = np.stack([np.zeros_like(y), (y - camera.intrinsics[0, 1, 2]) / camera.intrinsics[0, 1, 1], np.ones_like(y)], -1)
    world = rays @ camera.world_from_camera[0][:3, :3].T
    return -world[:, 2] / np.linalg.norm(world[:, :2], axis=1)


def test_haze_over_a_black_plane_grows_with_distance_from_its_foot_to_its_reach():
    column = shown()[:, 10]
    away = 1 / np.maximum(falls(), 1e-9)  # along the plane, metres
    foot = HAZE.reach * (1 - HAZE.depth)
    near, between = away < foot, (away > foot) & (away < HAZE.reach) & (falls() > 0)
    assert (column[near] == 0).all() and near.sum() > 20 and between.sum() > 20
    assert (np.diff(column[between][:, 0]) < 0).all()  # rows go down, so nearer
    full = radiance_shown_as(np.array(HAZE.color), EXPOSURE)
    assert column[between][0] == pytest.approx(full, rel=0.1)


def test_the_share_of_haze_is_as_the_formula_says():
    column, f = shown()[:, 10, 0], falls()
    q, r = HAZE.reach * f, HAZE.depth
    share = np.where(q >= 1, (1 - q * (1 - r)) * (1 + r) / (r * (1 + r * q)), q * (1 + r) / (1 + r * q)).clip(0, 1)
    full = radiance_shown_as(np.array(HAZE.color), EXPOSURE)[0]
    here = f > 0
    assert np.abs(np.sqrt(column[here] / full) - share[here]).max() < 0.03
    assert (column[f < 0] == 0).all()


def test_haze_hides_what_is_behind_it_and_not_what_is_before_it():
    near, far = ((box((2.0, 0.1, 0.5)), (0.0, y, 0.5)) for y in (2.0, 60.0))
    lit = [replace(mesh, material=replace(BLACK, emission=(0.0, 0.0, 5.0))) for mesh in (near[0], far[0])]
    before, behind = shown((lit[0], near[1])), shown((lit[1], far[1]))
    assert before[..., 2].max() == pytest.approx(5.0)
    below = falls() > 0.004
    assert behind[below, 10, 2].max() < 1.0  # the horizon is all haze


@pytest.mark.parametrize(
    ("camera", "haze"),
    [(EYE, replace(HAZE, point=(0.0, 0.0, 2.0))), (replace(EYE, projection="orthographic"), HAZE), (EYE, None)],
    ids=["from below", "parallel", "none"],
)
def test_there_is_no_haze_from_below_its_plane_nor_along_parallel_lines_of_sight(camera, haze):
    assert shown(camera=camera, haze=haze).max() == 0


def test_the_sky_beyond_the_end_of_a_plane_is_in_haze_up_to_the_horizon():
    column = shown(rest=plane((30.0, 30.0)))[:, 10]
    whole = shown()[:, 10]
    assert column == pytest.approx(whole, abs=1e-5)
