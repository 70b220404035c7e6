"""What users get: ``noise.npy`` of whole scenes, on disk, through the same call as the command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim2real.clip import Clip
from sim2real.metrics.covariance import measured_covariance, model_covariance, transport_efficiency
from sim2real.metrics.overlap import RayScene, footprint_overlap
from sim2real.metrics.whiteness import whiteness
from sim2real.noise import NoiseLayout
from sim2real.render import RenderOptions, render_clip
from sim2real.scene import LoadOptions, Scene, load
from tests.noise.views import Views

ROOT = Path(__file__).parents[2]
SIZE = (288, 384)


def loaded(name: str, frames: int) -> Scene:
    if name == "kitchen":
        pytest.importorskip("gymnasium_robotics")
        pytest.importorskip("mujoco")
    if name == "no uv":
        return load(ROOT / "assets" / "tabletop" / "gear.stl", LoadOptions(orbit=True)).sliced(slice(0, frames))
    return load(ROOT / "scenes" / f"{name}.yaml").sliced(slice(0, frames))


def rendered(scene: Scene, output: Path, channels: int, camera: str) -> Clip:
    layout = NoiseLayout(8, channels)
    cameras = tuple(c.resized(SIZE) for c in scene.cameras if c.name == camera)
    resized = replace(scene, cameras=cameras)
    return render_clip(resized, output, RenderOptions(layout=layout, only={"noise"}))


@pytest.mark.slow
@pytest.mark.parametrize("channels", [16, 64])
@pytest.mark.parametrize("name", ["kitchen", "no uv", "mirrored", "empty"])
def test_every_frame_of_every_file_is_white(name, channels, tmp_path):
    scene = loaded(name, 3)
    camera = scene.cameras[0].name
    noise = rendered(scene, tmp_path / "clip", channels, camera)
    values = noise.noise(camera)
    assert values.dtype == np.float32 and values.shape == (3, channels, SIZE[0] // 8, SIZE[1] // 8)
    for frame in values:
        result = whiteness(np.asarray(frame)[None])
        assert result.worst() < 5, result


@pytest.mark.slow
@pytest.mark.parametrize("camera", ["counter", "wrist"])
def test_the_kitchen_carries_its_motion(camera, tmp_path):
    scene = loaded("kitchen", 9)
    view = scene.camera(camera).resized(SIZE)
    views = Views(replace(scene, cameras=(view,)), NoiseLayout(8, 64))
    clip = rendered(scene, tmp_path / "clip", 64, camera)
    for frame in (1, 8):
        rays = [RayScene(scene, k, views.triangles) for k in (0, frame)]
        overlap = [footprint_overlap(rays[0], view, rays[1], view, factor=8, seed=seed) for seed in (0, 1)]
        covariance = model_covariance(views.leaves(frame), views.leaves(0), views.pixels)
        assert transport_efficiency(covariance, *overlap) > 0.95
        # and the file on disk has that covariance
        a, b = (np.asarray(clip.noise(camera)[k]).reshape(64, -1) for k in (0, frame))
        drawn = transport_efficiency(measured_covariance(b, a, overlap[0] + overlap[1]), *overlap)
        assert drawn > 0.93
