"""Conditions through lenses: pictures, normals and edges lie where the lens puts the geometry."""

from dataclasses import replace

import numpy as np
import pytest

from sim2real.camera import View, camera_from_px, px_from_camera
from sim2real.conditions import Shader, ShadowOptions, camera_normals, edge_pixels
from sim2real.conditions.rgb.deferred.shading_reference import reference_color
from sim2real.raster import Fragments, rasterizer
from sim2real.scene import Camera, Lighting, Material, Scene, Triangles, triangles_of
from sim2real.scene.primitives import sphere

from .stage import camera_at, checker, quad, scene_of, tabletop

LENSES = {
    "barrel": ("perspective", (-0.3, 0.1, 0.002, -0.001)),
    "pincushion": ("perspective", (0.2, 0.05, 0.0, 0.0, 0.01)),
    "fisheye": ("fisheye", (-0.02, 0.01, 0.0, 0.0)),
    "orthographic": ("orthographic", None),
}


def through(name: str, camera: Camera) -> Camera:
    """The camera with another lens; an orthographic one shows 1.6 m from top to bottom."""
    projection, distortion = LENSES[name]
    k = camera.intrinsics.copy()
    if projection == "orthographic":
        k[:, 0, 0] = k[:, 1, 1] = camera.size[0] / 1.6
    distortion = None if distortion is None else np.array(distortion)
    return replace(camera, intrinsics=k, projection=projection, distortion=distortion)


def seen_by(scene: Scene, camera: Camera) -> tuple[Fragments, Triangles, np.ndarray]:
    triangles, matrices = triangles_of(scene), scene.camera_from_part(camera, 0)
    view = View(matrices, camera.intrinsics[0], camera.size, lens=camera.lens)
    return rasterizer(triangles).fragments(view), triangles, matrices


@pytest.mark.slow
@pytest.mark.parametrize("name", LENSES)
def test_the_shading_kernel_equals_its_torch_twin(name):
    scene = tabletop((40, 60), frames=2)
    camera = through(name, scene.cameras[0])
    scene = replace(scene, cameras=(camera,))
    triangles = triangles_of(scene)
    shader = Shader(scene, triangles, rasterizer(triangles), shadows=ShadowOptions(texels=256))
    shading = shader.shading(camera, 1)
    shading.light.exposure = 0.0
    found, expected = shader.radiance(camera, 1), reference_color(shading)
    assert expected.std() > 0.05
    error = np.abs(found - expected).max(axis=-1)
    assert np.quantile(error, 0.99) < 1e-3 and error.max() < 0.3


@pytest.mark.parametrize("name", LENSES)
def test_a_checker_has_its_colors_where_the_lens_puts_its_squares(name):
    camera = through(name, camera_at((0.1, -2, 0.3), (0, 0, 0), (120, 160), 60))
    flat = Lighting(sun=(0.0, 0.0, 0.0), sky=(1.0, 1.0, 1.0), ground=(1.0, 1.0, 1.0))
    wall = replace(quad(Material((1.0, 1.0, 1.0, 1.0), checker())), name="wall")
    scene = scene_of([(wall, (0, 0, 0))], camera, lighting=flat)
    triangles = triangles_of(scene)
    picture = Shader(scene, triangles, rasterizer(triangles), shadows=ShadowOptions(texels=0)).frame(camera, 0).astype(int)
    i, j = np.meshgrid(np.arange(8), np.arange(8), indexing="ij")
    center = np.stack([(i + 0.5) / 4 - 1, np.zeros(i.shape), 1 - (j + 0.5) / 4, np.ones(i.shape)], axis=-1).reshape(-1, 4)
    at = px_from_camera((center @ scene.camera_from_part(camera, 0)[0].T)[:, :3], camera.intrinsics[0], camera.lens)
    shown = ((at > 3) & (at < np.array([157, 117]))).all(-1)
    assert shown.sum() > 20
    color = picture[at[shown, 1].astype(int), at[shown, 0].astype(int)]
    light = ((i + j) % 2 == 0).reshape(-1)[shown]
    red = (i + j).reshape(-1)[shown] == 0
    assert color[light & ~red].min() > color[~light & ~red].max() + 60


@pytest.mark.parametrize("name", LENSES)
def test_normals_of_a_ball_point_away_from_its_center(name):
    camera = through(name, camera_at((0.3, -1.6, 0.2), (0, 0, 0), (80, 120), 60))
    scene = scene_of([(sphere(0.6), (0, 0, 0))], camera)
    fragments, triangles, matrices = seen_by(scene, camera)
    normals = camera_normals(fragments, triangles, matrices).numpy()
    y, x = np.nonzero(fragments.face.numpy() >= 0)
    depth = fragments.depth.numpy()[y, x]
    points = camera_from_px(np.stack([x, y], axis=-1) + 0.5, depth, camera.intrinsics[0], camera.lens)
    expected = (points - matrices[0, :3, 3]) / 0.6
    assert len(y) > 500
    assert np.quantile(np.abs(normals[y, x] - expected).max(-1), 0.99) < 0.03


@pytest.mark.parametrize("name", LENSES)
def test_edges_of_a_square_are_its_outline_in_the_picture(name):
    camera = through(name, camera_at((0.2, -2, 0.3), (0, 0, 0), (120, 160), 60))
    scene = scene_of([(quad(half=0.6), (0, 0, 0))], camera)
    fragments, triangles, matrices = seen_by(scene, camera)
    found = np.stack(np.nonzero(edge_pixels(fragments, triangles, matrices))[::-1], axis=-1) + 0.5
    t = np.linspace(-0.6, 0.6, 400)
    side = np.full_like(t, 0.6)
    sides = [np.stack(p, axis=-1) for p in ((t, 0 * t, side), (t, 0 * t, -side), (side, 0 * t, t), (-side, 0 * t, t))]
    outline = np.concatenate(sides) @ matrices[0, :3, :3].T + matrices[0, :3, 3]
    outline = px_from_camera(outline, camera.intrinsics[0], camera.lens)
    distance = np.linalg.norm(found[:, None] - outline[None], axis=-1)
    assert distance.min(axis=1).max() < 1.2  # every edge pixel is beside the outline
    assert distance.min(axis=0).max() < 1.5  # and the outline is closed
