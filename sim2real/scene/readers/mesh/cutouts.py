"""Cut-outs as geometry: where a texture says that there is nothing, there are no faces.

So every picture of a scene (render, depth, labels, noise, shadows, a path tracer's) has the same holes, with borders that do
not depend on the camera. The border is the line on which alpha, linear between texels, reaches the cutoff: texel cells are
halved along a diagonal and cut there (marching triangles), then clipped to the face.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float64, Int
from PIL import Image

from ...mesh_ops import subset
from ...records import Mesh

MOST_PIECES = 100_000
"""Of a mesh; where a texture would cut it into more, its alpha is made coarser."""
_SIDES = (512, 256, 128, 64, 32, 16)
"""Texels along the longer side that alpha is looked at with, finest first."""
_ROUNDED = 6
"""Decimals of a texel to which new corners are rounded, so that neighbors have the same ones."""


def cut_out(mesh: Mesh, alpha: Float[np.ndarray, "height width"], cutoff: float) -> Mesh:
    """The mesh without what its texture leaves out.

    Args:
        mesh: with UVs.
        alpha: 0 to 1, row 0 at the top (v = 1); it repeats.
        cutoff: what is less is left out.

    Returns:
        The same mesh if nothing is left out; otherwise one whose faces are cut, without any face if all of it is.
    """
    assert mesh.uv is not None
    if alpha.min() >= cutoff:
        return mesh
    grid, corners = _coarse_enough(mesh.uv.astype(np.float64), alpha.astype(np.float64), cutoff)
    low, high = np.floor(corners.min(axis=1)).astype(np.int64), np.floor(corners.max(axis=1)).astype(np.int64) + 1
    whole, cut = np.zeros(len(corners), bool), []
    area = _cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    for face in range(len(corners)):
        there = _window(grid, low[face], high[face]) >= cutoff
        whole[face] = there.all()
        if whole[face] or not there.any():
            continue
        if abs(area[face]) < 1e-9:  # a point or a line of the texture
            x, y = np.round(corners[face].mean(axis=0)).astype(int)
            whole[face] = grid[y % len(grid), x % grid.shape[1]] >= cutoff
            continue
        pieces = _pieces(grid, corners[face], low[face], high[face], cutoff)
        cut.append((face, pieces if area[face] > 0 else pieces[:, ::-1]))
    return _rebuilt(mesh, corners, whole, [(face, pieces) for face, pieces in cut if len(pieces)])


def _coarse_enough(
    uv: Float64[np.ndarray, "faces 3 2"], alpha: Float64[np.ndarray, "height width"], cutoff: float
) -> tuple[Float64[np.ndarray, "h w"], Float64[np.ndarray, "faces 3 2"]]:
    """Alpha of as many texels as the mesh can bear, and the corners (x, y) in them, whole numbers at texels' centers."""
    grid, corners = alpha, _in_texels(uv, alpha.shape)
    for side in _SIDES:
        scale = side / max(alpha.shape)
        if scale < 1:
            size = [max(2, round(n * scale)) for n in alpha.shape[::-1]]
            grid = np.asarray(Image.fromarray(alpha.astype(np.float32)).resize(size, Image.Resampling.BOX), np.float64)
            corners = _in_texels(uv, grid.shape)
        there = grid >= cutoff
        border = np.mean((there != np.roll(there, 1, 0)) | (there != np.roll(there, 1, 1)))
        extent = np.ptp(corners, axis=1) + 1
        if (2 * border * extent.prod(axis=1) + extent[:, 1]).sum() <= MOST_PIECES:
            break
    return grid, corners


def _in_texels(uv: Float64[np.ndarray, "faces 3 2"], shape: tuple[int, ...]) -> Float64[np.ndarray, "faces 3 2"]:
    return np.stack([uv[..., 0] * shape[1], (1 - uv[..., 1]) * shape[0]], axis=-1) - 0.5


def _window(grid: Float64[np.ndarray, "h w"], low: Int[np.ndarray, "2"], high: Int[np.ndarray, "2"]) -> np.ndarray:
    """Texels from ``low`` to ``high``, both included; the texture repeats."""
    rows, columns = (np.arange(low[k], high[k] + 1) % grid.shape[1 - k] for k in (1, 0))
    return grid[np.ix_(rows, columns)]


def _pieces(
    grid: Float64[np.ndarray, "h w"],
    corners: Float64[np.ndarray, "3 2"],
    low: Int[np.ndarray, "2"],
    high: Int[np.ndarray, "2"],
    cutoff: float,
) -> Float64[np.ndarray, "pieces 3 2"]:
    """Triangles that fill what is there of a face, in texels, wound as x to y turns."""
    level = _window(grid, low, high) - cutoff
    there = level >= 0
    count = there[:-1, :-1].astype(int) + there[1:, :-1] + there[:-1, 1:] + there[1:, 1:]
    runs = _runs(count == 4)
    polygons = [(runs, np.full(len(runs), 4))]
    y, x = np.nonzero((count > 0) & (count < 4))
    for second, third in (((0, 1), (1, 1)), ((1, 1), (1, 0))):  # (row, column) steps of a half cell's other corners
        steps = np.array([(0, 0), second, third])
        rows, columns = y[:, None] + steps[:, 0], x[:, None] + steps[:, 1]
        half = np.stack([columns, rows], axis=-1).astype(np.float64)
        polygons.append(_clipped(half, np.full(len(half), 3), level[rows, columns]))
    triangles = []
    for points, size in polygons:
        points = points + low
        face = corners if _cross(corners[1] - corners[0], corners[2] - corners[0]) > 0 else corners[::-1]
        for k in range(3):
            a, along = face[k], face[(k + 1) % 3] - face[k]
            points, size = _clipped(points, size, _cross(along, points - a))
        points = np.round(points, _ROUNDED)
        for k in range(1, points.shape[1] - 1 if len(points) else 1):
            fan = points[size > k + 1][:, [0, k, k + 1]]
            triangles.append(fan[_cross(fan[:, 1] - fan[:, 0], fan[:, 2] - fan[:, 0]) > 0])
    return np.concatenate([np.zeros((0, 3, 2)), *triangles])


def _runs(full: Bool[np.ndarray, "rows columns"]) -> Float64[np.ndarray, "runs 4 2"]:
    """Cells that are wholly there, as rectangles as long as they go on in a row."""
    padded = np.pad(full.astype(np.int8), ((0, 0), (1, 1)))
    change = np.diff(padded, axis=1)
    row, start = np.nonzero(change == 1)
    end = np.nonzero(change == -1)[1]
    top, left, right = row.astype(float), start.astype(float), end.astype(float)
    return np.stack([np.stack(p, -1) for p in ((left, top), (right, top), (right, top + 1), (left, top + 1))], axis=1)


def _clipped(
    points: Float64[np.ndarray, "n most 2"], size: Int[np.ndarray, " n"], height: Float64[np.ndarray, "n most"]
) -> tuple[Float64[np.ndarray, "m more 2"], Int[np.ndarray, " m"]]:
    """Convex polygons (their first ``size`` points) where a linear ``height`` is not negative (Sutherland and Hodgman 1974)."""
    if not len(points):
        return points, size
    place = np.arange(points.shape[1])
    valid = place < size[:, None]
    following = np.where(place + 1 < size[:, None], place + 1, 0)
    after, height_after = np.take_along_axis(points, following[..., None], 1), np.take_along_axis(height, following, 1)
    crosses = valid & ((height >= 0) != (height_after >= 0))
    part = height / np.where(crosses, height - height_after, 1)
    made = np.stack([points, points + part[..., None] * (after - points)], axis=2).reshape(len(points), -1, 2)
    kept = np.stack([valid & (height >= 0), crosses], axis=2).reshape(len(points), -1)
    size = kept.sum(axis=1)
    order = np.argsort(~kept, axis=1, kind="stable")[:, : max(int(size.max()), 3)]
    real = size >= 3
    return np.take_along_axis(made, order[..., None], 1)[real], size[real]


def _cross(a: Float64[np.ndarray, "... 2"], b: Float64[np.ndarray, "... 2"]) -> Any:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def _rebuilt(
    mesh: Mesh, texels: Float64[np.ndarray, "faces 3 2"], whole: Bool[np.ndarray, " faces"], cut: list[tuple[int, np.ndarray]]
) -> Mesh:
    """The faces that stayed, and those made of pieces: positions, UVs and normals are linear in the texels of a face."""
    rest = subset(mesh, whole)
    if not cut:
        return rest
    shares, faces = [], []
    for face, pieces in cut:
        a, b, c = texels[face]
        area = _cross(b - a, c - a)
        second, third = _cross(pieces - a, c - a) / area, _cross(b - a, pieces - a) / area
        shares.append(np.stack([1 - second - third, second, third], axis=-1))
        faces.append(np.full(len(pieces), face))
    share, face = np.concatenate(shares), np.concatenate(faces)

    def spread(corners: np.ndarray) -> np.ndarray:
        return np.einsum("nks,nsd->nkd", share, np.asarray(corners, np.float64)[face])

    moments = [mesh.vertices] if mesh.deformed is None else [mesh.vertices, *mesh.deformed]
    spots = np.concatenate([spread(points[mesh.faces]).reshape(-1, 3) for points in moments], axis=1)
    spots, index = np.unique(spots, axis=0, return_inverse=True)
    vertices, deformed, normals = spots[:, :3], None, None
    if mesh.deformed is not None and rest.deformed is not None:
        later = spots[:, 3:].reshape(len(spots), -1, 3).swapaxes(0, 1).astype(mesh.deformed.dtype)
        deformed = np.concatenate([rest.deformed, later], axis=1)
    assert mesh.uv is not None and rest.uv is not None
    if mesh.normals is not None and rest.normals is not None:
        normals = spread(mesh.normals)
        normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)
        normals = np.concatenate([rest.normals, normals])
    colors = mesh.colors
    if colors is not None and rest.colors is not None:
        pieces_srgb = np.rint(spread(colors.srgb)).clip(0, 255).astype(np.uint8)
        colors = replace(colors, srgb=np.concatenate([rest.colors.srgb, pieces_srgb]))
    return replace(
        mesh,
        colors=colors,
        vertices=np.concatenate([rest.vertices, vertices]),
        faces=np.concatenate([rest.faces, index.reshape(-1, 3) + len(rest.vertices)]),
        uv=np.concatenate([rest.uv, spread(mesh.uv)]),
        normals=normals,
        deformed=deformed,
    )
