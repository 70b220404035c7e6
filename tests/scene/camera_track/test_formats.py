"""Every format gives back the cameras that it was written from, found by what is in it."""

from __future__ import annotations

import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sim2real.camera import Lens
from sim2real.errors import BadValueError, MissingFileError, Sim2RealError, UnknownNameError, UnreadableFileError
from sim2real.scene.camera_track.formats import read_track
from sim2real.transforms import rigid

from .track_files import Known, way, write_colmap, write_kitti, write_nerfstudio, write_tum, zipped

SIZE = (30, 40)
LENSES = {
    "SIMPLE_PINHOLE": Lens(),
    "PINHOLE": Lens(),
    "SIMPLE_RADIAL": Lens("perspective", (0.1, 0.0, 0.0, 0.0)),
    "RADIAL": Lens("perspective", (0.1, -0.02, 0.0, 0.0)),
    "OPENCV": Lens("perspective", (0.1, -0.02, 0.003, -0.004)),
    "OPENCV_FISHEYE": Lens("fisheye", (0.1, -0.02, 0.003, -0.004)),
    "FULL_OPENCV": Lens("perspective", (0.1, -0.02, 0.003, -0.004, 0.01, 0.02, 0.03, 0.04)),
    "SIMPLE_RADIAL_FISHEYE": Lens("fisheye", (0.1, 0.0, 0.0, 0.0)),
    "RADIAL_FISHEYE": Lens("fisheye", (0.1, -0.02, 0.0, 0.0)),
}


def known_of(model: str, seed: int = 0, poses: int = 12) -> Known:
    one = model.startswith(("SIMPLE", "RADIAL"))
    return Known(way(poses, seed), k=(50.0, 50.0 if one else 55.0, 31.0, 25.0), lens=LENSES[model], model=model)


def same(track, known: Known, atol: float = 1e-9) -> None:
    assert np.allclose(track.world_from_camera, known.poses, atol=atol)
    assert track.size == known.size and track.lens == known.lens
    assert np.allclose(track.intrinsics, known.matrix, atol=1e-9) and len(track.intrinsics) == len(known.poses)


def test_tum_gives_times_and_poses(tmp_path):
    poses, seconds = way(5), 1.3e9 + np.arange(5) / 30
    file = read_track(write_tum(tmp_path / "groundtruth.txt", poses, seconds), None, SIZE)
    assert np.allclose(file.seconds, seconds) and np.allclose(file.tracks[0].world_from_camera, poses, atol=1e-7)
    assert file.tracks[0].intrinsics is None


def test_kitti_alone_gives_poses(tmp_path):
    file = read_track(write_kitti(tmp_path / "00.txt", way(5)), None, SIZE)
    assert np.allclose(file.tracks[0].world_from_camera, way(5), atol=1e-7) and file.seconds is None


def test_kitti_with_its_calibration_gives_the_whole_rig_with_times(tmp_path):
    (tmp_path / "poses").mkdir()
    sequence = tmp_path / "sequences" / "07"
    (sequence / "image_0").mkdir(parents=True)
    Image.new("L", (90, 40)).save(sequence / "image_0" / "000000.png")
    poses = way(3)
    path = write_kitti(tmp_path / "poses" / "07.txt", poses)
    (sequence / "times.txt").write_text("0\n0.1\n0.2\n")
    left = "P0: 70 0 44 0 0 70 19 0 0 0 1 0\n"
    right = f"P1: 70 0 44 {-70 * 0.54} 0 70 19 0 0 0 1 0\n"
    (sequence / "calib.txt").write_text(left + right + "Tr: 1 0 0 0 0 1 0 0 0 0 1 0\n")
    file = read_track(path, None, SIZE)
    assert [track.name for track in file.tracks] == ["P0", "P1"] and file.seconds.tolist() == [0, 0.1, 0.2]
    assert file.tracks[0].size == (40, 90) and np.allclose(file.tracks[0].world_from_camera, poses, atol=1e-7)
    beside = poses @ rigid(np.eye(3), np.array([0.54, 0, 0]))  # the right camera is along the left one's x
    assert np.allclose(file.tracks[1].world_from_camera, beside, atol=1e-7)
    assert np.allclose(file.tracks[0].intrinsics[0], [[70, 0, 44.5], [0, 70, 19.5], [0, 0, 1]])


@pytest.mark.parametrize("model", ["OPENCV", "OPENCV_FISHEYE"])
def test_nerfstudio_gives_several_cameras_in_the_order_of_their_pictures(tmp_path, model):
    cameras = {"front": known_of(model), "arm/wrist": known_of(model, 1)}
    path = write_nerfstudio(tmp_path / "transforms.json", cameras)
    file = read_track(path, None, SIZE)
    assert [track.name for track in file.tracks] == ["arm/wrist", "front"]
    for track in file.tracks:
        same(track, cameras[track.name])
    assert len(read_track(tmp_path, None, SIZE).tracks) == 2


def test_what_was_applied_to_the_poses_of_nerfstudio_is_taken_back(tmp_path):
    known, applied = known_of("OPENCV"), rigid(way(1, 9)[0, :3, :3], np.array([1.0, 2, 3]))
    moved = applied @ known.poses
    moved[:, :3, 3] *= 0.5
    given = {"applied_transform": applied[:3].tolist(), "applied_scale": 0.5}
    path = write_nerfstudio(tmp_path / "t.json", {"a": Known(moved, known.size, known.k, known.lens)}, **given)
    file = read_track(path, None, SIZE)
    same(file.tracks[0], known)
    assert "taken back" in file.notes[0]


def test_an_angle_of_view_serves_as_focal_length_for_whatever_size(tmp_path):
    frames = [{"file_path": f"./train/r_{k}", "transform_matrix": np.eye(4).tolist()} for k in range(3)]
    path = tmp_path / "transforms_train.json"
    path.write_text(json.dumps({"camera_angle_x": np.pi / 2, "frames": frames}))
    (track,) = read_track(path, None, SIZE).tracks
    assert track.size == SIZE and np.allclose(track.intrinsics[0], [[20, 0, 20], [0, 20, 15], [0, 0, 1]])
    (tmp_path / "train").mkdir()
    Image.new("RGB", (80, 50)).save(tmp_path / "train" / "r_0.png")
    assert read_track(path, None, SIZE).tracks[0].size == (50, 80)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("model", sorted(LENSES))
def test_colmap_gives_every_model_of_camera(tmp_path, model, binary):
    known = known_of(model)
    file = read_track(write_colmap(tmp_path / "sparse" / "0", {"cam": known}, binary=binary), None, SIZE)
    same(file.tracks[0], known)
    assert file.tracks[0].name == "cam" and "no scale" in file.notes[0]
    assert len(read_track(tmp_path, None, SIZE).tracks) == 1  # from the folder above, too


@pytest.mark.parametrize("binary", [True, False])
def test_a_zipped_model_is_read_as_its_folder_is(tmp_path, binary):
    cameras = {"left": known_of("OPENCV"), "right": known_of("PINHOLE", 1)}
    folder = write_colmap(tmp_path / "scan" / "0", cameras, binary=binary)
    file = read_track(zipped(folder, tmp_path / "scan.zip"), None, SIZE)
    assert [track.name for track in file.tracks] == ["left", "right"]
    for track in file.tracks:
        same(track, cameras[track.name])


def test_pycolmap_like_text_with_spaces_in_names_is_read(tmp_path):
    (tmp_path / "cameras.txt").write_text("1 PINHOLE 64 48 50 55 31 25\n")
    (tmp_path / "images.txt").write_text("1 1 0 0 0 0 0 0 1 my first picture.jpg\n\n")
    assert len(read_track(tmp_path / "images.txt", None, SIZE).tracks[0].world_from_camera) == 1


def broken_files(folder: Path) -> dict[str, Path]:
    """Files that cannot be read, by what must be said of them."""
    found = {}

    def text(name: str, said: str, content: str | bytes) -> None:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        found[said] = folder / name

    text("a", "times do not go up", "1 0 0 0 0 0 0 1\n1 0 0 0 0 0 0 1\n")
    text("b", "has the length 0", "1 0 0 0 0 0 0 0\n")
    text("c", "line 2 has 7 numbers", "1 0 0 0 0 0 0 1\n2 0 0 0 0 0 0\n")
    text("d", "not finite", "1 nan 0 0 0 0 0 1\n")
    text("e", "not rigid", "2 0 0 0 0 1 0 0 0 0 1 0\n")
    text("f", "not rigid", "-1 0 0 0 0 1 0 0 0 0 1 0\n")
    text("g", "no known format", "1 2 3\n")
    text("h", "no known format", b"\0\xff\xfe" * 100)
    text("i", "longer than", "1 " * 5000)
    text("j", "it has no frames", '{"frames": []}')
    text("k", "no focal length", json.dumps({"w": 4, "h": 4, "frames": [{"transform_matrix": np.eye(4).tolist()}]}))
    text("l", "camera model EQUIRECTANGULAR", json.dumps({"camera_model": "EQUIRECTANGULAR", "frames": [{}]}))
    huge = struct.pack("<Q", 2**60)
    for name, cameras, images, said in (
        ("m", huge, huge, "1152921504606846976 entries"),
        ("n", struct.pack("<Q", 0), struct.pack("<Q", 5), "ends early"),
        ("o", struct.pack("<Q", 1) + struct.pack("<iiQQ", 1, 77, 4, 4), huge, "camera model 77"),
        ("p", struct.pack("<Q", 0), struct.pack("<Qi7di", 1, 1, 1, 0, 0, 0, 0, 0, 0, 1) + b"x\0" + huge, "ends early"),
    ):
        (folder / name).mkdir()
        (folder / name / "cameras.bin").write_bytes(cameras)
        (folder / name / "images.bin").write_bytes(images)
        found[f"{said} {name}"] = folder / name
    with zipfile.ZipFile(folder / "q", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("cameras.bin", struct.pack("<Q", 0))
        archive.writestr("images.bin", struct.pack("<Qi7di", 1, 1, 1, 0, 0, 0, 0, 0, 0, 1) + b"x" * 10_000_000)
    found["longer than 4096 letters"] = folder / "q"
    return found


def test_whatever_is_broken_is_refused_in_one_line(tmp_path):
    for said, path in broken_files(tmp_path).items():
        with pytest.raises(Sim2RealError) as caught:
            read_track(path, None, SIZE)
        words = said.rsplit(" ", 1)[0] if path.is_dir() else said
        assert words in str(caught.value) and "\n" not in str(caught.value), (said, str(caught.value))


def test_what_is_not_there_or_not_known_is_said(tmp_path):
    with pytest.raises(MissingFileError):
        read_track(tmp_path / "x.txt", None, SIZE)
    with pytest.raises(UnreadableFileError, match="neither transforms.json"):
        read_track(tmp_path, None, SIZE)
    with pytest.raises(UnreadableFileError, match="it is a folder"):
        read_track(tmp_path, "tum", SIZE)
    with pytest.raises(UnknownNameError, match="tum, kitti"):
        read_track(tmp_path, "evo", SIZE)
    with pytest.raises(BadValueError, match="huge"):
        path = tmp_path / "far.txt"
        path.write_text("1 1e30 0 0 0 0 0 1\n")
        read_track(path, None, SIZE)
