"""Instances of a scene as models: what benchmarks of object poses mean by an object, kept beside a clip.

A model is all that an instance carries, in millimetres, with its origin in the middle of its box and the instance's axes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from ..clip import read_clip
from ..errors import BadValueError, MissingFileError, UnreadableFileError
from ..scene import Material, Scene, triangles_of
from ..scene.colors import linear_from_srgb, srgb_from_linear
from ..text_files import read_json
from .clips import DatasetClip
from .json_files import write_json
from .ply import ColoredMesh, ply_bytes

FOLDER, RECORD = "models", "models.json"
_FIX = "make the clip again with: sim2real dataset CONFIG -o DIR, with bop among the formats"


@dataclass(frozen=True)
class Model:
    """The model of an instance.

    - ``file``: the PLY file in a clip's ``models``; its name is a hash of its content, so equal things share it.
    - ``center_m``: the model's origin in the instance's frame, metres.
    """

    file: Path
    center_m: tuple[float, float, float]


def write_models(scene: Scene, folder: Path) -> None:
    """Write the models of a scene to ``models/`` of a clip folder, each once, and ``models.json``, which says whose they are.

    An instance that deforms is no rigid thing and has no model, nor has one without a surface.

    Args:
        scene: the one that the clip was rendered from.
        folder: of the clip.

    Raises:
        BadValueError: the scene has other instances than the clip.
    """
    record = read_clip(folder).record
    if [i.name for i in scene.instances] != [i.name for i in record.instances]:
        received = ", ".join(i.name for i in scene.instances) or "none"
        raise BadValueError("the scene's instances", received, right="those of the clip", where=folder)
    (folder / FOLDER).mkdir(exist_ok=True)
    found = {}
    for place in range(len(scene.instances)):
        made = model_of(scene, place)
        if made is not None:
            mesh, center = made
            content = ply_bytes(mesh)
            file = f"{hashlib.sha256(content).hexdigest()[:32]}.ply"
            (folder / FOLDER / file).write_bytes(content)
            found[place + 1] = {"file": file, "center_m": center.tolist()}
    write_json(folder / FOLDER / RECORD, found)


def read_models(clip: DatasetClip) -> dict[int, Model]:
    """The models of a clip by instance id; instances that have none are left out.

    Raises:
        MissingFileError: the clip has no models.
        UnreadableFileError: ``models.json`` is damaged.
    """
    folder, what = clip.clip.path / FOLDER, f"models of clip {clip.clip_id}"
    data = read_json(folder / RECORD, what=what, fix=_FIX)
    try:
        entries = {int(key): (folder / str(entry["file"]), entry["center_m"]) for key, entry in data.items()}
        found = {key: Model(file, (float(c[0]), float(c[1]), float(c[2]))) for key, (file, c) in entries.items()}
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise UnreadableFileError(folder / RECORD, what=what, why=f"an entry is wrong ({error})", fix=_FIX) from error
    for model in found.values():
        if not model.file.is_file():
            raise MissingFileError(model.file, what=what, fix=_FIX)
    return found


def model_of(scene: Scene, instance: int) -> tuple[ColoredMesh, Float[np.ndarray, "3"]] | None:
    """The model of an instance (its place in the scene), millimetres, and its origin in the instance's frame, metres."""
    parts = tuple(part for part in scene.parts if part.instance == instance)
    meshes = [scene.meshes[part.mesh] for part in parts]
    alone = triangles_of(replace(scene, parts=parts))
    if not len(alone.faces) or any(mesh.deformed is not None for mesh in meshes):
        return None
    linear = np.stack([part.instance_from_mesh[:3, :3] for part in parts])
    shift = np.stack([part.instance_from_mesh[:3, 3] for part in parts])
    points = np.einsum("vij,vj->vi", linear[alone.vertex_part], alone.vertices.astype(np.float64)) + shift[alone.vertex_part]
    mirrored = np.linalg.det(linear)[alone.face_part] < 0
    faces = np.where(mirrored[:, None], alone.faces[:, ::-1], alone.faces)
    normals = _vertex_normals(alone.normals, np.linalg.inv(linear)[alone.face_part], alone.faces, len(points))
    colors = np.concatenate(
        [_colors(mesh.material, _vertex_uv(mesh.uv, mesh.faces, len(mesh.vertices)), len(mesh.vertices)) for mesh in meshes]
    )
    used, index = np.unique(faces, return_inverse=True)
    points = points[used]
    center = (points.min(axis=0) + points.max(axis=0)) / 2
    vertices = ((points - center) * 1000).astype(np.float32)
    return ColoredMesh(vertices, normals[used], colors[used], index.reshape(-1, 3).astype(np.int32)), center


def model_info(vertices_mm: Float[np.ndarray, "vertices 3"]) -> dict[str, float]:
    """The box of a model, and its diameter: the largest distance between two of its vertices; millimetres, BOP's names."""
    low, size = vertices_mm.min(axis=0), np.ptp(vertices_mm, axis=0)
    box = {f"min_{axis}": float(v) for axis, v in zip("xyz", low, strict=True)}
    return {"diameter": diameter(vertices_mm), **box, **{f"size_{a}": float(v) for a, v in zip("xyz", size, strict=True)}}


def diameter(points: Float[np.ndarray, "points 3"]) -> float:
    """The largest distance between two points; both lie on the convex hull."""
    from scipy.spatial import ConvexHull
    from scipy.spatial.distance import cdist

    points = np.unique(np.asarray(points, np.float64), axis=0)
    centered = points - points.mean(axis=0)
    _, extent, axes = np.linalg.svd(centered, full_matrices=False)
    flat = centered @ axes[extent > 1e-6 * extent[0]].T if extent[0] > 0 else np.zeros((1, 0))  # of a plane, in the plane
    if flat.shape[1] == 0:
        return 0.0
    ends = [int(flat.argmin()), int(flat.argmax())] if flat.shape[1] == 1 else ConvexHull(flat).vertices
    outer = points[ends]
    return float(max(cdist(outer[k : k + 512], outer).max() for k in range(0, len(outer), 512)))


def _vertex_normals(normals: np.ndarray, inverse: np.ndarray, faces: np.ndarray, vertices: int) -> np.ndarray:
    """Unit normals of vertices in the instance's frame: the mean of their corners'; along z where there is none."""
    turned = np.einsum("fki,fij->fkj", normals.astype(np.float64), inverse)
    turned /= np.maximum(np.linalg.norm(turned, axis=-1, keepdims=True), 1e-12)
    flat = faces.ravel()
    total = np.stack([np.bincount(flat, turned[..., axis].ravel(), minlength=vertices) for axis in range(3)], axis=-1)
    length = np.linalg.norm(total, axis=-1, keepdims=True)
    return np.where(length > 1e-9, total / np.maximum(length, 1e-9), [0.0, 0.0, 1.0]).astype(np.float32)


def _vertex_uv(uv: np.ndarray | None, faces: np.ndarray, vertices: int) -> np.ndarray | None:
    """The uv of the first corner of every vertex."""
    if uv is None:
        return None
    found = np.zeros((vertices, 2))
    found[faces.ravel()[::-1]] = uv.reshape(-1, 2)[::-1]
    return found


def _colors(material: Material, uv: np.ndarray | None, vertices: int) -> UInt8[np.ndarray, "vertices 3"]:
    """The base color of vertices, with the texel that each of them meets."""
    color = np.tile(np.asarray(material.base_color[:3], np.float64), (vertices, 1))
    if material.texture is not None and uv is not None:
        height, width = material.texture.shape[:2]
        column = np.minimum((np.mod(uv[:, 0], 1) * width).astype(int), width - 1)
        row = np.minimum((np.mod(1 - uv[:, 1], 1) * height).astype(int), height - 1)
        color *= linear_from_srgb(material.texture[row, column, :3] / 255)
    return np.rint(255 * np.clip(srgb_from_linear(color), 0, 1)).astype(np.uint8)
