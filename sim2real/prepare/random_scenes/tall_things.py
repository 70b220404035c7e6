"""What stands along walls from the floor up: doors, built-in closets, slats, drapes, cases of books.

Photographs of rooms have more upright lines than lying ones; tables, counters and shelves alone have it the other way round.
"""

from __future__ import annotations

import numpy as np

from .builder import Piece, Stage, at, turn
from .materials import Look, Looks, upright
from .shapes import Number, board, merged, pill, rod
from .wall_things import row_of_books
from .walls import Wall, between, folds


def stand_along(rng: np.random.Generator, looks: Looks, stage: Stage, wall: Wall, *, depth_m: float) -> None:
    """Stand tall things along a wall where it is free, most of them flat.

    Args:
        rng: of all of it.
        looks: of wood, paint, cloth and prints.
        stage: where it goes.
        wall: what is there is avoided.
        depth_m: how far something may stand out from the wall.
    """
    makers = (_slats, _closet, _door, _drape, _bookcase)
    for _ in range(rng.poisson(1.3)):
        maker = makers[rng.choice(5, p=[0.17, 0.2, 0.28, 0.2, 0.15])]
        if maker is not _bookcase or depth_m > 0.4:
            maker(rng, looks, stage, wall)


def _spot(rng: np.random.Generator, wall: Wall, half: Number, top: Number) -> Number | None:
    """Where a thing of a width and a height is free to stand, along the wall."""
    room = wall.width / 2 - 0.03 - half
    for _ in range(4):
        x = rng.uniform(-room, room) if room > 0 else 0.0
        if wall.free(x, top / 2, half, top / 2 - 0.001):
            return x
    return None


def _tall_look(rng: np.random.Generator, looks: Looks) -> Look:
    """Wood whose grain stands, or paint."""
    return upright(looks.wood(rng)) if rng.random() < 0.6 else looks.front(rng)


def _slats(rng: np.random.Generator, looks: Looks, stage: Stage, wall: Wall) -> None:
    """Upright battens with gaps, on a darker or an equal ground."""
    half, top = min(rng.uniform(0.4, 1.7), wall.width / 2 - 0.05), min(rng.uniform(1.2, 3.0), wall.height - 0.03)
    x = _spot(rng, wall, half, top)
    if x is None:
        return
    look, wide, gap, deep = _tall_look(rng, looks), rng.uniform(0.018, 0.07), rng.uniform(0.006, 0.03), rng.uniform(0.012, 0.03)
    starts = np.arange(-half, half - wide, wide + gap)
    battens = [between((s, s + wide), (-deep - 0.006, -0.006), (0.0, top)) for s in starts]
    ground = looks.dark(rng) if rng.random() < 0.5 else look
    pieces = [Piece(merged(battens, name="slats"), look), Piece(between((-half, half), (-0.006, 0), (0, top)), ground)]
    stage.add("panel", "panel", pieces, wall.world_from_wall @ at(x))


def _closet(rng: np.random.Generator, looks: Looks, stage: Stage, wall: Wall) -> None:
    """Tall doors side by side, flush with the wall."""
    count, w, top = int(rng.integers(2, 6)), rng.uniform(0.2, 0.32), min(rng.uniform(1.9, 2.7), wall.height - 0.02)
    x = _spot(rng, wall, count * w, top)
    if x is None:
        return
    look, grip, low = _tall_look(rng, looks), looks.steel(rng) if rng.random() < 0.6 else looks.dark(rng), 0.08
    tall = rng.uniform(0.06, 0.5)
    pieces = [Piece(between((-count * w, count * w), (-0.02, 0), (0, low)), look)]
    for k in range(count):
        middle, z = (2 * k + 1 - count) * w, (low + top) / 2
        pieces.append(Piece(board([w - 0.003, 0.01, (top - low) / 2 - 0.003], 0.002, name="front"), look, at(middle, -0.02, z)))
        side = (1 if k % 2 == 0 else -1) * (w - 0.04)
        pieces.append(Piece(pill(0.006, tall), grip, at(middle + side, -0.05, 1.05)))
    stage.add("closet", "cabinet", pieces, wall.world_from_wall @ at(x))


def _door(rng: np.random.Generator, looks: Looks, stage: Stage, wall: Wall) -> None:
    """A door in its frame, plain or with panels."""
    half, top, trim = rng.uniform(0.36, 0.45), rng.uniform(1.98, 2.1), rng.uniform(0.05, 0.09)
    x = _spot(rng, wall, half + trim, top + trim)
    if x is None:
        return
    frame = looks.trim(rng)
    leaf = frame if rng.random() < 0.4 else _tall_look(rng, looks)
    bars = [
        between((-half - trim, -half), (-0.024, 0), (0, top)), between((half, half + trim), (-0.024, 0), (0, top)),
        between((-half - trim, half + trim), (-0.024, 0), (top, top + trim)),
    ]  # fmt: skip
    pieces = [Piece(merged(bars, name="frame"), frame)]
    pieces.append(Piece(board([half - 0.003, 0.008, top / 2 - 0.004], 0.002, name="leaf"), leaf, at(0, -0.008, top / 2)))
    columns, rows = int(rng.integers(0, 3)), int(rng.integers(1, 4))
    for c in range(columns):
        for r in range(rows):
            w, h = 0.8 * half / columns, 0.42 * top / rows
            place = at((2 * c + 1 - columns) * half * 0.94 / columns, -0.017, top * (0.5 + 0.47 * (2 * r + 1 - rows) / rows))
            pieces.append(Piece(board([w, 0.005, h], 0.003, name="panel"), leaf, place))
    steel, hand = looks.steel(rng), rng.choice([-1, 1])
    pieces.append(Piece(rod(0.009, 0.04), steel, at(hand * (half - 0.06), -0.035, 1.02) @ turn("x", 90)))
    pieces.append(Piece(pill(0.008, 0.1), steel, at(hand * (half - 0.11), -0.055, 1.02) @ turn("y", 90)))
    stage.add("door", "door", pieces, wall.world_from_wall @ at(x))


def _drape(rng: np.random.Generator, looks: Looks, stage: Stage, wall: Wall) -> None:
    """Cloth in folds from the ceiling to the floor."""
    half, top = rng.uniform(0.3, 1.2), wall.height - 0.02
    x = _spot(rng, wall, half, top)
    if x is not None:
        cloth = Piece(folds(rng, 0.0, 2 * half, (0.02, top)), looks.cloth(rng))
        stage.add("curtain", "curtain", [cloth], wall.world_from_wall @ at(x))


def _bookcase(rng: np.random.Generator, looks: Looks, stage: Stage, wall: Wall) -> None:
    """Boards between two sides, full of books that stand."""
    half, levels, step = rng.uniform(0.3, 0.55), int(rng.integers(3, 6)), rng.uniform(0.29, 0.36)
    top = 0.08 + levels * step
    x = _spot(rng, wall, half, top)
    if x is None:
        return
    look = _tall_look(rng, looks)
    pieces = [Piece(between((s * half - 0.009, s * half + 0.009), (-0.26, 0), (0, top)), look) for s in (-1, 1)]
    pieces.append(Piece(between((-half, half), (-0.006, 0), (0, top)), look))
    prints = [looks.printed(rng) for _ in range(14)]
    for k in range(levels + 1):
        z = 0.08 + k * step
        pieces.append(Piece(between((-half, half), (-0.25, -0.006), (z - 0.018, z)), look))
        if k < levels:
            pieces += [Piece(b.mesh, b.look, at(z=z) @ b.thing_from_mesh) for b in row_of_books(rng, prints, half - 0.01)]
    stage.add("bookcase", "shelf", pieces, wall.world_from_wall @ at(x))
