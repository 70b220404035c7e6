import re
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.camera import View
from sim2real.errors import BadValueError, UnknownNameError
from sim2real.raster import rasterizer

from .soups import INTRINSICS, SIZE, bumpy_ball, placed, soup, triangles

BACKENDS = ["warp", "reference"]


def quad(corners: list[list[float]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(corners), np.array([[0, 1, 2], [0, 2, 3]])


@pytest.mark.parametrize("backend", BACKENDS)
@given(extent=st.floats(1, 1e6), height=st.floats(0.02, 50))
@settings(max_examples=8, deadline=None)
def test_a_floor_that_passes_under_and_behind_the_camera_is_whole(backend: str, extent: float, height: float) -> None:
    extent *= height
    v, f = quad([[-extent, height, -extent], [extent, height, -extent], [extent, height, extent], [-extent, height, extent]])
    out = rasterizer(triangles(v, f), backend=backend).fragments(View(placed(), INTRINSICS, SIZE, near=1e-3))
    y = (torch.arange(SIZE[0]).double()[:, None] + 0.5 - 22.6) / 55
    x = (torch.arange(SIZE[1]).double()[None] + 0.5 - 37.3) / 60
    z = np.float64(np.float32(height)) / y
    far = float(np.float32(extent))
    clear = (y > 0) & ((x * z).abs() < 0.99 * far) & (z < 0.99 * far)
    assert (out.face[clear] >= 0).all()
    assert torch.allclose(out.depth[clear].double(), z.expand(SIZE)[clear], rtol=2e-6)
    assert (out.face[((y < 0) | ((x * z).abs() > 1.01 * far) | (z > 1.01 * far)).expand(SIZE)] < 0).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_wall_is_cut_at_the_near_plane_pixel_by_pixel(backend: str) -> None:
    v, f = quad([[-1, -9, 0.1], [1, -9, 2.1], [1, 9, 2.1], [-1, 9, 0.1]])  # z = x + 1.1
    out = rasterizer(triangles(v, f), backend=backend).fragments(View(placed(), INTRINSICS, SIZE, near=0.8))
    x = (torch.arange(SIZE[1]).double() + 0.5 - 37.3) / 60
    z = (1.1 / (1 - x)).expand(SIZE)
    expected = (z >= 0.8) & (x * z <= 1)
    assert torch.equal(out.face >= 0, expected)
    assert torch.allclose(out.depth[expected].double(), z[expected], rtol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_triangles_without_area_or_with_broken_vertices_are_never_seen(backend: str) -> None:
    good = [[-1, -1, 2], [1, -1, 2], [0, 1, 2.0]]
    bad = [[0, 0, 1], [0, 0, 1], [1, 1, 1], [np.nan, 0, 1], [np.inf, 0, 1], [0.5, 0.5, 1], [1.5, 1.5, 1.0]]
    faces = [[0, 1, 2], [3, 4, 5], [3, 3, 3], [6, 3, 5], [7, 3, 5], [3, 8, 9], [0, 1, 6]]
    out = rasterizer(triangles(np.array(good + bad), np.array(faces)), backend=backend).fragments(
        View(placed(), INTRINSICS, SIZE)
    )
    assert set(out.face.unique().tolist()) == {-1, 0}
    assert torch.isfinite(out.depth).all() and torch.isfinite(out.barycentrics).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_both_sides_of_a_face_are_seen(backend: str) -> None:
    v = np.array([[-1, -1, 2], [1, -1, 2], [0, 1, 2.0]])
    faces = [
        rasterizer(triangles(v, np.array(f)), backend=backend).visibility(View(placed(), INTRINSICS, SIZE)).face
        for f in ([0, 1, 2], [0, 2, 1])
    ]
    assert (faces[0] == 0).sum() > 500
    assert torch.equal(faces[0], faces[1])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("vertices", [0, 5])
def test_a_scene_without_triangles_is_all_background(backend: str, vertices: int) -> None:
    one = rasterizer(triangles(np.zeros((vertices, 3)), np.zeros((0, 3))), backend=backend)
    out = one.fragments(View(placed(z=1), INTRINSICS, SIZE))
    assert (out.face == -1).all() and (out.depth == 0).all() and (out.barycentrics == 0).all()
    assert (one.visibility(View(placed(z=1), INTRINSICS, SIZE)).face == -1).all()
    assert out.camera_vertices.shape == (vertices, 3)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_scene_without_parts_is_all_background(backend: str) -> None:
    nothing = triangles(np.zeros((0, 3)), np.zeros((0, 3)))
    nothing = type(nothing)(**{**vars(nothing), "part_instance": np.zeros(0, np.int32)})
    out = rasterizer(nothing, backend=backend).fragments(View(np.zeros((0, 4, 4)), INTRINSICS, SIZE))
    assert (out.face == -1).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_hidden_parts_are_not_drawn_but_keep_their_vertices(backend: str) -> None:
    near, far = np.array([[-1, -1, 1], [1, -1, 1], [0, 1, 1.0]]), np.array([[-2, -2, 2], [2, -2, 2], [0, 2, 2.0]])
    mesh = triangles(np.concatenate([near, far]), np.arange(6), np.repeat([0, 1], 3))
    one = rasterizer(mesh, backend=backend)
    matrices = np.repeat(np.eye(4)[None], 2, axis=0)
    both = one.visibility(View(matrices, INTRINSICS, SIZE))
    alone = one.visibility(View(matrices, INTRINSICS, SIZE, part_visible=np.array([False, True])))
    assert 0 in both.face and 0 not in alone.face and 1 in alone.face
    assert torch.equal(both.camera_vertices, alone.camera_vertices)


@pytest.mark.parametrize("backend", BACKENDS)
def test_deformed_vertices_replace_the_mesh_for_one_call(backend: str) -> None:
    v = np.array([[-1, -1, 2], [1, -1, 2], [0, 1, 2]], np.float32)
    one = rasterizer(triangles(v, np.array([0, 1, 2])), backend=backend)
    before = one.fragments(View(placed(), INTRINSICS, SIZE))
    moved = one.fragments(View(placed(), INTRINSICS, SIZE, vertices=v * 2))
    after = one.fragments(View(placed(), INTRINSICS, SIZE))
    assert torch.equal(before.depth, after.depth)
    assert moved.depth.max() == 4


def test_a_scaled_view_is_the_same_view_with_more_samples() -> None:
    ball = bumpy_ball(3)
    one = rasterizer(triangles(ball.vertices, ball.faces))
    plain = one.fragments(View(placed(z=3), INTRINSICS, SIZE))
    dense = one.fragments(View(placed(z=3), np.diag([3.0, 3, 1]) @ INTRINSICS, (3 * SIZE[0], 3 * SIZE[1])))
    assert (dense.face[1::3, 1::3] != plain.face).float().mean() < 1e-3  # every third sample is the plain pixel's center
    assert torch.allclose(dense.depth[1::3, 1::3], plain.depth, rtol=1e-5)


def test_threads_and_repetition_change_nothing() -> None:
    ball = bumpy_ball(4)
    one = rasterizer(triangles(ball.vertices, ball.faces))
    views = [placed(0.1 * k, 0, 2.5) for k in range(8)]
    alone = [one.fragments(View(v, INTRINSICS, SIZE)) for v in views]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda v: one.fragments(View(v, INTRINSICS, SIZE)), views * 3))
    for k, other in enumerate(together):
        first = alone[k % len(views)]
        assert torch.equal(first.face, other.face)
        assert torch.equal(first.barycentrics, other.barycentrics)
        assert torch.equal(first.depth, other.depth)


def test_of_surfaces_in_one_place_the_first_face_is_seen() -> None:
    v = np.array([[-1, -1, 2], [1, -1, 2], [0, 1, 2.0]])
    seen = rasterizer(triangles(v, np.array([[1, 2, 0], [0, 1, 2], [2, 1, 0]]))).visibility(View(placed(), INTRINSICS, SIZE))
    assert set(seen.face.unique().tolist()) == {-1, 0}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"camera_from_part": np.stack([np.eye(4)] * 2)}, "(1, 4, 4), one matrix per part"),
        ({"vertices": np.zeros((2, 3), np.float32)}, "vertices"),
    ],
)
def test_a_view_of_other_triangles_is_refused(backend: str, change: dict, words: str) -> None:
    view = View(**{"camera_from_part": placed(), "intrinsics": INTRINSICS, "size": SIZE, **change})
    one = rasterizer(soup(1), backend=backend)
    for look in (one.visibility, one.fragments):
        with pytest.raises(BadValueError, match=re.escape(words)):
            look(view)


def test_an_unknown_backend_lists_the_valid_ones() -> None:
    with pytest.raises(UnknownNameError, match="valid: warp, reference, pytorch3d, nvdiffrast"):
        rasterizer(soup(1), backend="opengl")


@pytest.mark.parametrize(("backend", "module"), [("pytorch3d", "pytorch3d.renderer.mesh"), ("nvdiffrast", "nvdiffrast.torch")])
def test_a_backend_that_is_not_installed_says_how_to_get_it(backend: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, backend, None)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(BadValueError, match="build it from its source"):
        rasterizer(soup(1), backend=backend)


def test_a_face_that_points_past_the_vertices_is_refused() -> None:
    with pytest.raises(BadValueError, match="vertex index is 7"):
        rasterizer(triangles(np.zeros((3, 3)), np.array([0, 1, 7])))
