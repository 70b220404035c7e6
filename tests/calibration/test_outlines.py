from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from sim2real.calibration import Estimate, Paint, soft_pictures
from sim2real.calibration.coarse_mesh import simplified
from sim2real.calibration.losses import outline_misses, robust_weights
from sim2real.calibration.overlay import AFTER, overlay
from sim2real.calibration.problem import angle_between, rotation_from_vector
from sim2real.calibration.projection import motion_jacobian
from sim2real.calibration.solve import shrunk
from sim2real.calibration.views import RobotViews
from sim2real.camera import PINHOLE, Lens, View, px_from_camera
from sim2real.raster import rasterizer
from sim2real.transforms import inverse_rigid

from ..raster.soups import triangles
from .arm import arm, camera_at, problem_for, true_pose

K = np.array([[90.0, 0.4, 61], [0, 88, 43], [0, 0, 1]])
LENSES = (
    PINHOLE,
    Lens("perspective", (-0.2, 0.05, 0.002, -0.001)),
    Lens("fisheye", (0.02, -0.01, 0, 0)),
    Lens("orthographic"),
)


@pytest.mark.parametrize("lens", LENSES, ids=lambda lens: f"{lens.projection}{len(lens.distortion)}")
def test_places_in_the_picture_move_as_their_derivatives_say(lens: Lens) -> None:
    random = np.random.default_rng(0)
    points, pivot = random.uniform(-0.4, 0.4, (9, 3)) + [0, 0, 1.5], np.array([0.1, 0.2, 1.4])
    found = motion_jacobian(points, px_from_camera(points, K, lens), pivot, K, lens, zooms=True)
    seen = np.repeat(K[None], 1, axis=0)
    camera = replace(camera_at(np.eye(4), 1), intrinsics=seen)
    for k in range(7):
        ends = []
        for step in (1e-6, -1e-6):
            moved = Estimate(np.eye(4)).moved(np.eye(7)[k] * step, pivot)
            there = points @ moved.camera_from_carrier[:3, :3].T + moved.camera_from_carrier[:3, 3]
            ends.append(px_from_camera(there, moved.seen_by(camera), lens))
        assert np.allclose(found[:, :, k], (ends[0] - ends[1]) / 2e-6, atol=1e-5)


@given(st.tuples(*[st.floats(-2, 2)] * 3))
def test_rotation_vectors_turn_by_their_length(vector: tuple[float, float, float]) -> None:
    turn = rotation_from_vector(np.array(vector))
    assert np.allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    length = float(np.linalg.norm(vector))
    assert angle_between(np.eye(3), turn) == pytest.approx(min(length, 2 * np.pi - length), abs=1e-9)


def test_misses_are_the_pixels_by_which_an_outline_has_been_shifted(tmp_path: Path) -> None:
    scene = arm(tmp_path)
    problem, truth = problem_for(scene, camera_at(true_pose()))
    outline = RobotViews(problem, side=2).outline(truth, 0)
    for shift in ((1, 0), (0, -2)):
        mask = np.roll(problem.masks[0], shift, axis=(0, 1))
        expected = outline.normals @ np.array(shift[::-1], float)
        misses = outline_misses(outline, mask, 5.0)
        assert np.median(np.abs(misses - expected)) < 0.35
        assert np.average(misses * expected) > 0.7 * np.average(expected**2)
    still = outline_misses(outline, problem.masks[0], 5.0)
    assert abs(still.mean()) < 0.03 and np.abs(still).max() < 2
    assert (robust_weights(np.append(still, 30.0))[-1] == 0) and robust_weights(still).mean() > 0.5


def test_an_outline_ends_where_the_robot_does_or_what_hides_it(tmp_path: Path) -> None:
    scene = arm(tmp_path)
    problem, truth = problem_for(scene, camera_at(true_pose()))
    views = RobotViews(problem)
    outline = views.outline(truth, 1)
    inside, outside = (np.rint(outline.pixels + side * outline.normals - 0.5).astype(int) for side in (-1, 1))
    assert (
        outline.coverage[inside[:, 1], inside[:, 0]].mean()
        > 0.95
        > 0.05
        > outline.coverage[outside[:, 1], outside[:, 0]].mean()
    )
    back = px_from_camera(outline.points, views.intrinsics(truth), PINHOLE)
    assert np.allclose(back, outline.pixels, atol=1e-6)
    assert ((outline.points[:, 2] > 0.7) & (outline.points[:, 2] < 1.7)).all()


@given(st.integers(1, 40), st.integers(1, 30), st.integers(0, 5))
def test_shrinking_a_mask_keeps_its_mean(height: int, width: int, seed: int) -> None:
    mask = np.random.default_rng(seed).random((40, 30)).astype(np.float32)
    assert float(shrunk(mask, (height, width)).mean()) == pytest.approx(float(mask.mean()), rel=1e-4)


def test_a_simplified_mesh_has_fewer_faces_in_the_same_place() -> None:
    ball = trimesh.creation.icosphere(4)
    fewer, kept = simplified(triangles(ball.vertices, ball.faces), 0.2)
    assert 20 < len(fewer.faces) < len(ball.faces) / 5
    assert np.allclose(fewer.vertices, ball.vertices[kept])
    assert np.allclose(fewer.vertices[fewer.faces].mean(axis=(0, 1)), 0, atol=0.1)


def test_overlays_show_the_outline_and_leave_the_rest() -> None:
    mask = np.zeros((60, 80), np.float32)
    mask[20:40, 30:50] = 1
    picture = np.full((60, 80, 3), 77, np.uint8)
    out = overlay(picture, np.zeros_like(mask), mask)
    assert np.abs(out[20, 40].astype(int) - AFTER).max() < 80
    assert (out[30, 40] == 77).all() and (out[5, 5] == 77).all()


def test_soft_pictures_have_the_gradients_of_finite_differences() -> None:
    """Two triangles, moved by a part's transform, a camera's and the intrinsics."""
    corners = np.array([[-0.8, -0.6, 0.2], [0.9, -0.4, 0.6], [0.1, 0.7, 0], [-1.3, 0.3, 1.1], [1.2, -0.9, 1.4], [1, 0.9, 1]])
    mesh = triangles(corners, np.arange(6).reshape(2, 3), np.array([0, 0, 0, 1, 1, 1]))
    normals = np.random.default_rng(0).normal(size=(2, 3, 3)) * 0.3 + [0, 0, -1]
    mesh = replace(mesh, normals=normals.astype(np.float32))
    size, views = (30, 44), rasterizer(mesh)
    paint = Paint(torch.tensor([[0.9, 0.3, 0.2], [0.2, 0.5, 0.8]]), ambient=0.3, direct=0.8, towards_light=(0.3, -0.5, -1.0))
    weight = torch.rand(8, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def value(u: torch.Tensor) -> torch.Tensor:
        skew = torch.zeros(4, 4, dtype=torch.float64)
        skew[[2, 0, 1], [1, 2, 0]], skew[[1, 2, 0], [2, 0, 1]] = u[:3], -u[:3]
        skew[:3, 3] = u[3:6]
        depth = torch.eye(4, dtype=torch.float64)
        depth[2, 3] = 2
        pose = torch.linalg.matrix_exp(skew) @ depth
        k = torch.tensor([[40.0, 0, 22.2], [0, 38, 14.7], [0, 0, 1]], dtype=torch.float64) + u[6] * torch.diag(
            torch.tensor([1.0, 1, 0], dtype=torch.float64)
        )
        vertices = torch.as_tensor(mesh.vertices).double() * (1 + u[7])
        camera_from_part = torch.stack([pose, pose])
        plain = View(camera_from_part.detach().numpy(), k.detach().numpy(), size)
        seen = views.visibility(plain).face
        out = soft_pictures(seen, mesh, camera_from_part, k, vertices=vertices, paint=paint)
        return (torch.cat([out.silhouette, out.depth, out.normals, out.rgb]) * weight).sum()

    u = torch.zeros(8, dtype=torch.float64, requires_grad=True)
    value(u).backward()
    with torch.no_grad():
        measured = torch.stack([(value(1e-7 * d) - value(-1e-7 * d)) / 2e-7 for d in torch.eye(8, dtype=torch.float64)])
    assert torch.allclose(u.grad, measured, rtol=1e-3, atol=1e-3 * float(measured.abs().max()))
    assert (u.grad.abs() > 1e-3).all()


def test_the_middle_of_a_robot_is_known_where_it_is_out_of_the_picture(tmp_path: Path) -> None:
    scene = arm(tmp_path)
    problem, truth = problem_for(scene, camera_at(true_pose()))
    middle = RobotViews(problem).middle(truth, 0)
    world = inverse_rigid(truth.camera_from_carrier) @ np.append(middle, 1)
    assert np.linalg.norm(world[:3] - [0, 0, 0.3]) < 0.3
