"""Metric depth lies on the meshes; the control video is monotone, fixed and robust."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.conditions import DepthRange, DepthRangeEstimate, control_depth, estimate_depth_range, metric_depth
from sim2real.errors import BadValueError
from sim2real.raster import rasterizer
from sim2real.scene import triangles_of

from .stage import camera_at, quad, scene_of, seen, tabletop


def test_back_projected_depth_lies_on_the_triangles():
    scene = tabletop()
    camera, frame = scene.cameras[0], 2
    fragments, triangles, _ = seen(scene, frame=frame)
    depth = metric_depth(fragments).astype(np.float64)
    y, x = np.nonzero(depth)
    rays = np.stack([x + 0.5, y + 0.5, np.ones(len(x))], -1) @ np.linalg.inv(camera.intrinsics[frame]).T
    pose = camera.world_from_camera[frame]
    points = rays * depth[y, x, None] @ pose[:3, :3].T + pose[:3, 3]

    world_from_part = scene.world_from_instance[frame][[p.instance for p in scene.parts]]
    homogeneous = np.c_[triangles.vertices.astype(np.float64), np.ones(len(triangles.vertices))]
    world = np.einsum("vij,vj->vi", world_from_part[triangles.vertex_part], homogeneous)[:, :3]
    a, b, c = np.moveaxis(world[triangles.faces[fragments.face.numpy()[y, x]]], 1, 0)
    n = np.cross(b - a, c - a)
    n /= np.linalg.norm(n, axis=1, keepdims=True)
    assert len(y) > 10_000
    assert (np.abs(((points - a) * n).sum(1)) / depth[y, x]).max() < 1e-4
    inside = [(np.cross(q - p, points - p) * n).sum(1) / np.linalg.norm(q - p, axis=1) for p, q in ((a, b), (b, c), (c, a))]
    assert np.min(inside) > -1e-4


@settings(max_examples=25, deadline=None)
@given(st.floats(0.05, 2), st.floats(1.1, 50), st.lists(st.floats(0.0625, 200, width=32), min_size=2, max_size=30))
def test_nearer_is_never_darker_and_only_the_background_is_black(near, ratio, depths):
    depth = np.array([sorted(depths)], np.float32)
    gray = control_depth(depth, DepthRange(near, near * ratio))
    assert (np.diff(gray[0].astype(int)) <= 0).all() and (gray > 0).all()
    assert (control_depth(np.zeros((2, 3), np.float32), DepthRange(near, near * ratio)) == 0).all()


def test_the_ends_of_the_range_are_white_and_almost_black_and_parallax_is_linear_between():
    depth = np.array([[0.1, 0.5, 2 / 3, 1.0, 9.0]], np.float32)
    assert control_depth(depth, DepthRange(0.5, 1.0)).tolist() == [[255, 255, 128, 1, 1]]


def test_a_moment_in_which_something_passes_close_by_does_not_move_the_range():
    calm, close = np.full((20, 30), 1.0, np.float32), np.full((20, 30), 0.02, np.float32)
    calm[:, 15:] = 3
    with_visit, without = DepthRangeEstimate(), DepthRangeEstimate()
    for k in range(40):
        with_visit.add(close if k in (7, 8) else calm)
        without.add(calm)
    assert with_visit.result() == without.result() == DepthRange(1.0, 3.0)


def test_a_camera_on_the_hand_does_not_darken_the_others():
    estimate = DepthRangeEstimate()
    for _ in range(5):
        estimate.add(np.linspace(0.8, 3, 600, dtype=np.float32).reshape(20, 30), "front")
        estimate.add(np.linspace(0.03, 1, 600, dtype=np.float32).reshape(20, 30), "wrist")
    found = estimate.result()
    assert 0.3 < found.near < 0.8 and 2.5 < found.far <= 3


def test_the_order_of_frames_and_the_number_of_threads_do_not_change_the_range():
    frames = [np.random.default_rng(k).uniform(0.5, 4, (30, 40)).astype(np.float32) for k in range(12)]
    forward, backward = DepthRangeEstimate(), DepthRangeEstimate()
    for frame in frames:
        forward.add(frame)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(backward.add, reversed(frames)))
    assert forward.result() == backward.result()


def test_the_estimate_from_small_pictures_agrees_with_the_full_clip():
    scene = tabletop()
    draw = rasterizer(triangles_of(scene))
    exact = DepthRangeEstimate()
    for frame in range(scene.frames):
        exact.add(metric_depth(seen(scene, frame=frame)[0]), scene.cameras[0].name)
    small, full = estimate_depth_range(scene, draw, scene.cameras), exact.result()
    assert small.near == pytest.approx(full.near, rel=0.02) and small.far == pytest.approx(full.far, rel=0.05)


def test_a_scene_without_surfaces_still_has_a_range():
    away = scene_of([(quad(), (0, 0, 0))], camera_at((0, -2, 0), (0, -9, 0)))
    assert estimate_depth_range(away, rasterizer(triangles_of(away)), away.cameras) == DepthRange(0.1, 10.0)


@pytest.mark.parametrize("ends", [(0.0, 1.0), (2.0, 1.0), (1.0, float("inf")), (float("nan"), 1.0)])
def test_a_range_without_extent_is_refused(ends):
    with pytest.raises(BadValueError, match="0 < near < far"):
        DepthRange(*ends)
