import numpy as np
import pytest
import torch

from sim2real.camera import View, camera_from_px, px_from_camera
from sim2real.camera.lens import PINHOLE
from sim2real.camera.rays import ray_from_px
from sim2real.flow import Flow, exact_flow
from sim2real.raster import Fragments, rasterizer
from sim2real.scene import Lens
from sim2real.transforms import inverse_rigid, look_at, rigid, rotation_about

from .test_exact_flow import STAGE, UP

SIZE = (96, 128)
K = np.array([[90.0, 0.5, 61.2], [0, 85, 50.3], [0, 0, 1]])
PARALLEL = np.array([[22.0, 0.5, 61.2], [0, 20, 50.3], [0, 0, 1]])
LENSES = {
    "pinhole": (PINHOLE, K),
    "barrel": (Lens("perspective", (-0.25, 0.06, 0.002, -0.001)), K),
    "rational": (Lens("perspective", (0.1, 0.02, 0.001, 0.002, 0.003, 0.3, 0.03, 0.002)), K),
    "fisheye": (Lens("fisheye", (-0.02, 0.01, 0.0, 0.0)), K * [[0.7], [0.7], [1]] + [[0, 0, 18], [0, 0, 15], [0, 0, 0]]),
    "orthographic": (Lens("orthographic"), PARALLEL),
}
HERE = look_at(np.array([0, -1.2, -4.0]), np.zeros(3), UP)
THERE = look_at(np.array([0.3, -1.3, -3.8]), np.array([0.1, 0, 0]), UP)


def seen(pose: np.ndarray, name: str, k: np.ndarray | None = None) -> Fragments:
    lens, own = LENSES[name]
    matrices = np.broadcast_to(inverse_rigid(pose), (2, 4, 4))
    return rasterizer(STAGE).fragments(View(matrices, own if k is None else k, SIZE, lens=lens))


def flow_of(a: Fragments, b: Fragments, world_from_a: np.ndarray, world_from_b: np.ndarray) -> Flow:
    return exact_flow(a, b, torch.as_tensor(STAGE.faces), world_from_a, world_from_b)


def centers() -> np.ndarray:
    return np.stack(np.meshgrid(np.arange(SIZE[1]), np.arange(SIZE[0])), axis=-1) + 0.5


@pytest.mark.parametrize("name", LENSES)
def test_surfaces_flow_as_their_points_move_through_the_lens(name: str) -> None:
    lens, k = LENSES[name]
    a, b = seen(HERE, name), seen(THERE, name)
    flow = flow_of(a, b, HERE, THERE)
    points = camera_from_px(centers(), a.depth.numpy(), k, lens)
    move = inverse_rigid(THERE) @ HERE
    expected = px_from_camera(points @ move[:3, :3].T + move[:3, 3], k, lens) - centers()
    hit = (a.face >= 0).numpy()
    assert hit.sum() > 2000
    np.testing.assert_allclose(flow.forward.numpy()[hit], expected[hit], atol=2e-3)
    assert flow.visible.numpy()[hit].mean() > 0.6


@pytest.mark.parametrize("name", LENSES)
def test_what_does_not_move_has_no_flow_and_is_visible(name: str) -> None:
    a = seen(HERE, name)
    flow = flow_of(a, seen(HERE, name), HERE, HERE)
    assert (flow.forward[a.face >= 0] == 0).all()
    assert flow.visible[a.face >= 0].all()
    followed = name != "orthographic"  # what is infinitely far away is not
    assert (flow.visible[a.face < 0] == followed).all()
    assert float(flow.forward.abs().max()) < 1e-6


@pytest.mark.parametrize("name", ["barrel", "rational", "fisheye"])
def test_the_background_turns_with_a_fast_camera(name: str) -> None:
    lens, k = LENSES[name]
    turn = rigid(rotation_about(np.array([0.2, 1, 0.1]), np.array(np.deg2rad(30))), np.zeros(3))
    up = look_at(np.array([0, -3.0, 0]), np.array([0, -4.0, 0]), np.array([0, 0, 1.0]))  # nothing but background
    a, b = seen(up, name), seen(up @ turn, name)
    flow = flow_of(a, b, up, up @ turn)
    hit = (a.face < 0).numpy()
    rays = np.concatenate([ray_from_px(centers(), k, lens), np.ones((*SIZE, 1))], axis=-1)
    there = px_from_camera(rays @ turn[:3, :3], k, lens)
    known = hit & np.isfinite(there).all(-1)
    np.testing.assert_allclose(flow.forward.numpy()[known], (there - centers())[known], atol=5e-3)
    assert not flow.visible.numpy()[hit & ~np.isfinite(there).all(-1)].any()
    assert 0.2 < flow.visible.numpy()[hit].mean() < 0.95


@pytest.mark.parametrize("step_px", [0.1, 0.01])
def test_a_camera_that_creeps_moves_its_picture_by_as_much(step_px: float) -> None:
    moved = HERE @ rigid(np.eye(3), np.array([step_px / PARALLEL[0, 0], 0, 0]))
    a, b = seen(HERE, "orthographic"), seen(moved, "orthographic")
    flow = flow_of(a, b, HERE, moved)
    hit = a.face >= 0
    assert torch.allclose(flow.forward[hit], torch.tensor([-step_px, 0.0]).expand(int(hit.sum()), 2), atol=2e-5)
    assert flow.visible[hit].float().mean() > 0.97


@pytest.mark.parametrize("factor", [1.01, 4.0, 16.0])
def test_a_zoom_moves_everything_away_from_the_principal_point(factor: float) -> None:
    near = K.copy()
    near[:2, :2] *= factor
    a, b = seen(HERE, "pinhole"), seen(HERE, "pinhole", near)
    flow = flow_of(a, b, HERE, HERE).forward.numpy()
    np.testing.assert_allclose(flow, (centers() - K[:2, 2]) * (factor - 1), atol=1e-3 * factor)
