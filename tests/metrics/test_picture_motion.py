"""Footprints of frames that only motion in the picture connects."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest
import torch

from sim2real.clip import Clip
from sim2real.clip.images import write_png
from sim2real.diffusion.export import render_command
from sim2real.errors import BadValueError, MissingFileError
from sim2real.flow import Flow
from sim2real.metrics.geometry import geometry_of
from sim2real.metrics.noise_video import judge
from sim2real.metrics.picture_motion import picture_overlap
from sim2real.noise import NoiseLayout
from sim2real.video import WarpOptions, open_pictures, warp_video
from tests.flow.pictures import panned

SIZE = (32, 48)


def zoomed(zoom: float, shift: tuple[float, float] = (0.0, 0.0)) -> Flow:
    """Motion about the picture's center; what leaves the picture is not visible."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    here, center = np.stack([x, y], -1), np.array([SIZE[1], SIZE[0]]) / 2
    there = (here - center) * zoom + center + shift
    inside = ((there >= 0) & (there < [SIZE[1], SIZE[0]])).all(-1)
    return Flow(torch.from_numpy((there - here).astype(np.float32)), torch.from_numpy(inside))


@pytest.mark.slow
@pytest.mark.parametrize("factor", [1, 4])
def test_without_motion_every_pixel_shares_all_with_itself(factor):
    still = zoomed(1.0)
    found = picture_overlap(still, still, factor=factor).toarray()
    assert found == pytest.approx(np.eye(len(found)))


def test_a_shift_by_whole_latents_is_a_permutation():
    found = picture_overlap(zoomed(1.0, (8.0, 4.0)), zoomed(1.0, (-8.0, -4.0)), factor=4).toarray().reshape(8, 12, 8, 12)
    for row, column in np.ndindex(7, 10):
        assert found[row + 1, column + 2, row, column] == pytest.approx(1)
    assert found.sum() == pytest.approx(7 * 10)


def test_enlarged_twice_four_pixels_share_half_with_one():
    found = picture_overlap(zoomed(2.0), zoomed(0.5), factor=4).toarray()
    middle = [4 * 12 + 6, 4 * 12 + 7, 5 * 12 + 6, 5 * 12 + 7]
    assert found[middle, middle[0]] == pytest.approx(0.5, abs=0.05)
    assert (found**2).sum(0)[middle[0]] == pytest.approx(1, abs=0.05)


def test_what_is_not_visible_shares_nothing():
    still = zoomed(1.0)
    hidden = Flow(still.forward, still.visible & (torch.arange(SIZE[1]) >= 24))
    found = picture_overlap(hidden, still, factor=4).diagonal().reshape(8, 12)
    assert not found[:, :6].any()
    assert found[:, 6:] == pytest.approx(1)


@pytest.fixture(scope="module")
def frames(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("video")
    for k in range(5):
        write_png(folder / f"{k}.png", panned(0, (3.0 * k, 1.0 * k), (96, 128)))
    return folder


def warped(frames: Path, output: Path, only: set[str] | None = None) -> Clip:
    pytest.importorskip("cv2")
    options = WarpOptions(layout=NoiseLayout(4, 32), only=only, threads=1, video_options={"fps": 12.0})
    return warp_video(open_pictures(frames), output, options)


@pytest.fixture(scope="module")
def video(frames, tmp_path_factory) -> Clip:
    return warped(frames, tmp_path_factory.mktemp("warped") / "clip")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("only", "what"), [(None, "motion estimated between the two frames"), ({"noise", "flow"}, "the clip's flow")]
)
def test_noise_of_a_real_video_is_judged_by_its_motion(frames, only, what, tmp_path):
    found = judge(warped(frames, tmp_path / "clip", only), "video")
    assert found["white"]
    assert found["geometry"] == what
    assert [row["distance"] for row in found["transport"]] == [1, 4]
    for row in found["transport"]:
        assert 0.95 < row["efficiency"] < 1.05


@pytest.mark.slow
def test_noise_that_stays_on_the_screen_carries_nothing_of_a_video(video, tmp_path):
    noise = np.tile(np.asarray(video.noise("video"))[:1], (5, 1, 1, 1))
    np.save(tmp_path / "noise.npy", noise)
    found = judge(video, "video", file=tmp_path / "noise.npy")
    assert found["transport"][1]["efficiency"] < 0.1


@pytest.mark.slow
def test_a_video_has_no_rays_and_no_labels(video):
    for wish in ("rays", "labels"):
        with pytest.raises(BadValueError, match="must be left out"):
            geometry_of(video, "video", wish)


@pytest.mark.slow
def test_the_command_that_makes_a_videos_noise_again_is_warp(video):
    words = shlex.split(render_command(video, NoiseLayout(8, 16)))
    assert words[:3] == ["sim2real", "warp", video.record.scene.path]
    assert "--reader" not in words
    assert words[words.index("--fps") + 1] == "12.0"


@pytest.mark.slow
def test_without_flow_and_pictures_the_message_says_what_is_missing(frames, tmp_path):
    with pytest.raises(MissingFileError, match="pictures or flow"):
        judge(warped(frames, tmp_path / "clip", {"noise"}), "video")
