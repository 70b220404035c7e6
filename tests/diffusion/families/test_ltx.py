"""LTX-2 with IC-LoRA files: nothing runs without one, and control videos are as small as it was trained with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from diffusers import LTX2VideoTransformer3DModel

from sim2real.clip import read_clip
from sim2real.diffusion import ClipFacts, Lora, family_of
from sim2real.diffusion.inputs import noise_source
from sim2real.diffusion.pipelines.loading import forget_pipeline
from sim2real.errors import BadValueError, UnreadableFileError
from tests.diffusion.families.kit import heard, options_for
from tests.diffusion.families.tiny import tiny_families
from tests.diffusion.families.tiny.ltx import lora_of, save_lora, save_with_lora

CONTROL = tiny_families()["ltx2-control"]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    yield save_with_lora(tmp_path_factory.mktemp("ltx2") / "tiny")
    forget_pipeline()


@pytest.fixture(scope="module")
def halved(folder):
    """A file that was trained with control videos of half the size."""
    transformer = LTX2VideoTransformer3DModel.from_pretrained(folder / "transformer")
    return save_lora(folder.parent / "halved.safetensors", transformer, reference_downscale_factor="2")


def test_a_control_without_its_file_is_refused_and_so_is_a_weight_past_1(folder):
    family = family_of(folder)
    with pytest.raises(BadValueError, match="--lora is left out, must be the IC-LoRA file.*Depth-Control"):
        family.check(options_for(folder, CONTROL, large={"loras": []}))
    with pytest.raises(BadValueError, match="the weight of --control edges is 1.5, must be at most 1"):
        family.check(options_for(folder, CONTROL, large={"controls": {"edges": 1.5}}))
    with pytest.raises(BadValueError, match="one: ltx2-control follows one control at a time"):
        family.check(options_for(folder, CONTROL, large={"controls": {"edges": 0.5, "depth": 0.5}}))


def test_a_file_that_is_no_lora_is_refused_before_anything_is_loaded(folder, tmp_path):
    (tmp_path / "cut.safetensors").write_bytes(lora_of(folder).read_bytes()[:100])
    options = options_for(folder, CONTROL, large={"loras": [Lora(tmp_path / "cut.safetensors")]})
    with pytest.raises(UnreadableFileError, match="cut.safetensors"):
        family_of(folder).check(options)


def test_control_videos_are_as_small_as_the_file_says(folder, halved, make_clip, rng):
    options = options_for(folder, CONTROL, large={"loras": [Lora(halved)], "controls": {"depth": 0.5}})
    family = family_of(folder)
    with pytest.raises(BadValueError, match="size is 64x96, must be multiples of 64: the IC-LoRA file"):
        family.check(options, ClipFacts(9, (64, 96)))
    family.check(options, ClipFacts(9, (64, 128)))
    clip = read_clip(make_clip(factor=32, channels=128, latents=[0, 8], size=(64, 128), frames=9))
    model = family.load(options)
    inputs = model.inputs(clip, "front", noise_source(clip, "front", family.layout, "clip", 0))
    control = np.repeat(rng.random((9, 3, 1, 1), np.float32), 64, axis=2).repeat(128, axis=3)  # a shade per frame
    with heard(model.pipeline, family, CONTROL) as found:
        assert len(list(model.run(replace(inputs, controls={"depth": control}), lambda done, total: None))) == 9
    (encoded,) = found.control
    assert encoded.shape == (1, 3, 9, 32, 64)
    assert np.abs(encoded[0].swapaxes(0, 1)[..., 5, 7] - (2 * control[..., 0, 0] - 1)).max() < 0.01
    tokens, noise = found.denoiser[0][0], family.latents(np.asarray(clip.noise("front")))[0]
    footage = noise.transpose(1, 2, 3, 0).reshape(-1, 128)
    assert np.array_equal(tokens[: len(footage)], footage) and len(tokens) == len(footage) + 2 * 1 * 2
