"""Kernels, numpy and torch bring pixels to the same lines of sight, and points to the same pixels."""

from typing import no_type_check

import numpy as np
import pytest
import torch
import warp as wp

from sim2real.camera import Lens, camera_from_px, px_from_camera, ray_from_px
from sim2real.camera.kernels import (
    DeviceCamera,
    LensMap,
    center_ray,
    device_camera,
    lens_map_of,
    mean_ray,
    ray_slopes,
)
from sim2real.camera.kernels import px_from_camera as px_in_kernels
from sim2real.camera.kernels import ray_from_px as ray_in_kernels
from sim2real.camera.reference import straight_rays, table_rays
from sim2real.devices import as_warp, launch

from .test_lens import ALL, LENSES, SIZE, K, pixels

wp.set_module_options({"enable_backward": False})


@wp.kernel
@no_type_check
def see(
    camera: DeviceCamera,
    corner_camera: DeviceCamera,
    lens: LensMap,
    points: wp.array2d(dtype=wp.vec3d),
    px: wp.array2d(dtype=wp.vec2d),
    centers: wp.array2d(dtype=wp.vec2d),
    middles: wp.array2d(dtype=wp.vec2d),
    slopes: wp.array2d(dtype=wp.vec4d),
    painted: wp.array2d(dtype=wp.vec3),
):
    i, j = wp.tid()
    px[i, j] = px_in_kernels(camera, lens, points[i, j])
    centers[i, j] = center_ray(camera, i, j)
    middles[i, j] = mean_ray(corner_camera, i, j)
    slopes[i, j] = ray_slopes(corner_camera, i, j)
    painted[i, j] = ray_in_kernels(camera, float(j) + 0.75, float(i) + 0.25)


def seen_by(lens: Lens, points: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """What kernels make of every pixel and of points, by default at various depths on its line of sight."""
    if points is None:
        points = camera_from_px(pixels(), 0.2 + np.arange(SIZE[0] * SIZE[1]).reshape(SIZE) % 7, K, lens)
    kinds = {"px": wp.vec2d, "centers": wp.vec2d, "middles": wp.vec2d, "slopes": wp.vec4d}
    out = {name: np.zeros((*SIZE, kind._length_)) for name, kind in kinds.items()}
    out["painted"] = np.zeros((*SIZE, 3), np.float32)
    cameras = [device_camera(K, lens, SIZE, "cpu", corners=corners) for corners in (False, True)]
    arrays = [as_warp(array, kinds.get(name, wp.vec3)) for name, array in out.items()]
    launch(see, SIZE, [*cameras, lens_map_of(lens), as_warp(points, wp.vec3d), *arrays], "cpu")
    return out


@pytest.mark.parametrize("name", ALL)
def test_kernels_see_what_numpy_and_torch_see(name: str) -> None:
    lens = ALL[name]
    found = seen_by(lens)
    rays = ray_from_px(pixels(), K, lens)
    np.testing.assert_allclose(found["px"], pixels(), atol=1e-6)
    np.testing.assert_allclose(found["centers"], rays, atol=1e-6)  # tables are of intrinsics in float32
    between = ray_from_px(pixels() + [0.25, -0.25], K, lens)
    np.testing.assert_allclose(found["painted"][..., :2], between, atol=2e-3 if lens.bent else 1e-6)
    np.testing.assert_allclose(found["middles"], rays, atol=2e-3 if lens.bent else 1e-12)  # the mean of four corners
    aside = [(ray_from_px(pixels() + 0.5 * d, K, lens) - ray_from_px(pixels() - 0.5 * d, K, lens)) for d in np.eye(2)]
    np.testing.assert_allclose(found["slopes"], np.concatenate(aside, axis=-1), atol=2e-3 if lens.bent else 1e-12)


def test_the_twin_has_the_very_bits_of_the_kernels() -> None:
    found = seen_by(ALL["pinhole"])["centers"]
    x, y = torch.as_tensor(pixels()).unbind(-1)
    assert np.array_equal(straight_rays(x, y, K).numpy(), found)


def test_the_twin_of_tables_meets_the_table_at_centers_and_halfway_between_its_neighbors() -> None:
    table = torch.as_tensor(ray_from_px(pixels(), K, LENSES["barrel"]))
    x, y = torch.tensor([5.5, 6.0]).double(), torch.tensor([7.5, 7.5]).double()
    rays = table_rays(x, y, table)
    assert torch.equal(rays[0], table[7, 5])
    assert torch.allclose(rays[1], (table[7, 5] + table[7, 6]) / 2, atol=1e-15)


def test_points_out_of_a_lens_field_have_no_pixel() -> None:
    sideways = np.tile([100.0, 0, 1], (*SIZE, 1))
    assert np.isnan(px_from_camera(sideways, K, LENSES["fisheye"])).all()
    assert np.isnan(seen_by(LENSES["fisheye"], sideways)["px"]).all()
