"""One robot in three states is the same triangles, and the same depth, from MJCF, URDF, USD and animated glTF."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from sim2real.camera.view import Camera
from sim2real.raster import rasterizer, view_of
from sim2real.scene import Scene, load, triangles_of
from sim2real.transforms import look_at

pytest.importorskip("mujoco")
pytest.importorskip("pxr")

from .one_robot import write_glb, write_mjcf, write_urdf, write_usd  # noqa: E402
from .usd_stages import world_points  # noqa: E402

CLOSE_M = 1e-5


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Scene]:
    folder = tmp_path_factory.mktemp("robot")
    return {
        "mjcf": load(write_mjcf(folder), states=folder / "states.npy"),
        "urdf": load(write_urdf(folder), joints=folder / "log.csv"),
        "usd": load(write_usd(folder)),
        "gltf": load(write_glb(folder)),
    }


def farthest_corner(ours: np.ndarray, theirs: np.ndarray) -> float:
    """How far corners are off where every triangle is paired with one that faces the same way; infinite without such pairs."""
    if ours.shape != theirs.shape:
        return np.inf
    _, partner = cKDTree(theirs.mean(axis=1)).query(ours.mean(axis=1))
    if len(np.unique(partner)) < len(ours):
        return np.inf
    turned = np.stack([np.roll(theirs[partner], k, axis=1) for k in range(3)])
    return float(np.linalg.norm(turned - ours, axis=-1).max(axis=-1).min(axis=0).max())


@pytest.mark.parametrize("other", ["urdf", "usd", "gltf"])
def test_the_triangles_are_those_of_mujocos_model_in_every_state(scenes, other):
    mujocos, read = scenes["mjcf"], scenes[other]
    assert read.frames == mujocos.frames == 3
    for frame in range(3):
        ours, theirs = world_points(read, frame), world_points(mujocos, frame)
        assert len(theirs) > 2000 and farthest_corner(ours, theirs) < CLOSE_M
    moved = np.linalg.norm(world_points(read, 0) - world_points(read, 2), axis=-1).max()
    assert moved > 0.1, "the states differ"


def test_triangles_that_are_off_or_turned_over_are_found(scenes):
    points = world_points(scenes["mjcf"], 1)
    rng = np.random.default_rng(0)
    shuffled = np.stack([np.roll(t, k, axis=0) for t, k in zip(rng.permutation(points), range(len(points)), strict=True)])
    assert farthest_corner(shuffled, points) == 0
    off = points.copy()
    off[100, 1] += 2 * CLOSE_M
    turned = points.copy()
    turned[100] = turned[100, ::-1]
    assert min(farthest_corner(off, points), farthest_corner(turned, points)) > CLOSE_M
    assert farthest_corner(points[1:], points) == np.inf


def test_one_camera_sees_the_same_depth(scenes):
    focal = 140.0
    camera = Camera(
        "front",
        (96, 128),
        np.tile([[focal, 0, 64], [0, focal, 48], [0, 0, 1]], (3, 1, 1)),
        np.tile(look_at(np.array([1.5, -1.1, 0.9]), np.array([0.1, 0.2, 0.35]), np.array([0, 0, 1.0])), (3, 1, 1)),
    )
    seen = {}
    for kind, scene in scenes.items():
        scene = replace(scene, cameras=(camera,))
        views = rasterizer(triangles_of(scene))
        found = [views.fragments(view_of(scene, camera, frame)) for frame in range(3)]
        seen[kind] = np.stack([np.where(one.face.numpy() >= 0, one.depth.numpy(), np.inf) for one in found])
    covered = np.isfinite(seen["mjcf"])
    assert covered.mean() > 0.05
    for kind in ("urdf", "usd", "gltf"):
        differing = np.isfinite(seen[kind]) != covered
        differing[covered] |= ~(np.abs(seen[kind][covered] - seen["mjcf"][covered]) < CLOSE_M)
        assert differing.sum() <= 3, "pixels on an edge, which rounding decides"
