from __future__ import annotations

import numpy as np
import pytest
import torch

from sim2real.errors import BadValueError
from sim2real.noise import NoiseLayout, independent_noise, mix


def test_beta_is_the_correlation_with_the_surface_noise_and_keeps_unit_variance():
    noise = torch.from_numpy(np.random.default_rng(0).standard_normal((16, 60, 90), dtype=np.float32))
    mixed = mix(noise, 0.9, seed=1, camera="front", frame=3)
    n = noise.numel()
    assert abs(float((mixed * noise).mean()) - 0.9) < 5 / np.sqrt(n)
    assert abs(float(mixed.var()) - 1) < 5 * np.sqrt(2 / n)
    assert mix(noise, 1.0, seed=1, camera="front", frame=3) is noise


def test_the_independent_part_is_keyed_by_seed_camera_and_frame():
    def drawn(**changed: object) -> torch.Tensor:
        return independent_noise((2, 30, 30), **({"seed": 0, "camera": "a", "frame": 0} | changed))

    assert torch.equal(drawn(), drawn())
    for changed in ({"seed": 1}, {"camera": "b"}, {"frame": 1}):
        assert abs(float((drawn() * drawn(**changed)).mean())) < 5 / np.sqrt(1800)


def test_a_beta_out_of_range_is_refused():
    with pytest.raises(BadValueError, match="beta is 2"):
        mix(torch.zeros(1, 2, 2), 2.0, seed=0, camera="a", frame=0)


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        (NoiseLayout(8, 16, 1), list(range(9))),
        (NoiseLayout(8, 16, 4, "first"), [0, 1, 5]),
        (NoiseLayout(8, 16, 4, "middle"), [0, 2, 6]),
        (NoiseLayout(8, 16, 4, "last"), [0, 4, 8]),
    ],
)
def test_latents_stand_for_frames_of_their_own_group(layout, expected):
    assert layout.latent_frames(9) == expected


def test_a_group_that_the_clip_does_not_fill_stays_inside_the_clip():
    assert NoiseLayout(8, 16, 4, "last").latent_frames(7) == [0, 4, 6]
    assert NoiseLayout(8, 16, 4).latent_frames(1) == [0]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"factor": 0}, "factor is 0, must be a whole number, at least 1"),
        ({"channels": -1}, "channels is -1"),
        ({"temporal_factor": 0}, "temporal_factor is 0"),
        ({"factor": True}, "factor is True"),
    ],
)
def test_a_layout_that_no_noise_has_is_refused_where_it_is_made(given, says):
    with pytest.raises(BadValueError, match=says):
        NoiseLayout(**given)
