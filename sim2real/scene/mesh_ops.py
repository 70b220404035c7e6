"""Meshes made from meshes: mapped, turned inside out, cleaned, dressed in another material."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int

from .moving_vertices import MovingVertices
from .normals import crease_normals
from .records import Material, Mesh, Mirror

_FARTHEST_M = 1e9
_FACES_AT_ONCE = 500_000


def mapped(mesh: Mesh, linear: Float[np.ndarray, "3 3"], shift: Float[np.ndarray, "3"] | None = None) -> Mesh:
    """The mesh under an invertible affine map of its frame; a mirror image keeps its faces outward."""
    offset = np.zeros(3) if shift is None else shift
    normals = mesh.normals
    if normals is not None:
        normals = normals @ np.linalg.inv(linear)  # inverse transpose, on rows
        length = np.linalg.norm(normals, axis=-1, keepdims=True)
        normals = normals / np.where(length > 0, length, 1)
    deformed = mesh.deformed
    if isinstance(deformed, MovingVertices):
        deformed = deformed.mapped(linear, offset)
    elif deformed is not None:
        deformed = (deformed @ linear.T + offset).astype(deformed.dtype, copy=False)
    mirror = None if mesh.mirror is None else _mapped_mirror(mesh.mirror, linear, offset)
    vertices = mesh.vertices @ linear.T + offset
    image = replace(mesh, vertices=vertices, normals=normals, deformed=deformed, mirror=mirror)
    return _rewound(image) if np.linalg.det(linear) < 0 else image


def _mapped_mirror(mirror: Mirror, linear: Float[np.ndarray, "3 3"], shift: Float[np.ndarray, "3"]) -> Mirror:
    """The plane where its points come to lie; the side that mirrors stays the same side of the mesh."""
    px, py, pz = (float(x) for x in linear @ np.array(mirror.point) + shift)
    normal = np.array(mirror.normal) @ np.linalg.inv(linear)
    nx, ny, nz = (float(x) for x in normal / max(float(np.linalg.norm(normal)), 1e-300))
    return replace(mirror, point=(px, py, pz), normal=(nx, ny, nz))


def inside_out(mesh: Mesh) -> Mesh:
    """The mesh with its surface facing the other way."""
    turned = _rewound(mesh)
    return turned if turned.normals is None else replace(turned, normals=-turned.normals)


def _rewound(mesh: Mesh) -> Mesh:
    def flipped(corners: np.ndarray | None) -> np.ndarray | None:
        return None if corners is None else np.ascontiguousarray(corners[:, ::-1])

    colors = None if mesh.colors is None else replace(mesh.colors, srgb=np.ascontiguousarray(mesh.colors.srgb[:, ::-1]))
    return replace(mesh, faces=mesh.faces[:, ::-1].copy(), uv=flipped(mesh.uv), normals=flipped(mesh.normals), colors=colors)


def cleaned(mesh: Mesh) -> tuple[Mesh, dict[str, int]]:
    """Drop faces that cannot be drawn, and the vertices that only they used.

    Returns:
        The mesh, and how many faces went for which reason: ``not finite`` (or beyond a million kilometres), ``without area``.
    """
    finite = (np.abs(mesh.vertices) <= _FARTHEST_M).sum(axis=1) == 3
    points = mesh.vertices if finite.all() else np.where(finite[:, None], mesh.vertices, 0.0)
    whole, flat = np.empty(len(mesh.faces), bool), np.empty(len(mesh.faces), bool)
    for start in range(0, len(mesh.faces), _FACES_AT_ONCE):
        here = slice(start, start + _FACES_AT_ONCE)
        faces = mesh.faces[here]
        whole[here] = finite[faces].sum(axis=1) == 3
        p = points[faces].astype(np.float64)
        edges = np.roll(p, -1, axis=1) - p
        longest = (edges**2).sum(axis=-1).max(axis=1)
        area = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1)
        flat[here] = whole[here] & (area <= 1e-12 * longest)
    kept = whole & ~flat
    dropped = {why: int(n) for why, n in (("not finite", (~whole).sum()), ("without area", flat.sum())) if n}
    if not dropped and finite.all():
        return mesh, dropped
    return subset(mesh, kept), dropped


def subset(mesh: Mesh, kept: np.ndarray) -> Mesh:
    """Some of the faces (a mask or numbers), with the vertices that they use."""
    used, index = np.unique(mesh.faces[kept], return_inverse=True)
    return replace(
        mesh,
        vertices=mesh.vertices[used],
        faces=index.reshape(-1, 3),
        uv=None if mesh.uv is None else mesh.uv[kept],
        normals=None if mesh.normals is None else mesh.normals[kept],
        deformed=None if mesh.deformed is None else mesh.deformed[:, used],
        colors=None if mesh.colors is None else replace(mesh.colors, srgb=mesh.colors.srgb[kept]),
    )


def shaded(mesh: Mesh) -> Mesh:
    """The mesh with usable unit normals: its own, or crease-smoothed ones where it has none or they are broken.

    Those that are made have the precision of the mesh's vertices.
    """
    dtype = np.float32 if mesh.vertices.dtype == np.float32 else np.float64
    if mesh.normals is None:
        return replace(mesh, normals=crease_normals(mesh.vertices, mesh.faces, dtype=dtype))
    length = np.linalg.norm(mesh.normals, axis=-1, keepdims=True)
    good = (np.isfinite(length) & (length > 1e-6)).all(axis=(1, 2))
    if not good.all():
        return replace(mesh, normals=crease_normals(mesh.vertices, mesh.faces, dtype=dtype))
    return replace(mesh, normals=mesh.normals / length)


def with_material(mesh: Mesh, material: Material, repeat: tuple[float, ...] = (1.0, 1.0)) -> Mesh:
    """The mesh in another material, its UVs multiplied."""
    uv = mesh.uv if mesh.uv is None or repeat == (1.0, 1.0) else mesh.uv * np.array(repeat)
    return replace(mesh, material=material, uv=uv, colors=None)


def distinct_corners(
    values: Float[np.ndarray, "corners numbers"],
) -> tuple[Int[np.ndarray, "distinct"], Int[np.ndarray, "faces 3"]]:
    """Corners for programs that know one number of everything per vertex: a vertex is split where its faces disagree.

    Args:
        values: what a corner has (place, uv, normal, ...); three rows per face.

    Returns:
        The first corner of each kind, and the faces that index these.
    """
    rows = np.ascontiguousarray(values) + values.dtype.type(0)  # -0 is 0
    bits = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
    _, first, index = np.unique(bits, return_index=True, return_inverse=True)
    return first, index.reshape(-1, 3)
