from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.camera import View
from sim2real.raster import Fragments, Rasterizer, rasterizer
from sim2real.scene import Instance, Mesh, Part, Scene, Triangles, triangles_of
from sim2real.transforms import look_at, rigid, rotation_about

from .soups import INTRINSICS, SIZE, bumpy_ball, placed, soup, triangles


def differences(a: Fragments, b: Fragments) -> int:
    """Pixels that see another face; the rest must agree in everything."""
    same = a.face == b.face
    assert torch.allclose(a.barycentrics[:, same], b.barycentrics[:, same], atol=1e-4)
    assert torch.allclose(a.depth[same], b.depth[same], rtol=1e-6)
    return int((~same).sum())


@given(seed=st.integers(0, 2**31), skew=st.sampled_from([0.0, 1.7]))
@settings(max_examples=20, deadline=None)
def test_warp_and_reference_see_the_same_soup(seed: int, skew: float) -> None:
    mesh = soup(seed)
    k = INTRINSICS + np.array([[0, skew, 0], [0, 0, 0], [0, 0, 0]])
    a = rasterizer(mesh).fragments(View(placed(), k, SIZE))
    b = rasterizer(mesh, backend="reference").fragments(View(placed(), k, SIZE))
    assert differences(a, b) == 0
    assert torch.equal(a.camera_vertices, b.camera_vertices)


@given(seed=st.integers(0, 2**31), size=st.sampled_from([(9, 131), (5, 64), (33, 33), (40, 3), (1, 97)]))
@settings(max_examples=12, deadline=None)
def test_rows_of_any_length_hold_what_is_nearest_however_much_lies_behind(seed: int, size: tuple[int, int]) -> None:
    # large faces in any order: whole stretches of rows are known to hold nearer things
    rng = np.random.default_rng(seed)
    count = 60
    corners = rng.normal(size=(count, 3, 3)) * [2.0, 2.0, 0.4] + [0, 0, 0] + rng.uniform(0.005, 4, (count, 1, 1)) * [0, 0, 1]
    mesh = triangles(corners, np.arange(3 * count))
    k = np.array([[40.0, 0, size[1] / 2], [0, 40.0, size[0] / 2], [0, 0, 1]])
    a = rasterizer(mesh).fragments(View(placed(), k, size))
    b = rasterizer(mesh, backend="reference").fragments(View(placed(), k, size))
    assert differences(a, b) == 0
    assert torch.equal(a.depth, b.depth)


@pytest.mark.slow
@given(seed=st.integers(0, 2**31))
@settings(max_examples=8, deadline=None)
def test_both_agree_inside_and_outside_of_a_mesh_of_several_parts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ball = bumpy_ball(3, seed)
    vertices = np.concatenate([ball.vertices, ball.vertices * 0.3])
    faces = np.concatenate([ball.faces, ball.faces + len(ball.vertices)])
    mesh = triangles(vertices, faces, np.repeat([0, 1], len(ball.vertices)))
    eye = rng.normal(size=3) * rng.choice([0.3, 1.0, 3.0])
    matrices = np.linalg.inv(look_at(eye, rng.normal(size=3) * 0.2, np.array([0, 0, 1.0]))) @ np.stack(
        [np.eye(4), rigid(rotation_about(rng.normal(size=3), np.array(1.0)), rng.normal(size=3))]
    )
    a = rasterizer(mesh).fragments(View(matrices, INTRINSICS, SIZE))
    b = rasterizer(mesh, backend="reference").fragments(View(matrices, INTRINSICS, SIZE))
    assert differences(a, b) == 0


def test_visibility_is_the_face_of_fragments() -> None:
    for backend in ("warp", "reference"):
        one = rasterizer(soup(3), backend=backend)
        seen, full = one.visibility(View(placed(), INTRINSICS, SIZE)), one.fragments(View(placed(), INTRINSICS, SIZE))
        assert torch.equal(seen.face, full.face)
        assert torch.equal(seen.camera_vertices, full.camera_vertices)
        assert isinstance(one, Rasterizer)


def check_adapter(mesh: Triangles, matrices: np.ndarray, other: Rasterizer, flip_ratio: float) -> None:
    expected = rasterizer(mesh).fragments(View(matrices, INTRINSICS, SIZE))
    found = other.fragments(View(matrices, INTRINSICS, SIZE))
    wrong = (found.face.cpu() != expected.face).float().mean()
    assert wrong <= flip_ratio
    same = found.face.cpu() == expected.face
    assert torch.allclose(found.depth.cpu()[same], expected.depth[same], rtol=1e-4)


@pytest.mark.gpu
def test_cuda_sees_what_the_cpu_sees() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    ball = bumpy_ball(4)
    floor = np.array([[-9, 1.2, -9], [9, 1.2, -9], [9, 1.2, 9], [-9, 1.2, 9]])
    n = len(ball.vertices)
    mesh = triangles(
        np.concatenate([ball.vertices, floor]), np.concatenate([ball.faces, [[n, n + 1, n + 2], [n, n + 2, n + 3]]])
    )
    for z in (3.0, 0.2):
        check_adapter(mesh, placed(z=z), rasterizer(mesh, device="cuda"), 1e-4)


@given(seed=st.integers(0, 2**31))
@settings(max_examples=12, deadline=None)
def test_of_faces_with_a_hidden_side_both_see_the_other_only(seed: int) -> None:
    mesh = soup(seed)
    sides = np.random.default_rng(seed).integers(-1, 2, len(mesh.faces)).astype(np.int8)
    mesh = replace(mesh, hidden_side=sides)
    a = rasterizer(mesh).fragments(View(placed(), INTRINSICS, SIZE))
    b = rasterizer(mesh, backend="reference").fragments(View(placed(), INTRINSICS, SIZE))
    assert differences(a, b) == 0
    seen = np.unique(a.face.numpy())
    corners = mesh.vertices[mesh.faces[seen[seen >= 0]]].astype(np.float64)
    volume = np.einsum("fi,fi->f", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))
    assert (volume * sides[seen[seen >= 0]] >= 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["warp", "reference"])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_camera_inside_a_closed_mesh_of_outer_faces_sees_out(backend: str, mirrored: bool) -> None:
    shape = bumpy_ball(2)
    ball = Mesh("ball", shape.vertices.astype(np.float32), shape.faces)
    around = replace(ball, vertices=ball.vertices * 10)
    turned = np.diag([-1.0, 1, 1, 1]) if mirrored else np.eye(4)
    made = Scene(
        source=Path("ball"),
        sha256="",
        meshes=(replace(ball, outside_only=True), around),
        parts=(Part(0, 0, turned), Part(1, 1)),
        instances=(Instance("head", "head"), Instance("room", "room")),
        cameras=(),
        world_from_instance=np.tile(np.eye(4), (1, 2, 1, 1)),
        visible=np.ones((1, 2), bool),
    )
    mesh = triangles_of(made)
    draw = rasterizer(mesh, backend=backend)
    matrices = np.stack([turned, np.eye(4)])
    inside = draw.visibility(View(matrices, INTRINSICS, SIZE)).face.numpy()
    assert (mesh.part_instance[mesh.face_part[inside]] == 2).all()
    away = placed(z=4.0)[0]
    outside = draw.visibility(View(away @ matrices, INTRINSICS, SIZE)).face.numpy()
    assert mesh.part_instance[mesh.face_part[outside]][SIZE[0] // 2, SIZE[1] // 2] == 1
