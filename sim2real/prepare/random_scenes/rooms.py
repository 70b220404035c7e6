"""Rooms for random scenes: a table, a kitchen counter, a shelf, a bench, a floor. The work area is about x = y = 0.

The camera comes from -y; the walls around it are ``walls``' business.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .builder import Piece, Stage, at, turn
from .materials import Look, Looks, upright
from .shapes import Number, arc, board, pill, rod, tube


@dataclass(frozen=True)
class Ground:
    """A rectangle where things can stand: center and half lengths along x and y, metres."""

    center: tuple[Number, Number, Number]
    half: tuple[Number, Number]


@dataclass(frozen=True)
class Room:
    """What a room holds.

    - ``grounds`` is where things stand; the first one is the work area.
    - ``bases`` is where a robot may stand: places, with pedestal heights.
    - ``wall_y`` is where the wall behind begins; ``fitted``: cabinets or tiles cover it.
    """

    grounds: tuple[Ground, ...]
    bases: tuple[tuple[Float[np.ndarray, "4 4"], float], ...]
    wall_y: float
    fitted: bool = False


def _lay_floor(rng: np.random.Generator, looks: Looks, stage: Stage) -> None:
    floor = looks.wood(rng, planks=5, period_m=0.9) if rng.random() < 0.6 else looks.tiles(rng, floor=True)
    if rng.random() < 0.6:
        floor = upright(floor)
    stage.add("floor", "floor", [Piece(board([5, 5, 0.05]), floor, at(z=-0.05))])


def _robot_places(rng: np.random.Generator, top: Number, half: tuple[Number, Number], *, pedestal: bool) -> tuple:
    """At the left or right edge, at the back, or in front on a pedestal; x of the base points to the work area."""
    inset = 0.06
    spots = [(-half[0] + inset, 0.0, 0.0), (half[0] - inset, 0.0, 180.0), (rng.uniform(-0.2, 0.2), half[1] - inset, -90.0)]
    places = [(at(x, y + rng.uniform(-0.15, 0.15) * half[1], top) @ turn("z", a), 0.0) for x, y, a in spots]
    if pedestal:
        height = max(top - rng.uniform(0.05, 0.3), 0.3)
        side = rng.choice([-1, 1]) * rng.uniform(0.15, 0.5)
        front = at(side, -half[1] - rng.uniform(0.15, 0.3), height) @ turn("z", 90)
        places = [(front, height), (front, height), *places[:2]]
    return tuple(places)


def _table(rng: np.random.Generator, looks: Looks, stage: Stage) -> Room:
    top, half = rng.uniform(0.68, 0.8), (rng.uniform(0.55, 0.85), rng.uniform(0.38, 0.5))
    if rng.random() < 0.25:  # seen from its short end
        half = half[1], half[0]
    wall_y = half[1] + (rng.uniform(0.04, 0.5) if rng.random() < 0.55 else rng.uniform(0.5, 1.8))
    _lay_floor(rng, looks, stage)
    look = looks.wood(rng) if rng.random() < 0.75 else looks.front(rng)
    look = upright(look) if half[1] > half[0] else look
    leg = look if rng.random() < 0.5 else looks.steel(rng)
    thick = rng.uniform(0.012, 0.025)
    pieces = [Piece(board([*half, thick], 0.005, name="top"), look, at(z=top - thick))]
    for x in (-1, 1):
        for y in (-1, 1):
            place = at(x * (half[0] - 0.06), y * (half[1] - 0.06), top / 2 - thick)
            pieces.append(Piece(board([0.025, 0.025, top / 2 - thick], 0.004, name="leg"), leg, place))
    stage.add("table", "table", pieces)
    return Room((Ground((0, 0, top), half),), _robot_places(rng, top, half, pedestal=rng.random() < 0.4), wall_y)


def _handle(rng: np.random.Generator, kind: int, look: Look, width: Number) -> Piece:
    """A handle on the plane y = 0, to the front (-y), along x."""
    if kind == 0:
        return Piece(pill(0.006, width), look, at(y=-0.03) @ turn("y", 90))
    if kind == 1:
        flat = arc(0.5 * width, 0, 180, 9) * [1, 1, 0.6]
        return Piece(tube(flat[:, [0, 2, 1]] * [1, -0.9, 1], 0.005, name="handle"), look)
    return Piece(rod(0.014, 0.025, bevel=0.004, name="knob"), look, at(y=-0.013) @ turn("x", 90))


@dataclass(frozen=True)
class _Fittings:
    """What all fronts of a kitchen share."""

    front: Look
    carcass: Look
    handle: Look
    handle_kind: int


def _cabinet(
    rng: np.random.Generator,
    looks: Looks,
    stage: Stage,
    times_s: np.ndarray,
    fit: _Fittings,
    place: np.ndarray,
    half: np.ndarray,
) -> None:
    """A cabinet about its center whose front (-y) has drawers, one door or two; one of them may be moving."""
    x, y, z = half
    stage.add("cabinet", "cabinet", [Piece(board([x - 0.002, y, z]), fit.carcass)], place)
    gap, thick = 0.004, 0.009
    drawers = int(rng.choice([0, 0, 2, 3])) if z > 0.2 else 0
    cells = drawers or (2 if x > 0.32 else 1)
    for k in range(cells):
        if drawers:
            w, h, cx, cz = x, z / cells, 0.0, z * ((2 * k + 1) / cells - 1)
        else:
            w, h, cx, cz = x / cells, z, x * ((2 * k + 1) / cells - 1), 0.0
        panel = board([w - gap, thick, h - gap], 0.003, name="front")
        moving = rng.random() < 0.22
        wave = 0.5 - 0.5 * np.cos(rng.uniform(1.5, 3.0) * times_s + rng.uniform(0, 6)) if moving else np.zeros(len(times_s))
        if drawers:
            pieces = [Piece(panel, fit.front), _handle(rng, fit.handle_kind, fit.handle, min(0.9 * w, 0.12))]
            if moving:
                pieces.append(Piece(board([w - 0.02, 0.9 * y, 0.6 * h]), fit.carcass, at(y=0.9 * y + thick)))
            motion = np.stack([at(cx, -y - thick - 0.16 * s, cz) for s in wave])
            stage.add("drawer", "drawer", pieces, place @ motion)
        else:
            hinge = 1 if k % 2 else -1
            grip = at(-hinge * (w - 0.035), 0, np.sign(place[2, 3] - 1.0) * -0.55 * h) @ turn("y", 90)
            knob = _handle(rng, fit.handle_kind, fit.handle, 0.12)
            pieces = [Piece(panel, fit.front), Piece(knob.mesh, knob.look, grip @ knob.thing_from_mesh)]
            if rng.random() < 0.3:
                pieces.append(Piece(board([0.7 * w, thick + 0.003, 0.8 * h], 0.003), fit.front))
            pieces = [Piece(p.mesh, p.look, at(-hinge * w) @ p.thing_from_mesh) for p in pieces]
            swing = np.stack([at(cx + hinge * w, -y - thick, cz) @ turn("z", hinge * 75 * s) for s in wave])
            stage.add("door", "door", pieces, place @ swing)


def _counter(rng: np.random.Generator, looks: Looks, stage: Stage, times_s: np.ndarray) -> Room:
    top, half = rng.uniform(0.84, 0.95), (rng.uniform(1.0, 1.5), rng.uniform(0.28, 0.34))
    wall_y = half[1] + 0.01
    _lay_floor(rng, looks, stage)
    fit = _Fittings(
        looks.front(rng), looks.front(rng), looks.steel(rng) if rng.random() < 0.7 else looks.dark(rng), int(rng.integers(3))
    )
    slab_look = looks.wood(rng) if rng.random() < 0.5 else looks.stone(rng)
    slab = rng.uniform(0.012, 0.022)
    stage.add("counter", "counter", [Piece(board([*half, slab], 0.004), slab_look, at(z=top - slab))])
    columns = int(rng.integers(3, 6))
    for k in range(columns):
        x = half[0] * ((2 * k + 1) / columns - 1)
        size = np.array([half[0] / columns, half[1] - 0.03, (top - 2 * slab - 0.08) / 2])
        _cabinet(rng, looks, stage, times_s, fit, at(x, 0.01, 0.08 + size[2]), size)
    if rng.random() < 0.7:
        tiles = looks.tiles(rng)
        pane = board([half[0], 0.006, 0.25])
        behind = upright(tiles) if rng.random() < 0.4 else tiles
        stage.add("splashback", "wall", [Piece(pane, behind, at(0, wall_y - 0.006, top + 0.25))])
    grounds = [Ground((0, 0, top), (half[0], half[1] - 0.03))]
    low = top + rng.uniform(0.42, 0.55)
    if rng.random() < 0.65:
        depth, tall = rng.uniform(0.14, 0.18), rng.uniform(0.2, 0.35)
        for k in range(columns):
            if rng.random() < 0.75:
                x = half[0] * ((2 * k + 1) / columns - 1)
                place = at(x, wall_y - depth, low + tall)
                _cabinet(rng, looks, stage, times_s, fit, place, np.array([half[0] / columns, depth, tall]))
    else:
        look = looks.wood(rng)
        stage.add("shelf", "shelf", [Piece(board([0.7 * half[0], 0.1, 0.012], 0.003), look, at(0, wall_y - 0.1, low))])
        grounds.append(Ground((0, wall_y - 0.1, low + 0.012), (0.7 * half[0], 0.09)))
    if rng.random() < 0.6:
        x = rng.uniform(-0.5, 0.5) * half[0]
        hob = [Piece(board([0.27, 0.23, 0.005], 0.003), looks.dark(rng))]
        hob += [
            Piece(rod(0.075, 0.012, bevel=0.003), looks.dark(rng), at(sx * 0.13, sy * 0.11, 0.008))
            for sx in (-1, 1)
            for sy in (-1, 1)
        ]
        stage.add("hob", "hob", hob, at(x, 0, top))
    return Room(tuple(grounds), _robot_places(rng, top, half, pedestal=True), wall_y, fitted=True)


def _shelf(rng: np.random.Generator, looks: Looks, stage: Stage) -> Room:
    half, levels, step = (rng.uniform(0.4, 0.7), rng.uniform(0.13, 0.18)), int(rng.integers(3, 5)), rng.uniform(0.3, 0.38)
    _lay_floor(rng, looks, stage)
    look = looks.wood(rng) if rng.random() < 0.6 else looks.front(rng)
    bottom, tall = rng.uniform(0.1, 0.4), step * (levels - 1)
    pieces = [Piece(board([half[0], half[1], 0.011], 0.003), look, at(z=bottom + k * step)) for k in range(levels)]
    pieces += [
        Piece(board([0.011, half[1], tall / 2 + 0.02], 0.003), look, at(s * half[0], 0, bottom + tall / 2)) for s in (-1, 1)
    ]
    pieces.append(
        Piece(
            board([half[0], 0.005, tall / 2]),
            look if rng.random() < 0.5 else looks.front(rng),
            at(0, half[1] - 0.005, bottom + tall / 2),
        )
    )
    stage.add("shelf", "shelf", pieces)
    heights = [bottom + k * step + 0.011 for k in range(levels)]
    middle = int(np.argmin(np.abs(np.array(heights) - 0.9)))
    order = [middle, *[k for k in range(levels) if k != middle]]
    grounds = tuple(Ground((0, 0, heights[k]), (half[0] - 0.03, half[1] - 0.02)) for k in order)
    height = heights[middle] - 0.2
    side = rng.choice([-1, 1]) * rng.uniform(0.2, 0.5)
    front = at(side, -half[1] - 0.5, max(height, 0.3)) @ turn("z", 90)
    return Room(grounds, ((front, max(height, 0.3)),), half[1] + 0.02, fitted=True)


def _bench(rng: np.random.Generator, looks: Looks, stage: Stage) -> Room:
    top, half = rng.uniform(0.72, 0.9), (rng.uniform(0.7, 1.1), rng.uniform(0.35, 0.48))
    wall_y = half[1] + rng.uniform(0.02, 0.5)
    _lay_floor(rng, looks, stage)
    steel = looks.steel(rng)
    white = looks.front(rng) if rng.random() < 0.7 else looks.dark(rng)
    pieces = [Piece(board([*half, 0.015], 0.004), white, at(z=top - 0.015))]
    pieces += [
        Piece(board([0.02, 0.02, top / 2 - 0.015]), steel, at(x * (half[0] - 0.04), y * (half[1] - 0.04), top / 2 - 0.015))
        for x in (-1, 1)
        for y in (-1, 1)
    ]
    stage.add("bench", "table", pieces)
    rear = [Piece(board([half[0], 0.012, 0.3], 0.003), looks.front(rng), at(0, half[1] - 0.012, top + 0.3))]
    rear += [
        Piece(rod(0.01, 0.06), steel, at(x, half[1] - 0.05, top + z) @ turn("x", 90))
        for x in np.arange(-0.4, 0.5, 0.2)
        for z in (0.25, 0.45)
    ]
    if rng.random() < 0.6:
        stage.add("panel", "panel", rear)
    if rng.random() < 0.6:
        mat = Piece(
            board([rng.uniform(0.2, 0.4), rng.uniform(0.15, 0.28), 0.003], 0.001),
            looks.dark(rng) if rng.random() < 0.4 else looks.cloth(rng),
        )
        stage.add("mat", "mat", [mat], at(0, -0.05, top + 0.003))
    return Room((Ground((0, 0, top + 0.006), half),), _robot_places(rng, top, half, pedestal=False), wall_y)


def _floor(rng: np.random.Generator, looks: Looks, stage: Stage) -> Room:
    half = (rng.uniform(0.7, 1.1), rng.uniform(0.5, 0.8))
    wall_y = half[1] + rng.uniform(0.1, 1.2)
    _lay_floor(rng, looks, stage)
    if rng.random() < 0.5:
        stage.add("rug", "rug", [Piece(board([0.8 * half[0], 0.8 * half[1], 0.004]), looks.cloth(rng), at(z=0.004))])
    return Room((Ground((0, 0, 0.008), half),), _robot_places(rng, 0.0, half, pedestal=False), wall_y)


def furnish(rng: np.random.Generator, looks: Looks, stage: Stage, times_s: Float[np.ndarray, "frames"]) -> Room:
    """Build a random room on the stage."""
    makers: tuple[Callable[[], Room], ...] = (
        lambda: _table(rng, looks, stage),
        lambda: _counter(rng, looks, stage, times_s),
        lambda: _shelf(rng, looks, stage),
        lambda: _bench(rng, looks, stage),
        lambda: _floor(rng, looks, stage),
    )
    return makers[rng.choice(5, p=[0.3, 0.38, 0.1, 0.14, 0.08])]()
