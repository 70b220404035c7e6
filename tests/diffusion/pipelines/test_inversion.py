"""A video becomes the noise that leads back to it; surface noise is mixed in as much as it is asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import CogVideoXDDIMScheduler, DDIMScheduler, UniPCMultistepScheduler
from hypothesis import given
from hypothesis import strategies as st

from sim2real.clip import Clip
from sim2real.diffusion import GenerateOptions, LargeModelOptions, families, generate
from sim2real.diffusion.inputs import noise_source
from sim2real.diffusion.pipelines import PipelineFamily
from sim2real.diffusion.pipelines.inversion import FirstOrder, inverted, mixed, sampler, ways_of
from sim2real.diffusion.pipelines.loading import forget_pipeline
from sim2real.errors import BadValueError, UnknownNameError
from tests.diffusion.families.kit import family_called, footage, options_for, rendered
from tests.diffusion.families.tiny import Tiny, tiny_families

STEPS, TINY = 4, tiny_families()
INVERTIBLE = sorted(name for name, family in families().items() if getattr(family, "inverts", False))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Tiny pipelines and clips, by family."""
    found: dict[str, tuple[PipelineFamily, Tiny, Any, Clip]] = {}

    def of(name: str) -> tuple[PipelineFamily, Tiny, Any, Clip]:
        if name not in found:
            family, tiny = family_called(name), TINY[name]
            folder = tmp_path_factory.mktemp(name)
            tiny.save(folder / "model")
            found[name] = family, tiny, folder / "model", rendered(folder / "clip", family, tiny)
        return found[name]

    yield of
    forget_pipeline()


def asked(folder, tiny, clip, **large):
    options = options_for(folder, tiny, camera=clip.cameras[0], large={"invert": 0.0, "source_prompt": tiny.prompt, **large})
    return replace(options, onto="rgb", steps=STEPS)


def tame(pipeline, family):
    """Random weights answer to a small change with a large one, other than a denoiser that has learned: make it a small one."""
    denoiser = getattr(pipeline, family.denoisers[0])
    last = denoiser.conv_out if hasattr(denoiser, "conv_out") else denoiser.proj_out
    with torch.no_grad():
        for parameter in last.parameters():
            parameter *= 0.1


# The way there and back


@pytest.mark.parametrize("name", [pytest.param(n, marks=[] if n == "wan" else pytest.mark.slow) for n in INVERTIBLE])
def test_a_video_comes_back_from_its_noise_with_the_same_prompt(made, name):
    family, tiny, folder, clip = made(name)
    model, camera = family.load(asked(folder, tiny, clip)), clip.cameras[0]
    inputs = model.inputs(clip, camera, noise_source(clip, camera, family.layout, "clip", 0))
    tame(model.pipeline, family)
    pipeline, noise = model.pipeline, inputs.noise(slice(0, family.noise_latents(clip.frames)))
    arguments, ways = family.arguments(pipeline, inputs, noise), ways_of(pipeline.scheduler, STEPS)
    clean = family.encode(pipeline, inputs.source)
    assert clean.shape == arguments["latents"].shape

    def away(rounds):
        found = inverted(pipeline, ways, arguments, clean, rounds)
        with sampler(pipeline, FirstOrder(ways)):
            result = pipeline(**(arguments | {"latents": found, "output_type": "latent"}))
        back = result.frames if hasattr(result, "frames") else result.images
        return float((back - clean).abs().max() / clean.std())

    print(name, away(1), away(3), away(6))
    forget_pipeline()
