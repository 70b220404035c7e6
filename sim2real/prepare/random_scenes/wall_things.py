"""What hangs on walls: pictures and posters, sockets and switches, shelves with books, and cables that run to them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.interpolate import PchipInterpolator

from ..assets import names
from ..assets.library import Assets
from .builder import Piece, Stage, at
from .materials import Look, Looks
from .shapes import Number, board, filled_uv, merged, tube
from .walls import Wall, between


def decorate(
    rng: np.random.Generator, looks: Looks, stage: Stage, wall: Wall, assets: Assets | None, *, busy: float = 1.0
) -> None:
    """Hang things on a wall: pictures and posters, sockets and switches, a shelf with books, whatever hangs.

    Args:
        rng: of all of it.
        looks: of frames, prints and shelves.
        stage: where it goes.
        wall: what is there is avoided.
        assets: with models of sockets and clocks.
        busy: how many attempts, as a factor.
    """
    half = wall.width / 2
    for _ in range(rng.poisson(2.2 * busy)):
        w, h = rng.uniform(0.1, 0.36), rng.uniform(0.1, 0.32)
        x, z = rng.uniform(-half, half), rng.uniform(1.2, 1.75)
        if wall.free(x, z, w + 0.02, h + 0.02):
            stage.add("picture", "picture", _picture(rng, looks, w, h), wall.world_from_wall @ at(x, 0, z))
    for _ in range(rng.poisson(0.7 * busy)):
        w, x, z = rng.uniform(0.25, 0.5), rng.uniform(-half, half), rng.uniform(1.25, 1.7)
        if wall.free(x, z + 0.14, w + 0.01, 0.18):
            stage.add("shelf", "shelf", _shelf(rng, looks, w), wall.world_from_wall @ at(x, 0, z))
    for kinds, count, height in ((names.SOCKETS, 1 + rng.poisson(1.0), 0.3), (names.SWITCHES, rng.poisson(0.8), 1.15)):
        for _ in range(count):
            z = height if rng.random() < 0.75 or height > 1 else rng.uniform(1.0, 1.15)
            x = rng.uniform(-half, half)
            if wall.free(x, z, 0.05, 0.05):
                stage.add("socket", "socket", _plate(rng, looks, assets, kinds), wall.world_from_wall @ at(x, 0, z))
    hanging = assets.named(names.HANGING) if assets is not None else ()
    if hanging and assets is not None and rng.random() < 0.5 * busy:
        model = hanging[rng.integers(len(hanging))]
        width, depth, height = model.size
        low = float(np.clip(model.elevation_m or 1.4, 1.15, max(wall.height - height - 0.05, 1.15)))
        x = rng.uniform(-half, half)
        if wall.free(x, low + height / 2, width / 2, height / 2):
            pieces = [Piece(mesh, Look(mesh.material, None)) for mesh in assets.meshes(model)]
            stage.add(model.name, model.name.lower(), pieces, wall.world_from_wall @ at(x, -depth / 2, low))


def _picture(rng: np.random.Generator, looks: Looks, w: Number, h: Number) -> list[Piece]:
    """A framed picture, or a poster that is only paper."""
    if rng.random() < 0.3:
        return [Piece(filled_uv(board([w, 0.0008, h])), looks.picture(rng), at(y=-0.0008))]
    frame = looks.wood(rng) if rng.random() < 0.5 else looks.dark(rng)
    t, margin = rng.uniform(0.01, 0.025), rng.choice([0.0, 0.0, 0.04])
    bars = [
        between((-w, -w + t), (-0.022, 0), (-h, h)), between((w - t, w), (-0.022, 0), (-h, h)),
        between((-w + t, w - t), (-0.022, 0), (-h, -h + t)), between((-w + t, w - t), (-0.022, 0), (h - t, h)),
    ]  # fmt: skip
    pieces = [Piece(merged(bars, name="frame"), frame)]
    if margin:
        pieces.append(Piece(board([w - t, 0.004, h - t]), looks.paper(rng), at(y=-0.004)))
    inner = board([max(w - t - margin, 0.02), 0.001, max(h - t - margin, 0.02)])
    pieces.append(Piece(filled_uv(inner), looks.picture(rng), at(y=-0.0095)))
    return pieces


def _shelf(rng: np.random.Generator, looks: Looks, w: Number) -> list[Piece]:
    """A board on the wall with a row of books, some of which lean."""
    pieces = [Piece(between((-w, w), (-0.2, 0), (-0.022, 0)), looks.wood(rng) if rng.random() < 0.6 else looks.front(rng))]
    return pieces + row_of_books(rng, [looks.printed(rng) for _ in range(8)], w - 0.02)


def row_of_books(rng: np.random.Generator, prints: Sequence[Look], half: Number) -> list[Piece]:
    """Books that stand on the plane z = 0 with their backs to -y, from -half to half along x, with gaps.

    Args:
        rng: of their sizes and prints.
        prints: looks to choose from.
        half: of the length that they fill.
    """
    pieces, x = [], -half
    while x < half - 0.03:
        if rng.random() < 0.12:
            x += rng.uniform(0.04, 0.2)
            continue
        thick, tall, deep = rng.uniform(0.012, 0.04), rng.uniform(0.16, 0.25), rng.uniform(0.11, 0.16)
        if x + thick > half:
            break
        book = filled_uv(board([thick / 2, deep / 2, tall / 2], 0.001))
        look = prints[int(rng.integers(len(prints)))]
        pieces.append(Piece(book, look, at(x + thick / 2, -0.02 - deep / 2 - rng.uniform(0, 0.02), tall / 2)))
        x += thick + 0.001
    return pieces


def _plate(rng: np.random.Generator, looks: Looks, assets: Assets | None, kinds: tuple[str, ...]) -> list[Piece]:
    """A socket or a switch, its middle at the origin."""
    found = assets.named(kinds) if assets is not None else ()
    if found and assets is not None:
        model = found[rng.integers(len(found))]
        place = at(0, -model.size[1] / 2, -model.size[2] / 2)
        return [Piece(mesh, Look(mesh.material, None), place) for mesh in assets.meshes(model)]
    white = looks.paper(rng)
    return [
        Piece(board([0.041, 0.004, 0.041], 0.002), white, at(y=-0.004)),
        Piece(board([0.018, 0.004, 0.018]), white, at(y=-0.008)),
    ]


def cable(
    rng: np.random.Generator,
    looks: Looks,
    stage: Stage,
    start: Float[np.ndarray, "3"],
    end: Float[np.ndarray, "3"],
    slack: Number,
) -> None:
    """A cable that leaves ``start``, falls, lies on the floor and climbs to ``end``."""
    floor = 0.008
    way = end - start
    down = start + [0.1 * way[0] + rng.normal(0, 0.03), 0.1 * way[1] + 0.04, 0]
    knots = [
        start,
        down * [1, 1, 0.5] + [0, 0, 0.3 * start[2]],
        [*(start + 0.3 * way)[:2], floor],
        [*(start + 0.75 * way)[:2], floor],
        end,
    ]
    points = np.array(knots, np.float64)
    points[2:4, :2] += rng.normal(0, slack, (2, 2))
    smooth = _spline(points, 48)
    smooth[:, 2] = np.maximum(smooth[:, 2], floor)
    stage.add("cable", "cable", [Piece(tube(smooth, rng.uniform(0.0025, 0.004), segments=6, name="cable"), looks.dark(rng))])


def _spline(points: np.ndarray, count: int) -> np.ndarray:
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    return PchipInterpolator(length, points)(np.linspace(0, length[-1], count))
