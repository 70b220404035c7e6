"""Small scenes for the tests of conditions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from sim2real.camera import View
from sim2real.raster import Fragments, rasterizer
from sim2real.scene import Camera, Instance, Lighting, Material, Mesh, Part, Scene, Triangles, triangles_of
from sim2real.scene.primitives import box, cylinder, plane, sphere, torus
from sim2real.transforms import look_at, rigid

Place = tuple[float, float, float]
EVEN = Lighting(sun=(0.0, 0.0, 0.0), sky=(1.0, 1.0, 1.0), ground=(1.0, 1.0, 1.0))
"""The same light from everywhere."""


def checker(cells: int = 8, size: int = 256) -> np.ndarray:
    """A checkerboard with a red corner where u = 0, v = 1 (row 0)."""
    y, x = np.mgrid[:size, :size] * cells // size
    board = np.where((x + y) % 2 == 0, 230, 60).astype(np.uint8)[..., None].repeat(3, -1)
    board[: size // cells, : size // cells] = (220, 30, 30)
    return board


def quad(material: Material | None = None, *, uv_scale: float = 1.0, half: float = 1.0, name: str = "quad") -> Mesh:
    """A square in the xz plane; seen along +y with z up, its texture stands upright."""
    corners = np.array([[-half, 0, -half], [half, 0, -half], [half, 0, half], [-half, 0, half]], float)
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float) * uv_scale
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    return Mesh(name, corners, faces, uv=uv[faces], material=material or Material())


def camera_at(eye: Place, target: Place, size=(120, 180), fov_deg=50.0, frames=1, name="front") -> Camera:
    f = size[1] / 2 / np.tan(np.radians(fov_deg) / 2)
    k = np.array([[f, 0, size[1] / 2], [0, f, size[0] / 2], [0, 0, 1]])
    pose = look_at(np.array(eye, float), np.array(target, float), np.array([0, 0, 1.0]))
    return Camera(name, size, np.tile(k, (frames, 1, 1)), np.tile(pose, (frames, 1, 1)))


def scene_of(objects: list[tuple[Mesh, Place]], *cameras: Camera, frames: int = 1, lighting: Lighting | None = None) -> Scene:
    """One part and one instance per mesh, each at its place."""
    poses = np.stack([rigid(np.eye(3), np.array(place, float)) for _, place in objects]) if objects else np.zeros((0, 4, 4))
    return Scene(
        source=Path("stage"),
        sha256="",
        meshes=tuple(mesh for mesh, _ in objects),
        parts=tuple(Part(k, k) for k in range(len(objects))),
        instances=tuple(Instance(mesh.name, mesh.name) for mesh, _ in objects),
        world_from_instance=np.tile(poses, (frames, 1, 1, 1)),
        visible=np.ones((frames, len(objects)), bool),
        cameras=cameras,
        lighting=lighting or Lighting(),
    )


def tabletop(size=(120, 180), frames=4) -> Scene:
    """Five things on a floor; the yellow ball rolls; the camera turns around them."""
    objects: list[tuple[Mesh, Place]] = [
        (replace(plane((2.0, 2.0)), material=Material((0.3, 0.28, 0.26, 1.0), roughness=0.7)), (0, 0, 0)),
        (replace(box((0.1, 0.1, 0.1)), material=Material((1.0, 1.0, 1.0, 1.0), checker())), (0, 0, 0.1)),
        (replace(sphere(0.09), material=Material((0.8, 0.4, 0.05, 1.0), roughness=0.25)), (0.25, -0.1, 0.09)),
        (
            replace(cylinder(0.05, 0.14), material=Material((0.8, 0.82, 0.85, 1.0), metallic=1.0, roughness=0.3)),
            (-0.22, 0.05, 0.14),
        ),
        (replace(torus(0.1, 0.035), material=Material((0.05, 0.12, 0.5, 1.0), roughness=0.4)), (0.05, -0.28, 0.035)),
    ]
    around = np.linspace(-1.2, -0.8, frames)
    cameras = [camera_at((0.75 * np.cos(a), 0.75 * np.sin(a), 0.55), (0, 0, 0.07), size) for a in around]
    poses = np.concatenate([c.world_from_camera for c in cameras])
    camera = replace(cameras[0], intrinsics=np.tile(cameras[0].intrinsics, (frames, 1, 1)), world_from_camera=poses)
    scene = scene_of(objects, camera, frames=frames)
    moved = scene.world_from_instance.copy()
    moved[:, 2, 0, 3] += np.linspace(0, 0.1, frames)
    return replace(scene, world_from_instance=moved)


def seen(scene: Scene, camera: Camera | None = None, frame: int = 0) -> tuple[Fragments, Triangles, np.ndarray]:
    """Fragments of a camera, the triangles, and camera_from_part."""
    camera = camera or scene.cameras[0]
    triangles = triangles_of(scene)
    camera_from_part = scene.camera_from_part(camera, frame)
    fragments = rasterizer(triangles).fragments(
        View(camera_from_part, camera.intrinsics[frame], camera.size, near=camera.near, part_visible=scene.part_visible(frame))
    )
    return fragments, triangles, camera_from_part
