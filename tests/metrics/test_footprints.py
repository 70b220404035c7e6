from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim2real.camera import View
from sim2real.metrics.covariance import transport_efficiency
from sim2real.metrics.footprints import LabelledView, labeled_overlap
from sim2real.metrics.overlap import RayScene, footprint_overlap
from sim2real.raster import rasterizer
from sim2real.scene import Scene, triangles_of
from tests.render.conftest import moving_scene

SIZE = (96, 128)


def flat_wall(shift_px: float = 0.0, distance: float = 2.0, size=(16, 24)) -> LabelledView:
    """A wall parallel to the picture, and a camera that has moved by so many pixels to the left."""
    focal = 50.0
    k = np.array([[focal, 0, size[1] / 2], [0, focal, size[0] / 2], [0, 0, 1.0]])
    world = np.eye(4)
    world[0, 3] = -shift_px * distance / focal
    return LabelledView(
        depth=np.full(size, distance),
        instances=np.ones(size, np.int64),
        intrinsics=k,
        world_from_camera=world,
        world_from_instance=np.tile(np.eye(4), (2, 1, 1)),
    )


def labeled(scene: Scene, camera: str, frame: int) -> LabelledView:
    view, triangles = scene.camera(camera), triangles_of(scene)
    seen = rasterizer(triangles).fragments(
        View(scene.camera_from_part(view, frame), view.intrinsics[frame], view.size, near=view.near, lens=view.lens)
    )
    ids = np.append(triangles.part_instance[triangles.face_part], 0)[seen.face.numpy()]
    return LabelledView(
        depth=seen.depth.numpy().astype(np.float64),
        instances=ids.astype(np.int64),
        intrinsics=view.intrinsics[frame],
        world_from_camera=view.world_from_camera[frame],
        world_from_instance=np.concatenate([np.eye(4)[None], scene.world_from_instance[frame]]),
        lens=view.lens,
    )


@pytest.mark.parametrize("factor", [1, 4])
def test_a_view_overlaps_itself_and_nothing_else(factor):
    view = labeled(moving_scene(size=SIZE), "moving", 2)
    overlap = labeled_overlap(view, view, factor=factor)
    diagonal = overlap.diagonal()
    assert overlap.sum() - diagonal.sum() < 1e-3 * diagonal.sum()
    assert np.median(diagonal) == pytest.approx(1, abs=0.02)
    assert diagonal.mean() > 0.98


def test_half_a_pixel_to_the_side_halves_the_overlap():
    overlap = labeled_overlap(flat_wall(), flat_wall(0.5), factor=1).toarray().reshape(16, 24, 16, 24)
    row, column = np.mgrid[:16, :23]
    assert np.abs(overlap[row, column, row, column] - 0.5).mean() < 0.05
    assert np.abs(overlap[row, column + 1, row, column] - 0.5).mean() < 0.05


def test_a_camera_twice_as_far_away_sees_four_pixels_in_one():
    overlap = labeled_overlap(flat_wall(), flat_wall(distance=4.0), factor=1)
    # the far camera looks at a wall at depth 4; put the same wall there by moving the camera back
    assert overlap.nnz == 0
    far = flat_wall(distance=4.0)
    moved = far.world_from_camera.copy()
    moved[2, 3] = -2.0
    far = LabelledView(far.depth, far.instances, far.intrinsics, moved, far.world_from_instance)
    overlap = labeled_overlap(flat_wall(), far, factor=1)
    assert np.abs(overlap.data - 0.5).max() < 0.1  # 1 / sqrt(1 * 4)
    assert np.bincount(overlap.tocoo().row).max() == 4


def test_slopes_stop_at_silhouettes():
    depth = np.full((8, 12), 4.0)
    depth[:, 6:] = 1.0
    ids = np.where(depth > 2, 1, 2)
    wall = flat_wall(size=(8, 12))
    view = LabelledView(depth, ids, wall.intrinsics, wall.world_from_camera, np.tile(np.eye(4), (3, 1, 1)))
    assert np.abs(view.planes[..., :2]).max() < 1e-12
    assert view.planes[3, 2, 2] == pytest.approx(0.25)


def test_slopes_of_a_slanted_plane_are_exact_up_to_a_crease():
    x = np.arange(12) + 0.5
    inverse = np.where(x < 6, 0.3 + 0.02 * x, 0.3 + 0.02 * 6 - 0.03 * (x - 6))
    depth = np.broadcast_to(1 / inverse, (8, 12)).copy()
    wall = flat_wall(size=(8, 12))
    view = LabelledView(depth, np.ones((8, 12), np.int64), wall.intrinsics, wall.world_from_camera, wall.world_from_instance)
    assert np.allclose(view.planes[:, :6, 0], 0.02)
    assert np.allclose(view.planes[:, 6:, 0], -0.03)


def test_the_sky_turns_with_the_camera_and_ignores_its_place():
    sky = flat_wall()
    sky = LabelledView(0 * sky.depth, 0 * sky.instances, sky.intrinsics, sky.world_from_camera, sky.world_from_instance)
    moved = sky.world_from_camera.copy()
    moved[:3, 3] = [5, -3, 2]
    elsewhere = LabelledView(sky.depth, sky.instances, sky.intrinsics, moved, sky.world_from_instance)
    assert labeled_overlap(sky, elsewhere, factor=1).diagonal().mean() > 0.98
    turned = sky.world_from_camera.copy()
    turned[:3, :3] = np.diag([-1.0, 1, -1])
    behind = LabelledView(sky.depth, sky.instances, sky.intrinsics, turned, sky.world_from_instance)
    assert labeled_overlap(sky, behind, factor=1).nnz == 0


LENSES = {
    "pinhole": {},
    "bent": {"distortion": np.array([-0.25, 0.06, 0.002, -0.001])},
    "fisheye": {"distortion": np.array([0.02, -0.01, 0.0, 0.0]), "projection": "fisheye"},
    "orthographic": {"projection": "orthographic"},
}


@pytest.mark.slow
@pytest.mark.parametrize("factor", [8, 1])
@pytest.mark.parametrize("lens", LENSES)
def test_labels_give_the_overlap_that_rays_through_the_scene_give(lens, factor):
    pytest.importorskip("embreex")
    scene, camera, least = moving_scene(size=SIZE), "moving", {8: 0.97, 1: 0.93}[factor]
    view = replace(scene.camera(camera), **LENSES[lens])
    if lens == "orthographic":  # 50 pixels a metre
        k = np.array([[50.0, 0, 64], [0, 50.0, 48], [0, 0, 1]])
        view = replace(view, intrinsics=np.tile(k, (scene.frames, 1, 1)))
    scene = replace(scene, cameras=(view,))
    rays = [RayScene(scene, frame) for frame in (1, 3)]
    per_pixel = max(4, factor)
    exact = [footprint_overlap(rays[0], view, rays[1], view, factor=factor, per_pixel=per_pixel, seed=seed) for seed in (0, 1)]
    found = labeled_overlap(labeled(scene, camera, 1), labeled(scene, camera, 3), factor=factor)
    assert least < transport_efficiency(found, *exact) < 1.02
