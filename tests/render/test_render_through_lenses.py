"""A clip through lenses: what its files say fits together, and `clip.json` says how the pixels see."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from sim2real.camera import camera_from_px
from sim2real.clip import Clip
from sim2real.metrics.motion import labeled_motion
from sim2real.render import RenderOptions, render_clip

from .conftest import FRAMES, SIZE, moving_scene

LENSES = {
    "bowed": ("perspective", (-0.25, 0.06, 0.001, 0.0)),
    "fish": ("fisheye", (-0.02, 0.0, 0.0, 0.0)),
    "flat": ("orthographic", None),
    "plain": ("perspective", None),
}


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Clip:
    scene = moving_scene()
    moving = scene.cameras[0]
    cameras = []
    for name, (projection, distortion) in LENSES.items():
        k = moving.intrinsics.copy()
        if projection == "orthographic":
            k[:, 0, 0] = k[:, 1, 1] = SIZE[0] / 2
        bend = None if distortion is None else np.array(distortion)
        cameras.append(replace(moving, name=name, intrinsics=k, projection=projection, distortion=bend))
    output = tmp_path_factory.mktemp("lenses") / "clip"
    return render_clip(
        replace(scene, cameras=tuple(cameras)), output, RenderOptions(only={"depth", "instances", "edges", "flow", "rgb"})
    )


@pytest.mark.slow
def test_the_record_holds_the_lens_and_nothing_about_pinholes(clip: Clip) -> None:
    cameras = json.loads((clip.path / "clip.json").read_text())["cameras"]
    assert cameras["bowed"]["distortion"] == [-0.25, 0.06, 0.001, 0.0] and "projection" not in cameras["bowed"]
    assert cameras["fish"]["projection"] == "fisheye"
    assert cameras["flat"]["projection"] == "orthographic" and "distortion" not in cameras["flat"]
    assert not {"projection", "distortion"} & set(cameras["plain"])
    assert clip.camera("bowed").lens.bent and clip.camera("flat").lens.parallel and clip.camera("plain").lens.plain
    report = (clip.path / "report.html").read_text()
    assert "orthographic" in report and "-0.25, 0.06" in report


@pytest.mark.slow
@pytest.mark.parametrize("camera", LENSES)
def test_depth_back_projects_to_the_floor(clip: Clip, camera: str) -> None:
    record = clip.camera(camera)
    y, x = np.nonzero(clip.instances(camera, 1) == 3)
    local = camera_from_px(np.stack([x, y], axis=-1) + 0.5, clip.depth(camera, 1)[y, x], record.intrinsics[1], record.lens)
    pose = record.world_from_camera[1]
    height = (local @ pose[:3, :3].T + pose[:3, 3])[:, 2]
    assert len(y) > 500
    assert np.median(np.abs(height)) < 1e-5
    assert np.quantile(np.abs(height), 0.95) < 1e-4  # the rest is the floor's rim


@pytest.mark.slow
@pytest.mark.parametrize("camera", LENSES)
def test_motion_from_labels_is_the_exact_flow(clip: Clip, camera: str) -> None:
    for frame in range(FRAMES - 1):
        with np.load(clip.frame_path(camera, "flow", frame)) as file:
            flow, visible = file["forward"], file["visible"]
        there, same = labeled_motion(clip, camera, frame, frame + 1)
        y, x = np.indices(SIZE) + 0.5
        both = same & visible
        assert both.mean() > 0.25
        np.testing.assert_allclose((there - np.stack([x, y], axis=-1))[both], flow[both], atol=2e-3)
