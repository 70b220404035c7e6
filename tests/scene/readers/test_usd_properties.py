"""What holds for any stage: transforms, units and up axes against plain numpy, UVs and normals at their corners."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.scene.readers.reading import Reading
from sim2real.scene.readers.registry import read
from sim2real.transforms import rigid

pytest.importorskip("pxr")
from pxr import Gf, UsdGeom  # noqa: E402

from .usd_stages import add_mesh, add_uv, move, new_stage, world_points  # noqa: E402

SEEDS = st.integers(0, 2**32 - 1)
Z_FROM_Y_UP = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])


def turned(rng: np.random.Generator) -> np.ndarray:
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return q * np.sign(np.linalg.det(q))


@settings(max_examples=40)
@given(SEEDS, st.sampled_from([1.0, 0.01, 0.0254]), st.sampled_from("YZ"), st.booleans(), st.booleans())
def test_corners_are_where_a_product_of_matrices_puts_them(seed, unit, up, rigid_ways, mirrored):
    rng = np.random.default_rng(seed)
    scale = np.diag([1.0, 1, 1]) if rigid_ways else np.diag(rng.uniform(0.2, 3, 3)) + rng.uniform(-0.1, 0.1, (3, 3))
    if mirrored:
        scale = scale @ np.diag([1.0, -1, 1])
    outer = [rigid(turned(rng), rng.normal(size=3)) for _ in range(3)]
    inner = rigid(turned(rng) @ scale, rng.normal(size=3))
    points = rng.normal(size=(6, 3)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.usda"
        stage = new_stage(path, unit=unit, up=up, frames=(0, 2))
        move(UsdGeom.Xform.Define(stage, "/World/a"), dict(enumerate(outer)))
        mesh = add_mesh(stage, "/World/a/b", points, [[0, 1, 2], [3, 4, 5]])
        move(mesh, inner)
        stage.Save()
        scene = read(path, Reading(), {})
    turn = Z_FROM_Y_UP if up == "Y" else np.eye(3)
    for frame in range(3):
        world = outer[frame] @ inner
        expected = (points @ world[:3, :3].T + world[:3, 3]) @ turn.T * unit
        found = world_points(scene, frame)
        gap = np.linalg.norm(found.reshape(-1, 1, 3) - expected[None], axis=2)
        assert gap.min(axis=1).max() < 1e-6 * max(unit, 0.1) * 10 and gap.min(axis=0).max() < 1e-5 * unit * 10
        faces = (expected[:3], expected[3:])
        sign = -1 if mirrored else 1  # a mirror image keeps its faces outward
        for triangle, corners in zip(found, faces, strict=True):
            normals = [np.cross(p[1] - p[0], p[2] - p[0]) for p in (triangle, corners)]
            assert sign * (normals[0] @ normals[1]) > 0
    assert scene.meshes[0].deformed is None  # whatever is constant is baked
    for way in scene.world_from_instance[:, 0]:
        np.testing.assert_allclose(way[:3, :3] @ way[:3, :3].T, np.eye(3), atol=1e-9)


@settings(max_examples=40)
@given(SEEDS, st.lists(st.integers(3, 6), min_size=1, max_size=5), st.booleans(), st.booleans())
def test_face_varying_uvs_and_normals_follow_their_corners(seed, sizes, left_handed, indexed):
    rng = np.random.default_rng(seed)
    count, faces, points = sum(sizes), [], []
    for k, size in enumerate(sizes):
        angle = 2 * np.pi * np.arange(size) / size
        faces.append(list(range(len(points), len(points) + size)))
        points += np.stack([np.cos(angle) + 3 * k, np.sin(angle), rng.normal() + 0 * angle], axis=1).tolist()
    uv, order = rng.random((count, 2)).astype(np.float32), rng.permutation(count)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.usda"
        stage = new_stage(path)
        mesh = add_mesh(stage, "/World/a", np.array(points), faces)
        mesh.CreateOrientationAttr("leftHanded" if left_handed else "rightHanded")
        add_uv(mesh, uv[np.argsort(order)] if indexed else uv, "faceVarying", order.tolist() if indexed else None)
        normals = rng.normal(size=(count, 3))
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        mesh.CreateNormalsAttr([Gf.Vec3f(*map(float, n)) for n in normals])
        mesh.SetNormalsInterpolation("faceVarying")
        stage.Save()
        found = read(path, Reading(), {}).meshes[0]
    assert len(found.faces) == sum(size - 2 for size in sizes) and found.uv is not None and found.normals is not None
    corner = found.faces  # every corner has a point of its own
    expected = uv[np.argsort(order)][order] if indexed else uv
    np.testing.assert_array_equal(found.uv, expected[corner])
    np.testing.assert_allclose(found.normals, normals[corner], atol=1e-6)
    p = found.vertices[found.faces]
    facing = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])[:, 2]
    assert ((facing < 0) == left_handed).all()
