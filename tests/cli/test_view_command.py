"""``sim2real view`` with viewers: what it writes, what it says, and what it refuses in one line."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from sim2real.cli import main
from sim2real.clip import new_folder, read_clip
from sim2real.scene import load
from tests.clip.conftest import fill, record_of
from tests.clip.recordings import ReadRecording

SCENE = """
frames: 4
fps: 8
size: [48, 64]
objects:
  - {name: ball, primitive: sphere, radius: 0.3, motion: {spin: {axis: z, deg_per_s: 40}}}
  - {name: floor, primitive: plane, half_size: [2, 2]}
cameras:
  - {name: front, fov_deg: 60, position: [0, -2, 1], look_at: [0, 0, 0]}
"""


def run(*arguments: object):
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture
def plain(tmp_path, monkeypatch) -> Path:
    """A clip folder of plain numbers, whose scene is gone."""
    monkeypatch.setitem(os.environ, "RUST_LOG", "off")
    with new_folder(tmp_path / "clip") as folder:
        fill(folder, record_of())
    return tmp_path / "clip"


@pytest.mark.slow
def test_a_rendered_clip_becomes_a_recording_with_meshes_and_a_page(tmp_path, monkeypatch):
    monkeypatch.setitem(os.environ, "RUST_LOG", "off")
    monkeypatch.setattr("sim2real.render.noise_page.TEXELS", 20_000)
    (tmp_path / "scene.yaml").write_text(SCENE)
    clip = tmp_path / "clip"
    assert (
        run("render", tmp_path / "scene.yaml", "-o", clip, "--only", "noise,rgb,depth,instances", "--factor", 8).exit_code == 0
    )
    result = run("view", clip, "--rrd", "--viser")
    assert result.exit_code == 0, result.output
    assert f"recording   {clip / 'clip.rrd'}" in result.stdout and f"noise page  {clip / 'noise.html'}" in result.stdout
    assert "note" not in result.stderr
    read, scene = ReadRecording(clip / "clip.rrd"), load(tmp_path / "scene.yaml")
    assert {"/world/instances/ball/mesh_0", "/world/instances/floor/mesh_0"} <= read.entities
    for frame in range(4):
        assert np.allclose(read.pose("/world/instances/ball", frame), scene.world_from_instance[frame, 0], atol=1e-6)
        seen = read.pixels("/world/cameras/front/depth", "DepthImage", frame) / 1000
        assert np.abs(seen - read_clip(clip).depth("front", frame)).max() < 0.00051
    assert "__VISER_EMBED_DATA__" in (clip / "noise.html").read_text()
    (tmp_path / "scene.yaml").write_text(SCENE.replace("0.3", "0.4"))
    result = run("view", clip, "--rrd", "--viser")
    assert result.exit_code == 1 and "sha256" in result.stderr and "render the clip again" in result.stderr
    assert "meshes are left out: the scene's sha256" in " ".join(run("view", clip, "--rrd").stderr.split())


def test_the_recording_goes_where_it_is_told_and_the_reports_stay_as_they_are(plain, tmp_path):
    result = run("view", plain, "--rrd", tmp_path / "new" / "other.rrd")
    assert result.exit_code == 0, result.output
    assert "note: meshes are left out" in result.stderr
    assert (tmp_path / "new" / "other.rrd").stat().st_size > 10_000
    assert not (plain / "clip.rrd").exists() and not (plain / "sheet.png").exists()


@pytest.mark.parametrize(("option", "package"), [("--rrd", "rerun"), ("--viser", "viser")])
def test_a_missing_package_names_the_extra_in_one_line(plain, monkeypatch, option, package):
    monkeypatch.setitem(sys.modules, package, None)
    result = run("view", plain, option)
    assert result.exit_code == 1
    assert result.stderr == f"error: this needs the package {package}; install it with: pip install 'sim2real[view]'\n"


@pytest.mark.parametrize("option", ["--rrd", "--viser"])
def test_a_folder_in_place_of_a_file_is_refused(plain, option):
    result = run("view", option, plain)  # the clip is taken for the file
    assert result.exit_code == 2 and "is a directory" in result.stderr
    assert not list(plain.glob("*.rrd"))


def test_a_page_needs_the_scene(plain):
    result = run("view", plain, "--viser")
    assert result.exit_code == 1
    assert "scenes/tiny.yaml" in result.stderr.splitlines()[-1] and len(result.stderr.strip().splitlines()) == 1
    assert not list(plain.glob("*.html"))
