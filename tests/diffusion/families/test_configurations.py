"""Published configurations: shapes of the whole call, and parameters, without any weights."""

from __future__ import annotations

import functools
import json

import pytest

from sim2real.diffusion import families
from sim2real.diffusion.checkpoints import CONFIGURATIONS, published
from sim2real.diffusion.pipelines import PipelineFamily
from tests.diffusion.families.configurations import built, denoised, shortened
from tests.diffusion.families.transformer_calls import CALLS_WITH_VALUES

NAMED = {
    checkpoint.configuration: family
    for family in families().values()
    for checkpoint in family.checkpoints
    if checkpoint.configuration is not None
}
pytestmark = pytest.mark.slow


def test_every_configuration_belongs_to_a_checkpoint_and_says_where_it_is_from():
    assert {file.stem for file in CONFIGURATIONS.glob("*.json")} == set(NAMED)
    for name in NAMED:
        known = published(name)
        assert known["source"] and set(known["parameters"]) == set(known["parts"])


@functools.cache
def _parameters(config):
    return sum(parameter.numel() for parameter in built(json.loads(config)).parameters())


@pytest.mark.parametrize("name", sorted(NAMED))
def test_parameters_are_those_of_the_configuration(name):
    known = published(name)
    for part, config in known["parts"].items():
        assert _parameters(json.dumps(config, sort_keys=True)) == known["parameters"][part], part


@pytest.mark.parametrize("name", sorted(NAMED))
def test_the_denoiser_answers_our_noise_with_its_own_shape(name):
    family, known = NAMED[name], published(name)
    assert isinstance(family, PipelineFamily)
    denoiser = known["parts"][family.denoisers[0]]
    with_memory = denoiser["_class_name"] in CALLS_WITH_VALUES
    frames, size = (5, (64, 96)) if with_memory else family.made_for
    grid = (len(family.layout.latent_frames(frames)), *family.layout.latent_size(size))
    config = json.dumps(shortened(denoiser, layers=1 if with_memory else 6), sort_keys=True)
    assert _answered(config, grid, family.layout.channels) == answer_shape(family, grid)


@functools.cache
def _answered(config, grid, channels):
    return denoised(built(json.loads(config)), grid, channels)


def answer_shape(family, grid):
    """A batch of one in the order of the family's axes; tokens are unpacked into the usual order."""
    sizes = dict(zip("BCTHW", (1, family.layout.channels, *grid), strict=True))
    axes = "BCTHW" if family.latent_axes == "BTHWC" else family.latent_axes
    return tuple(sizes[axis] for axis in axes)
