"""What pipelines are told of a clip beside noise and controls: a first frame, frames per second."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sim2real.clip import read_clip
from sim2real.clip.footage import footage_settings
from sim2real.diffusion import families, family_of, generate
from sim2real.diffusion.inputs import noise_source
from sim2real.diffusion.pipelines import PipelineFamily, PipelineInputs
from sim2real.diffusion.pipelines.loading import forget_pipeline, loaded_pipeline
from tests.diffusion.families.kit import heard, options_for
from tests.diffusion.families.tiny import tiny_families
from tests.diffusion.families.tiny.ltx import unpacked

pytestmark = pytest.mark.slow


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # DPMSolver's, in diffusers
@pytest.mark.parametrize("name", ["wan-ti2v", "sana-video", "ltx2"])
def test_a_first_frame_takes_the_place_of_the_first_latent_and_without_one_it_is_all_noise(name, tmp_path, make_clip):
    """By the same folder: the pipeline is chosen by what is asked for."""
    tiny, family = tiny_families()[name], families()[name]
    layout, folder = family.layout, tiny.save(tmp_path / "tiny")
    latents = layout.latent_frames(tiny.frames)
    given = {"factor": layout.factor, "channels": layout.channels, "latents": latents, "size": tiny.size, "frames": tiny.frames}
    clip = read_clip(make_clip(**given))
    noise, seen = np.asarray(clip.noise("front")).swapaxes(0, 1), []
    for color in ((200, 90, 20), (20, 60, 220), None):
        if color is not None:
            Image.new("RGB", tiny.size[::-1], color).save(tmp_path / "first.png")
        options = options_for(folder, tiny, large={} if color is None else {"first_frame": tmp_path / "first.png"})
        family_of(folder).check(options)
        model = family_of(folder).load(options)
        inputs = model.inputs(clip, "front", noise_source(clip, "front", layout, "clip", 0))
        with heard(model.pipeline, family, tiny) as found:
            assert len(list(model.run(inputs, lambda done, total: None))) == tiny.frames
        first = found.denoiser[0][:1]
        if first.ndim == 3:
            first = unpacked(first)
        seen.append(first[0])
    forget_pipeline()
    assert np.array_equal(seen[2], noise)
    assert np.array_equal(seen[0][:, 1:], noise[:, 1:]) and np.array_equal(seen[1][:, 1:], noise[:, 1:])
    pictures = [one[:, 0] for one in seen]
    assert all(np.abs(pictures[a] - pictures[b]).max() > 0.01 for a, b in ((0, 1), (0, 2), (1, 2)))
    assert name != "wan-ti2v" or np.abs(pictures[1] - encoded_color(model.pipeline.vae, (20, 60, 220), tiny.size)).max() < 1e-4


def encoded_color(vae, color, size):
    """The latent of a picture of one color, where its mean is 0 and its deviation 1, as in the tiny VAE."""
    still = torch.tensor(color).view(1, 3, 1, 1, 1).expand(1, 3, 1, *size) / 127.5 - 1
    with torch.no_grad():
        return vae.encode(still).latent_dist.mode()[0, :, 0].numpy()


def told(name: str, fps: float) -> dict[str, object]:
    """Arguments of a pipeline's call that are its frames per second."""
    family = families()[name]
    assert isinstance(family, PipelineFamily)
    pipeline = object.__new__(family.pipeline_class())
    pipeline.__dict__["transformer"] = pipeline.__dict__["unet"] = SimpleNamespace(dtype=torch.float32)
    asked = {"prompt": "", "negative_prompt": None, "steps": 2, "guidance": 2.0, "seed": 0, "strength": None}
    nothing: dict[str, Any] = {"rgb": None, "kept": None, "first_frame": None, "references": ()}
    given = PipelineInputs(lambda _: None, {}, lambda _: lambda _: None, 9, (64, 96), fps, {}, {}, asked=asked, **nothing)
    found = PipelineFamily.arguments(family, pipeline, given, np.zeros((2, family.layout.channels, 2, 3), np.float32))
    return {key: value for key, value in found.items() if key in ("fps", "frame_rate")}


@pytest.mark.parametrize(
    ("name", "key"),
    [
        *((name, "frame_rate") for name in ("ltx", "ltx-condition", "ltx2", "ltx2-control")),
        *((name, "fps") for name in ("cosmos-predict2", "cosmos3", "stable-video")),
    ],
)
def test_models_that_know_of_frame_rates_are_told_the_clips(name, key):
    assert told(name, 30.0) == {key: 30} and isinstance(told(name, 30.0)[key], int)
    assert told(name, 12.5) == {key: 12.5}


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Euler's, in diffusers
def test_a_frame_rate_reaches_the_denoiser_of_stable_video_and_the_settings(tmp_path, make_clip):
    """It is trained on one less than the frames per second, with motion and noise behind it."""
    tiny = tiny_families()["stable-video"]
    folder = tiny.save(tmp_path / "tiny")
    clip = read_clip(make_clip(factor=8, channels=4, latents=[0, 1], size=(64, 64), frames=2))
    Image.new("RGB", (64, 64)).save(tmp_path / "first.png")
    options = options_for(folder, tiny, large={"first_frame": tmp_path / "first.png"})
    pipeline, seen = loaded_pipeline(family_of(folder), options), []
    pipeline.unet.register_forward_pre_hook(lambda _, args, kwargs: seen.append(kwargs["added_time_ids"]), with_kwargs=True)
    generate(clip.path, options)
    assert seen[0][-1].tolist() == pytest.approx([clip.record.fps - 1, 127, 0.02])
    assert footage_settings(clip.generated("front")[0])["fps"] == clip.record.fps == 12
    forget_pipeline()
