"""A reader, a kind of picture, a family of models and a format of datasets are one new file and one registered line each.

The files and lines are the examples of CONTRIBUTING.md; they are used through the commands that everybody uses.
"""

from __future__ import annotations

import csv
import importlib
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from sim2real.cli import main
from sim2real.clip import read_clip
from sim2real.clip.report.sheet import rows_of
from sim2real.conditions import decode_normals
from sim2real.dataset.clips import DatasetClip
from sim2real.dataset.writers.registry import writer
from sim2real.diffusion.controls import inverse_depth_control
from sim2real.errors import UnreadableFileError
from sim2real.scene import LoadOptions, load

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = re.findall(r"^```python\n# (sim2real/\S+)\.py\n(.*?)^```$", PAGE, flags=re.S | re.M)
ROWS = re.findall(r"^```python\n# (sim2real/\S+)\.py, in (\w+)\n(.*?)^```$", PAGE, flags=re.S | re.M)


def dotted(path: str) -> str:
    return path.replace("/", ".")


@pytest.fixture
def extended(tmp_path, monkeypatch):
    """The package with the page's files in its folders, and the page's lines in its registries."""
    for number, (path, text) in enumerate(FILES):
        folder, name = tmp_path / str(number), path.rpartition("/")[2]
        folder.mkdir()
        (folder / f"{name}.py").write_text(text)
        package = importlib.import_module(dotted(path.rpartition("/")[0]))
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
        monkeypatch.delattr(package, name, raising=False)
    importlib.invalidate_caches()
    for path, name, row in ROWS:
        assert len(row.strip().splitlines()) == 1
        module = importlib.import_module(dotted(path))
        registered = getattr(module, name)
        brackets = "{%s}" if isinstance(registered, dict) else "(%s)"
        line = eval(brackets % row.strip(), vars(module))
        both = {**registered, **line} if isinstance(registered, dict) else (*registered, *line)
        monkeypatch.setattr(module, name, both)
    yield
    for path, _ in FILES:
        sys.modules.pop(dotted(path), None)


@pytest.fixture
def terrain(tmp_path) -> Path:
    y, x = np.mgrid[:6, :8]
    path = tmp_path / "hills.heights"
    np.savetxt(path, np.sin(x) * np.cos(y))
    return path


def run(*words: object):
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_page_has_an_example_of_each():
    assert [dotted(path).split(".")[1] for path, _ in FILES] == ["scene", "render", "diffusion", "dataset"]
    assert [name for _, name, _ in ROWS] == ["READERS", "KINDS", "MODULES", "WRITERS"]


def test_a_file_and_a_line_are_enough_for_all_commands(extended, terrain, tmp_path):
    assert "--cell-m M" in run("render", terrain, "--help")
    wanted = ["--cell-m", 0.5, "--frames", 2, "--size", "24x32", "--only", "noise,depth,normals,facing"]
    run("run", terrain, "--for", "mist", "-o", tmp_path / "clip", "--seed", 3, *wanted)
    clip = read_clip(tmp_path / "clip")
    assert (clip.frames, clip.cameras) == (2, ["orbit"])
    assert clip.record.scene.options == {"frames": 2, "size": [24, 32], "cell_m": 0.5}

    facing, normals = clip.picture("orbit", "facing", 1), decode_normals(clip.normals("orbit", 1))
    assert facing.dtype == np.uint8 and facing.max() > 150
    assert np.abs(facing / 255 + normals[..., 2]).max() < 0.02
    assert "faces the camera" in [row.caption for row in rows_of(clip, "orbit")]
    assert "white where surfaces face the camera" in (clip.path / "report.html").read_text()

    (footage,) = clip.generated("orbit")
    assert footage.name == "mist-3"
    settings = json.loads((footage / "settings.json").read_text())
    assert {"model": "mist", "density": 20, "camera_effects": "none", "seed": 3}.items() <= settings.items()
    control = inverse_depth_control(np.stack([clip.depth("orbit", frame) for frame in range(2)]))
    misty = np.rint(np.clip(255 * control + 20 * np.asarray(clip.noise("orbit")), 0, 255)).transpose(0, 2, 3, 1)
    made = DatasetClip("hills-0", clip, task="cross the hills")
    assert np.array_equal(np.stack(list(made.pictures("orbit"))), misty)

    run("generate", clip.path, "--model", "mist")
    run("export", clip.path, "--to", "latents", "--for", "mist", "-o", tmp_path / "latents.npy")
    assert np.load(tmp_path / "latents.npy").shape == (1, 3, 2, 24, 32)

    (tmp_path / "dataset").mkdir()
    writer("table").write([made], tmp_path / "dataset")
    with (tmp_path / "dataset" / "clips.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["clip"], row["camera"], row["frames"], row["task"]) == ("hills-0", "orbit", "2", "cross the hills")
    assert float(row["brightness"]) == pytest.approx(misty.mean(), abs=0.5)


def test_the_reader_is_one_of_load_and_of_scene_files(extended, terrain, tmp_path):
    scene = load(terrain, LoadOptions(frames=3), cell_m=2.0)
    assert scene.frames == 3 and np.ptp(scene.meshes[0].vertices[:, 0]) == pytest.approx(14)
    (tmp_path / "scene.yaml").write_text("rollout: {path: hills.heights, frames: 2, cell_m: 0.25}\n")
    scene = load(tmp_path / "scene.yaml")
    assert scene.frames == 2 and np.ptp(scene.meshes[0].vertices[:, 1]) == pytest.approx(1.25)
    (tmp_path / "bad.heights").write_text("1 2\n3 high\n")
    with pytest.raises(UnreadableFileError, match="bad.heights"):
        load(tmp_path / "bad.heights")


def test_without_them_nothing_of_it_is_known(terrain, tmp_path):
    for words, says in (
        (["render", terrain, "-o", tmp_path / "clip"], "unknown kind of scene"),
        (["render", ROOT / "scenes" / "tabletop.yaml", "-o", tmp_path / "clip", "--only", "facing"], "facing"),
        (["render", ROOT / "scenes" / "tabletop.yaml", "-o", tmp_path / "clip", "--for", "mist"], "unknown model"),
    ):
        done = CliRunner().invoke(main, [str(word) for word in words])
        assert done.exit_code != 0 and says in done.output
