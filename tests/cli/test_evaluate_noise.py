from __future__ import annotations

import json
import math
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from sim2real.cli import main
from sim2real.cli.json_text import json_text
from sim2real.clip import read_clip
from sim2real.noise import NoiseLayout
from sim2real.render import RenderOptions, render_clip
from tests.render.conftest import moving_scene


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("evaluate") / "clip"
    only = {"noise", "depth", "instances"}
    return render_clip(moving_scene(3), out, RenderOptions(layout=NoiseLayout(4, 8), only=only, threads=1)).path


def run(capsys, *arguments: object) -> tuple[str, str, int]:
    code = 0
    try:
        main(["evaluate", *map(str, arguments)])
    except SystemExit as end:
        code = int(end.code or 0)
    shown = capsys.readouterr()
    return shown.out, shown.err, code


def test_the_noise_of_every_camera_is_judged_and_the_table_is_readable(folder, capsys):
    text, _, code = run(capsys, "--noise", folder, "--geometry", "labels")
    assert code == 0
    assert "camera moving" in text and "camera still" in text
    assert "Kolmogorov-Smirnov" in text and "efficiency" in text and "white: worst score" in text


def test_json_holds_the_same_figures(folder, capsys):
    text, _, _ = run(capsys, "--noise", folder, "--json", "--camera", "still", "--geometry", "labels")
    (found,) = json.loads(text)
    assert list(found["cameras"]) == ["still"]
    figures = found["cameras"]["still"]
    assert figures["transport"][0]["distance"] == 1
    assert set(figures["statistics"]) >= {"mean", "variance", "ks", "spectrum", "channels"}


def test_somebody_elses_noise_is_judged_against_this_clip(folder, capsys, tmp_path):
    theirs = tmp_path / "theirs.npy"
    np.save(theirs, np.random.default_rng(0).standard_normal((3, 4, 6, 8)).astype(np.float32))
    text, _, code = run(capsys, "--noise-file", theirs, "--camera", "moving", folder, "--geometry", "labels", "--json")
    assert code == 0
    figures = json.loads(text)[0]["cameras"]["moving"]
    assert figures["noise"] == str(theirs) and figures["factor"] == 8
    assert abs(figures["transport"][0]["efficiency"]) < 0.5


def test_a_file_for_two_cameras_is_refused_in_one_line(folder, capsys, tmp_path):
    np.save(tmp_path / "theirs.npy", np.zeros((3, 4, 6, 8), np.float32))
    _, error, code = run(capsys, "--noise-file", tmp_path / "theirs.npy", folder)
    assert code == 1
    assert error.count("\n") == 1 and "--camera" in error


@pytest.mark.parametrize("frame", [0, 2])
@pytest.mark.parametrize("value", [math.nan, 3e38])
@pytest.mark.parametrize("options", [[], ["--json"], ["--noise", "--stride", "3"]])
def test_noise_that_is_not_finite_is_refused_by_frame(folder, capsys, tmp_path, frame, value, options):
    clip = read_clip(shutil.copytree(folder, tmp_path / "clip"))
    noise = np.array(clip.noise("moving"))
    noise[frame, 1, 2, 3] = value
    np.save(clip.folder("moving") / "noise.npy", noise)
    out, error, code = run(capsys, *options, clip.path)
    assert (code, out, error.count("\n")) == (1, "", 1)
    assert f"the noise of frame {frame} is not finite" in error


def test_json_has_no_words_that_json_lacks():
    figures = {"a": [1.5, math.nan, (math.inf, -math.inf)], "b": {"c": True, "d": "NaN", "e": 3}}
    text = json_text(figures)
    assert json.loads(text, parse_constant=pytest.fail) == {
        "a": [1.5, None, [None, None]],
        "b": {"c": True, "d": "NaN", "e": 3},
    }


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--camera", "moving"], "--camera"),
        (["--geometry", "auto"], "--geometry"),
        (["--pairs", 4], "--pairs"),
        (["--noise", "--diversity"], "--diversity"),
        (["--noise", "--photographs", "nowhere"], "--photographs"),
        (["--noise-file", "theirs.npy", "--diversity"], "--diversity"),
    ],
)
def test_options_that_would_change_nothing_are_refused(folder, capsys, options, named):
    out, error, code = run(capsys, *options, folder)
    assert (code, out, error.count("\n")) == (1, "", 1)
    assert error.startswith(f"error: {named} is ") and "must be left out" in error


def test_one_seed_alone_has_nothing_to_be_unlike_which_is_said(monkeypatch):
    monkeypatch.setattr("sim2real.metrics.evaluate.evaluate", lambda clip, **_: {"clip": str(clip), "cameras": {"front": {}}})
    done = CliRunner().invoke(main, ["evaluate", "out/clip", "--diversity"])
    assert done.exit_code == 0, done.output
    assert "note: no model has made footage of several seeds: sim2real generate out/clip --seed 1 makes more" in done.stderr
    assert "note" not in CliRunner().invoke(main, ["evaluate", "out/clip"]).stderr
