"""Cameras that are put together from pinholes show every direction where they say."""

from __future__ import annotations

import numpy as np
import pytest

from sim2real.camera import ray_from_px
from sim2real.camera.view import Camera
from sim2real.conditions.rgb.pinholes import gathered, pinholes
from sim2real.errors import BadValueError
from sim2real.transforms import look_at

SIZE = (24, 36)
CAMERAS = {
    "lens": ("perspective", (-0.25, 0.06, 0.01, -0.004), (30.0, 30.0), 0.0),
    "flat pixels": ("perspective", None, (30.0, 21.0), 0.0),
    "skew": ("perspective", None, (30.0, 30.0), 4.0),
    "fisheye": ("fisheye", (-0.01, 0.0, 0.0, 0.0), (15.0, 15.0), 0.0),
    "orthographic": ("orthographic", None, (9.0, 7.0), 0.0),
}


def camera_of(name: str) -> Camera:
    projection, distortion, (fx, fy), skew = CAMERAS[name]
    k = np.array([[[fx, skew, 17.2], [0, fy, 13.1], [0, 0, 1]]])
    pose = look_at(np.array([[2.0, -3, 1.5]]), np.array([0.2, 0.1, 0.4]), np.array([0, 0, 1.0]))
    return Camera(name, SIZE, k, pose, distortion=None if distortion is None else np.array(distortion), projection=projection)


def around(camera: Camera) -> np.ndarray:
    """A smooth field at the pixels of a camera: directions in the world or, where rays are parallel, places."""
    y, x = np.indices(camera.size) + 0.5
    rays = ray_from_px(np.stack([x, y], axis=-1), camera.intrinsics[0], camera.lens)
    local = np.concatenate([rays, np.ones_like(rays[..., :1])], axis=-1)
    pose = camera.world_from_camera[0]
    if camera.lens.parallel:
        return (local * [1, 1, 0]) @ pose[:3, :3].T + pose[:3, 3]
    world = local @ pose[:3, :3].T
    return world / np.linalg.norm(world, axis=-1, keepdims=True)


@pytest.mark.parametrize("name", CAMERAS)
def test_every_direction_is_shown_where_the_camera_has_it(name: str) -> None:
    camera = camera_of(name)
    seen = gathered(camera, 0, around, finer=3)
    exact = around(camera)
    step = max(np.abs(np.diff(exact, axis=axis)).max() for axis in (0, 1))  # from pixel to pixel
    assert np.abs(seen - exact).max() < 0.2 * step
    assert np.abs(seen - exact).mean() < 0.06 * step


@pytest.mark.parametrize("name", CAMERAS)
def test_weights_are_the_areas_of_pixels(name: str) -> None:
    camera = camera_of(name)
    parts = pinholes(camera.intrinsics[0].tobytes(), camera.lens, SIZE, 4)
    assert len(parts) == (5 if name == "fisheye" else 1)
    area = np.zeros(SIZE[0] * SIZE[1])
    for part in parts:
        inside = part.pixel >= 0
        area += np.bincount(part.pixel[inside], part.weight[inside], len(area))
        assert np.linalg.det(part.axes) == pytest.approx(1)
        assert part.camera(camera, 0).lens.parallel == camera.lens.parallel
        assert part.weight.max() <= 1 / 4**2 * 1.02  # none is larger than asked
    assert area.mean() == pytest.approx(1, abs=0.01)  # none is lost, none counts twice
    assert np.abs(area - 1).max() < 0.6  # what lies across a border counts for one of the two


def test_a_lens_that_would_take_too_many_pixels_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = camera_of("fisheye")
    monkeypatch.setattr("sim2real.conditions.rgb.pinholes._MOST_PIXELS", 1000)
    with pytest.raises(BadValueError, match="--rgb ours"):
        pinholes(camera.intrinsics[0].tobytes(), camera.lens, SIZE, 5)
