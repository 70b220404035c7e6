"""Cameras inside things: refused where they would see inner sides alone, and seeing out of what carries them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim2real.errors import CameraInsideError
from sim2real.scene import Scene, check_cameras
from sim2real.scene.inside import seeing_out
from sim2real.transforms import rigid
from tests.render.conftest import moving_scene


def seen_from(scene: Scene, places: np.ndarray) -> Scene:
    """Its first camera at some places."""
    pose = rigid(np.tile(np.eye(3), (scene.frames, 1, 1)), places)
    return replace(scene, cameras=(replace(scene.cameras[0], world_from_camera=pose),))


def test_a_camera_sees_out_of_what_carries_it_and_of_nothing_else():
    scene = moving_scene(frames=3)
    ball = scene.world_from_instance[:, 0, :3, 3]
    riding = seen_from(scene, ball + [0.01, 0.02, 0])
    with pytest.raises(CameraInsideError, match="is inside ball in frame 0"):
        check_cameras(riding)
    out = seeing_out(riding, at_rest=False)
    check_cameras(out)
    assert [mesh.outside_only for mesh in out.meshes] == [True, False, False]
    passed = seen_from(scene, np.tile(ball[1], (3, 1)))
    assert seeing_out(passed, at_rest=True) is passed
    with pytest.raises(CameraInsideError, match="is inside ball in frame 1, .* choose others with --camera"):
        check_cameras(passed)


def test_what_never_moves_is_a_housing_only_of_robots():
    scene = moving_scene(frames=3)
    still = replace(scene, world_from_instance=scene.world_from_instance[:1].repeat(3, axis=0))
    inside = seen_from(still, still.world_from_instance[:, 0, :3, 3])
    assert seeing_out(inside, at_rest=False) is inside
    assert seeing_out(inside, at_rest=True).meshes[0].outside_only


def test_housings_may_have_small_gaps_but_shells_that_are_open_stay_as_they_are():
    scene = moving_scene(frames=3)
    riding = seen_from(scene, scene.world_from_instance[:, 0, :3, 3])
    ball = riding.meshes[0]
    for left_out, housing in ((5, True), (len(ball.faces) // 2, False)):
        broken = replace(riding, meshes=(replace(ball, faces=ball.faces[left_out:], normals=None, uv=None), *riding.meshes[1:]))
        assert seeing_out(broken, at_rest=True).meshes[0].outside_only is housing
