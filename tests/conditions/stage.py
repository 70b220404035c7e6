"""A small scene for the tests and benchmarks of conditions: floor, textured box, spheres, cylinder, torus."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from sim2real.scene import Camera, Instance, Lighting, Material, Mesh, Part, Scene
from sim2real.scene.primitives import box, cylinder, plane, sphere, torus
from sim2real.transforms import look_at, rigid


def checker(cells: int = 8, size: int = 256) -> np.ndarray:
    """A checkerboard with a red corner where u = 0, v = 1 (row 0)."""
    y, x = np.mgrid[:size, :size] * cells // size
    board = np.where((x + y) % 2 == 0, 230, 60).astype(np.uint8)[..., None].repeat(3, -1)
    board[: size // cells, : size // cells] = (220, 30, 30)
    return board


def camera_at(eye, target, size=(120, 180), fov_deg=50.0, frames=1, name="front") -> Camera:
    f = size[1] / 2 / np.tan(np.radians(fov_deg) / 2)
    k = np.array([[f, 0, size[1] / 2], [0, f, size[0] / 2], [0, 0, 1]])
    pose = look_at(np.asarray(eye, float), np.asarray(target, float), np.array([0, 0, 1.0]))
    return Camera(name, size, np.tile(k, (frames, 1, 1)), np.tile(pose, (frames, 1, 1)))


def scene_of(objects: list[tuple[Mesh, tuple[float, float, float]]], cameras: list[Camera], frames=1, **fields) -> Scene:
    """One part and one instance per mesh, at a place of its own."""
    poses = np.stack([rigid(np.eye(3), np.array(place)) for _, place in objects]) if objects else np.zeros((0, 4, 4))
    return Scene(
        source=Path("stage"),
        sha256="",
        meshes=tuple(mesh for mesh, _ in objects),
        parts=tuple(Part(k, k) for k in range(len(objects))),
        instances=tuple(Instance(mesh.name, mesh.name) for mesh, _ in objects),
        world_from_instance=np.tile(poses, (frames, 1, 1, 1)),
        visible=np.ones((frames, len(objects)), bool),
        cameras=tuple(cameras),
        **fields,
    )


def tabletop(size=(120, 180), frames=4) -> Scene:
    """Five things on a floor; the yellow ball rolls; the camera turns around them."""
    objects = [
        (replace(plane((2, 2)), material=Material(base_color=(0.45, 0.42, 0.4, 1), roughness=0.7)), (0, 0, 0)),
        (replace(box((0.1, 0.1, 0.1)), material=Material((1, 1, 1, 1), checker())), (0, 0, 0.1)),
        (replace(sphere(0.09), material=Material((0.9, 0.6, 0.1, 1), roughness=0.25)), (0.25, -0.1, 0.09)),
        (
            replace(cylinder(0.05, 0.14), material=Material((0.8, 0.82, 0.85, 1), metallic=1, roughness=0.3)),
            (-0.22, 0.05, 0.14),
        ),
        (replace(torus(0.1, 0.035), material=Material((0.15, 0.35, 0.75, 1), roughness=0.4)), (0.05, -0.28, 0.035)),
    ]
    cameras = [
        camera_at((0.75 * np.cos(a), 0.75 * np.sin(a), 0.55), (0, 0, 0.07), size) for a in np.linspace(-1.2, -0.8, frames)
    ]
    camera = replace(
        cameras[0],
        intrinsics=np.concatenate([c.intrinsics for c in cameras]),
        world_from_camera=np.concatenate([c.world_from_camera for c in cameras]),
    )
    scene = scene_of(objects, [camera], frames, lighting=Lighting())
    poses = scene.world_from_instance.copy()
    poses[:, 2, 0, 3] += np.linspace(0, 0.1, frames)
    return replace(scene, world_from_instance=poses)
