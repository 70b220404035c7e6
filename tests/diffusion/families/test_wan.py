"""What Wan's families alone do: masks, reference pictures, several controls, videos with our noise on top."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from sim2real.clip import read_clip
from sim2real.clip.images import write_png
from sim2real.diffusion import GenerateOptions, LargeModelOptions, family_of, generate
from sim2real.diffusion.family import other_count
from sim2real.diffusion.inputs import noise_source
from sim2real.diffusion.pipelines.loading import forget_pipeline, loaded_pipeline
from sim2real.errors import BadValueError, MissingFileError
from tests.diffusion.families.kit import heard, options_for
from tests.diffusion.families.tiny import tiny_families
from tests.diffusion.families.tiny.wan import save_wan

VACE = tiny_families()["wan-vace"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    yield save_wan(tmp_path_factory.mktemp("wan") / "tiny", "WanVACEPipeline")
    forget_pipeline()


@pytest.fixture
def clip(make_clip):
    return read_clip(make_clip(factor=8, channels=16, latents=[0, 4], size=(32, 48), frames=5))


def run_on(clip, options, **given):
    """A run with some inputs replaced: pictures, and what reached the networks."""
    family = family_of(options.model)
    model = family.load(options)
    inputs = model.inputs(clip, "front", noise_source(clip, "front", family.layout, "clip", 0))
    with heard(model.pipeline, family, VACE) as found:
        pictures = np.stack(list(model.run(replace(inputs, **given), lambda done, total: None)))
    return pictures, found


def test_what_is_kept_is_the_render_to_the_bit_and_enters_as_the_part_that_stays(folder, clip, rng):
    kept = np.zeros((5, 32, 48), np.bool_)
    kept[:, 8:24, 16:32] = True
    rgb = rng.integers(0, 256, (5, 32, 48, 3), np.uint8)
    pictures, found = run_on(clip, options_for(folder, VACE), kept=kept, rgb=rgb)
    assert np.array_equal(pictures[kept], rgb[kept]) and not np.array_equal(pictures[~kept], rgb[~kept])
    inactive, reactive = (video[0].transpose(1, 0, 2, 3) for video in found.control[:2])
    wanted = rgb.transpose(0, 3, 1, 2) / 127.5 - 1
    inside = np.repeat(kept[:, None], 3, axis=1)
    assert np.abs(inactive - wanted)[inside].max() < 1e-6 and not inactive[~inside].any()
    assert not reactive[inside].any()


def test_a_window_that_goes_on_keeps_what_is_made_and_is_shown_it(folder, make_clip):
    clip = read_clip(make_clip(factor=8, channels=16, latents=[0, 4, 8], size=(32, 48), frames=9))
    asked = {"window": 5, "overlap": 1, "seams": "continued"}
    options, family = options_for(folder, VACE, large=asked), family_of(folder)
    model = family.load(options)
    inputs = model.inputs(clip, "front", noise_source(clip, "front", family.layout, "clip", 0))
    with heard(model.pipeline, family, VACE) as found:
        pictures = np.stack(list(model.run(inputs, lambda done, total: None)))
    alone = np.stack(list(model.run(inputs.given(0, None), lambda done, total: None)))
    assert np.array_equal(pictures[:5], alone), "the last frame of the first window stays as it is"
    inactive, reactive = (video[0].transpose(1, 0, 2, 3) for video in found.control[2:4])
    assert np.abs(inactive[0] - (alone[4].transpose(2, 0, 1) / 127.5 - 1)).max() < 1e-6 and not inactive[1:].any()
    assert not reactive[0].any() and reactive[1:].any()


def test_reference_pictures_lie_before_the_clips_noise(folder, clip, tmp_path):
    paths = [tmp_path / f"{k}.png" for k in range(2)]
    for k, path in enumerate(paths):
        Image.new("RGB", (30, 20), (250, 40 * k, 0)).save(path)
    pictures, found = run_on(clip, options_for(folder, VACE, large={"references": paths}))
    seen = found.denoiser[0][0].swapaxes(0, 1)
    assert pictures.shape == (5, 32, 48, 3) and len(seen) == 4
    assert np.array_equal(seen[2:], clip.noise("front"))
    assert np.isclose(seen[:2].std(), 1, atol=0.1) and not np.array_equal(seen[0], seen[1])


def test_several_controls_are_blended_by_their_weights_and_add_up_to_the_strength(folder, clip, rng):
    depth, edges = rng.random((2, 5, 3, 32, 48), np.float32)
    options = options_for(folder, VACE, large={"controls": {"depth": 0.6, "edges": 0.2}})
    pipeline, scales = loaded_pipeline(family_of(folder), options), []
    ear = pipeline.transformer.register_forward_pre_hook(
        lambda _, args, kwargs: scales.append(kwargs["control_hidden_states_scale"]), with_kwargs=True
    )
    _, found = run_on(clip, options, controls={"depth": depth, "edges": edges})
    ear.remove()
    wanted = 2 * (0.75 * depth + 0.25 * edges) - 1
    assert np.abs(found.control[1][0].swapaxes(0, 1) - wanted).max() < 1e-5
    assert scales[0].tolist() == pytest.approx([0.8])


def test_the_transformer_for_low_noise_takes_over(tmp_path, clip):
    folder = save_wan(tmp_path / "two", "WanVACEPipeline", two=True)
    options = options_for(folder, replace(VACE, steps=8))
    pipeline, calls = loaded_pipeline(family_of(folder), options), []
    for name in ("transformer", "transformer_2"):
        getattr(pipeline, name).register_forward_pre_hook(lambda _, args, name=name: calls.append(name))
    run_on(clip, options)
    assert calls[0] == "transformer" and calls[-1] == "transformer_2"


def test_our_noise_lies_on_the_video_at_the_first_timestep_of_its_strength(tmp_path, clip, rng):
    folder = save_wan(tmp_path / "v2v", "WanVideoToVideoPipeline")
    options = options_for(folder, replace(VACE, steps=4), large={"strength": 0.5})
    family = family_of(folder)
    pipeline = loaded_pipeline(family, options)
    black = np.zeros((5, 32, 48, 3), np.uint8)
    (clip.path / "front" / "rgb").mkdir()
    for frame, picture in enumerate(black):
        write_png(clip.path / "front" / "rgb" / f"{frame:06d}.png", picture)
    pictures, found = run_on(clip, options, rgb=black)
    sigma = float(pipeline.scheduler.sigmas[2])
    noise = np.asarray(clip.noise("front")).swapaxes(0, 1)
    left = found.denoiser[0][0] - sigma * noise
    again = run_on(clip, options, rgb=black, noise=lambda latents: -clip.latents("front", latents))[1].denoiser[0][0]
    assert 0.3 < sigma < 0.95 and len(found.denoiser) == 2 * 2, "half of the steps, with and without the prompt"
    np.testing.assert_allclose(again + sigma * noise, left, atol=2e-5)
    assert pictures.shape == black.shape


def test_a_first_frame_is_required_and_must_have_the_clips_shape(tmp_path, clip):
    folder = save_wan(tmp_path / "i2v", "WanImageToVideoPipeline", two=True)
    family = family_of(folder)
    with pytest.raises(BadValueError, match="--first-frame is left out, must be given"):
        family.check(GenerateOptions(model=folder))
    Image.new("RGB", (50, 50)).save(tmp_path / "square.png")
    options = options_for(folder, VACE, large={"first_frame": tmp_path / "square.png"})
    with pytest.raises(BadValueError, match="size is 50x50, must be in the ratio of the clip's 32x48; crop it"):
        run_on(clip, options)


@pytest.mark.parametrize(
    ("frames", "surely", "perhaps"), [(48, "45", "49"), (50, "49", "53"), (6, "5", "9"), (4, None, "5"), (2, None, "5")]
)
def test_counts_of_frames_are_offered_that_can_be_reached(frames, surely, perhaps):
    fix = other_count(frames, 4)
    sure, _, more = fix.rpartition("--frames ")
    assert more.startswith(f"{perhaps}, if ")
    assert (f"--frames {surely}, or" in sure) if surely else "--frames" not in sure


def test_the_clip_of_a_video_is_driven_by_its_edges(folder, clip):
    told = json.loads((clip.path / "clip.json").read_text())
    told["scene"] |= {"options": {"reader": "video"}}
    (clip.path / "clip.json").write_text(json.dumps(told))
    edges = np.zeros((5, 32, 48), np.uint8)
    for frame, picture in enumerate(edges):
        picture[4 + frame] = 255
        write_png(clip.path / "front" / "edges" / f"{frame:06d}.png", picture)
    options = options_for(folder, VACE)
    model, opened = family_of(folder).load(options), read_clip(clip.path)
    assert list(model.inputs(opened, "front", lambda _: None).controls) == ["depth"], "where there is some"
    (clip.path / "front" / "depth").rename(clip.path / "depth")
    control = model.inputs(opened, "front", lambda _: None).controls["edges"]
    assert control.shape == (5, 3, 32, 48) and all(np.array_equal(control[:, k] == 1, edges > 0) for k in range(3))
    generate(clip.path, options)
    assert len(list((opened.generated("front")[0] / "frames").iterdir())) == 5
    (clip.path / "front" / "edges").rename(clip.path / "edges")
    with pytest.raises(MissingFileError, match="^edges .which wan-vace needs. not found"):
        generate(clip.path, options)


def test_what_is_asked_for_stands_in_the_settings(folder, clip):
    large = {
        "guidance": 3.0,
        "controls": {"edges": 1.0},
        "scheduler": "FlowMatchEuler",
        "negative_prompt": "robot",
        "vae_tiling": True,
    }
    options = options_for(folder, replace(VACE, steps=40), large=large)
    assert isinstance(options.large, LargeModelOptions)
    model = family_of(folder).load(options)
    settings = model.inputs(clip, "front", lambda _: None).settings
    assert settings == {
        "family": "wan-vace",
        "prompt": "kitchen",
        "negative_prompt": "robot",
        "steps": 40,
        "guidance": 3.0,
        "scheduler": "FlowMatchEulerDiscreteScheduler",
        "controls": {"edges": 1.0},
        "dtype": "float32",
        "vae_tiling": True,
        "estimated_bytes": settings["estimated_bytes"],
    }
    assert settings["estimated_bytes"] > 1_000_000
