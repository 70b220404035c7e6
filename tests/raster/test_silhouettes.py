"""The edge term is what finite differences of pictures that are rasterized again say."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import trimesh
from torch import Tensor

from sim2real.camera import PINHOLE, Lens, View
from sim2real.raster import antialiased, rasterizer, surface
from sim2real.raster.silhouettes import opposite_corners, projected
from sim2real.scene import Triangles

from .soups import bumpy_ball, triangles

SIZE = (40, 60)
K = np.array([[50.0, 0.3, 30.2], [0, 48, 20.3], [0, 0, 1]])


def tilted(mesh: trimesh.Trimesh, z: float = 3.0) -> Triangles:
    """A mesh before the camera, no edge along a row of pixels."""
    turn = trimesh.transformations.euler_matrix(0.4, 0.5, 0.3)[:3, :3]
    return triangles(mesh.vertices @ turn.T + [0.05, -0.1, z], mesh.faces)


def weights(seed: int = 0) -> Tensor:
    """A smooth picture to compare with."""
    return torch.nn.functional.interpolate(
        torch.rand(1, 1, 5, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)),
        size=SIZE,
        mode="bicubic",
        align_corners=True,
    )[0, 0]


def slopes_of(mesh: Triangles, paint: Callable[..., Tensor], lens: Lens = PINHOLE) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives of a weighted sum of a picture by shifts of the mesh and by focal lengths: by gradients, by differences."""
    views, faces, weight = rasterizer(mesh), torch.as_tensor(mesh.faces), weights()
    base = torch.as_tensor(mesh.vertices).double()

    def value(unknowns: Tensor) -> Tensor:
        points = base + unknowns[:3]
        k = torch.as_tensor(K) + torch.diag(torch.cat([unknowns[3:], torch.zeros(1, dtype=torch.float64)]))
        moved = np.eye(4)
        moved[:3, 3] = unknowns[:3].detach().numpy()
        face = views.visibility(View(moved[None], k.detach().numpy(), SIZE, lens=lens)).face
        picture = paint(face, points, faces, k, lens)
        return (antialiased(picture, face, points, faces, k, lens) * weight).sum()

    zero = torch.zeros(5, dtype=torch.float64, requires_grad=True)
    value(zero).backward()
    steps = np.array([1e-7, 1e-7, 1e-7, 1e-5, 1e-5])  # so small that no center passes from one face to another
    measured = []
    for step, direction in zip(steps, torch.eye(5, dtype=torch.float64), strict=True):
        with torch.no_grad():
            measured.append(float(value(step * direction) - value(-step * direction)) / (2 * step))
    return zero.grad.numpy(), np.array(measured)


def silhouette(face: Tensor, *_: object) -> Tensor:
    return (face >= 0).double()[None]


def depth(face: Tensor, points: Tensor, faces: Tensor, k: Tensor, lens: Lens) -> Tensor:
    return surface(face, points, faces, k, lens)[1][None]


NEAR = np.array([[-0.8, -0.6, 2.2], [0.9, -0.4, 2.6], [0.1, 0.7, 2.0]])
FAR = np.array([[-1.3, 0.3, 3.1], [1.2, -0.9, 3.4], [1.0, 0.9, 3.0]])
LENSES = (PINHOLE, Lens("perspective", (-0.2, 0.05, 0.002, -0.001)), Lens("fisheye", (0.02, 0, 0, 0)))


@pytest.mark.parametrize("paint", [silhouette, depth])
@pytest.mark.parametrize("lens", LENSES, ids=lambda lens: f"{lens.projection}{len(lens.distortion)}")
def test_gradients_by_shifts_and_focal_lengths_are_finite_differences(paint: Callable[..., Tensor], lens: Lens) -> None:
    """Two triangles, one partly before the other: every border is a silhouette."""
    mesh = triangles(np.concatenate([NEAR, FAR]), np.arange(6).reshape(2, 3))
    found, measured = slopes_of(mesh, paint, lens)
    assert np.allclose(found, measured, rtol=1e-4, atol=1e-4 * np.abs(measured).max())
    assert np.abs(found).min() > 1e-3


def test_a_corner_behind_the_eye_takes_no_gradient_away() -> None:
    mesh = triangles(np.array([[-0.8, -0.3, 2.2], [0.9, -0.4, 2.6], [0.1, 2.0, -0.5]]), np.array([[0, 1, 2]]))
    found, measured = slopes_of(mesh, silhouette)
    assert np.allclose(found, measured, rtol=1e-4, atol=1e-4 * np.abs(measured).max())


@pytest.mark.parametrize("body", [trimesh.creation.icosphere(5, radius=0.9), trimesh.creation.box((1.1, 0.9, 1.0))])
def test_faces_of_any_size_move_the_area_as_much_finer_pictures_say(body: trimesh.Trimesh) -> None:
    mesh = tilted(body)
    views, faces, weight = rasterizer(mesh), torch.as_tensor(mesh.faces), weights()
    points = torch.as_tensor(mesh.vertices).double().requires_grad_()
    face = views.visibility(View(np.eye(4)[None], K, SIZE)).face
    (antialiased(silhouette(face), face, points, faces, torch.as_tensor(K)) * weight).sum().backward()
    fine, scale = 8, np.diag([8.0, 8.0, 1.0])

    def area(axis: int, shift: float) -> float:  # by 64 samples a pixel
        moved = np.eye(4)
        moved[axis, 3] = shift
        seen = views.visibility(View(moved[None], scale @ K, (SIZE[0] * fine, SIZE[1] * fine))).face >= 0
        pooled = seen.view(SIZE[0], fine, SIZE[1], fine).double().mean((1, 3))
        return float((pooled * weight).sum())

    found = points.grad.sum(0).numpy()
    measured = np.array([area(axis, 0.03) - area(axis, -0.03) for axis in range(3)]) / 0.06
    assert np.abs(found - measured).max() < 0.1 * np.abs(measured).max()


def test_inside_of_a_surface_and_without_one_a_picture_stays() -> None:
    mesh = tilted(bumpy_ball(2))
    face = rasterizer(mesh).visibility(View(np.eye(4)[None], K, SIZE)).face
    points, faces = torch.as_tensor(mesh.vertices), torch.as_tensor(mesh.faces)
    picture = torch.rand(2, *SIZE, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    out = antialiased(picture, face, points, faces, torch.as_tensor(K))
    inside = (face >= 0).double()[None, None]
    border = torch.nn.functional.max_pool2d(inside, 3, 1, 1) + torch.nn.functional.max_pool2d(-inside, 3, 1, 1) > 0
    assert border.any() and (out != picture).any()
    assert torch.equal(out[:, ~border[0, 0]], picture[:, ~border[0, 0]])
    nothing = torch.full(SIZE, -1, dtype=torch.int32)
    assert torch.equal(antialiased(picture, nothing, points, faces, torch.as_tensor(K)), picture)


def test_every_edge_of_a_closed_mesh_has_a_face_behind_it_and_those_of_a_sheet_have_none() -> None:
    ball = trimesh.creation.icosphere(1)
    unwelded = triangles(ball.vertices[ball.faces].reshape(-1, 3), np.arange(3 * len(ball.faces)).reshape(-1, 3))
    found = opposite_corners(torch.as_tensor(unwelded.vertices), torch.as_tensor(unwelded.faces))
    assert (found >= 0).all()
    shared = torch.as_tensor(unwelded.faces)
    for face, edge in ((0, 0), (3, 2)):  # the corner behind is of another face, and on neither end
        assert found[face, edge] not in shared[face]
    sheet = triangles(np.array([[0, 0, 2], [1, 0, 2], [0, 1, 2], [1, 1, 2]]), np.array([[0, 1, 2], [2, 1, 3]]))
    found = opposite_corners(torch.as_tensor(sheet.vertices), torch.as_tensor(sheet.faces))
    assert found.tolist() == [[-1, 3, -1], [0, -1, -1]]


def test_projections_have_the_derivatives_of_differences_through_lenses() -> None:
    points = torch.rand(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) + torch.tensor([-0.5, -0.5, 2])
    k = torch.as_tensor(K)
    for lens in (PINHOLE, Lens("perspective", (-0.2, 0.05, 0.002, -0.001)), Lens("orthographic")):
        slopes = torch.autograd.functional.jacobian(lambda p, lens=lens: projected(p, k, lens), points)
        step = torch.zeros_like(points)
        step[2, 1] = 1e-6
        measured = (projected(points + step, k, lens) - projected(points - step, k, lens)) / 2e-6
        assert torch.allclose(slopes[..., 2, 1], measured, atol=1e-6)
