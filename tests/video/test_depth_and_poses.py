from __future__ import annotations

import json

import numpy as np
import OpenEXR
import pytest
from PIL import Image

from sim2real.clip.images import write_depth
from sim2real.errors import BadValueError, MissingFileError, UnreadableFileError
from sim2real.flow import flow_files
from sim2real.video import DepthFiles, camera_matrix, read_poses

SIZE = (12, 16)
DEPTH = np.random.default_rng(0).uniform(0.5, 9, SIZE).astype(np.float32)


def test_depth_is_read_from_every_format_in_metres(tmp_path):
    write_depth(tmp_path / "0.exr", DEPTH)
    np.save(tmp_path / "1.npy", DEPTH)
    Image.fromarray((DEPTH * 1000).round().astype(np.uint16)).save(tmp_path / "2.png")
    depth = DepthFiles(tmp_path, 3, SIZE)
    assert np.array_equal(depth.frame(0), DEPTH)
    assert np.array_equal(depth.frame(1), DEPTH)
    assert np.abs(depth.frame(2) - DEPTH).max() <= 0.00051


def test_what_is_not_finite_or_not_positive_is_no_depth(tmp_path):
    bad = DEPTH.copy()
    bad[0, :3] = np.nan, np.inf, -1
    np.save(tmp_path / "0.npy", bad)
    assert (DepthFiles(tmp_path, 1, SIZE).frame(0)[0, :3] == 0).all()


def test_depth_that_does_not_fit_is_refused(tmp_path):
    with pytest.raises(MissingFileError):
        DepthFiles(tmp_path / "nowhere", 1, SIZE)
    with pytest.raises(MissingFileError, match="depth not found"):
        DepthFiles(tmp_path, 1, SIZE)
    np.save(tmp_path / "0.npy", DEPTH)
    with pytest.raises(BadValueError, match="the number of depth files is 1, must be 2"):
        DepthFiles(tmp_path, 2, SIZE)
    with pytest.raises(BadValueError, match="the shape of the depth"):
        DepthFiles(tmp_path, 1, (16, 16))
    (tmp_path / "0.npy").unlink()
    Image.fromarray(np.zeros((*SIZE, 3), np.uint8)).save(tmp_path / "0.png")
    with pytest.raises(UnreadableFileError, match="millimetres"):
        DepthFiles(tmp_path, 1, SIZE)


@pytest.mark.parametrize("kind", ["npy", "3x4 npy", "json", "clip.json", "txt"])
def test_poses_are_read_from_every_format(tmp_path, kind):
    poses = np.tile(np.eye(4), (3, 1, 1))
    poses[:, :3, 3] = np.random.default_rng(0).standard_normal((3, 3))
    path = tmp_path / f"poses.{kind.split()[-1].split('.')[-1]}"
    if kind.endswith("npy"):
        np.save(path, poses[:, : 3 if kind.startswith("3x4") else 4])
    elif kind == "txt":
        np.savetxt(path, poses.reshape(3, 16))
    else:
        path.write_text(
            json.dumps({"cameras": {"a": {"world_from_camera": poses.tolist()}}} if "clip" in kind else poses.tolist())
        )
    assert np.allclose(read_poses(path, 3), poses)


def test_poses_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(MissingFileError):
        read_poses(tmp_path / "nowhere.npy", 2)
    path = tmp_path / "poses.npy"
    np.save(path, np.tile(np.eye(4), (3, 1, 1)))
    with pytest.raises(BadValueError, match=r"the shape of the poses is \(3, 4, 4\), must be \(2, 4, 4\)"):
        read_poses(path, 2)
    np.save(path, np.tile(2 * np.eye(4), (2, 1, 1)))
    with pytest.raises(BadValueError, match="not rigid"):
        read_poses(path, 2)
    (tmp_path / "poses.json").write_text("{}")
    with pytest.raises(UnreadableFileError, match="the poses cannot be read"):
        read_poses(tmp_path / "poses.json", 2)


def test_an_unknown_camera_is_nominal_and_a_known_one_is_itself():
    assert camera_matrix((5.0, 6.0, 7.0, 8.0), (480, 720)).tolist() == [[5, 0, 7], [0, 6, 8], [0, 0, 1]]
    assert camera_matrix(None, (480, 720)).tolist() == [[720, 0, 360], [0, 720, 240], [0, 0, 1]]


def test_depth_and_motion_of_any_numbering_are_in_the_order_of_pictures(tmp_path):
    depths, vectors = tmp_path / "depth", tmp_path / "flow"
    for folder in (depths, vectors):
        folder.mkdir()
    for k in range(12):
        np.save(depths / f"frame_{k}.npy", np.full(SIZE, 1.0 + k, np.float32))
        np.save(vectors / f"frame_{k}.npy", np.zeros((*SIZE, 2), np.float32))
    depth = DepthFiles(depths, 12, SIZE)
    assert [depth.frame(k)[0, 0] for k in range(12)] == [1.0 + k for k in range(12)]
    assert [file.name for file in flow_files(vectors)] == [f"frame_{k}.npy" for k in range(12)]
    assert depth.gap is None
    (depths / "frame_5.npy").unlink()
    assert "frame_4.npy is followed by frame_6.npy" in str(DepthFiles(depths, 11, SIZE).gap)


def test_depth_of_whole_numbers_is_refused_with_the_rule_of_units(tmp_path):
    np.save(tmp_path / "0.npy", (DEPTH * 1000).astype(np.uint16))
    with pytest.raises(BadValueError, match="is uint16, must be floating-point metres; divide millimetres by 1000"):
        DepthFiles(tmp_path, 1, SIZE)


@pytest.mark.parametrize("names", [["V"], ["depth.Z"], list("RGB"), list("RGBA"), list("BGRZ")])
def test_depth_is_read_from_the_channels_of_an_exr_that_can_be_meant(names, tmp_path):
    pixels = {name: DEPTH if name != "A" else np.ones_like(DEPTH) for name in names}
    if "Z" in pixels:
        pixels |= {name: np.full_like(DEPTH, k) for k, name in enumerate("BGR")}
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, pixels).write(str(tmp_path / "0.exr"))
    assert np.array_equal(DepthFiles(tmp_path, 1, SIZE).frame(0), DEPTH)


def test_an_exr_of_several_channels_that_differ_is_refused(tmp_path):
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, {name: DEPTH + k for k, name in enumerate("RGB")}).write(str(tmp_path / "0.exr"))
    with pytest.raises(UnreadableFileError, match="its channels B, G, R do not say which is depth; write metres as channel Z"):
        DepthFiles(tmp_path, 1, SIZE)


def test_poses_of_nerfstudio_are_turned_to_our_axes_and_ordered_by_name(tmp_path):
    poses = np.tile(np.eye(4), (12, 1, 1))
    poses[:, 0, 3] = np.arange(12)
    frames = [{"file_path": f"images/frame_{k}.png", "transform_matrix": poses[k].tolist()} for k in reversed(range(12))]
    (tmp_path / "transforms.json").write_text(json.dumps({"frames": frames}))
    assert np.array_equal(read_poses(tmp_path / "transforms.json", 12), poses @ np.diag([1, -1, -1, 1]))


def test_mirrored_poses_are_refused(tmp_path):
    poses = np.tile(np.eye(4), (3, 1, 1))
    poses[1, 0, 0] = -1
    np.save(tmp_path / "poses.npy", poses)
    with pytest.raises(BadValueError, match="the pose of frame 1 is mirrored, must be a rotation"):
        read_poses(tmp_path / "poses.npy", 3)
