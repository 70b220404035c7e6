"""Whatever a camera track holds: it is read, rigid and finite, or refused in one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from sim2real.scene import LoadOptions, load
from sim2real.scene.camera_track.formats import read_track
from sim2real.scene.camera_track.records import TrackFile

from ...mutations import changed, check_scene, damaged, fuzzed, read_or_refused
from .track_files import Known, way, write_colmap, write_kitti, write_nerfstudio, write_tum, zipped

SIZE = (24, 32)
CAMERAS = {"a": Known(way(3)), "b": Known(way(3, 1))}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tracks")


def check(file: TrackFile) -> None:
    assert file.tracks and (file.seconds is None or (np.diff(file.seconds) > 0).all())
    for track in file.tracks:
        poses = track.world_from_camera
        turn = poses[:, :3, :3]
        assert len(poses) and np.isfinite(poses).all() and np.allclose(turn @ np.swapaxes(turn, 1, 2), np.eye(3), atol=1e-6)
        assert (track.intrinsics is None) == (track.size is None)
        if track.size is not None and track.intrinsics is not None:
            assert track.intrinsics.shape == (len(poses), 3, 3) and np.isfinite(track.intrinsics).all() and min(track.size) > 0


@pytest.mark.parametrize("kind", ["tum", "kitti", "calib"])
@fuzzed(25)
def test_rows_of_numbers(place, kind, rng):
    path = place / "rows.txt"
    (place / "calib.txt").unlink(missing_ok=True)
    if kind == "tum":
        write_tum(path, way(3), np.arange(3.0))
    else:
        write_kitti(path, way(3))
    if kind == "calib":
        data = b"P0: 70 0 44 0 0 70 19 0 0 0 1 0\nP1: 70 0 44 -30 0 70 19 0 0 0 1 0\n"
        (place / "calib.txt").write_bytes(damaged(data, rng))
    else:
        path.write_bytes(damaged(path.read_bytes(), rng))
    read_or_refused(lambda: read_track(path, None if kind == "calib" else kind, SIZE), check)
    read_or_refused(lambda: read_track(path, None, SIZE), check)


@fuzzed(50)
def test_transforms(place, rng):
    path = place / "transforms.json"
    tree = json.loads(write_nerfstudio(path, CAMERAS, applied_transform=np.eye(4)[:3].tolist(), applied_scale=2).read_text())
    path.write_text(json.dumps(changed(tree, rng)))
    if rng.random() < 0.3:
        path.write_bytes(damaged(path.read_bytes(), rng))
    read_or_refused(lambda: read_track(path, "nerfstudio", SIZE), check)


@pytest.mark.parametrize("binary", [True, False])
@fuzzed(40)
def test_sparse_models(place, binary, rng):
    folder = place / "sparse"
    shutil.rmtree(folder, ignore_errors=True)
    write_colmap(folder, CAMERAS, binary=binary)
    target = rng.choice(sorted(folder.iterdir()))
    if rng.random() < 0.8:
        target.write_bytes(damaged(target.read_bytes(), rng))
        read_or_refused(lambda: read_track(folder, None, SIZE), check)
    else:
        path = zipped(folder, place / "sparse.zip")
        path.write_bytes(damaged(path.read_bytes(), rng))
        read_or_refused(lambda: read_track(path, None, SIZE), check)


@fuzzed(10)
def test_scenes_seen_along_damaged_tracks(place, rng):
    scene = place / "scene.yaml"
    scene.write_text("frames: 4\nobjects:\n  - {name: a, primitive: box, half_size: [1, 1, 1]}\n")
    path = write_tum(place / "some.txt", way(4), np.arange(4) / 24)
    path.write_bytes(damaged(path.read_bytes(), rng))
    options = LoadOptions(camera_track=path, size=SIZE, fps=rng.choice([None, 24.0, 1e3]))
    read_or_refused(lambda: load(scene, options), check_scene)
