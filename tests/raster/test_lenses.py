import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.camera import View, camera_from_px
from sim2real.raster import Fragments, interpolate, rasterizer, surface
from sim2real.scene import Lens, Triangles

from .soups import INTRINSICS, SIZE, bumpy_ball, placed, soup, triangles

WIDE = np.array([[33.0, 1.7, 37.3], [0, 31.0, 22.6], [0, 0, 1]])
LENSES = {
    "barrel": (Lens("perspective", (-0.25, 0.05, 0.01, -0.005)), INTRINSICS),
    "pincushion": (Lens("perspective", (0.3, 0.1, 0.0, 0.0, 0.01)), INTRINSICS),
    "fisheye": (Lens("fisheye", (-0.02, 0.01, -0.003, 0.0005)), WIDE),
    "orthographic": (Lens("orthographic"), np.array([[18.0, 1.7, 37.3], [0, 17.0, 22.6], [0, 0, 1]])),
}


def seen_points(mesh: Triangles, seen: Fragments) -> tuple[np.ndarray, np.ndarray]:
    """Points that barycentrics name, and those that pixels and depth name."""
    y, x = np.nonzero(seen.face.numpy() >= 0)
    corners = seen.camera_vertices.numpy().astype(np.float64)[mesh.faces[seen.face.numpy()[y, x]]]
    named = (seen.barycentrics.numpy()[:, y, x].T[..., None] * corners).sum(1)
    k = seen.intrinsics.numpy().astype(np.float64)
    return named, camera_from_px(np.stack([x + 0.5, y + 0.5], axis=-1), seen.depth.numpy()[y, x], k, seen.lens)


@pytest.mark.slow
@pytest.mark.parametrize("name", LENSES)
@given(seed=st.integers(0, 2**31))
@settings(max_examples=12, deadline=None)
def test_warp_and_reference_see_the_same_soup_through_any_lens(name: str, seed: int) -> None:
    lens, k = LENSES[name]
    mesh = soup(seed)
    a = rasterizer(mesh).fragments(View(placed(), k, SIZE, lens=lens))
    b = rasterizer(mesh, backend="reference").fragments(View(placed(), k, SIZE, lens=lens))
    assert torch.equal(a.face, b.face) and torch.equal(a.depth, b.depth)
    assert torch.allclose(a.barycentrics, b.barycentrics, atol=1e-4)
    assert torch.equal(rasterizer(mesh).visibility(View(placed(), k, SIZE, lens=lens)).face, a.face)


@pytest.mark.parametrize("name", LENSES)
def test_depth_leads_back_to_the_surface_through_the_lens(name: str) -> None:
    lens, k = LENSES[name]
    ball = bumpy_ball(4)
    mesh = triangles(ball.vertices, ball.faces)
    seen = rasterizer(mesh).fragments(View(placed(z=2.0), k, SIZE, lens=lens))
    named, led = seen_points(mesh, seen)
    assert len(named) > 100
    assert np.abs(named - led).max() < 1e-6  # metres
    assert (seen.barycentrics[:, seen.face >= 0] >= -1e-6).all()  # the ray meets the face itself, not only its plane


@pytest.mark.parametrize("name", LENSES)
def test_a_wall_of_many_triangles_has_no_holes(name: str) -> None:
    lens, k = LENSES[name]
    n = 57
    y, x = np.meshgrid(np.linspace(-9, 9, n) ** 3 / 20, np.linspace(-9, 9, n) ** 3 / 20, indexing="ij")
    vertices = np.stack([x, y, 1.5 + 0.1 * np.sin(3 * x + y)], axis=-1).reshape(-1, 3)
    corner = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)).reshape(-1, 1)
    faces = np.concatenate([corner + [0, 1, n], corner + [n + 1, n, 1]])
    seen = rasterizer(triangles(vertices, faces)).fragments(View(placed(), k, SIZE, lens=lens))
    assert (seen.face >= 0).all()


def test_parallel_rays_show_things_at_one_size_at_any_distance() -> None:
    square = np.array([[-0.5, -0.5, 0], [0.5, -0.5, 0], [0.5, 0.5, 0], [-0.5, 0.5, 0]])
    mesh = triangles(square, np.array([[0, 1, 2], [0, 2, 3]]))
    k = np.array([[20.0, 0, 36], [0, 20, 24], [0, 0, 1]])
    near, far = (rasterizer(mesh).fragments(View(placed(z=z), k, SIZE, lens=Lens("orthographic"))) for z in (0.5, 50.0))
    assert torch.equal(near.face, far.face)
    assert int((near.face >= 0).sum()) == 400
    assert (near.depth[near.face >= 0] == 0.5).all() and (far.depth[far.face >= 0] == 50.0).all()
    behind = rasterizer(mesh).fragments(View(placed(z=-1.0), k, SIZE, lens=Lens("orthographic")))
    assert (behind.face < 0).all()


def test_parallel_rays_cut_a_surface_at_the_near_plane() -> None:
    ramp = np.array([[-1, -1, -1], [1, -1, 1], [1, 1, 1], [-1, 1, -1.0]])
    mesh = triangles(ramp, np.array([[0, 1, 2], [0, 2, 3]]))
    k = np.array([[20.0, 0, 36], [0, 20, 24], [0, 0, 1]])
    seen = rasterizer(mesh).fragments(View(placed(), k, SIZE, near=0.25, lens=Lens("orthographic")))
    columns = torch.nonzero((seen.face >= 0).any(0))[:, 0]
    assert (int(columns[0]), int(columns[-1])) == (41, 55)  # x = z from 0.25 on, to 1
    assert float(seen.depth[seen.face >= 0].min()) >= 0.25


@pytest.mark.slow
@pytest.mark.parametrize("name", LENSES)
def test_interpolation_and_its_gradients_follow_the_lens(name: str) -> None:
    lens, k = LENSES[name]
    ball = bumpy_ball(2)
    mesh = triangles(ball.vertices, ball.faces)
    seen = rasterizer(mesh).fragments(View(placed(z=2.0), k, SIZE, lens=lens))
    faces, vertices = torch.as_tensor(mesh.faces), seen.camera_vertices.double()
    weights, depth = surface(seen, vertices, faces, seen.intrinsics)
    inside = seen.face >= 0
    assert torch.allclose(depth.float()[inside], seen.depth[inside], rtol=1e-5)
    assert torch.allclose(weights.float(), seen.barycentrics, atol=1e-4)
    free = seen.intrinsics.double().clone().requires_grad_()
    total = interpolate(seen, vertices, faces, free, vertices[:, 2:]).sum()
    (slope,) = torch.autograd.grad(total, free)
    for place in ((0, 0), (0, 2), (1, 1), (1, 2)):
        step = torch.zeros(3, 3, dtype=torch.float64)
        step[place] = 1e-4
        up, down = (interpolate(seen, vertices, faces, free.detach() + s * step, vertices[:, 2:]).sum() for s in (1, -1))
        assert abs(float((up - down) / 2e-4 - slope[place])) < 1e-3 * (1 + abs(float(slope[place])))
