"""Who makes ``rgb/`` is chosen per clip, written down, and nothing else changes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sim2real.cli import main
from sim2real.clip import command_for
from sim2real.diffusion import GenerateOptions, family_of
from sim2real.errors import BadValueError, UnknownNameError
from sim2real.render import FrameRenderer, RenderOptions, render_clip
from sim2real.render.plan import planned

from .conftest import moving_scene

FRAMES, SIZE = 3, (32, 48)


@pytest.mark.parametrize("rgb", ["pyrender", "mitsuba"])
def test_a_clip_says_who_made_its_pictures_and_its_labels_are_as_ever(rgb: str, tmp_path: Path) -> None:
    pytest.importorskip({"pyrender": "pyrender", "mitsuba": "mitsuba"}[rgb], reason=f"{rgb} is not installed")
    scene = moving_scene(FRAMES, SIZE)
    chosen = {"rgb": rgb, "rgb_samples": 4 if rgb == "mitsuba" else None, "seed": 2, "threads": 2, "pages": False}
    try:
        clip = render_clip(scene, tmp_path / "clip", RenderOptions(only={"rgb", "instances"}, **chosen))
    except BadValueError as error:
        pytest.skip(str(error))  # no OpenGL here
    usual = render_clip(scene, tmp_path / "usual", RenderOptions(only={"rgb", "instances"}, seed=2, pages=False))
    record = json.loads((clip.path / "clip.json").read_text())["rgb"]
    assert record["renderer"] == rgb and record["version"][0].isdigit()
    assert record.get("samples") == chosen["rgb_samples"] and ("denoiser" in record) == (rgb == "mitsuba")
    assert "rgb" not in json.loads((usual.path / "clip.json").read_text()) and usual.record.rgb is None
    words = command_for(clip, [])
    assert f"--rgb {rgb}" in words and ("--rgb-samples 4" in words) == (rgb == "mitsuba")
    assert "--rgb" not in command_for(usual, [])
    for camera in clip.cameras:
        assert np.array_equal(clip.instances(camera, 1), usual.instances(camera, 1))
        difference = np.abs(clip.rgb(camera, 1).astype(int) - usual.rgb(camera, 1)).mean()
        assert 0.5 < difference < 60  # another picture, of the same thing
    alone = FrameRenderer(planned(scene, RenderOptions(only={"rgb"}, **chosen))).render(scene.camera("still"), 2)
    assert np.array_equal(alone.pictures["rgb"], clip.rgb("still", 2))
    model = family_of("embedded").load(GenerateOptions())
    with pytest.raises(BadValueError, match=f"rgb is by {rgb}, must be by our renderer"):
        model.inputs(clip, "still", clip.noise)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"rgb": "blender"}, UnknownNameError, "Valid: ours, pyrender, mitsuba"),
        ({"rgb": "pyrender", "rgb_samples": 4}, BadValueError, "left out but for --rgb mitsuba"),
        ({"rgb": "mitsuba", "rgb_samples": 0}, BadValueError, "1 or more"),
        ({"rgb": "mitsuba", "as_live": True}, BadValueError, "ours with --as-live"),
    ],
)
def test_what_does_not_go_together_is_refused(options: dict, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        RenderOptions(**options)


def test_footage_of_the_embedded_model_is_refused_before_anything_is_rendered(tmp_path: Path, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", "scenes/tabletop.yaml", "--rgb", "mitsuba", "-o", str(tmp_path / "out")])
    assert ended.value.code == 1 and not (tmp_path / "out").exists()
    said = capsys.readouterr().err.strip()
    assert "--rgb is mitsuba, must be ours" in said and len(said.splitlines()) == 1
