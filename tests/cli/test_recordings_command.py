"""``sim2real inspect`` and recordings that need a mapping file, as a user goes about it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from sim2real.cli import main
from tests.scene.readers.simulator_logs import isaac_lab, mapping, replay

pytest.importorskip("h5py")


def run(*arguments: object):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_inspect_lists_a_recording_and_writes_the_mapping_file_that_is_to_be_filled_in(tmp_path):
    path, target = isaac_lab(tmp_path / "demo.hdf5", demos=2), tmp_path / "skeleton.yaml"
    said = run("inspect", path, "--mapping-skeleton", target)
    assert said.exit_code == 0, said.output
    for line in ("recording  Isaac Lab", "episodes   2: demo_0, demo_1", "robot  2 joints  still", f"filled in: {target}"):
        assert line in said.stdout
    assert "???" in target.read_text()
    again = run("inspect", path, "--mapping-skeleton", target)
    assert again.exit_code == 1 and "the file exists" in again.stderr
    facts = json.loads(run("inspect", path, "--json").stdout)
    assert facts["quaternions"]["order"] == "wxyz" and facts["mapping_skeleton"] == target.read_text()


def test_with_its_mapping_a_recording_is_a_scene_like_any_other(tmp_path):
    path = isaac_lab(tmp_path / "demo.hdf5")
    said = run("inspect", path, "--mapping", mapping(tmp_path))
    assert said.exit_code == 0 and "robot/hand" in said.stdout and "quaternions were read as wxyz" in said.stdout
    needless = run("inspect", replay(tmp_path), "--mapping-skeleton", tmp_path / "x.yaml")
    assert needless.exit_code == 1 and "must be left out: only recordings" in needless.stderr
    assert not (tmp_path / "x.yaml").exists()


def test_options_of_recordings_are_known_before_the_file_is_there_and_fit_what_it_holds(tmp_path):
    missing = run("inspect", tmp_path / "gone.hdf5", "--mapping", "a.yaml")
    assert missing.exit_code == 1 and "not found" in missing.stderr
    shown = run("inspect", isaac_lab(tmp_path / "demo.hdf5"), "--help").stdout
    assert "--mapping FILE" in shown and "--quaternions" in shown and "--asset-root" not in shown
