"""A scene's meshes in a recording: logged once and moved with their instances, or, where they deform, logged as they are."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Int, UInt8
from PIL import Image

from ....scene import Material, Mesh, Part, Scene
from ....scene.colors import srgb_from_linear
from ....scene.mesh_ops import distinct_corners, mapped, shaded
from ....scene.normals import crease_normals

_LARGEST_SIDE, _ALL_TEXELS = 512, 3_000_000
"""Of a texture, and of all of them; what is larger is scaled down, since a recording holds them uncompressed."""


@dataclass(frozen=True, eq=False)
class _Piece:
    """A part of the scene in its instance's frame, with corners split where faces disagree about uv or normal."""

    place: str
    instance: int
    mesh: Mesh
    first: Int[np.ndarray, "corners"]
    faces: Int[np.ndarray, "faces 3"]

    def corners(self, frame: int) -> tuple[Float32[np.ndarray, "corners 3"], Float32[np.ndarray, "corners 3"]]:
        """Places and unit normals."""
        mesh = self.mesh
        vertices = mesh.vertices if mesh.deformed is None else mesh.deformed[frame]
        normals = _normals(mesh) if mesh.deformed is None else crease_normals(vertices, mesh.faces)
        corners = (vertices[mesh.faces].reshape(-1, 3)[self.first], normals.reshape(-1, 3)[self.first])
        return corners[0].astype(np.float32), corners[1].astype(np.float32)


class Meshes:
    """The meshes of a scene, to be logged frame by frame."""

    def __init__(self, rr: Any, scene: Scene, places: Sequence[str]) -> None:
        """Split corners; nothing is logged yet.

        Args:
            rr: the package ``rerun``.
            scene: whose meshes.
            places: the entity path of every instance.
        """
        self._rr, self._visible = rr, scene.visible
        self._pieces = list(_pieces(scene, places))
        textured = sum(piece.mesh.uv is not None for piece in self._pieces)
        self._side = min(_LARGEST_SIDE, math.isqrt(_ALL_TEXELS // max(textured, 1)))

    def log_still(self, log: Any) -> None:
        """Log what never deforms and is always there."""
        for piece in self._pieces:
            if self._still(piece):
                log.log(piece.place, self._archetype(piece, 0), static=True)

    def log_frame(self, log: Any, frame: int) -> None:
        """Log what deforms, comes or goes in a frame."""
        for piece in self._pieces:
            if self._still(piece):
                continue
            here, before = self._visible[frame, piece.instance], frame > 0 and self._visible[frame - 1, piece.instance]
            if here and not before:
                log.log(piece.place, self._archetype(piece, frame))
            elif before and not here:
                log.log(piece.place, self._rr.Clear(recursive=False))
            elif here and piece.mesh.deformed is not None:
                places, normals = piece.corners(frame)
                log.log(piece.place, self._rr.Mesh3D.from_fields(vertex_positions=places, vertex_normals=normals))

    def _still(self, piece: _Piece) -> bool:
        return piece.mesh.deformed is None and bool(self._visible[:, piece.instance].all())

    def _archetype(self, piece: _Piece, frame: int) -> Any:
        places, normals = piece.corners(frame)
        mesh, look = piece.mesh, {}
        if mesh.material.texture is not None and mesh.uv is not None:
            uv = mesh.uv.reshape(-1, 2)[piece.first] * (1, -1) + (0, 1)  # Rerun has v down
            look = {"vertex_texcoords": uv, "albedo_texture": _small(mesh.material.texture, self._side)}
        return self._rr.Mesh3D(
            vertex_positions=places,
            triangle_indices=piece.faces.astype(np.uint32),
            vertex_normals=normals,
            albedo_factor=_color(mesh.material),
            **look,
        )


def _pieces(scene: Scene, places: Sequence[str]) -> Iterator[_Piece]:
    """One per instance and material; what deforms is not joined with anything."""
    kinds: dict[Any, list[Mesh]] = {}
    for number, part in enumerate(scene.parts):
        mesh = scene.meshes[part.mesh]
        if len(mesh.faces):
            material, textured = mesh.material, mesh.uv is not None and mesh.material.texture is not None
            look = (material.base_color, material.emission, id(material.texture) if textured else None)
            still = look if mesh.deformed is None else number
            kinds.setdefault((part.instance, still), []).append(_in_instance(mesh, part))
    counts = [0] * len(scene.instances)
    for (instance, _), meshes in kinds.items():
        mesh = meshes[0] if len(meshes) == 1 else _joined(meshes)
        values = [mesh.faces.reshape(-1, 1).astype(np.float64), _normals(mesh).reshape(-1, 3)]
        values += [] if mesh.uv is None else [mesh.uv.reshape(-1, 2)]
        first, faces = distinct_corners(np.concatenate(values, axis=1))
        yield _Piece(f"{places[instance]}/mesh_{counts[instance]}", instance, mesh, first, faces)
        counts[instance] += 1


def _in_instance(mesh: Mesh, part: Part) -> Mesh:
    """A part's mesh in its instance's frame, with normals, and with uv only where they are of use."""
    moved = shaded(mapped(mesh, part.instance_from_mesh[:3, :3], part.instance_from_mesh[:3, 3]))
    return moved if mesh.material.texture is not None else replace(moved, uv=None)


def _normals(mesh: Mesh) -> Float[np.ndarray, "faces 3 3"]:
    return crease_normals(mesh.vertices, mesh.faces) if mesh.normals is None else mesh.normals


def _joined(meshes: Sequence[Mesh]) -> Mesh:
    """Meshes of one material as one."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes[:-1])])
    uv = [mesh.uv for mesh in meshes if mesh.uv is not None]
    return replace(
        meshes[0],
        vertices=np.concatenate([mesh.vertices for mesh in meshes]),
        faces=np.concatenate([mesh.faces + start for mesh, start in zip(meshes, starts, strict=True)]),
        normals=np.concatenate([_normals(mesh) for mesh in meshes]),
        uv=np.concatenate(uv) if uv else None,
    )


def _color(material: Material) -> list[int]:
    """The base color, of what glows its light, as sRGB."""
    rgb = np.clip(np.asarray(material.base_color[:3]) + material.emission, 0, 1)
    return [*(int(v) for v in np.rint(255 * srgb_from_linear(rgb))), round(255 * material.base_color[3])]


def _small(texture: UInt8[np.ndarray, "height width channels"], side: int) -> UInt8[np.ndarray, "_ _ 3"]:
    """A texture of moderate size, without its alpha."""
    picture = Image.fromarray(np.ascontiguousarray(texture[..., :3]))
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def moves(matrices: Float[np.ndarray, "frames rows columns"]) -> bool:
    """Whether anything changes from frame to frame."""
    return bool((matrices != matrices[0]).any())
