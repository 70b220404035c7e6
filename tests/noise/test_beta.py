from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.errors import BadValueError, UnknownNameError
from sim2real.metrics.whiteness import whiteness
from sim2real.noise import beta_from_degradation, beta_of_ids, mix, seen_beta
from sim2real.noise.beta import one_beta
from sim2real.scene import Instance

INSTANCES = (Instance("arm", "robot"), Instance("hand", "robot"), Instance("mug", "dish"))


@pytest.mark.parametrize(
    ("beta", "expected"),
    [
        (0.9, [0.9, 0.9, 0.9, 0.9]),
        ({}, [1, 1, 1, 1]),
        ({"robot": 0.5}, [1, 0.5, 0.5, 1]),
        ({"robot": 0.5, "hand": 0.25}, [1, 0.5, 0.25, 1]),
        ({"robot": 1.0, "background": 0.5, "*": 0.9}, [0.5, 1, 1, 0.9]),
        ({"*": 0.7}, [0.7, 0.7, 0.7, 0.7]),
    ],
)
def test_an_instance_goes_before_its_class_and_a_class_before_the_rest(beta, expected):
    assert np.array_equal(beta_of_ids(beta, INSTANCES), np.array(expected, np.float32))


def test_a_mapping_that_says_the_same_of_everything_is_one_number():
    assert one_beta(0.9, INSTANCES) == 0.9
    assert one_beta({"*": 0.7}, INSTANCES) == 0.7
    assert one_beta({}, INSTANCES) == 1
    assert one_beta({"robot": 0.3, "dish": 0.3, "background": 0.3, "*": 0.9}, INSTANCES) == 0.3
    assert one_beta({"robot": 0.3}, INSTANCES) == {"robot": 0.3}


def test_unknown_names_list_the_classes_and_instances():
    with pytest.raises(UnknownNameError, match="unknown class or instance in beta 'robto'; did you mean 'robot'") as caught:
        beta_of_ids({"robto": 1.0}, INSTANCES)
    for name in ("background", "dish", "robot", "arm", "hand", "mug"):
        assert name in str(caught.value)
    with pytest.raises(BadValueError, match=r"the beta of robot is 1\.5"):
        beta_of_ids({"robot": 1.5}, INSTANCES)


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_any_beta_per_pixel_keeps_every_frame_white(seed):
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(64, 48, 64, generator=generator)
    beta = torch.rand(48, 64, generator=generator) ** float(torch.rand((), generator=generator) * 4)
    beta[:12], beta[12:24] = 0.0, 1.0
    result = whiteness(mix(noise, beta, seed=seed, camera="a", frame=2)[None].numpy())
    assert result.worst() < 5.5, result


def test_pixels_of_beta_one_keep_their_bits_and_pixels_of_beta_zero_forget_the_surface():
    noise = torch.randn(16, 60, 90, generator=torch.Generator().manual_seed(0))
    beta = torch.full((60, 90), 0.6)
    beta[:20], beta[20:40] = 1.0, 0.0
    mixed = mix(noise, beta, seed=1, camera="front", frame=3)
    assert torch.equal(mixed[:, :20], noise[:, :20])
    n = 16 * 20 * 90
    assert abs(float((mixed[:, 20:40] * noise[:, 20:40]).mean())) < 5 / np.sqrt(n)
    assert abs(float((mixed[:, 40:] * noise[:, 40:]).mean()) - 0.6) < 5 / np.sqrt(n)


def test_the_same_beta_everywhere_is_the_one_number():
    noise = torch.randn(3, 24, 32, generator=torch.Generator().manual_seed(0))
    number = mix(noise, 0.9, seed=1, camera="a", frame=0)
    everywhere = mix(noise, torch.full((24, 32), 0.9), seed=1, camera="a", frame=0)
    assert torch.allclose(number, everywhere, atol=1e-6)
    with pytest.raises(BadValueError, match="beta is"):
        mix(noise, torch.full((24, 32), 1.25), seed=1, camera="a", frame=0)


def test_a_latent_has_the_mean_beta_of_what_its_pixels_see():
    face = torch.tensor([[0, 0, 1, -1], [0, 0, 1, -1]], dtype=torch.int32)
    beta = seen_beta(face, torch.tensor([1.0, 0.5, 0.0]), 2)
    assert beta.tolist() == [[1.0, 0.25]]


def test_degradation_is_the_other_spelling_of_beta():
    assert beta_from_degradation(0.0) == 1 and beta_from_degradation(1.0) == 0
    assert abs(beta_from_degradation(0.33) - 0.9) < 0.003
    with pytest.raises(BadValueError, match="degradation"):
        beta_from_degradation(1.5)
