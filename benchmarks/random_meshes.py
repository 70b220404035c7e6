"""Meshes as nobody would model them, drawn from a generator: the assets that noise must survive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import trimesh

from sim2real.scene.records import Mesh

Draw = np.random.Generator


def random_mesh(rng: Draw, frames: int) -> Mesh:
    """A shape, damaged in some way, with some layout, perhaps deforming."""
    vertices, faces = SHAPES[str(rng.choice(list(SHAPES)))](rng)
    vertices, faces = DAMAGES[str(rng.choice(list(DAMAGES)))](rng, vertices, faces)
    made = Mesh("mesh", vertices.astype(np.float32), faces.astype(np.int64))
    made = replace(made, uv=UVS[str(rng.choice(list(UVS)))](rng, made))
    if rng.random() < 0.15:
        moved = made.vertices + 0.1 * np.cumsum(rng.standard_normal((frames, *made.vertices.shape)), axis=0)
        made = replace(made, deformed=moved.astype(np.float32))
    return made


def _soup(rng: Draw) -> tuple[np.ndarray, np.ndarray]:
    count = int(rng.integers(1, 400))
    corners = rng.uniform(-1, 1, (count, 1, 3)) + 10 ** rng.uniform(-3, 0.3) * rng.standard_normal((count, 3, 3))
    return corners.reshape(-1, 3), np.arange(3 * count).reshape(-1, 3)


def _slivers(rng: Draw) -> tuple[np.ndarray, np.ndarray]:
    count = int(rng.integers(1, 200))
    middle, along = rng.uniform(-1, 1, (count, 3)), rng.standard_normal((count, 3))
    width = 10 ** rng.uniform(-7, -2, (count, 1)) * rng.standard_normal((count, 3))
    return np.stack([middle - along, middle + along, middle + width], 1).reshape(-1, 3), np.arange(3 * count).reshape(-1, 3)


def _sheet(rng: Draw) -> tuple[np.ndarray, np.ndarray]:
    n, side = int(rng.integers(1, 24)), 10 ** rng.uniform(-1, 2.7)
    x, y = np.meshgrid(np.linspace(-side, side, n + 1), np.linspace(-side, side, n + 1), indexing="ij")
    z = 10 ** rng.uniform(-3, 0) * rng.standard_normal(x.size) * (rng.random() < 0.5)
    corner = (np.arange(n)[:, None] * (n + 1) + np.arange(n)).ravel()
    lower, upper = [corner, corner + n + 1, corner + 1], [corner + 1, corner + n + 1, corner + n + 2]
    return np.stack([x.ravel(), y.ravel(), z], 1), np.concatenate([np.stack(lower, 1), np.stack(upper, 1)])


def _solid(make: Callable[[Draw], trimesh.Trimesh]) -> Callable[[Draw], tuple[np.ndarray, np.ndarray]]:
    def shape(rng: Draw) -> tuple[np.ndarray, np.ndarray]:
        made = make(rng)
        return np.asarray(made.vertices), np.asarray(made.faces)

    return shape


SHAPES: dict[str, Callable[[Draw], tuple[np.ndarray, np.ndarray]]] = {
    "box": _solid(lambda rng: trimesh.creation.box(10 ** rng.uniform(-2, 0.5, 3))),
    "ball": _solid(lambda rng: trimesh.creation.icosphere(int(rng.integers(0, 4)))),
    "torus": _solid(lambda rng: trimesh.creation.torus(1.0, rng.uniform(0.05, 0.9))),
    "soup": _soup,
    "slivers": _slivers,
    "sheet": _sheet,
}


def _copies(rng: Draw, vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    turned = faces[:, [0, 2, 1]] if rng.random() < 0.5 else np.roll(faces, 1, axis=1)
    return vertices, rng.permutation(np.concatenate([faces, turned]))


def _collapsed(rng: Draw, vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    faces = faces.copy()
    hit = rng.random(len(faces)) < 0.3
    faces[hit, 1] = faces[hit, 0]
    return vertices, faces


def _rewired(rng: Draw, vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners at random: edges of three and more faces, surfaces through each other."""
    faces = faces.copy()
    hit = rng.random(faces.shape) < 0.1
    faces[hit] = rng.integers(0, len(vertices), int(hit.sum()))
    return vertices, faces


DAMAGES: dict[str, Callable[[Draw, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]] = {
    "none": lambda rng, vertices, faces: (vertices, faces),
    "inside out": lambda rng, vertices, faces: (vertices, faces[:, ::-1]),
    "some faces turned": lambda rng, vertices, faces: (
        vertices,
        np.where(rng.random((len(faces), 1)) < 0.3, faces[:, ::-1], faces),
    ),
    "copies": _copies,
    "collapsed faces": _collapsed,
    "rewired": _rewired,
    "flat": lambda rng, vertices, faces: (vertices * [1, 1, 0], faces),
    "one point": lambda rng, vertices, faces: (vertices * 0, faces),
    "not finite": lambda rng, vertices, faces: (np.where(rng.random(vertices.shape) < 0.02, np.nan, vertices), faces),
}


def _planar(rng: Draw, mesh: Mesh) -> np.ndarray:
    """One plane's coordinates, tiled: folded wherever the mesh is not a height field."""
    return mesh.vertices[mesh.faces][..., :2].astype(float) * 10 ** rng.uniform(-1, 2) + rng.uniform(-9, 9, 2)


def _garbage(rng: Draw, mesh: Mesh) -> np.ndarray:
    return rng.standard_normal((len(mesh.faces), 3, 2)) * 10 ** rng.uniform(-3, 6)


def _holes(rng: Draw, mesh: Mesh) -> np.ndarray:
    uv = _planar(rng, mesh)
    uv[rng.random(uv.shape) < 0.05] = rng.choice([np.nan, np.inf, -np.inf, 1e35])
    return uv


UVS: dict[str, Callable[[Draw, Mesh], np.ndarray | None]] = {
    "none": lambda rng, mesh: None,
    "planar": _planar,
    "mirrored": lambda rng, mesh: np.abs(_planar(rng, mesh)),
    "wrapped": lambda rng, mesh: np.mod(_planar(rng, mesh), 1.0),
    "per face": lambda rng, mesh: np.tile([[0.0, 0], [1, 0], [0, 1]], (len(mesh.faces), 1, 1)),
    "one texel": lambda rng, mesh: np.full((len(mesh.faces), 3, 2), 0.5),
    "one line": lambda rng, mesh: np.repeat(_garbage(rng, mesh)[..., :1], 2, axis=2),
    "garbage": _garbage,
    "holes": _holes,
}
