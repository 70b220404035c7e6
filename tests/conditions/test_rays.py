"""Rays meet what plain numpy says they meet: in heaps of triangles, among bodies that move, and without those that are gone."""

from __future__ import annotations

from pathlib import Path
from typing import no_type_check

import numpy as np
import pytest
import warp as wp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from sim2real.conditions.light.rays import kernels
from sim2real.conditions.light.rays.instants import Instants
from sim2real.conditions.light.rays.reference import nearest_reference
from sim2real.conditions.light.rays.trees import Bodies, Body, bodies_of, tree_of
from sim2real.devices import as_warp, launch, load
from sim2real.scene import Instance, Mesh, Part, Scene, triangles_of
from sim2real.scene.moving_vertices import MovingVertices

wp.set_module_options({"enable_backward": False})
FAR = 1e5
Met = tuple[np.ndarray, np.ndarray, np.ndarray]


@wp.kernel
@no_type_check
def rays_kernel(
    bodies: wp.uint64,
    points: wp.array(dtype=wp.vec3),
    ways: wp.array(dtype=wp.vec3),
    reach: float,
    blocked: wp.array(dtype=wp.int32),
    faces: wp.array(dtype=wp.int32),
    hits: wp.array2d(dtype=wp.float32),
):
    """What rays meet: whether anything, and first of all: which face, how far, weights of two corners, and the normal."""
    i = wp.tid()
    if kernels.hidden(bodies, points[i], ways[i], reach):
        blocked[i] = 1
    hit = kernels.nearest(bodies, points[i], ways[i], reach)
    faces[i] = kernels.face_of(hit)
    for k in range(3):
        hits[i, k] = hit[k]
        hits[i, 3 + k] = kernels.normal_of(hit)[k]


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    load(kernels, "cpu")


def _followed(bodies: Bodies, points: np.ndarray, ways: np.ndarray, reach: float = FAR) -> Met:
    """Whether rays are blocked, the faces that they meet first, and how far, weights and normals."""
    count = len(points)
    blocked, faces, hits = np.zeros(count, np.int32), np.zeros(count, np.int32), np.zeros((count, 6), np.float32)
    rays = [as_warp(np.asarray(a, np.float32), wp.vec3) for a in (points, ways)]
    launch(rays_kernel, count, [bodies.address, *rays, reach, *map(as_warp, (blocked, faces, hits))], "cpu")
    return blocked, faces, hits


def _heap(corners: np.ndarray) -> Bodies:
    count = len(corners)
    tree = tree_of(corners.astype(np.float32).reshape(-1, 3, 3), np.arange(count))
    return bodies_of([Body(tree)], np.zeros(1, bool), np.zeros(count, np.int32))


def _rays(rng: np.random.Generator, count: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    points = rng.uniform(-spread, spread, (count, 3)).astype(np.float32)
    ways = rng.normal(size=(count, 3))
    ways[::5] *= rng.random((len(ways[::5]), 3)) < 0.5  # along planes and axes
    ways[(ways == 0).all(axis=1)] = (0, 0, 1)
    return points, (ways / np.linalg.norm(ways, axis=1, keepdims=True)).astype(np.float32)


def _assert_met(met: Met, points: np.ndarray, ways: np.ndarray, corners: np.ndarray) -> None:
    blocked, faces, hits = met
    far, which = nearest_reference(points.astype(np.float64), ways.astype(np.float64), corners.astype(np.float64))
    clear = np.abs(_slack(points, ways, corners)) > 1e-4  # rays that pass edges within rounding may go either way
    assert np.array_equal(blocked[clear] != 0, which[clear] >= 0)
    assert np.array_equal(faces[clear] >= 0, which[clear] >= 0)
    there = clear & (which >= 0)
    np.testing.assert_allclose(hits[there, 0], far[there], rtol=1e-4, atol=1e-4)
    u, v = hits[there, 1:2], hits[there, 2:3]
    a, b, c = np.moveaxis(corners[faces[there]], 1, 0)
    at = (1 - u - v) * a + u * b + v * c
    np.testing.assert_allclose(at, points[there] + hits[there, :1] * ways[there], atol=1e-3)
    normal = np.cross(b - a, c - a)
    np.testing.assert_allclose(hits[there, 3:], normal / np.linalg.norm(normal, axis=1, keepdims=True), atol=1e-3)


def _slack(points: np.ndarray, ways: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """How nearly a ray passes the edge of any triangle before or at the first that it meets, in its weights."""
    one, two = (corners[:, k] - corners[:, 0] for k in (1, 2))
    p = np.cross(ways[:, None].astype(np.float64), two[None])
    det = (p * one).sum(-1)
    det = np.where(np.abs(det) < 1e-9, np.nan, det)
    off = points[:, None].astype(np.float64) - corners[None, :, 0]
    u, q = (off * p).sum(-1) / det, np.cross(off, one[None])
    v, t = (ways[:, None] * q).sum(-1) / det, (two[None] * q).sum(-1) / det
    least = np.minimum(np.minimum(u, v), 1 - u - v)
    least = np.where((t > -1e-3) & np.isfinite(least), np.minimum(np.abs(least), np.abs(t)), np.inf)
    return least.min(axis=1, initial=np.inf)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 300), st.floats(0.01, 3), st.integers(0, 2**31))
def test_heaps_of_triangles(count: int, size: float, seed: int) -> None:
    """Of any number and size, the first that numpy finds is found, and whether there is any."""
    rng = np.random.default_rng(seed)
    corners = (rng.uniform(-2, 2, (count, 1, 3)) + size * rng.normal(size=(count, 3, 3))).astype(np.float32)
    points, ways = _rays(rng, 60, 3)
    _assert_met(_followed(_heap(corners), points, ways), points, ways, corners)


def test_reach_ends_rays() -> None:
    """What is farther is not met, in lengths of the ray's way."""
    wall = np.array([[[-1, -1, 2], [1, -1, 2], [0, 2, 2]]], float)
    points, ways = np.zeros((2, 3)), np.array([[0, 0, 1.0], [0, 0, 4.0]])
    blocked, faces, hits = _followed(_heap(wall), points, ways, reach=1.0)
    assert blocked.tolist() == [0, 1] and faces.tolist() == [-1, 0]
    assert hits[1, 0] == pytest.approx(0.5)


@pytest.mark.parametrize("count", [0, 1, 8, 9, 64, 65])
def test_leaves_are_whole(count: int) -> None:
    """Every triangle of a row is met, however many there are; none that is not there is."""
    corners = np.array([[[k, 0, 0], [k + 0.9, 0, 0], [k, 0.9, 0]] for k in range(count)], float).reshape(-1, 3, 3)
    points = np.array([[k + 0.2, 0.2, 1] for k in range(70)])
    _, faces, _ = _followed(_heap(corners), points, np.tile([0.0, 0.0, -1.0], (70, 1)))
    assert faces.tolist() == [k if k < count else -1 for k in range(70)]


def test_triangles_in_one_place_and_ever_smaller_ones() -> None:
    """Trees end though boxes cannot be told apart, are nowhere, or each is a part of the one before it."""
    broken = np.full((100, 3, 3), np.nan)
    broken[::7] = 1e-42 * np.arange(3)[:, None]
    blocked, _, _ = _followed(_heap(broken), np.array([[0.2, 0.2, 1]]), np.array([[0, 0, -1.0]]))
    assert not blocked[0]
    same = np.tile(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], float), (5000, 1, 1))
    blocked, faces, _ = _followed(_heap(same), np.array([[0.2, 0.2, 1]]), np.array([[0, 0, -1.0]]))
    assert blocked[0] and faces[0] >= 0
    smaller = np.concatenate([same[:1] * 1.5**-k + [1.5**-k, 0, 0] for k in range(150)] * 20)
    blocked, faces, _ = _followed(_heap(smaller), np.array([[1.2, 0.2, 1]]), np.array([[0, 0, -1.0]]))
    assert blocked[0] and faces[0] >= 0


def test_no_light_leaks_between_triangles() -> None:
    """Rays at the edges and corners that triangles of a closed surface share are blocked."""
    rng = np.random.default_rng(3)
    steps = np.linspace(-1, 1, 12)
    x, y = np.meshgrid(steps, steps)
    sheet = np.stack([x, y, 0.1 * rng.normal(size=x.shape)], -1)
    a, b, c, d = (sheet[i : i + 11 or None, j : j + 11 or None].reshape(-1, 3) for i in (0, 1) for j in (0, 1))
    corners = np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)])
    ends = np.concatenate([sheet[1:-1, 1:-1].reshape(-1, 3), *((corners[:, k] + corners[:, k - 1]) / 2 for k in range(3))])
    ends = ends[(np.abs(ends[:, :2]) < 0.95).all(axis=1)]
    points = np.tile([0.3, -0.2, 3.0], (len(ends), 1))
    blocked, faces, _ = _followed(_heap(corners), points, ends - points)
    assert blocked.all() and (faces >= 0).all()


def _pose(angle: float, at: tuple[float, float, float], scale: tuple[float, float, float] = (1, 1, 1)) -> np.ndarray:
    pose = np.eye(4)
    turn = Rotation.from_rotvec(angle * np.array([0.3, 0.5, 0.8]))
    pose[:3, :3], pose[:3, 3] = turn.as_matrix() * scale, at
    return pose


def _crowd(mirrored: bool = False) -> Scene:
    """Six heaps; in later frames one has moved, one is gone, one has come, and one bends."""
    rng = np.random.default_rng(5)
    meshes, parts, poses = [], [], np.tile(np.eye(4), (3, 6, 1, 1))
    visible = np.ones((3, 6), bool)
    for k in range(6):
        vertices = rng.normal(size=(60, 3)).astype(np.float32) * 0.4
        bent = MovingVertices(3, 60, lambda frame, v=vertices: (v * (1 + 0.5 * frame)).astype(np.float32))
        meshes.append(
            Mesh(f"heap {k}", vertices, np.arange(60, dtype=np.int32).reshape(-1, 3), deformed=bent if k == 5 else None)
        )
        scale = (-1, 1.5, 0.5) if mirrored and k in (0, 1) else (1.0, 1.2, 0.8)
        parts.append(Part(k, k, _pose(k, (0, 0, 0), scale)))
        poses[:, k] = _pose(k / 2, (k % 3 - 1, k // 3 - 0.5, 0))
    poses[1:, 1] = _pose(2, (0.5, 0.5, 1))
    visible[1:, 2], visible[0, 3] = False, False
    return Scene(
        source=Path("test"),
        sha256="",
        meshes=tuple(meshes),
        parts=tuple(parts),
        instances=tuple(Instance(mesh.name, "heap") for mesh in meshes),
        world_from_instance=poses,
        visible=visible,
        cameras=(),
    )


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("frame", [0, 1, 2])
def test_bodies_that_move_come_go_and_bend(frame: int, mirrored: bool) -> None:
    """In every frame, rays meet all that is solid and there, where it is."""
    scene = _crowd(mirrored)
    triangles, solid = triangles_of(scene), np.array([True, True, True, True, False, True])
    instants = Instants(scene, triangles, solid)
    there = solid & scene.part_visible(frame)
    faces = np.flatnonzero(there[triangles.face_part])
    corners = instants.corners(faces, frame)
    points, ways = _rays(np.random.default_rng(frame), 200, 2)
    blocked, met, hits = _followed(instants.at(frame), points, ways)
    known = np.where(met >= 0, np.searchsorted(faces, met), -1)
    assert np.isin(met[met >= 0], faces).all()
    if mirrored:  # the weights of corners are of the mesh's own order, the corners above of the outside's
        swapped = np.linalg.det(instants.poses(frame)[:, :3, :3])[triangles.face_part[met]] < 0
        hits[:, 1:3] = np.where(swapped[:, None], hits[:, [2, 1]], hits[:, 1:3])
    _assert_met((blocked, known, hits), points, ways, corners)
