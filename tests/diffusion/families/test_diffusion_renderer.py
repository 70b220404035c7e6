"""Pictures for Cosmos DiffusionRenderer, read as its loader groups and scales them."""

from __future__ import annotations

import json
import re
from collections import defaultdict

import click
import numpy as np
import pytest
from PIL import Image

from sim2real.cli import main
from sim2real.clip import read_clip, write_record
from sim2real.clip.images import write_depth, write_png
from sim2real.diffusion.families.diffusion_renderer import PASSES, export_gbuffers
from sim2real.errors import BadValueError, MissingFileError, OutputExistsError
from tests.diffusion.test_generate import SIZE, write_clip


def read_back(root):
    """Videos by group and pass: a group is what stands before the first dot of a name, pictures are in [-1, 1], sorted."""
    groups = defaultdict(lambda: defaultdict(list))
    for file in sorted(root.rglob("*.png")):
        group, rest = re.fullmatch(r"((?:.*/|)[^./]+)\.([^/]*)", str(file.relative_to(root))).groups()
        (label,) = [name for name in PASSES if f".{name}." in f".{rest}"]
        with Image.open(file) as opened:
            groups[group][label].append(np.asarray(opened.convert("RGB"), np.float32) / 127.5 - 1)
    return {group: {label: np.stack(found) for label, found in of.items()} for group, of in groups.items()}


@pytest.fixture
def clip(tmp_path, rng):
    """A wall that faces down a little, from 1 m on the left to 3 m on the right; nothing in the first rows."""
    folder = write_clip(tmp_path / "clip", rng, frames=3)
    depth = np.broadcast_to(np.linspace(1, 3, SIZE[1], dtype=np.float32), SIZE).copy()
    depth[:4] = 0
    normals = np.full((*SIZE, 3), (128, 204, 26), np.uint8)  # OpenCV: y is down, z is away: (0, 0.6, -0.8)
    for frame in range(3):
        write_depth(folder / "front" / "depth" / f"{frame:06d}.exr", depth)
        write_png(folder / "front" / "normals" / f"{frame:06d}.png", normals)
        write_png(folder / "front" / "material" / f"{frame:06d}.png", np.full((*SIZE, 3), (51, 230, 0), np.uint8))
    return folder


def test_its_loader_finds_every_pass_with_its_meaning(clip, tmp_path):
    assert export_gbuffers(clip, tmp_path / "out") == {"front": 3}
    ((group, found),) = read_back(tmp_path / "out").items()
    assert group == "front/0000" and set(found) == set(PASSES)
    assert all(video.shape == (3, *SIZE, 3) for video in found.values())
    assert np.abs(found["normal"][:, 4:] - (0, -0.6, 0.8)).max() < 0.01, "y up, z towards the viewer"
    assert np.abs(found["normal"][:, :4] - (0, 0, 1)).max() < 0.01
    across = found["depth"][0, 20, :, 0]
    assert (np.diff(across) >= 0).all() and across[0] == -1 and across[-1] == 1 and abs(across[SIZE[1] // 2]) < 0.05
    assert (found["depth"][:, :4] == 1).all() and np.abs(found["roughness"][:, :4]).max() < 0.01
    assert np.allclose(found["roughness"][:, 4:], 2 * 51 / 255 - 1) and np.allclose(found["metallic"][:, 4:], 2 * 230 / 255 - 1)
    assert (found["metallic"][:, :4] == -1).all()
    albedo = read_clip(clip).albedo("front", 2)
    assert np.array_equal(np.rint((found["basecolor"][2] + 1) * 127.5), albedo)
    low, high = json.loads((tmp_path / "out" / "gbuffers.json").read_text())["depth_black_white_m"]["front"]
    assert 1 < low < 1.1 and 2.9 < high < 3


def test_long_clips_are_chunks_of_57_frames(clip, tmp_path):
    record = read_clip(clip).record
    still = np.broadcast_to(np.eye(4), (60, 4, 4))
    k = np.broadcast_to(record.cameras["front"].intrinsics[0], (60, 3, 3))
    camera = record.cameras["front"].model_copy(update={"world_from_camera": still, "intrinsics": k})
    changed = {"frames": 60, "cameras": {"front": camera}, "instances": [], "noise": None}
    write_record(clip / "clip.json", record.model_copy(update=changed))
    for kind in ("depth", "normals", "material", "albedo"):
        (first,) = (clip / "front" / kind).glob("000000.*")
        for frame in range(1, 60):
            target = first.with_name(f"{frame:06d}{first.suffix}")
            target.unlink(missing_ok=True)
            target.hardlink_to(first)
    export_gbuffers(clip, tmp_path / "out")
    found = read_back(tmp_path / "out")
    assert {group: len(of["depth"]) for group, of in found.items()} == {"front/0000": 57, "front/0001": 3}


def test_the_command_writes_them_and_refuses_what_belongs_to_noise(clip, tmp_path, capsys):
    command = main.get_command(click.Context(main), "export")
    asked = [str(clip), "--to", "diffusion-renderer", "-o", str(tmp_path / "out")]
    command.main(asked, standalone_mode=False)
    assert "3 x basecolor, normal, depth, roughness, metallic" in capsys.readouterr().out
    with pytest.raises(OutputExistsError):
        command.main(asked, standalone_mode=False)
    command.main([*asked, "--overwrite"], standalone_mode=False)
    with pytest.raises(BadValueError, match="--sigma-max is 3.0, must be left out"):
        command.main([*asked, "--sigma-max", "3"], standalone_mode=False)
    (clip / "front" / "albedo").rename(clip / "albedo")
    with pytest.raises(MissingFileError, match="albedo not found; make the clip with: .*--for cosmos-diffusion-renderer"):
        export_gbuffers(clip, tmp_path / "other")


def test_the_clip_is_not_replaced_by_its_own_pictures(clip):
    with pytest.raises(BadValueError, match="must be another folder than the clip's"):
        export_gbuffers(clip, clip, overwrite=True)
    assert (clip / "clip.json").is_file()
