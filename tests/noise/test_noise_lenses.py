from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim2real.metrics.covariance import model_covariance, transport_efficiency
from sim2real.metrics.overlap import RayScene, footprint_overlap
from sim2real.metrics.whiteness import whiteness
from sim2real.noise import NoiseLayout
from tests.noise.views import Views, bumpy_room, camera, scene

LENSES = {
    "barrel": {"distortion": np.array([-0.25, 0.06, 0.002, -0.001, 0.0])},
    "fisheye": {"projection": "fisheye", "distortion": np.array([0.02, -0.01, 0.0, 0.0])},
    "orthographic": {"projection": "orthographic"},
}


def seen_through(lens: str, frames=5, size=(240, 320)):
    made = bumpy_room(frames, size)
    view = made.cameras[0]
    k = view.intrinsics.copy()
    if lens == "orthographic":
        k[:, [0, 1], [0, 1]] = 90.0  # pixels per metre
    return replace(made, cameras=(replace(view, intrinsics=k, **LENSES[lens]),))


@pytest.mark.slow
@pytest.mark.parametrize("layout", [NoiseLayout(8, 16), NoiseLayout(1, 3)], ids=["latents", "pixels"])
@pytest.mark.parametrize("lens", LENSES)
def test_noise_is_white_through_any_lens(lens, layout):
    views = Views(seen_through(lens, 1), layout)
    draws = np.stack([views.frame(noise=views.seeded(seed)) for seed in range(12 if layout.factor > 1 else 3)])
    assert whiteness(draws).worst() < 5


@pytest.mark.slow
@pytest.mark.parametrize("layout", [NoiseLayout(8, 16), NoiseLayout(1, 3)], ids=["latents", "pixels"])
@pytest.mark.parametrize("lens", LENSES)
def test_motion_is_carried_through_any_lens(lens, layout):
    pytest.importorskip("embreex")
    made = seen_through(lens)
    if layout.factor == 1:
        made = replace(made, cameras=tuple(c.resized((96, 128)) for c in made.cameras))
    views, view = Views(made, layout), made.cameras[0]
    covariance = model_covariance(views.leaves(4), views.leaves(0), views.pixels)
    rays = [RayScene(made, frame) for frame in (0, 4)]
    overlaps = [footprint_overlap(rays[0], view, rays[1], view, factor=layout.factor, seed=seed) for seed in (0, 1)]
    assert overlaps[0].multiply(overlaps[1]).sum() / views.pixels > 0.1
    assert transport_efficiency(covariance, overlaps[0], overlaps[1]) > 0.94


def test_behind_everything_parallel_lines_of_sight_see_a_wall_that_stays():
    eyes = np.array([[3.0, 0, 1], [3.0, 8 / 90.0, 1]])  # one latent to the side
    view = camera(eyes, eyes + np.array([-1.0, 0, 0]), size=(96, 128), focal=90.0)
    views = Views(scene([], [replace(view, projection="orthographic")]), NoiseLayout(8, 64))
    a, b = views.frame(0), views.frame(1)
    moved = max(np.mean(a[:, :, 2:-2] * np.roll(b, shift, axis=2)[:, :, 2:-2]) for shift in (-1, 1))
    assert moved > 0.9 and abs(np.mean(a * b)) < 0.1
