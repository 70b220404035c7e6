"""nerfstudio's transforms.json: cameras, depth and pictures that agree with each other."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from sim2real.clip.images import read_png
from sim2real.dataset.writers.registry import writer
from sim2real.errors import BadValueError
from sim2real.scene.camera_track.formats import read_track
from tests.dataset.conftest import SEEDS, scene_of
from tests.dataset.labels import contents, copied, rendered, written


def still_scene(lens=None):
    """The tiny scene without motion of its instances, its moving camera behind a lens."""
    scene = scene_of(SEEDS[0])
    poses = np.broadcast_to(scene.world_from_instance[2:3], scene.world_from_instance.shape)
    moving = replace(scene.camera("moving"), distortion=lens)
    return replace(scene, world_from_instance=poses, cameras=(moving, scene.camera("still")))


@pytest.fixture(scope="module")
def clips(every_clip, tmp_path_factory):
    bent = still_scene(np.array([0.08, 0.02, 0.01, -0.015, 0.01]))
    return [rendered(bent, "bent", tmp_path_factory.mktemp("clips")), *every_clip]


@pytest.fixture(scope="module")
def dataset(clips, tmp_path_factory):
    return written(writer("nerfstudio").write, clips, tmp_path_factory.mktemp("nerf") / "nerfstudio")


def loaded(path):
    return json.loads(path.read_bytes())


def pixels_of(points, shot):
    """Where world points are in a picture, and how far along its axis: nerfstudio's OPENCV camera, by its description."""
    x, y, z = (np.c_[points, np.ones(len(points))] @ np.linalg.inv(shot["transform_matrix"]).T[:, :3]).T
    a, b, depth = x / -z, y / z, -z  # the camera looks along -z, y is up
    r2 = a * a + b * b
    radial = 1 + r2 * (shot["k1"] + r2 * (shot["k2"] + r2 * shot["k3"]))
    u = a * radial + 2 * shot["p1"] * a * b + shot["p2"] * (r2 + 2 * a * a)
    v = b * radial + 2 * shot["p2"] * a * b + shot["p1"] * (r2 + 2 * b * b)
    return np.stack([shot["fl_x"] * u + shot["cx"], shot["fl_y"] * v + shot["cy"]], -1), depth


def surface(folder, shot):
    """World points of a picture of a camera without distortion, from its depth."""
    depth = np.array(Image.open(folder / shot["depth_file_path"])) * 1e-3
    rows, columns = np.nonzero(depth)
    z = depth[rows, columns]
    camera = np.stack([(columns + 0.5 - shot["cx"]) / shot["fl_x"] * z, -(rows + 0.5 - shot["cy"]) / shot["fl_y"] * z, -z], -1)
    return np.c_[camera, np.ones(len(z))] @ np.array(shot["transform_matrix"]).T[:, :3]


@pytest.mark.slow
def test_surfaces_seen_by_one_camera_lie_where_the_others_see_them(dataset):
    folder = dataset / "bent"
    data = loaded(folder / "transforms.json")
    assert data["camera_model"] == "OPENCV" and len(data["frames"]) == 10
    still = next(shot for shot in data["frames"] if "/still/" in shot["file_path"])
    points = surface(folder, still)
    for shot in data["frames"]:
        at, depth = pixels_of(points, shot)
        column, row = np.floor(at).astype(int).T
        inside = (column >= 0) & (row >= 0) & (column < shot["w"]) & (row < shot["h"])
        seen = np.array(Image.open(folder / shot["depth_file_path"]))[row[inside], column[inside]] * 1e-3
        error = np.abs(seen - depth[inside]) / depth[inside]
        assert inside.sum() > 300 and np.median(error) < 0.012 and np.mean(error < 0.03) > 0.85


@pytest.mark.slow
def test_one_file_per_moment_where_something_moves(clips, dataset):
    for clip in clips:
        moments = sorted(path.name for path in (dataset / clip.clip_id).glob("transforms*.json"))
        if clip.clip_id in ("bent", "void"):
            assert moments == ["transforms.json"]
            continue
        assert moments == [f"transforms_{frame:06d}.json" for frame in range(clip.clip.frames)]
        for frame, name in enumerate(moments):
            data = loaded(dataset / clip.clip_id / name)
            names = [f"images/{camera}/{frame:06d}.png" for camera in clip.clip.cameras]
            assert [shot["file_path"] for shot in data["frames"]] == names


@pytest.mark.slow
def test_pictures_depth_and_masks_are_those_of_the_clip(clips, dataset):
    for clip in clips:
        folder = dataset / clip.clip_id
        shots = [shot for path in sorted(folder.glob("transforms*.json")) for shot in loaded(path)["frames"]]
        assert len(shots) == clip.clip.frames * len(clip.clip.cameras)
        by_picture = {shot["file_path"]: shot for shot in shots}
        for camera in clip.clip.cameras:
            for frame, picture in enumerate(clip.pictures(camera)):
                shot = by_picture[f"images/{camera}/{frame:06d}.png"]
                assert (read_png(folder / shot["file_path"]) == picture).all()
                depth, mask = clip.clip.depth(camera, frame), read_png(folder / shot["mask_path"])
                stored = read_png(folder / shot["depth_file_path"])
                assert stored.dtype == np.uint16 and np.abs(stored / 1000 - depth).max() < 0.00051
                assert mask.dtype == np.uint8 and (mask == np.where(depth > 0, 255, 0)).all()
                assert (shot["h"], shot["w"]) == picture.shape[:2]


@pytest.mark.slow
def test_bytes_depend_on_the_clips_alone(clips, dataset, tmp_path):
    moved = [copied(clip, tmp_path / "elsewhere") for clip in clips]
    assert contents(written(writer("nerfstudio").write, moved, tmp_path / "nerfstudio")) == contents(dataset)


def with_cameras(clip, folder, **lenses):
    def change(record):
        cameras = {name: camera.model_copy(update=lenses.get(name, {})) for name, camera in record.cameras.items()}
        return record.model_copy(update={"cameras": cameras})

    return copied(clip, folder, change)


def test_a_fisheye_is_told_with_its_four_coefficients(tiny_clips, tmp_path):
    lens = {"projection": "fisheye", "distortion": (0.1, -0.02, 0.003, 0.004)}
    clip = with_cameras(tiny_clips[0], tmp_path, moving=lens, still=lens)
    data = loaded(written(writer("nerfstudio").write, [clip], tmp_path / "out") / clip.clip_id / "transforms_000000.json")
    assert data["camera_model"] == "OPENCV_FISHEYE"
    assert [data["frames"][0][k] for k in ("k1", "k2", "k3", "k4")] == [0.1, -0.02, 0.003, 0.004]
    assert "p1" not in data["frames"][0]


@pytest.mark.parametrize(
    ("lens", "message"),
    [
        ({"projection": "orthographic"}, "the projection is orthographic, must be perspective or fisheye"),
        ({"distortion": (0.1, 0, 0, 0, 0, 0.2, 0, 0)}, "must be at most k1 k2 p1 p2 k3"),
        ({"projection": "fisheye", "distortion": (0.1, 0, 0, 0)}, "projection is fisheye and perspective, must be one kind"),
        ({"intrinsics": np.tile([[50.0, 1, 32], [0, 50, 24], [0, 0, 1]], (5, 1, 1))}, "the skew is 1.0, must be 0"),
    ],
)
def test_cameras_that_the_format_cannot_tell_are_refused(tiny_clips, tmp_path, lens, message):
    clip = with_cameras(tiny_clips[0], tmp_path, still=lens)
    with pytest.raises(BadValueError, match=rf"{message} .*clip moving-3"):
        written(writer("nerfstudio").write, [clip], tmp_path / "out")


def test_the_written_cameras_are_read_back_as_a_camera_track(clips, dataset):
    clip = clips[0]  # nothing in it moves: one file holds all frames of all cameras, one of which has a lens
    record = clip.clip.record
    tracks = {track.name: track for track in read_track(dataset / clip.clip_id / "transforms.json", None, (1, 1)).tracks}
    assert set(tracks) == set(record.cameras)
    for name, camera in record.cameras.items():
        track = tracks[name]
        assert track.size == record.size and track.lens.projection == camera.projection
        assert np.allclose(track.lens.distortion or (0,) * 5, camera.distortion or (0,) * 5)
        assert np.allclose(track.intrinsics, camera.intrinsics)
        assert np.allclose(track.world_from_camera, camera.world_from_camera, atol=1e-9)
