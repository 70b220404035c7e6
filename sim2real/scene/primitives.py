"""Solids and surfaces as triangles: metres, z up, outward winding, UVs, smooth corner normals where they are round.

- Sizes follow MuJoCo: half lengths and radii, centerd at the origin, axis along z.
- UVs span [0, 1] over each face of a box, over each cap, and once around and along each round side.
- Vertices are shared along seams and edges (only corners differ), so that every solid is watertight.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ..errors import BadValueError
from .records import Mesh

_Corners = tuple[np.ndarray, np.ndarray, np.ndarray]  # positions (F, 3, 3), normals (F, 3, 3), uv (F, 3, 2)


def _positive(what: str, values: Sequence[float] | np.ndarray | float, count: int) -> np.ndarray:
    sizes = np.atleast_1d(np.asarray(values, np.float64))
    if sizes.shape != (count,) or not (np.isfinite(sizes).all() and (sizes > 0).all()):
        right = "a positive number" if count == 1 else f"{count} positive numbers"
        raise BadValueError(what, values, right=f"{right} (metres)")
    return sizes


def _grid(points: np.ndarray, normals: np.ndarray, uv: np.ndarray) -> _Corners:
    """Two triangles per cell of a (rows, columns) grid; counter-clockwise where columns x rows points outward."""
    rows, columns = points.shape[:2]
    i, j = (k.ravel() for k in np.mgrid[: rows - 1, : columns - 1])
    a, b, c, d = (i, j), (i, j + 1), (i + 1, j + 1), (i + 1, j)

    def corners(values: np.ndarray) -> np.ndarray:
        lower = np.stack([values[a], values[b], values[c]], axis=1)
        upper = np.stack([values[a], values[c], values[d]], axis=1)
        return np.stack([lower, upper], axis=1).reshape(-1, 3, values.shape[-1])

    return corners(points), corners(normals), corners(uv)


def _uv_grid(rows: int, columns: int) -> np.ndarray:
    v, u = np.meshgrid(np.linspace(0, 1, rows), np.linspace(0, 1, columns), indexing="ij")
    return np.stack([u, v], axis=-1)


def _welded(name: str, patches: Sequence[_Corners]) -> Mesh:
    """One mesh of several patches: equal positions become one vertex, triangles without area (at poles) go."""
    points, normals, uv = (np.concatenate([patch[k] for patch in patches]) for k in range(3))
    flat = points.reshape(-1, 3) + 0.0  # -0.0 becomes 0.0
    vertices, index = np.unique(flat, axis=0, return_inverse=True)
    faces = index.reshape(-1, 3)
    real = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    return Mesh(name, vertices, faces[real], uv=uv[real], normals=normals[real])


def _circle(segments: int) -> np.ndarray:
    """Cosine and sine around a circle, closed exactly (the last row equals the first)."""
    angle = 2 * np.pi * np.arange(segments) / segments
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    ring[np.abs(ring) < 1e-15] = 0
    return np.concatenate([ring, ring[:1]])


def _lathe(profile: np.ndarray, profile_normals: np.ndarray, v: np.ndarray, segments: int) -> _Corners:
    """A profile (radius, z), from bottom to top, turned around z."""
    ring = _circle(segments)

    def turned(rz: np.ndarray) -> np.ndarray:
        xy = rz[:, None, :1] * ring[None]
        return np.concatenate([xy, np.broadcast_to(rz[:, None, 1:], (*xy.shape[:2], 1))], axis=-1)

    uv = _uv_grid(len(profile), segments + 1)
    uv[..., 1] = v[:, None]
    return _grid(turned(profile), turned(profile_normals), uv)


def _disc(radius: float, z: float, up: bool, segments: int) -> _Corners:
    """A flat cap; seen from outside, u goes right."""
    profile = np.array([[radius, z], [0.0, z]]) if up else np.array([[0.0, z], [radius, z]])
    points, normals, _ = _lathe(profile, np.array([[0.0, 1.0 if up else -1.0]] * 2), np.zeros(2), segments)
    uv = 0.5 + points[..., :2] / (2 * radius) * [1.0, 1.0 if up else -1.0]
    return points, normals, uv


def box(half_size: Sequence[float] | Float[np.ndarray, "3"], *, name: str = "box") -> Mesh:
    """A box; every face carries the whole texture, upright on the four sides.

    Args:
        half_size: half lengths along x, y, z, metres.
        name: name of the mesh.

    Raises:
        BadValueError: a size is not positive.
    """
    half = _positive("the half size of a box", half_size, 3)
    #        u axis        v axis       (their cross product points outward)
    faces = [
        ((0, 1, 0), (0, 0, 1)),
        ((0, -1, 0), (0, 0, 1)),
        ((-1, 0, 0), (0, 0, 1)),
        ((1, 0, 0), (0, 0, 1)),
        ((1, 0, 0), (0, 1, 0)),
        ((1, 0, 0), (0, -1, 0)),
    ]
    uv = _uv_grid(2, 2)
    patches = []
    for right, up in np.array(faces, np.float64):
        out = np.cross(right, up)
        signs = (2 * uv[..., :1] - 1) * right + (2 * uv[..., 1:] - 1) * up + out
        patches.append(_grid(signs * half, np.broadcast_to(out, signs.shape), uv))
    return _welded(name, patches)


def ellipsoid(
    half_size: Sequence[float] | Float[np.ndarray, "3"], *, segments: int = 32, rings: int = 16, name: str = "ellipsoid"
) -> Mesh:
    """An ellipsoid with poles on z; u is the longitude, v the latitude.

    Args:
        half_size: half axes along x, y, z, metres.
        segments: triangle pairs around z.
        rings: triangle pairs from pole to pole.
        name: name of the mesh.

    Raises:
        BadValueError: a size is not positive.
    """
    half = _positive("the half size of an ellipsoid", half_size, 3)
    latitude = np.linspace(-np.pi / 2, np.pi / 2, rings + 1)
    profile = np.stack([np.cos(latitude), np.sin(latitude)], axis=-1)
    profile[[0, -1], 0] = 0
    points, normals, uv = _lathe(profile, profile, np.linspace(0, 1, rings + 1), segments)
    normals = normals / half
    return _welded(name, [(points * half, normals / np.linalg.norm(normals, axis=-1, keepdims=True), uv)])


def sphere(radius: float, *, segments: int = 32, rings: int = 16, name: str = "sphere") -> Mesh:
    """A sphere; as ``ellipsoid``."""
    r = float(_positive("the radius of a sphere", radius, 1)[0])
    return ellipsoid([r, r, r], segments=segments, rings=rings, name=name)


def cylinder(radius: float, half_height: float, *, segments: int = 32, name: str = "cylinder") -> Mesh:
    """A closed cylinder along z.

    Args:
        radius: metres.
        half_height: metres.
        segments: triangle pairs around z.
        name: name of the mesh.

    Raises:
        BadValueError: a size is not positive.
    """
    r, h = _positive("the size of a cylinder (radius, half height)", [radius, half_height], 2)
    side = _lathe(np.array([[r, -h], [r, h]]), np.array([[1.0, 0.0]] * 2), np.array([0.0, 1.0]), segments)
    return _welded(name, [side, _disc(r, h, True, segments), _disc(r, -h, False, segments)])


def capsule(radius: float, half_height: float, *, segments: int = 32, rings: int = 8, name: str = "capsule") -> Mesh:
    """A cylinder along z with a half sphere on either end.

    Args:
        radius: of cylinder and half spheres, metres.
        half_height: half the length of the cylinder, without its ends, metres.
        segments: triangle pairs around z.
        rings: triangle pairs along each half sphere.
        name: name of the mesh.

    Raises:
        BadValueError: a size is not positive.
    """
    r, h = _positive("the size of a capsule (radius, half height)", [radius, half_height], 2)
    latitude = np.linspace(0, np.pi / 2, rings + 1)
    upper = np.stack([np.cos(latitude), np.sin(latitude)], axis=-1)
    upper[-1, 0] = 0
    lower = upper[::-1] * [1, -1]
    profile = np.concatenate([lower * r - [0, h], upper * r + [0, h]])
    way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(profile, axis=0), axis=1))])
    return _welded(name, [_lathe(profile, np.concatenate([lower, upper]), way / way[-1], segments)])


def cone(radius: float, half_height: float, *, segments: int = 32, name: str = "cone") -> Mesh:
    """A closed cone along z, its tip up; the UVs of its side are those of a disc seen from above (no seam).

    Args:
        radius: of the base, metres.
        half_height: half of the height, metres.
        segments: triangles around z.
        name: name of the mesh.

    Raises:
        BadValueError: a size is not positive.
    """
    r, h = _positive("the size of a cone (radius, half height)", [radius, half_height], 2)
    slope = np.array([2 * h, r]) / np.hypot(2 * h, r)
    points, normals, _ = _lathe(np.array([[r, -h], [0.0, h]]), np.array([slope, slope]), np.array([0.0, 1.0]), segments)
    side = points, normals, 0.5 + points[..., :2] / (2 * r)
    return _welded(name, [side, _disc(r, -h, False, segments)])


def torus(radius: float, tube_radius: float, *, segments: int = 48, rings: int = 24, name: str = "torus") -> Mesh:
    """A torus around z.

    Args:
        radius: from the center to the middle of the tube, metres.
        tube_radius: metres, less than ``radius``.
        segments: triangle pairs around z.
        rings: triangle pairs around the tube.
        name: name of the mesh.

    Raises:
        BadValueError: a size is not positive, or the tube meets itself.
    """
    big, small = _positive("the size of a torus (radius, tube radius)", [radius, tube_radius], 2)
    if small >= big:
        raise BadValueError("the tube radius of a torus", small, right=f"less than its radius {big}")
    around = _circle(rings)
    return _welded(name, [_lathe(around * small + [big, 0.0], around, np.linspace(0, 1, rings + 1), segments)])


def plane(half_size: Sequence[float] | Float[np.ndarray, "2"], *, cells: tuple[int, int] = (1, 1), name: str = "plane") -> Mesh:
    """A rectangle at z = 0 that faces up.

    Args:
        half_size: half lengths along x and y, metres.
        cells: how many cells along x and y; one cell is two triangles.
        name: name of the mesh.

    Raises:
        BadValueError: a size or a number of cells is not positive.
    """
    half = _positive("the half size of a plane", half_size, 2)
    if min(cells) < 1:
        raise BadValueError("the number of cells of a plane", cells, right="two positive integers")
    return heightfield(np.zeros((cells[1] + 1, cells[0] + 1)), half, name=name)


def heightfield(
    heights: Float[np.ndarray, "rows columns"],
    half_size: Sequence[float] | Float[np.ndarray, "2"],
    *,
    base: float | None = None,
    name: str = "heightfield",
) -> Mesh:
    """A surface z(x, y) on a regular grid, with smooth normals.

    Args:
        heights: z at the grid's points, metres; rows go along y, columns along x, both upward.
        half_size: half lengths of the grid along x and y, metres.
        base: z of a flat bottom; walls and bottom are added, so that the solid is closed. ``None``: the surface only.
        name: name of the mesh.

    Returns:
        A mesh whose first (rows x columns) vertices are the grid, row by row.

    Raises:
        BadValueError: sizes that are not positive, heights that are not finite, or a base that is not below them.
    """
    half = _positive("the half size of a height field", half_size, 2)
    z = np.asarray(heights, np.float64)
    if z.ndim != 2 or min(z.shape) < 2 or not np.isfinite(z).all():
        raise BadValueError(
            "the heights of a height field", f"an array of shape {z.shape}", right="a finite 2D grid of at least 2x2"
        )
    rows, columns = z.shape
    y, x = np.meshgrid(np.linspace(-half[1], half[1], rows), np.linspace(-half[0], half[0], columns), indexing="ij")
    points = np.stack([x, y, z], axis=-1)
    slope_y, slope_x = np.gradient(z, 2 * half[1] / (rows - 1), 2 * half[0] / (columns - 1))
    normals = np.stack([-slope_x, -slope_y, np.ones_like(z)], axis=-1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    _, corner_normals, uv = _grid(points, normals, _uv_grid(rows, columns))
    index = np.arange(rows * columns).reshape(rows, columns, 1)
    faces = _grid(index, index, index)[0][..., 0]
    vertices = points.reshape(-1, 3)
    if base is None:
        return Mesh(name, vertices, faces, uv=uv, normals=corner_normals)
    if base >= z.min():
        raise BadValueError("the base of a height field", base, right=f"below its lowest point {z.min():g}")
    return _with_base(name, index[..., 0], vertices, (faces, uv, corner_normals), base)


def _with_base(name: str, index: np.ndarray, vertices: np.ndarray, top: _Corners, base: float) -> Mesh:
    """Close a height field by walls down to a bottom."""
    rim = np.concatenate([index[0, :-1], index[:-1, -1], index[-1, :0:-1], index[:0:-1, 0]])  # counter-clockwise from above
    count, start = len(rim), len(vertices)
    below = np.arange(start, start + count)
    floor = np.concatenate([vertices[rim, :2], np.full((count, 1), base)], axis=1)
    middle = np.array([[*vertices[:, :2].mean(axis=0), base]])
    after, after_below = np.roll(rim, -1), np.roll(below, -1)
    walls = np.concatenate([np.stack([below, after_below, after], 1), np.stack([below, after, rim], 1)])
    bottom = np.stack([np.full(count, start + count), after_below, below], axis=1)
    every = np.concatenate([vertices, floor, middle])
    faces, uv, normals = top
    extra = np.concatenate([walls, bottom])
    a, b, c = (every[extra[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    span = np.ptp(vertices[:, :2], axis=0)
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(floor[:, :2], axis=0), axis=1))]) / span.sum() / 2
    nexts = np.append(along[1:], 1.0)
    top_v = (vertices[rim, 2] - base) / (vertices[:, 2].max() - base)
    zero = np.zeros(count)

    def uv_of(*corners: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        return np.stack([np.stack(corner, axis=-1) for corner in corners], axis=1)

    wall_uv = [
        uv_of((along, zero), (nexts, zero), (nexts, np.roll(top_v, -1))),
        uv_of((along, zero), (nexts, np.roll(top_v, -1)), (along, top_v)),
    ]
    bottom_uv = (every[bottom][..., :2] - vertices[:, :2].min(axis=0)) / span * [1, -1] + [0, 1]
    return Mesh(
        name,
        every,
        np.concatenate([faces, extra]),
        uv=np.concatenate([uv, *wall_uv, bottom_uv]),
        normals=np.concatenate([normals, np.repeat(flat[:, None], 3, axis=1)]),
    )
