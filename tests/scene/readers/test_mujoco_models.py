"""The comparison of published models with MuJoCo's renderer: what it measures, and that no model ends it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import mujoco_models
from benchmarks.mujoco_agreement import Eyes, Picture, agreement_of, inner, instances_of_geoms
from benchmarks.mujoco_pictures import NoOpenGLError
from sim2real.scene.load import LoadOptions, load

pytest.importorskip("mujoco")

TWINS = """
<mujoco>
  <worldbody>
    <camera name="front" pos="0 -2 0.3" xyaxes="1 0 0 0 0 1"/>
    <body name="left"><geom type="box" size="0.2 0.2 0.2" pos="0 0 0.3"/></body>
    <body name="right"><geom type="box" size="0.2 0.2 0.2" pos="{apart} 0 0.3"/></body>
    <body name="far"><geom type="box" size="2 0.1 2" pos="0 {behind} 0"/></body>
  </worldbody>
</mujoco>
"""


def twins(folder: Path, apart: float, behind: float = 2.0) -> Path:
    path = folder / "twins.xml"
    path.write_text(TWINS.format(apart=apart, behind=behind))
    return path


def picture(ids: np.ndarray, depth: float = 1.0) -> Picture:
    return Picture(ids, np.full(ids.shape, depth))


def test_inner_pixels_are_those_whose_neighbors_show_the_same():
    ids = np.zeros((6, 8), int)
    ids[:, 4:] = 1
    assert inner(ids).sum(axis=0).tolist() == [6, 6, 6, 0, 0, 6, 6, 6]
    assert not inner(np.arange(48).reshape(6, 8)).any()


def test_geoms_that_belong_to_nothing_shown_are_background():
    geoms = np.array([[-1, 0, 1, 2, 9]])
    assert instances_of_geoms(geoms, {0: 4, 2: 1}).tolist() == [[0, 4, 0, 1, 0]]


def test_agreement_counts_ids_and_then_depths():
    theirs = np.repeat([0, 1, 1, 2], 4).reshape(4, 4)
    mine = theirs.copy()
    everywhere, nowhere = np.ones((4, 4), bool), np.zeros((4, 4), bool)
    assert agreement_of(picture(mine), picture(theirs), everywhere, nowhere) == (1, 1)
    assert agreement_of(picture(mine, 1.01), picture(theirs), everywhere, nowhere) == (1, 0)
    mine[3] = 1
    assert agreement_of(picture(mine), picture(theirs), everywhere, nowhere) == (0.75, 1)
    assert agreement_of(picture(mine), picture(theirs), everywhere, mine != theirs) == (1, 1)
    assert agreement_of(picture(mine), picture(theirs), nowhere, nowhere) == (None, None)


@pytest.mark.parametrize(("apart", "tied"), [(0.0, 1.0), (0.15, 0.0)], ids=["in one place", "beside each other"])
def test_two_things_in_one_place_may_be_seen_either_way(tmp_path, apart, tied):
    """Claimed of every pixel of either box, a tie is found where both are."""
    eyes = Eyes(load(twins(tmp_path, apart), LoadOptions(size=(40, 60))))
    camera = eyes.scene.camera("front")
    ours = eyes.picture(camera, 0)
    swapped = Picture(np.where(ours.ids == 1, 2, np.where(ours.ids == 2, 1, ours.ids)), ours.depth)
    one_alone = (ours.ids == 1) & (np.roll(ours.ids, 3, axis=1) == 3)  # the left edge of the left box
    assert one_alone.any()
    found = eyes.ties(camera, 0, ours, swapped)
    assert found[one_alone].mean() == tied
    assert not found[ours.ids == 3].any()
    moved = Picture(swapped.ids, swapped.depth + 0.01)
    assert not eyes.ties(camera, 0, ours, moved).any()


def test_nothing_is_seen_beyond_the_far_plane(tmp_path):
    scene = load(twins(tmp_path, 0.0), LoadOptions(size=(40, 60)))
    assert set(np.unique(Eyes(scene).picture(scene.camera("front"), 0).ids)) >= {3}
    assert 3 not in Eyes(scene, far=3.0).picture(scene.camera("front"), 0).ids


def fake_batch(models: list[Path], folder: Path, environment: dict[str, str]):
    done = []
    for model in models:
        if "crash" in model.name:
            return done, {"outcome": "crashed", "why": "exit -11: Segmentation fault"}
        done.append({"model": str(model), "outcome": "compared", "floors": [], "views": []})
    return done, None


def test_a_model_that_crashes_is_named_and_the_others_are_compared(monkeypatch):
    monkeypatch.setattr(mujoco_models, "_batch", fake_batch)
    models = [Path(f"a/b/{'crash' if k in (0, 5, 19) else 'fine'}{k}.xml") for k in range(20)]
    results = list(mujoco_models.compared("robots", models, {}))
    assert [Path(result.report["model"]) for result in results] == models
    crashed = [result.name for result in results if result.report["outcome"] == "crashed"]
    assert crashed == ["a/b/crash0.xml", "a/b/crash5.xml", "a/b/crash19.xml"]
    assert mujoco_models.row("robots", results).startswith("| robots | 17 | 3 |")
    assert [line.split(":")[0] for line in mujoco_models.faults(results)] == [f"robots {name}" for name in crashed]


@pytest.mark.slow
def test_one_command_compares_a_package(tmp_path, monkeypatch, capsys):
    package = tmp_path / "gym_xarm"
    package.mkdir()
    twins(package, 0.0)
    (package / "part.xml").write_text("<mujoco><worldbody><geom mesh='of another file'/></worldbody></mujoco>")
    (package / "other.xml").write_text("<robot/>")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["mujoco_models", "--packages", "gym_xarm", "--json", str(tmp_path / "all.json")])
    try:
        mujoco_models.main()
    except NoOpenGLError as error:
        pytest.skip(str(error))
    out = capsys.readouterr().out
    assert "| gym_xarm | 1 | 0 | 0 | 3 of 3 |" in out
    assert "1 files are no models by themselves" in out
    assert "Wrong: 0" in out
    assert (tmp_path / "all.json").is_file()
