import numpy as np
import pytest
import torch
from torch import Tensor

from sim2real.camera import View
from sim2real.raster import interpolate, rasterizer, surface

from .soups import INTRINSICS, SIZE, bumpy_ball, placed, triangles

SMALL = (6, 8)
SMALL_K = np.array([[7.0, 0.3, 4.1], [0, 6.5, 2.9], [0, 0, 1]])


def scene() -> tuple[Tensor, Tensor, Tensor]:
    """Camera-frame vertices (float64), faces and face ids of a ball of 20 triangles that fills part of a small picture."""
    ball = bumpy_ball(0)
    mesh = triangles(ball.vertices, ball.faces)
    seen = rasterizer(mesh).visibility(View(placed(z=2.5), SMALL_K, SMALL))
    assert 8 < (seen.face >= 0).sum() < 48
    return seen.camera_vertices.double(), torch.as_tensor(mesh.faces), seen.face


@pytest.mark.parametrize("backend", ["warp", "reference"])
def test_it_repeats_the_barycentrics_and_depth_of_the_rasterizer(backend: str) -> None:
    ball = bumpy_ball(3)
    mesh = triangles(ball.vertices, ball.faces)
    out = rasterizer(mesh, backend=backend).fragments(View(placed(z=2.5), INTRINSICS, SIZE))
    weights, depth = surface(out, out.camera_vertices, torch.as_tensor(mesh.faces), torch.as_tensor(INTRINSICS))
    assert torch.allclose(weights, out.barycentrics, atol=1e-4)
    assert torch.allclose(depth, out.depth, rtol=1e-6)


def test_positions_interpolate_to_the_points_that_the_depth_gives() -> None:
    vertices, faces, face = scene()
    k = torch.as_tensor(SMALL_K)
    points = interpolate(face, vertices, faces, k, vertices)
    _, depth = surface(face, vertices, faces, k)
    pixels = torch.einsum("ij,jhw->ihw", k, points)[:2] / points[2]
    hit = face >= 0
    row, column = torch.nonzero(hit, as_tuple=True)
    assert torch.allclose(points[2], depth)
    assert torch.allclose(pixels[:, row, column], torch.stack([column, row]).double() + 0.5, atol=1e-9)
    assert (points[:, ~hit] == 0).all()


def test_corner_attributes_may_jump_between_faces_and_vertex_attributes_do_not() -> None:
    vertices, faces, face = scene()
    k = torch.as_tensor(SMALL_K)
    per_vertex = torch.randn(len(vertices), 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    smooth = interpolate(face, vertices, faces, k, per_vertex)
    assert torch.allclose(smooth, interpolate(face, vertices, faces, k, per_vertex[faces.long()]))
    number = torch.arange(len(faces)).double()[:, None, None].expand(-1, 3, 1)
    own = interpolate(face, vertices, faces, k, number)
    hit = face >= 0
    assert torch.allclose(own[0, hit], face[hit].double())


def test_gradients_to_vertices_camera_and_attributes_are_finite_differences() -> None:
    vertices, faces, face = scene()
    entries = torch.tensor([SMALL_K[0, 0], SMALL_K[0, 1], SMALL_K[0, 2], SMALL_K[1, 1], SMALL_K[1, 2]], dtype=torch.float64)
    attributes = torch.randn(len(vertices), 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))

    def both(vertices: Tensor, entries: Tensor, attributes: Tensor) -> tuple[Tensor, Tensor]:
        zero, one = entries.new_zeros(()), entries.new_ones(())
        k = torch.stack([*entries[:3], zero, *entries[3:], zero, zero, one]).view(3, 3)
        return interpolate(face, vertices, faces, k, attributes), surface(face, vertices, faces, k)[1]

    leaves = [t.requires_grad_() for t in (vertices, entries, attributes)]
    assert torch.autograd.gradcheck(both, leaves)


def test_the_gradient_to_a_pose_predicts_what_rendering_again_gives() -> None:
    ball = bumpy_ball(2)
    mesh = triangles(ball.vertices, ball.faces)
    one, faces = rasterizer(mesh), torch.as_tensor(mesh.faces)
    out = one.fragments(View(placed(z=2.5), INTRINSICS, SIZE))
    shift = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    k = torch.as_tensor(INTRINSICS)
    _, depth = surface(out, out.camera_vertices.double() + shift, faces, k)
    step = 1e-3
    again = one.fragments(View(placed(step, 0, 2.5), INTRINSICS, SIZE))
    still = (out.barycentrics.amin(0) > 0.05) & (again.face == out.face)
    assert still.sum() > 200
    along_x = torch.tensor([1.0, 0, 0], dtype=torch.float64)
    moved = lambda s: surface(out, out.camera_vertices.double() + s, faces, k)[1]  # noqa: E731
    slope = torch.autograd.functional.jvp(moved, shift.detach(), along_x)[1]
    measured = (again.depth.double() - out.depth.double()) / step
    assert torch.allclose(slope[still], measured[still], atol=5e-3)
    depth[still].sum().backward()
    assert torch.allclose(shift.grad[0], slope[still].sum())
