"""Small scenes and their views, made in code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import trimesh

from sim2real.camera import Camera, View
from sim2real.noise import NoiseLayout, SurfaceNoise, charts_of
from sim2real.raster import Visibility, rasterizer, view_of
from sim2real.scene.records import Instance, Mesh, Part, Scene
from sim2real.scene.triangles import triangles_of
from sim2real.transforms import look_at

UP = np.array([0.0, 0.0, 1.0])


def camera(eye, target=(0.0, 0.0, 0.0), *, size=(96, 128), focal=130.0, name="camera") -> Camera:
    eye = np.atleast_2d(np.asarray(eye, float))
    k = np.array([[focal, 0, size[1] / 2], [0, focal, size[0] / 2], [0, 0, 1.0]])
    return Camera(name, size, np.repeat(k[None], len(eye), 0), look_at(eye, np.asarray(target, float), UP))


def mesh(shape: trimesh.Trimesh, name="mesh", uv=None) -> Mesh:
    return Mesh(name, np.asarray(shape.vertices, np.float32), np.asarray(shape.faces), uv)


def grid(side=4.0, cells=12, z=0.0) -> Mesh:
    line = np.linspace(-side / 2, side / 2, cells + 1)
    x, y = np.meshgrid(line, line, indexing="ij")
    vertices = np.stack([x.ravel(), y.ravel(), np.full(x.size, z)], 1).astype(np.float32)
    corner = (np.arange(cells)[:, None] * (cells + 1) + np.arange(cells)).ravel()
    n = cells + 1
    faces = np.concatenate(
        [np.stack([corner, corner + n, corner + 1], 1), np.stack([corner + 1, corner + n, corner + n + 1], 1)]
    )
    return Mesh("grid", vertices, faces)


def scene(meshes, cameras, *, world_from_instance=None, visible=None, names=None) -> Scene:
    frames = cameras[0].world_from_camera.shape[0]
    if world_from_instance is None:
        world_from_instance = np.tile(np.eye(4), (frames, len(meshes), 1, 1))
    names = names or [f"{m.name}{k}" for k, m in enumerate(meshes)]
    return Scene(
        source=Path("made-in-code"),
        sha256="",
        meshes=tuple(meshes),
        parts=tuple(Part(k, k) for k in range(len(meshes))),
        instances=tuple(Instance(name, "thing") for name in names),
        world_from_instance=world_from_instance,
        visible=np.ones((frames, len(meshes)), bool) if visible is None else visible,
        cameras=tuple(cameras),
    )


def bumpy_room(frames=5, size=(240, 320)) -> Scene:
    """A bumpy ball over a floor, seen by a camera that moves around it."""
    ball = trimesh.creation.icosphere(4)
    ball.vertices *= 1 + 0.04 * np.sin(20 * ball.vertices[:, :1]) * np.sin(17 * ball.vertices[:, 1:2])
    angle = np.linspace(0, 0.12, frames)
    eyes = np.stack([3 * np.cos(angle), 3 * np.sin(angle), np.full(frames, 1.6)], 1)
    return scene([mesh(ball, "ball"), grid(8.0, 20, -1.0)], [camera(eyes, size=size, focal=330.0)])


class Views:
    """A scene's noise, frame by frame."""

    def __init__(self, made: Scene, layout: NoiseLayout, *, seed=0, **options) -> None:
        self.scene, self.layout = made, layout
        self.triangles = triangles_of(made)
        self.charts = charts_of(made, self.triangles)
        self.raster = rasterizer(self.triangles)
        self.options = options
        self.noise = SurfaceNoise(self.charts, self.triangles, layout, seed=seed, **options)

    def seeded(self, seed: int) -> SurfaceNoise:
        return SurfaceNoise(self.charts, self.triangles, self.layout, seed=seed, **self.options)

    def inputs(self, frame=0, name=None) -> tuple[Visibility, View]:
        camera = self.scene.camera(name) if name else self.scene.cameras[0]
        view = view_of(self.scene, camera, frame)
        return self.raster.visibility(view), view

    def face(self, frame=0, name=None) -> torch.Tensor:
        return self.inputs(frame, name)[0].face

    def frame(self, frame=0, name=None, noise: SurfaceNoise | None = None) -> np.ndarray:
        return (noise or self.noise).frame(*self.inputs(frame, name)).numpy()

    def leaves(self, frame=0, name=None) -> dict[str, np.ndarray]:
        return self.noise.leaves(*self.inputs(frame, name))

    @property
    def pixels(self) -> int:
        height, width = self.layout.latent_size(self.scene.cameras[0].size)
        return height * width
