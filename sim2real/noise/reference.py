"""Plain numpy twin of the noise kernels: slow, short, and without tables, runs or native code."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Float32, Int

from ..camera.rays import ray_from_px
from ..camera.view import View
from ..raster.fragments import Fragments
from ..raster.protocol import Visibility
from ..scene.triangles import Triangles
from .charts.build import Charts
from .passes.cells import FINEST_LEVEL
from .passes.philox import mix64_reference, philox_reference

FAR_PX, NEAR_PX, FOLLOW_PX, THIN_PX, TOLERANCE, MOST_CUTS = 128.0, 1.0, 0.75, 0.03125, 0.1, 12


@dataclass(frozen=True, eq=False)
class Samples:
    """What the pixel centers of a view see, rows x columns each.

    - ``chart``, ``level``: of the cell that each wants.
    - ``place``: in the chart, 0 to 1.
    - ``inverse``: 2 x 2, how many pixels right and down per chart side along u and v.
    """

    chart: Int[np.ndarray, "rows columns"]
    level: Int[np.ndarray, "rows columns"]
    place: Float[np.ndarray, "rows columns 2"]
    inverse: Float[np.ndarray, "rows columns 2 2"]


def reference_samples(
    charts: Charts,
    triangles: Triangles,
    seen: Visibility | Fragments,
    view: View,
    *,
    limits: tuple[float, float],
) -> Samples:
    """Every pixel's place and wanted level, with finite differences for the footprint.

    ``limits``: ``pipeline.leaf_limits`` of the layout.
    """
    at = _Chart(charts, triangles, seen, view)
    h, place = 1e-4, at(0.0, 0.0)
    jacobian = np.stack([(at(h, 0.0) - at(-h, 0.0)) / (2 * h), (at(0.0, h) - at(0.0, -h)) / (2 * h)], -1)
    singular = np.linalg.svd(jacobian, compute_uv=False)
    squared = np.minimum(limits[0] * singular[..., 0] ** 2, limits[1] * singular.prod(-1))
    level = np.clip(-np.floor(np.floor(np.log2(np.maximum(squared, 1e-30))) / 2), 1, FINEST_LEVEL).astype(int)
    return Samples(at.chart, level, np.clip(place, 0, 1 - 2.0**-24), np.linalg.inv(jacobian))


class _Chart:
    """Chart coordinates that the rays through a picture's pixels meet, each on the plane of the face at its pixel's center."""

    def __init__(self, charts: Charts, triangles: Triangles, seen: Visibility | Fragments, view: View) -> None:
        face = seen.face.cpu().numpy()
        self._face, self._view = face, view
        self._corner = seen.camera_vertices.cpu().numpy().astype(np.float64)[triangles.faces]
        self._coordinates, self._rotation = charts.coordinates, view.world_from_camera[:3, :3]
        ray = self._ray(0.0, 0.0) @ self._rotation.T
        self._axis = np.abs(ray).argmax(-1)
        negative = np.take_along_axis(ray, self._axis[..., None], -1)[..., 0] < 0
        self.chart = self._axis + 3 * negative
        if len(charts.face_chart):
            self.chart = np.where(face >= 0, charts.face_chart[np.maximum(face, 0)], self.chart)

    def __call__(self, dx: float, dy: float) -> np.ndarray:
        """At an offset in pixels from the centers."""
        ray = self._ray(dx, dy)
        place = _sky(ray @ self._rotation.T, self._axis)
        if len(self._corner):
            surface = _surface(ray, self._corner, self._coordinates, np.maximum(self._face, 0))
            place = np.where((self._face >= 0)[..., None], surface, place)
        return place

    def _ray(self, dx: float, dy: float) -> np.ndarray:
        y, x = np.indices(self._face.shape) + 0.5
        xy = ray_from_px(np.stack([x + dx, y + dy], -1), self._view.intrinsics)
        return np.concatenate([xy, np.ones_like(xy[..., :1])], -1)


def _surface(ray: np.ndarray, corner: np.ndarray, coordinates: np.ndarray, face: np.ndarray) -> np.ndarray:
    """Where a ray from the eye meets its face's plane, in the face's chart."""
    a, b, c = (corner[face][..., k, :] for k in range(3))
    weights = np.linalg.solve(np.stack([a, b, c], -1), ray[..., None])[..., 0]  # ray = sum of weights * corners
    weights /= weights.sum(-1, keepdims=True)
    return (weights[..., None] * coordinates.astype(np.float64)[face]).sum(-2)


def _sky(direction: np.ndarray, axis: np.ndarray) -> np.ndarray:
    main = np.take_along_axis(direction, axis[..., None], -1)
    others = np.stack([(axis + 1) % 3, (axis + 2) % 3], -1)
    return 0.5 + 0.5 * np.take_along_axis(direction, others, -1) / main


@dataclass(frozen=True, eq=False)
class OwnedCells:
    """Disjoint cells (rows of chart, level, column, row), and the latent that each belongs to."""

    cells: Int[np.ndarray, "cells 4"]
    latent: Int[np.ndarray, "cells"]


def reference_cells(samples: Samples, *, factor: int, loss: float) -> OwnedCells:
    """The cells of a frame.

    Args:
        samples: of its pixels.
        factor: pixels per latent and axis.
        loss: what a cell may lose to its latent's neighbors, square pixels.
    """
    chart, wanted = samples.chart.ravel(), samples.level.ravel()
    grid = (samples.place.reshape(-1, 2) * 2**FINEST_LEVEL).astype(int)
    split = {
        (int(c), above, *(int(g) >> (FINEST_LEVEL - above) for g in place))
        for c, level, place in zip(chart, wanted, grid, strict=True)
        for above in range(level)
    }
    leaves: dict[tuple[int, int, int, int], dict[tuple[int, int], int]] = {}
    for pixel, (c, place) in enumerate(zip(chart, samples.place.reshape(-1, 2), strict=True)):
        level = next(k for k in range(1, FINEST_LEVEL + 1) if (int(c), k, *(int(v) for v in place * 2**k)) not in split)
        i, j = (int(v) for v in place * 2 ** (level + 2))
        leaves.setdefault((int(c), level, i >> 2, j >> 2), {}).setdefault((i & 3, j & 3), pixel)
    cut = _Cut(samples, factor, loss)
    for leaf, inside in leaves.items():
        cut.leaf(leaf, inside)
    return OwnedCells(np.array([cell for cell, _ in cut.owned]), np.array([latent for _, latent in cut.owned]))


CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))


@dataclass(frozen=True)
class _At:
    """Where a cell's center lies in the picture, the pixel whose map says so, and whether that pixel sees it."""

    xy: np.ndarray
    pixel: tuple[int, int]
    seen: bool = True


class _Cut:
    """Cuts leaves along the borders of latents; ``owned`` lists what comes out."""

    SPLIT = -2

    def __init__(self, samples: Samples, factor: int, loss: float) -> None:
        self._samples, self._factor, self._loss = samples, factor, loss
        self._size = np.array(samples.chart.shape[::-1], float)
        self.owned: list[tuple[tuple[int, int, int, int], int]] = []

    def leaf(self, cell: tuple[int, int, int, int], inside: dict[tuple[int, int], int]) -> None:
        """Cut one leaf.

        Args:
            cell: chart, level, column, row.
            inside: by place in the leaf's 4 x 4 parts, the first pixel that sees that part.
        """
        quarter = [_first(inside, (2 * a, 2 * a + 1), (2 * b, 2 * b + 1)) for a, b in CORNERS]
        middle = _first(inside, (1, 2), (1, 2))
        middle = min(inside.values()) if middle is None else middle
        at = self._found(self._center_of(middle), cell)
        hidden = not at.seen
        origin = self._center_of(middle) if hidden else at
        others = inside.values() if hidden else [other for other in quarter if other is not None]
        plain = all(self._agrees(origin.pixel, self._center_of(other).pixel) for other in others)
        if plain and hidden:
            at = replace(origin, xy=origin.xy + self._offset(origin.pixel, cell), seen=False)
        samples = {1: quarter, 2: inside, "plain": plain, "partial": hidden or len(inside) < 16}
        self._settle(cell, at, self._verdict(cell, at, self._shape(cell, at), 0, hiding=True), 0, samples)

    def _agrees(self, here: tuple[int, int], there: tuple[int, int]) -> bool:
        """Whether one pixel's map has the other in its place."""
        offset = self._samples.inverse[here] @ (self._samples.place[there] - self._samples.place[here])
        return bool((np.abs(offset - np.subtract(there, here)[::-1]) <= TOLERANCE * self._factor).all())

    def _settle(self, cell: tuple[int, int, int, int], at: _At, verdict: int, depth: int, samples: dict) -> None:
        if verdict != self.SPLIT:
            if verdict >= 0:
                self.owned.append((cell, verdict))
            return
        chart, level, i, j = cell
        inverse, shape = self._samples.inverse[at.pixel], self._shape((chart, level + 1, i, j), at)
        reach = shape.sum(1)
        follow = samples["plain"] or (depth >= 2 and at.seen and 2 * reach.max() <= FOLLOW_PX)
        within = (at.xy >= 2 * reach).all() and (at.xy + 2 * reach < self._size).all()
        for k, (a, b) in enumerate(CORNERS):
            child = (chart, level + 1, 2 * i + a, 2 * j + b)
            guess = _At(at.xy + inverse @ np.array([2 * a - 1, 2 * b - 1]) * 0.5 ** (level + 2), at.pixel)
            sample, own = _sample_of(samples, depth + 1, k, child), shape
            if follow:
                guess = replace(guess, seen=self._near(guess.xy, child)) if within else self._found(guess, child)
            else:
                guess = self._found(guess if sample is None else self._center_of(sample), child)
                own = self._shape(child, guess)
            hiding = sample is not None if depth < 2 else bool(own.sum(1).max() > 1)
            verdict = self._verdict(child, guess, own, depth + 1, hiding=hiding and (samples["partial"] or not follow))
            if follow:
                guess = replace(guess, seen=guess.seen or bool(within))
            self._settle(child, guess, verdict, depth + 1, samples)

    def _near(self, xy: np.ndarray, cell: tuple[int, int, int, int]) -> bool:
        """Whether the pixel there sees a cell's center."""
        column, row = (int(v) for v in xy)
        offset = self._offset((row, column), cell)
        return bool(self._samples.chart[row, column] == cell[0] and np.abs(offset).max() <= NEAR_PX)

    def _offset(self, pixel: tuple[int, int], cell: tuple[int, int, int, int]) -> np.ndarray:
        """From a pixel's center to a cell's center, as the pixel's map has it, pixels."""
        _, level, i, j = cell
        return self._samples.inverse[pixel] @ ((np.array([i, j]) + 0.5) * 0.5**level - self._samples.place[pixel])

    def _shape(self, cell: tuple[int, int, int, int], at: _At) -> np.ndarray:
        """Half of a cell's sides in the picture: rows x and y, columns along u and along v, absolute."""
        return 0.5 ** (cell[1] + 1) * np.abs(self._samples.inverse[at.pixel])

    def _center_of(self, pixel: int) -> _At:
        row, column = divmod(pixel, self._samples.chart.shape[1])
        return _At(np.array([column + 0.5, row + 0.5]), (row, column))

    def _found(self, guess: _At, cell: tuple[int, int, int, int]) -> _At:
        """Newton's steps from pixel to pixel."""
        at, before = guess, FAR_PX
        for step in range(4):
            if (at.xy < 0).any() or (at.xy >= self._size).any():
                break
            column, row = (int(v) for v in at.xy)
            if self._samples.chart[row, column] != cell[0]:
                break
            offset = self._offset((row, column), cell)
            off = np.abs(offset).max()
            if off > 0.5 and off > 0.5 * before:
                return _At(at.xy, at.pixel, bool(off <= NEAR_PX and step > 0))
            before = off
            at = _At(np.array([column + 0.5, row + 0.5]) + offset, (row, column))
            if off <= 0.5:
                return at
        return _At(at.xy, at.pixel, False)

    def _verdict(self, cell: tuple[int, int, int, int], at: _At, shape: np.ndarray, depth: int, *, hiding: bool) -> int:
        """The latent that a cell goes to, -1 for none, SPLIT."""
        size, reach = self._factor, shape.sum(1)
        area = 4 * 0.25 ** (cell[1] + 1) * abs(np.linalg.det(self._samples.inverse[at.pixel]))
        latent, lost, wide = -1, area, True
        if (at.xy >= 0).all() and (at.xy < self._size).all():
            column, row = (int(v) // size for v in at.xy)
            within = at.xy - np.array([column, row]) * size
            to_border = np.minimum(within, size - within)
            lost = area * sum(_beyond(d, *sides) for d, sides in zip(to_border, shape, strict=True))
            wide = (reach > to_border).any()
            if at.seen:
                latent = row * (self._samples.chart.shape[1] // size) + column
        elif (at.xy + reach <= 0).any() or (at.xy - reach >= self._size).any():
            return -1
        more = lost > self._loss or (wide and reach.max() > 0.5 * size) or (latent == -1 and hiding)
        last = cell[1] >= FINEST_LEVEL or depth >= MOST_CUTS
        return self.SPLIT if more and not last and area > THIN_PX * reach.sum() else latent


def _sample_of(samples: dict, depth: int, corner: int, cell: tuple[int, int, int, int]) -> int | None:
    """A sample that lies in a child of a leaf (depth 1) or in a child's child."""
    if depth == 1:
        return samples[1][corner]
    return samples[2].get((cell[2] & 3, cell[3] & 3)) if depth == 2 else None


def _first(inside: dict[tuple[int, int], int], columns: tuple[int, int], rows: tuple[int, int]) -> int | None:
    return min((inside[part] for part in inside if part[0] in columns and part[1] in rows), default=None)


def _beyond(distance: np.floating, a: np.floating, b: np.floating) -> float:
    """Share of a parallelogram beyond a line at a distance from its center; a, b: half of its sides across the line."""
    if distance > abs(a - b):
        return float(max(a + b - distance, 0.0) ** 2 / max(8 * a * b, 1e-30))
    return float(0.5 - distance / (2 * max(a, b)))


def reference_noise(
    owned: OwnedCells, charts: Charts, *, latents: tuple[int, int], channels: int, seed: int
) -> Float32[np.ndarray, "channels latent_height latent_width"]:
    """Draw and add.

    Args:
        owned: which latent owns which cell.
        charts: for the sides and keys of the charts.
        latents: their (height, width).
        channels: how many.
        seed: of the field.

    Returns:
        The frame's noise; latents that own nothing are NaN (the kernels draw these afresh).
    """
    value = _values(owned.cells, charts, channels, seed)
    weight = charts.side_m[owned.cells[:, 0]].astype(np.float64) * 2.0 ** -owned.cells[:, 1]
    count = latents[0] * latents[1]
    total, area = np.zeros((count, channels)), np.bincount(owned.latent, weight**2, count)
    np.add.at(total, owned.latent, weight[:, None] * value)
    with np.errstate(invalid="ignore"):
        noise = total / np.sqrt(area)[:, None]
    return noise.T.reshape(channels, *latents).astype(np.float32)


def _values(cells: np.ndarray, charts: Charts, channels: int, seed: int) -> np.ndarray:
    """Every cell's value by walking down from its chart's root, one Haar step a level."""
    chart, level, i, j = cells.T
    value = np.zeros((len(cells), channels))
    pair, odd = np.arange(channels) // 2, np.arange(channels) % 2
    for at in range(int(level.max())):
        below = level > at
        ci, cj = i[below] >> (level[below] - at), j[below] >> (level[below] - at)
        key = (np.uint64(at) << np.uint64(40)) | (ci.astype(np.uint64) << np.uint64(20)) | cj.astype(np.uint64)
        with np.errstate(over="ignore"):
            key = mix64_reference(mix64_reference(key + charts.key[chart[below]]) + np.uint64(seed % 2**64))

        def normal(counter: np.ndarray, key: np.ndarray = key) -> np.ndarray:
            first, second = philox_reference(key[:, None], counter[None])
            return np.where(odd, second, first)

        if at == 0:
            value[below] = normal(0x80000000 + pair)
        h1, h2, h3 = (normal(3 * pair + m) for m in range(3))
        si = 1 - 2 * ((i[below] >> (level[below] - at - 1)) & 1)[:, None]
        sj = 1 - 2 * ((j[below] >> (level[below] - at - 1)) & 1)[:, None]
        value[below] = (value[below] + si * h1 + sj * h2 + si * sj * h3) / 2
    return value
