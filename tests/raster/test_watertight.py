import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import Delaunay

from sim2real.camera import View
from sim2real.raster import rasterizer

from .soups import INTRINSICS, SIZE, bumpy_ball, placed, triangles

SQUARE = (32, 32)
EXACT = np.array([[32.0, 0, 16], [0, 32.0, 16], [0, 0, 1]])  # powers of two: pixel centers are exact in float32


def sheet(seed: int, on_centers: bool) -> tuple[np.ndarray, np.ndarray]:
    """A triangulation that covers the picture; its vertices lie on pixel centers, or anywhere and at any depth."""
    rng = np.random.default_rng(seed)
    inner = rng.integers(0, 32, (40, 2)) + 0.5 if on_centers else rng.uniform(0, 32, (40, 2))
    pixels = np.unique(np.concatenate([inner, [[-8, -8], [40, -8], [-8, 40], [40, 40]]]), axis=0)
    z = np.full(len(pixels), 2.0) if on_centers else rng.uniform(1, 30, len(pixels))
    faces = Delaunay(pixels).simplices
    return np.column_stack([(pixels - 16) / 32 * z[:, None], z]), faces


@pytest.mark.parametrize("backend", ["warp", "reference"])
@pytest.mark.parametrize("on_centers", [True, False])
@given(seed=st.integers(0, 2**31))
@settings(max_examples=8, deadline=None)
def test_no_pixel_falls_between_triangles_that_share_edges(backend: str, on_centers: bool, seed: int) -> None:
    vertices, faces = sheet(seed, on_centers)
    seen = rasterizer(triangles(vertices, faces), backend=backend).visibility(View(placed(), EXACT, SQUARE))
    assert (seen.face >= 0).all()


@given(seed=st.integers(0, 2**31))
@settings(max_examples=8, deadline=None)
def test_nor_where_the_triangles_share_positions_but_no_vertices(seed: int) -> None:
    vertices, faces = sheet(seed, on_centers=bool(seed % 2))
    rng = np.random.default_rng(seed)
    shuffled = rng.permuted(faces, axis=1)  # other first corners and other windings
    corners = vertices[shuffled].reshape(-1, 3)
    seen = rasterizer(triangles(corners, np.arange(len(corners)))).visibility(View(placed(), EXACT, SQUARE))
    assert (seen.face >= 0).all()


@pytest.mark.slow
@given(seed=st.integers(0, 2**31))
@settings(max_examples=10, deadline=None)
def test_a_pixel_lies_inside_one_triangle_only(seed: int) -> None:
    vertices, faces = sheet(seed, on_centers=False)
    inside = torch.zeros(SQUARE, dtype=torch.int64)
    for face in faces:
        inside += (rasterizer(triangles(vertices, face)).fragments(View(placed(), EXACT, SQUARE)).barycentrics > 0).all(0)
    assert (inside == 1).all()


@given(seed=st.integers(0, 2**31))
@settings(max_examples=10, deadline=None)
def test_a_closed_mesh_has_no_holes_from_inside(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ball = bumpy_ball(3, seed)
    x, y, z = rng.normal(size=3) * 0.2
    seen = rasterizer(triangles(ball.vertices, ball.faces)).visibility(View(placed(x, y, z), INTRINSICS, SIZE))
    assert (seen.face >= 0).all()


def test_tiny_triangles_far_away_leave_no_holes() -> None:
    ball = bumpy_ball(6)  # 82k triangles on about 600 pixels
    out = rasterizer(triangles(ball.vertices * 1e-3, ball.faces)).fragments(View(placed(z=4e-3), INTRINSICS, SIZE, near=1e-4))
    hit = out.face >= 0
    rows = torch.nonzero(hit.any(1))[:, 0]
    for row in rows:  # the ball is nearly convex: every row is one span
        columns = torch.nonzero(hit[row])[:, 0]
        assert columns[-1] - columns[0] + 1 == len(columns)
    assert hit.sum() > 400
