from __future__ import annotations

import hashlib

import numpy as np
import pytest

from sim2real.clip.images import write_depth, write_flow, write_png
from sim2real.errors import BadValueError, OutputExistsError, UnknownNameError
from sim2real.metrics.whiteness import whiteness
from sim2real.noise import NoiseLayout
from sim2real.video import DepthFiles, DepthMotion, FileMotion, Known, WarpOptions, camera_matrix, open_pictures, warp_video
from tests.flow.pictures import SIZE, disc_before_wall, panned
from tests.video.conftest import FRAMES

pytest.importorskip("cv2")


def correlation(a: np.ndarray, b: np.ndarray, where: np.ndarray) -> float:
    a, b = a[:, where], b[:, where]
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


@pytest.fixture(scope="module")
def clip(disc_folder, tmp_path_factory):
    output = tmp_path_factory.mktemp("out") / "clip"
    return warp_video(
        open_pictures(disc_folder), output, WarpOptions(only=["noise", "rgb", "edges", "flow"], layout=NoiseLayout(1, 8))
    )


@pytest.mark.slow
def test_the_clip_holds_what_its_record_says(clip, disc_frames):
    record = clip.noise_record()
    assert (record.method, record.factor, record.channels, record.latent_frames) == ("video", 1, 8, list(range(FRAMES)))
    assert clip.noise("video").shape == (FRAMES, 8, *SIZE)
    for frame, picture in enumerate(disc_frames):
        assert np.array_equal(clip.rgb("video", frame), picture)
        assert clip.edges("video", frame).shape == SIZE
        assert whiteness(np.asarray(clip.noise("video")[frame])[None]).worst() < 5
    assert (clip.path / "sheet.png").is_file()
    assert (clip.path / "report.html").is_file()


def test_noise_stays_on_the_wall_and_goes_with_the_disc(clip):
    noise = np.asarray(clip.noise("video"))
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    near = np.abs(y - SIZE[0] / 2) < 28
    assert correlation(noise[0], noise[-1], ~near) > 0.98
    inner = (x - 35 - 5 * (FRAMES - 1)) ** 2 + (y - SIZE[0] / 2) ** 2 < 14**2
    assert correlation(np.roll(noise[0], 5 * (FRAMES - 1), axis=2), noise[-1], inner) > 0.8


@pytest.mark.slow
def test_the_wall_that_the_disc_hid_has_its_old_noise_when_it_is_back(tmp_path):
    shots = [disc_before_wall(step) for step in range(14)]
    for step, (picture, _) in enumerate(shots):
        write_png(tmp_path / f"{step:02d}.png", picture)
    clip = warp_video(open_pictures(tmp_path), tmp_path / "clip", WarpOptions(only=["noise"], layout=NoiseLayout(1, 8)))
    noise = np.asarray(clip.noise("video"))
    hidden = shots[4][1] & ~shots[0][1] & ~shots[12][1]
    assert hidden.sum() > 200
    assert correlation(noise[0], noise[-1], hidden) > 0.7


def test_the_flow_of_the_clip_is_the_motion_to_the_next_frame(clip):
    with np.load(clip.path / "video" / "flow" / "000001.npz") as file:
        forward, visible = file["forward"], file["visible"]
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    inner = (x - 40) ** 2 + (y - SIZE[0] / 2) ** 2 < 14**2
    assert np.median(forward[inner], axis=0) == pytest.approx([5, 0], abs=0.3)
    assert np.abs(forward[:10]).max() < 0.5
    assert visible[:10].all()
    with np.load(clip.path / "video" / "flow" / f"{FRAMES - 1:06d}.npz") as file:
        assert not file["visible"].any()


@pytest.mark.slow
def test_the_same_video_gives_the_same_bits_from_any_number_of_threads(disc_folder, tmp_path):
    hashes = set()
    for threads in (1, 3):
        clip = warp_video(open_pictures(disc_folder), tmp_path / str(threads), WarpOptions(only=["noise"], threads=threads))
        hashes.add(hashlib.sha256((clip.path / "video" / "noise.npy").read_bytes()).hexdigest())
    assert len(hashes) == 1


def test_beta_and_latent_time_are_those_of_the_layout(disc_folder, tmp_path):
    layout = NoiseLayout(8, 4, temporal_factor=4)
    clip = warp_video(open_pictures(disc_folder), tmp_path / "clip", WarpOptions(only=["noise"], layout=layout, beta=0.0))
    noise = np.asarray(clip.noise("video"))
    assert noise.shape == (2, 4, SIZE[0] // 8, SIZE[1] // 8)
    assert clip.noise_record().latent_frames == [0, 4]
    assert abs((noise[0] * noise[1]).mean()) < 5 / np.sqrt(noise[0].size)


@pytest.mark.slow
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_supplied_vectors_are_followed_either_way(tmp_path, direction):
    shift = {"forward": 3.0, "backward": -3.0}[direction]
    folder, vectors = tmp_path / "pictures", tmp_path / "vectors"
    folder.mkdir()
    vectors.mkdir()
    for k in range(4):
        write_png(folder / f"{k}.png", panned(0, (3.0 * k, 0)))
        if k < 3:
            np.save(vectors / f"{k}.npy", np.tile(np.float32([shift, 0]), (*SIZE, 1)))
    pictures = open_pictures(folder)
    motion = FileMotion(vectors, 4, SIZE, direction)
    clip = warp_video(pictures, tmp_path / "clip", WarpOptions(only=["noise"]), known=Known(motion))
    noise = np.asarray(clip.noise("video"))
    assert correlation(noise[0][..., : SIZE[1] - 9], noise[3][..., 9:], np.ones((SIZE[0], SIZE[1] - 9), bool)) > 0.99


@pytest.mark.slow
def test_vectors_with_visibility_are_believed(tmp_path, disc_folder, clip):
    vectors = tmp_path / "vectors"
    vectors.mkdir()
    for step in range(FRAMES - 1):
        now, after = disc_before_wall(step)[1], disc_before_wall(step + 1)[1]
        forward = np.where(now[..., None], np.float32([5, 0]), np.float32(0))
        write_flow(vectors / f"{step:03d}.npz", forward, now | ~after)
    pictures = open_pictures(disc_folder)
    known = Known(FileMotion(vectors, FRAMES, SIZE, "forward"))
    made = warp_video(pictures, tmp_path / "clip", WarpOptions(only=["noise"]), known=known)
    noise = np.asarray(made.noise("video"))
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    inner = (x - 35 - 5 * (FRAMES - 1)) ** 2 + (y - SIZE[0] / 2) ** 2 < 17**2
    assert correlation(np.roll(noise[0], 5 * (FRAMES - 1), axis=2), noise[-1], inner) > 0.97


def test_depth_and_camera_give_the_motion_and_the_depth_of_the_clip(tmp_path):
    frames, focal, distance = 4, 100.0, 4.0
    folder, depths = tmp_path / "pictures", tmp_path / "depth"
    folder.mkdir()
    depths.mkdir()
    for k in range(frames):
        write_png(folder / f"{k}.png", panned(0, (0, 0)))
        write_depth(depths / f"{k}.exr", np.full(SIZE, distance, np.float32))
    world = np.tile(np.eye(4), (frames, 1, 1))
    world[:, 0, 3] = np.arange(frames) * 0.2  # 5 px to the left a frame
    intrinsics = (focal, focal, SIZE[1] / 2, SIZE[0] / 2)
    depth = DepthFiles(depths, frames, SIZE)
    motion = DepthMotion(depth, np.tile(camera_matrix(intrinsics, SIZE), (frames, 1, 1)), world)
    clip = warp_video(
        open_pictures(folder),
        tmp_path / "clip",
        WarpOptions(only=["noise", "depth"]),
        known=Known(motion, depth, intrinsics, world),
    )
    noise = np.asarray(clip.noise("video"))
    assert correlation(noise[0][..., 15:], noise[3][..., :-15], np.ones((SIZE[0], SIZE[1] - 15), bool)) > 0.99
    assert (clip.depth("video", 2) == distance).all()
    assert np.array_equal(clip.camera("video").world_from_camera, world)
    assert clip.camera("video").intrinsics[0, 0, 0] == focal


def test_faults_are_found_before_any_work(disc_folder, tmp_path):
    pictures = open_pictures(disc_folder, size=(90, 128))
    with pytest.raises(BadValueError, match="the height is 90, must be a multiple of 8"):
        warp_video(pictures, tmp_path / "clip", WarpOptions(layout=NoiseLayout(8, 4)))
    with pytest.raises(BadValueError, match="--depth FOLDER"):
        warp_video(pictures, tmp_path / "clip", WarpOptions(only=["depth"]))
    with pytest.raises(UnknownNameError, match="instances"):
        warp_video(pictures, tmp_path / "clip", WarpOptions(only=["instances"]))
    (tmp_path / "clip").mkdir()
    with pytest.raises(OutputExistsError):
        warp_video(pictures, tmp_path / "clip")
    np.save(tmp_path / "0.npy", np.zeros((4, 4, 2), np.float32))
    with pytest.raises(BadValueError, match="the number of motion files is 1, must be 5"):
        FileMotion(tmp_path, FRAMES, SIZE)
