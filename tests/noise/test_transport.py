from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from sim2real.metrics.covariance import measured_covariance, model_covariance, transport_efficiency
from sim2real.metrics.overlap import RayScene, footprint_overlap
from sim2real.noise import NoiseLayout
from sim2real.noise.passes.cells import CHART_LIMIT, FINEST_LEVEL
from tests.noise.views import Views, bumpy_room, camera, grid, mesh, scene

pytest.importorskip("embreex")
LATENT = NoiseLayout(8, 16)


def efficiency(views: Views, a: tuple[int, str], b: tuple[int, str]) -> tuple[float, float]:
    """Transport efficiency from the leaves, and how much overlap there is to carry."""
    covariance = model_covariance(views.leaves(*b), views.leaves(*a), views.pixels)
    return slope(covariance, views, a, b)


def slope(covariance, views: Views, a: tuple[int, str], b: tuple[int, str]) -> tuple[float, float]:
    rays = {frame: RayScene(views.scene, frame) for frame in {a[0], b[0]}}
    first, second = (
        footprint_overlap(
            rays[a[0]],
            views.scene.camera(a[1]),
            rays[b[0]],
            views.scene.camera(b[1]),
            factor=views.layout.factor,
            seed=seed,
        )
        for seed in (0, 1)
    )
    return transport_efficiency(covariance, first, second), first.multiply(second).sum() / views.pixels


def moving_object(frames=5):
    ball = trimesh.creation.icosphere(4)
    pose = np.tile(np.eye(4), (frames, 2, 1, 1))
    pose[:, 0, 0, 3] = np.linspace(0, 0.25, frames)
    angle = np.linspace(0, 0.15, frames)
    pose[:, 0, :2, :2] = np.moveaxis(np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]), -1, 0)
    view = camera([[3.0, 0.4, 1.6]] * frames, size=(240, 320), focal=330.0)
    return scene([mesh(ball, "ball"), grid(8.0, 20, -1.0)], [view], world_from_instance=pose)


@pytest.mark.slow
@pytest.mark.parametrize("frame", [1, 4])
@pytest.mark.parametrize("made", [bumpy_room, moving_object], ids=["moving camera", "moving object"])
@pytest.mark.parametrize("layout", [LATENT, NoiseLayout(1, 3)], ids=["latents", "pixels"])
def test_motion_is_carried_as_well_as_theory_allows(made, frame, layout):
    views = Views(made(), layout)
    if layout.factor == 1:
        views = Views(replace(views.scene, cameras=tuple(c.resized((96, 128)) for c in views.scene.cameras)), layout)
    carried, shared = efficiency(views, (0, "camera"), (frame, "camera"))
    assert shared > 0.1
    assert carried > 0.95


FLOOR = {
    "8 times nearer": camera(
        [[0.3, 0.1, 8.0], [0.31, 0.12, 1.0]], [[0.3, 0.1, 0], [0.32, 0.1, 0]], size=(192, 256), focal=260.0
    ),
    "turned, half as far": camera([[0.3, 0.1, 4.0], [1.6, 0.9, 1.5]], [[0.3, 0.1, 0]] * 2, size=(192, 256), focal=260.0),
    "grazing": camera([[-2.0, 0.1, 0.4], [-1.4, 0.3, 0.4]], [[0.5, 0.1, 0], [1.1, 0.25, 0]], size=(192, 256), focal=500.0),
}


@pytest.mark.parametrize("view", FLOOR.values(), ids=FLOOR.keys())
@pytest.mark.parametrize(
    "layout",
    [pytest.param(NoiseLayout(8, 2), id="latents"), pytest.param(NoiseLayout(1, 2), id="pixels", marks=pytest.mark.slow)],
)
def test_changes_of_scale_and_grazing_angles_cost_little(layout, view):
    view = view if layout.factor > 1 else view.resized((48, 64))
    carried, shared = efficiency(Views(scene([grid(9.0, 30)], [view]), layout), (0, "camera"), (1, "camera"))
    assert shared > 0.01
    assert carried > 0.95


def test_every_pixel_of_a_plain_surface_is_covered_once():
    views = Views(
        scene([grid(9.0, 30)], [camera([0.3, 0.1, 3.0], [0.9, 0.2, 0], size=(48, 64), focal=70.0)]), NoiseLayout(1, 2)
    )
    leaves = views.leaves()
    found, view = views.inputs()
    face, k = found.face, view.intrinsics
    corners = found.camera_vertices.numpy().astype(float)[views.triangles.faces[face.numpy()]]
    normal = np.cross(corners[..., 1, :] - corners[..., 0, :], corners[..., 2, :] - corners[..., 0, :])
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    y, x = np.indices(face.shape) + 0.5
    ray = np.stack([(x - k[0, 2]) / k[0, 0], (y - k[1, 2]) / k[1, 1], np.ones_like(x)], -1)
    depth = (normal * corners[..., 0, :]).sum(-1) / (normal * ray).sum(-1)
    seen = depth**3 / (k[0, 0] * k[1, 1] * np.abs((normal * corners[..., 0, :]).sum(-1)))  # area of a pixel on its plane
    covered = np.bincount(leaves["pixel"], leaves["area"], views.pixels).reshape(face.shape)
    assert (face >= 0).all()
    assert abs(covered.sum() / seen.sum() - 1) < 0.01
    assert np.abs(covered / seen - 1)[1:-1, 1:-1].max() < 0.3


def test_the_model_covariance_is_the_covariance_of_drawn_noise():
    views = Views(bumpy_room(3), NoiseLayout(8, 256))
    model = model_covariance(views.leaves(2), views.leaves(0), views.pixels)
    drawn = measured_covariance(*(views.frame(k).reshape(256, -1) for k in (2, 0)), model)
    error = (drawn - model).toarray()[model.toarray() != 0]
    assert abs(error.mean()) < 5 * error.std() / np.sqrt(error.size)
    assert error.std() < 1.5 / np.sqrt(256)


def test_a_surface_that_was_hidden_has_its_noise_back():
    pose = np.tile(np.eye(4), (3, 2, 1, 1))
    pose[:, 1, :3, 3] = [[9, 9, 9], [1.5, 0, 0.5], [9, 9, 9]]  # an occluder comes and goes
    made = scene(
        [grid(6.0, 10), mesh(trimesh.creation.box((0.1, 2.5, 2.5)))],
        [camera([[3.0, 0, 1.2]] * 3, size=(192, 256), focal=260.0)],
        world_from_instance=pose,
    )
    views = Views(made, LATENT)
    before, hidden, after = (views.frame(k) for k in range(3))
    assert np.array_equal(before, after)
    assert np.mean(before[:, 8:16, 10:22] * hidden[:, 8:16, 10:22]) < 0.1


@pytest.mark.slow
def test_two_cameras_at_one_instant_see_the_same_noise():
    made = bumpy_room(1)
    second = camera([2.6, 1.1, 1.9], size=made.cameras[0].size, focal=330.0, name="second")
    views = Views(replace(made, cameras=(*made.cameras, second)), LATENT)
    carried, shared = efficiency(views, (0, "camera"), (0, "second"))
    assert shared > 0.05
    assert carried > 0.95
    values = [views.frame(0, name).reshape(16, -1) for name in ("camera", "second")]
    where = model_covariance(views.leaves(0, "second"), views.leaves(0, "camera"), views.pixels)
    drawn = measured_covariance(values[1], values[0], where)
    assert slope(drawn, views, (0, "camera"), (0, "second"))[0] > 0.9


def test_cells_of_charts_at_the_limit_are_told_apart():
    """Two pixels that own cells of the same place in different charts share nothing, whatever the charts' numbers."""
    charts = np.array([0, 1, (1 << 16) - 1, 1 << 16, 1 << 17, CHART_LIMIT - 1])
    cells = {
        "chart": charts,
        "level": np.full(6, FINEST_LEVEL),
        "i": np.full(6, (1 << FINEST_LEVEL) - 1),
        "j": np.full(6, (1 << FINEST_LEVEL) - 1),
        "pixel": np.arange(6),
        "area": np.ones(6),
    }
    parents = {**cells, "level": cells["level"] - 3, "i": cells["i"] >> 3, "j": cells["j"] >> 3, "area": np.full(6, 64.0)}
    assert np.array_equal(model_covariance(cells, cells, 6).toarray(), np.eye(6))
    np.testing.assert_allclose(model_covariance(cells, parents, 6).toarray(), np.eye(6) / 8)
    np.testing.assert_allclose(model_covariance(parents, cells, 6).toarray(), np.eye(6) / 8)
