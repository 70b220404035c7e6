"""Bodies that furniture, crockery and robots are made of: bevelled boards, turned profiles, tubes.

Their UVs are in metres; whoever gives them a look divides by the texture's period.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from ...scene import primitives
from ...scene.records import Mesh
from ...scene.triangles import face_normals

Number = float | int


def planar_uv(mesh: Mesh) -> Mesh:
    """The same mesh with each face's UV taken from its two minor axes, in metres."""
    corners = mesh.vertices[mesh.faces]
    axis = np.abs(face_normals(mesh.vertices, mesh.faces)).argmax(axis=1)
    minor = np.array([[1, 2], [0, 2], [0, 1]])[axis]
    uv = np.take_along_axis(corners, np.broadcast_to(minor[:, None], (len(minor), 3, 2)), axis=2)
    return replace(mesh, uv=uv)


def board(half_size: Sequence[Number] | Float[np.ndarray, "3"], bevel: Number = 0.0, *, name: str = "board") -> Mesh:
    """A box about the origin whose edges are cut at 45 degrees and shaded round; no bevel gives a sharp box.

    Args:
        half_size: half lengths along x, y, z, metres.
        bevel: how much is cut, metres; at most 0.45 of the smallest half length.
        name: name of the mesh.
    """
    half = np.asarray(half_size, np.float64)
    cut = min(bevel, 0.45 * half.min())
    if cut <= 0:
        return planar_uv(primitives.box(half, name=name))
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))
    points = np.concatenate([signs * (half - cut * (np.arange(3) != axis)) for axis in range(3)])
    normals = np.concatenate([signs * (np.arange(3) == axis) for axis in range(3)])

    def vertex(axis: int, sign: np.ndarray) -> int:
        return 8 * axis + int((sign > 0) @ np.array([4, 2, 1]))

    def sign_of(places: dict[int, int]) -> np.ndarray:
        return np.array([places[k] for k in range(3)])

    polygons: list[list[int]] = [[vertex(axis, s) for axis in range(3)] for s in signs]
    loop = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    for axis, side in itertools.product(range(3), (-1, 1)):
        u, v = [k for k in range(3) if k != axis]
        polygons.append([vertex(axis, sign_of({axis: side, u: a, v: b})) for a, b in loop])
        w = axis  # edges that run along w join the faces of the other two axes
        ends = [(u, -1), (v, -1), (v, 1), (u, 1)]
        polygons.append([vertex(face, sign_of({w: end, u: side, v: side})) for face, end in ends])
        polygons.append([vertex(face, sign_of({w: end, u: side, v: -side})) for face, end in ends])
    triangles = np.array([[p[0], p[k], p[k + 1]] for p in polygons for k in range(1, len(p) - 1)])
    a, b, c = (points[triangles[:, k]] for k in range(3))
    inward = (np.cross(b - a, c - a) * (a + b + c)).sum(axis=1) < 0
    triangles[inward] = triangles[inward][:, ::-1]
    return planar_uv(Mesh(name, points, triangles, normals=normals[triangles]))


def turned(
    profile: Sequence[tuple[Number, Number]], *, segments: int = 20, crease_deg: Number = 40.0, name: str = "turned"
) -> Mesh:
    """A profile (radius, z) turned around z.

    Args:
        profile: metres, from the bottom's center over the outside to wherever it ends; the outside lies to the right of the
            way, so a cup goes up outside and down inside.
        segments: around z.
        crease_deg: bends sharper than this stay sharp.
        name: name of the mesh.
    """
    rz = np.asarray(profile, np.float64)
    count = len(rz)
    step = np.diff(rz, axis=0)
    length = np.maximum(np.linalg.norm(step, axis=1), 1e-9)
    band = np.stack([step[:, 1], -step[:, 0]], axis=1) / length[:, None]
    smooth = np.einsum("ij,ij->i", band[:-1], band[1:]) > np.cos(np.deg2rad(crease_deg))
    mean = band[:-1] + band[1:]
    mean = np.where(smooth[:, None], mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-9), 0)
    lower, upper = band.copy(), band.copy()
    lower[1:][smooth] = mean[smooth]
    upper[:-1][smooth] = mean[smooth]
    angle = 2 * np.pi * np.arange(segments + 1) / segments
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    ring[-1] = ring[0]
    points = np.concatenate([rz[:, None, :1] * ring[None, :-1], np.broadcast_to(rz[:, None, 1:], (count, segments, 1))], axis=2)
    way = np.concatenate([[0.0], np.cumsum(length)])
    around = angle * rz[:, 0].max()
    i, j = (k.ravel() for k in np.mgrid[: count - 1, :segments])
    next_j = (j + 1) % segments
    quad = np.stack([i * segments + j, i * segments + next_j, (i + 1) * segments + next_j, (i + 1) * segments + j], axis=1)

    def normal(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        return np.concatenate([rows[i][:, :1] * ring[columns], rows[i][:, 1:]], axis=1)

    normals = np.stack([normal(lower, j), normal(lower, next_j), normal(upper, next_j), normal(upper, j)], axis=1)
    uv = np.stack([np.stack([around[j + a], way[i + b]], axis=1) for a, b in ((0, 0), (1, 0), (1, 1), (0, 1))], axis=1)
    corners = np.array([[0, 1, 2], [0, 2, 3]])
    faces, normals, uv = (x[:, corners].reshape(-1, 3, *x.shape[2:]) for x in (quad, normals, uv))
    vertices = points.reshape(-1, 3)
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    real = np.linalg.norm(np.cross(b - a, c - a), axis=1) > 1e-12
    return Mesh(name, vertices, faces[real], uv=uv[real], normals=normals[real])


def rod(radius: Number, length: Number, *, bevel: Number = 0.0, segments: int = 16, name: str = "rod") -> Mesh:
    """A closed cylinder along z about the origin, its rims bevelled."""
    h, e = length / 2, min(bevel, 0.4 * radius, 0.2 * length)
    rims = [(radius - e, -h), (radius, -h + e), (radius, h - e), (radius - e, h)] if e else [(radius, -h), (radius, h)]
    return turned([(0, -h), *rims, (0, h)], segments=segments, crease_deg=50, name=name)


def pill(radius: Number, length: Number, *, segments: int = 14, name: str = "pill") -> Mesh:
    """A capsule along z about the origin; ``length`` is between the centers of its ends."""
    bow = np.linspace(-np.pi / 2, 0, 5)
    low = [(radius * np.cos(a), radius * np.sin(a) - length / 2) for a in bow]
    low[0] = (0.0, low[0][1])
    high = [(r, -z) for r, z in low[::-1]]
    return turned([*low, *high], segments=segments, crease_deg=60, name=name)


def ball(radius: Number, squash: Number = 1.0, *, segments: int = 18, name: str = "ball") -> Mesh:
    """A sphere about the origin, its height scaled by ``squash``."""
    bow = np.linspace(-np.pi / 2, np.pi / 2, 11)
    profile = [(max(radius * np.cos(a), 0.0), squash * radius * np.sin(a)) for a in bow]
    profile[0], profile[-1] = (0.0, -squash * radius), (0.0, squash * radius)
    return turned(profile, segments=segments, crease_deg=60, name=name)


def tube(path: Float[np.ndarray, "points 3"], radius: Number, *, segments: int = 8, name: str = "tube") -> Mesh:
    """A round tube along a polyline, open at its ends."""
    p = np.asarray(path, np.float64)
    along = np.gradient(p, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    side = np.cross(along[0], np.eye(3)[np.abs(along[0]).argmin()])
    rings = []
    for point, way in zip(p, along, strict=True):
        side = side - way * (side @ way)
        side = side / np.linalg.norm(side)
        angle = 2 * np.pi * np.arange(segments) / segments
        out = np.cos(angle)[:, None] * side + np.sin(angle)[:, None] * np.cross(way, side)
        rings.append((point + radius * out, out))
    points, normals = (np.concatenate([r[k] for r in rings]) for k in range(2))
    i, j = (k.ravel() for k in np.mgrid[: len(p) - 1, :segments])
    k = (j + 1) % segments
    quad = np.stack([i * segments + j, i * segments + k, (i + 1) * segments + k, (i + 1) * segments + j], axis=1)
    faces = quad[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3)
    return replace(planar_uv(Mesh(name, points, faces)), normals=normals[faces])


def arc(radius: Number, start_deg: Number, end_deg: Number, points: int = 9) -> Float[np.ndarray, "points 3"]:
    """Points of an arc in the xz plane about the origin, from x towards z."""
    angle = np.deg2rad(np.linspace(start_deg, end_deg, points))
    return np.stack([radius * np.cos(angle), 0 * angle, radius * np.sin(angle)], axis=1)


def merged(meshes: Sequence[Mesh], *, name: str = "merged") -> Mesh:
    """Meshes as one; all have UVs, and all normals or none."""
    start = np.cumsum([0, *(len(m.vertices) for m in meshes[:-1])])
    normals = [m.normals for m in meshes if m.normals is not None]
    uv = [m.uv for m in meshes if m.uv is not None]
    return Mesh(
        name,
        np.concatenate([m.vertices for m in meshes]),
        np.concatenate([m.faces + s for m, s in zip(meshes, start, strict=True)]),
        uv=np.concatenate(uv),
        normals=np.concatenate(normals) if len(normals) == len(meshes) else None,
    )


def filled_uv(mesh: Mesh) -> Mesh:
    """The same mesh with UVs from 0 to 1 over each of its sides: right for prints on boxes, upright on upright sides."""
    corners = mesh.vertices[mesh.faces]
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    share = (corners - low) / np.maximum(high - low, 1e-9)
    facing = face_normals(mesh.vertices, mesh.faces)
    axis = np.abs(facing).argmax(axis=1)
    sign = np.sign(np.take_along_axis(facing, axis[:, None], axis=1))
    u = np.where(axis[:, None] == 0, share[..., 1], share[..., 0])
    mirrored = np.where(axis == 0, sign[:, 0] < 0, np.where(axis == 1, sign[:, 0] > 0, False))
    u = np.where(mirrored[:, None], 1 - u, u)
    v = np.where(axis[:, None] == 2, share[..., 1], share[..., 2])
    return replace(mesh, uv=np.stack([u, v], axis=-1))


def wrapped(
    radius: Number, low: Number, high: Number, span_deg: Number = 360.0, *, segments: int = 24, name: str = "label"
) -> Mesh:
    """A label around the z axis, from ``low`` to ``high``, its middle to the front (-y); its UVs go from 0 to 1."""
    angle = np.deg2rad(-90 + span_deg * (np.linspace(0, 1, segments + 1) - 0.5))
    out = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    points = np.concatenate([radius * out + [0, 0, low], radius * out + [0, 0, high]])
    i = np.arange(segments)
    quad = np.stack([i, i + 1, i + segments + 2, i + segments + 1], axis=1)
    faces = quad[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3)
    u = np.tile(np.linspace(0, 1, segments + 1), 2)
    v = np.repeat([0.0, 1.0], segments + 1)
    return Mesh(name, points, faces, uv=np.stack([u, v], axis=1)[faces], normals=np.tile(out, (2, 1))[faces])


def sheet(half_x: Number, half_z: Number, *, name: str = "sheet") -> Mesh:
    """A rectangle in the plane y = 0 that faces -y; its UVs go from 0 to 1."""
    corners = np.array([[-1.0, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1]])
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    uv = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    return Mesh(name, corners * [half_x, 1, half_z], faces, uv=uv[faces])
