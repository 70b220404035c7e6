"""All cameras made as one picture, and cut apart again."""

from __future__ import annotations

import json
from dataclasses import replace

import click
import numpy as np
import pytest

from sim2real.cli import main
from sim2real.clip import read_clip
from sim2real.clip.footage import footage_settings, generated_frames
from sim2real.diffusion import GenerateOptions, LargeModelOptions, check_options, family_of
from sim2real.diffusion.controls import control_video
from sim2real.diffusion.inputs import noise_source
from sim2real.diffusion.pipelines.canvas import CANVAS, canvas_of
from sim2real.diffusion.pipelines.loading import forget_pipeline, loaded_pipeline
from sim2real.errors import BadValueError
from tests.diffusion.families.kit import heard, options_for, rendered
from tests.diffusion.families.tiny import tiny_families
from tests.diffusion.families.tiny.wan import save_wan

VACE = replace(tiny_families()["wan-vace"], frames=9)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    yield save_wan(tmp_path_factory.mktemp("wan") / "tiny", "WanVACEPipeline")
    forget_pipeline()


@pytest.mark.slow
def test_two_cameras_are_one_picture_to_the_model_and_two_to_whoever_uses_them(folder, tmp_path):
    family = family_of(folder)
    clip = rendered(tmp_path / "clip", family, VACE)
    window = {"window": 5, "overlap": 1, "seams": "blended"}
    options = options_for(folder, VACE, canvas=(1, 2), keep=("table",), large=window)
    command = main.get_command(click.Context(main), "generate")
    asked = ["--model", str(folder), "--steps", "2", "--prompt", "kitchen", "--canvas", "1x2", "--keep", "table"]
    asked += [word for name, value in window.items() for word in (f"--{name}", str(value))]
    with heard(loaded_pipeline(family, options), family, VACE) as found:
        command.main([str(clip.path), *asked], standalone_mode=False)
    left, right = clip.cameras
    both = np.concatenate([clip.noise(left), clip.noise(right)], axis=3)
    seen = found.denoiser[0][0].swapaxes(0, 1)
    assert np.array_equal(seen, both[: len(seen)]), "tiles of noise side by side, to the bit"
    canvas = canvas_of(clip, 1, 2)
    control = control_video(canvas, CANVAS, "depth")
    kept = np.stack([canvas.instances(CANVAS, k) for k in range(5)]) == _table(clip)
    inactive, reactive = (video[0].transpose(1, 0, 2, 3) for video in found.control[:2])
    free = np.repeat(~kept[:, None], 3, axis=1)
    assert kept.any() and np.abs(reactive - (2 * control[:5] - 1))[free].max() < 0.01 and not inactive[free].any()
    model = family.load(options)
    inputs = model.inputs(canvas, CANVAS, noise_source(canvas, CANVAS, family.layout, "clip", 0))
    whole = np.stack(list(model.run(inputs, lambda done, total: None)))
    for name in clip.cameras:
        made = clip.generated(name)[0]
        assert made.name == "tiny-0-canvas-1x2" and footage_settings(made)["cameras"] == clip.cameras
        frames = np.stack([generated_frames(made)(k) for k in range(9)])
        assert np.array_equal(frames, whole[(slice(None), *canvas.tile(name))])
        table = np.stack([clip.instances(name, k) for k in range(9)]) == _table(clip)
        assert np.array_equal(frames[table], np.stack([clip.rgb(name, k) for k in range(9)])[table])
    assert not np.array_equal(whole[:, :, :48], whole[:, :, 48:])
    again = replace(options, prompt="lab", onto="tiny-0-canvas-1x2", large=LargeModelOptions(**window, invert=0.5))
    model = family.load(again)
    inputs = model.inputs(canvas, CANVAS, noise_source(canvas, CANVAS, family.layout, "clip", 0))
    begun = inputs.given(0, None)
    assert np.array_equal(begun.source, whole[:5]) and begun.asked["source_prompt"] == "kitchen"
    table = np.stack([canvas.instances(CANVAS, k) for k in range(9)]) == _table(clip)
    made = np.stack(list(model.run(inputs, lambda done, total: None)))
    render = np.stack([canvas.rgb(CANVAS, k) for k in range(9)])
    assert np.array_equal(made[table], render[table]) and not np.array_equal(made, whole), (
        "kept, also where a video is inverted"
    )


def _table(clip):
    return next(one.id for one in clip.record.instances if one.class_name == "table" or one.name == "table")


def test_a_canvas_that_cannot_be_is_refused_before_anything_is_loaded(folder, make_clip):
    clip = make_clip(factor=8, channels=16, latents=[0, 4], size=(32, 48), frames=5)
    two = json.loads((clip / "clip.json").read_text())
    two["cameras"]["side"] = two["cameras"]["front"]
    (clip / "clip.json").write_text(json.dumps(two))
    command = main.get_command(click.Context(main), "generate")
    with pytest.raises(BadValueError, match=r"--canvas is 1x1, must be at least as many tiles as the clip has cameras \(2\)"):
        command.main([str(clip), "--model", str(folder), "--canvas", "1x1"], standalone_mode=False)
    with pytest.raises(click.BadParameter, match="is not ROWSxCOLUMNS"):
        command.main([str(clip), "--canvas", "2x"], standalone_mode=False)
    for options, message in (
        (GenerateOptions(canvas=(1, 2)), "left out for embedded: --seed gives all cameras one look"),
        (GenerateOptions(model=folder, canvas=(1, 2), camera="front"), "left out for one camera"),
        (GenerateOptions(model=folder, canvas=(1, 2), noise="flow"), "left out with the noise flow"),
    ):
        with pytest.raises(BadValueError, match=message):
            check_options(options)
    with pytest.raises(BadValueError, match="--canvas is 0x9, must be ROWSxCOLUMNS, each from 1 to 8"):
        GenerateOptions(canvas=(0, 9))
    assert read_clip(clip).cameras == ["front", "side"] and LargeModelOptions()


@pytest.mark.slow
def test_run_takes_a_canvas_too_and_a_dry_run_says_what_it_takes_and_makes_nothing(folder, tmp_path, capsys):
    command = main.get_command(click.Context(main), "run")
    output = tmp_path / "clip"
    words = ["scenes/tabletop.yaml", "--for", str(folder), "--prompt", "kitchen", "--steps", "2", "-o", str(output)]
    words += ["--frames", "5", "--size", "32x48"]
    with pytest.raises(BadValueError, match=r"--canvas is 1x1, must be at least as many tiles as the clip has cameras \(2\)"):
        command.main([*words, "--canvas", "1x1", "--dry-run"], standalone_mode=False)
    capsys.readouterr()
    command.main([*words, "--canvas", "1x2", "--dry-run"], standalone_mode=False)
    shown = capsys.readouterr()
    assert shown.out == "nothing is missing; nothing was rendered, and no footage was made (--dry-run)\n"
    memory, time = [line for line in shown.err.splitlines() if ", estimated: " in line]
    assert memory.startswith("memory, ") and time.startswith("time, ") and not output.exists()
    command.main([*words, "--canvas", "1x2"], standalone_mode=False)
    assert time in capsys.readouterr().err.splitlines(), "said of a real run, too"
    clip = read_clip(output)
    assert {clip.generated(name)[0].name for name in clip.cameras} == {f"{folder.name}-0-canvas-1x2"}
