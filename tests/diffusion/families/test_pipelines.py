"""Every family that runs through diffusers: a tiny pipeline of its structure, run by ``generate`` on a rendered clip."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from sim2real.diffusion import families, family_of
from sim2real.diffusion.inputs import noise_source
from sim2real.diffusion.pipelines import PipelineFamily
from sim2real.diffusion.pipelines.loading import forget_pipeline
from tests.diffusion.families.kit import (
    family_called,
    footage,
    listened,
    options_for,
    rendered,
    run_with_controls,
    with_other_noise,
)
from tests.diffusion.families.tiny import tiny_families

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Euler's, in diffusers
]
TINY = tiny_families()
_SCENE_FRAMES = 31
"""Of the tabletop, with one between any two."""


def test_every_family_that_runs_is_tried():
    run = {name for name, family in families().items() if isinstance(family, PipelineFamily)}
    assert run == set(TINY)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Rendered clips by what they are made for, so that families of one layout share one."""
    made = {}

    def clip(family, tiny):
        key = (family.layout, tiny.frames, tiny.size)
        if key not in made:
            made[key] = rendered(tmp_path_factory.mktemp("clip") / "clip", family, tiny)
        return made[key]

    return clip


@pytest.fixture(scope="module", params=sorted(TINY))
def tried(request, tmp_path_factory, clips):
    """A family, its tiny pipeline in a folder, and a clip for it."""
    tiny, family = TINY[request.param], family_called(request.param)
    folder = tmp_path_factory.mktemp("models") / f"tiny-{family.name}"
    tiny.save(folder)
    with tiny.around():
        yield family, tiny, folder, clips(family, tiny)
    forget_pipeline()


def test_folders_are_recognized(tried):
    family, _, folder, _ = tried
    assert family_of(folder).name == family.name


def test_the_clips_noise_reaches_the_denoiser_of_every_camera_and_nothing_else_is_drawn(tried):
    family, tiny, folder, clip = tried
    found = listened(clip, options_for(folder, tiny), family, tiny)
    assert len(clip.cameras) == 2
    per_camera = len(found.denoiser) // 2
    for index, camera in enumerate(clip.cameras):
        noise = family.latents(np.asarray(clip.noise(camera), np.float32))
        seen = tiny.unpack(found.denoiser[index * per_camera][: len(noise)])
        axis = family.latent_axes.index("C") if len(seen.shape) == 5 else -1
        seen = np.take(seen, range(noise.shape[axis]), axis=axis)
        if tiny.scale is not None:
            left = (slice(None),) * family.latent_axes.index("T") + (slice(tiny.pictured, None),)
            np.testing.assert_allclose(seen[left], tiny.scale * noise[left], rtol=0, atol=tiny.tolerance)
    assert tiny.draws or not found.drawn
    for camera in clip.cameras:
        made = clip.generated(camera)[-1]
        settings = json.loads((made / "settings.json").read_text())
        assert settings["family"] == family.name and settings["steps"] == tiny.steps
        assert footage(clip, camera).shape == (tiny.frames, *tiny.size, 3)


def test_two_runs_agree_and_other_noise_makes_other_footage(tried, tmp_path):
    family, tiny, folder, clip = tried
    options = options_for(folder, tiny, camera=clip.cameras[0])
    listened(clip, options, family, tiny)
    first = footage(clip, clip.cameras[0])
    forget_pipeline()
    listened(clip, options, family, tiny)
    assert np.array_equal(footage(clip, clip.cameras[0]), first)
    other = with_other_noise(clip, tmp_path / "other")
    listened(other, options, family, tiny)
    assert not np.array_equal(footage(other, clip.cameras[0]), first)


def test_a_marked_pixel_of_the_control_lands_where_it_should(tried):
    family, tiny, folder, clip = tried
    if not family.controls:
        assert tiny.control is None
        return
    height, width = tiny.size
    marked = np.full((2, tiny.frames, 3, height, width), 0.25, np.float32)
    marked[0, :, :, 8, 16] = 1.0
    marked[1, :, :, 8, 16 + family.layout.factor] = 1.0
    runs = run_with_controls(clip, options_for(folder, tiny, camera=clip.cameras[0]), family, tiny, list(marked))
    for control, found in zip(marked, runs, strict=True):
        wanted = 2 * control - 1 if tiny.control == "vae" else control
        assert any(_shows(seen, wanted) for seen in found.control), [seen.shape for seen in found.control]
    assert not any(_shows(seen, 2 * marked[1] - 1) for seen in runs[0].control)


def test_a_clip_of_two_windows_is_its_windows_outside_the_seam_each_with_the_clips_noise(tried, clips):
    family, tiny, folder, _ = tried
    step = family.layout.temporal_factor
    second = (min(tiny.frames - 1, _SCENE_FRAMES - tiny.frames)) // step * step
    frames = tiny.frames + second
    clip = clips(family, replace(tiny, frames=frames))
    camera, asked = clip.cameras[0], {"window": tiny.frames, "overlap": 1, "seams": "blended"}
    options = options_for(folder, tiny, camera=camera, large=asked)
    found = listened(clip, options, family, tiny)
    noise = np.asarray(clip.noise(camera), np.float32)
    count, calls = (tiny.frames - 1) // step + 1, len(found.denoiser) // 2
    for index in range(2):
        own = family.latents(noise[index * second // step :][:count])
        seen = tiny.unpack(found.denoiser[index * calls][: len(own)])
        axis = family.latent_axes.index("C") if len(seen.shape) == 5 else -1
        seen = np.take(seen, range(own.shape[axis]), axis=axis)
        if tiny.scale is not None:
            left = (slice(None),) * family.latent_axes.index("T") + (slice(tiny.pictured, None),)
            np.testing.assert_allclose(seen[left], tiny.scale * own[left], rtol=0, atol=tiny.tolerance)
    assert tiny.draws or not found.drawn
    made, model = footage(clip, camera), family.load(options)
    inputs = model.inputs(clip, camera, noise_source(clip, camera, family.layout, "clip", 0))
    assert inputs.settings["windows"]["first_frames"] == [0, second]
    assert made.shape == (frames, *tiny.size, 3)
    alone = [np.stack(list(model.run(inputs.given(0, None), lambda done, total: None)))]
    begin = alone[0][second : second + 1]
    alone.append(np.stack(list(model.run(inputs.given(second, begin), lambda done, total: None))))
    assert np.array_equal(made[:second], alone[0][:second]) and np.array_equal(made[second + 1 :], alone[1][1:])
    if family.first_frame == "must":
        assert np.array_equal(inputs.given(second, begin).first_frame, begin[0])


def _shows(seen, video):
    """Whether a batch of pictures or videos holds a control video, up to the rounding of 8 bits."""
    pictures = np.moveaxis(seen, 1, 2).reshape(-1, *seen.shape[1:2], *seen.shape[-2:]) if seen.ndim == 5 else seen
    if pictures.shape[1:] != video.shape[1:] or len(pictures) % len(video):
        return False
    return all(np.abs(part - video).max() < 0.01 for part in np.split(pictures, len(pictures) // len(video)))
