"""Walls around the work area, with windows and skirting, and the ceiling of a closed room with its lamps."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float

from ...scene.records import Material, Mesh
from ..assets.library import Assets
from .builder import Piece, Stage, at, turn
from .materials import Look, Looks
from .panes import outdoor_pane
from .rooms import Room
from .shapes import Number, ball, board, merged, planar_uv, rod, sheet

_THICK = 0.12


@dataclass(frozen=True)
class Hole:
    """A window's opening in a wall, by the wall's own x and z; without a pane the sun and the panorama look in."""

    x: tuple[float, float]
    z: tuple[float, float]
    pane: bool = True


@dataclass(eq=False)
class Wall:
    """A wall from -width/2 to width/2 along its x and up to ``height``; the room is on its -y side.

    ``taken`` are the stretches (x from, to; z from, to) where nothing more can hang; ``covered``: cabinets stand along it.
    """

    name: str
    world_from_wall: Float[np.ndarray, "4 4"]
    width: float
    height: float
    holes: list[Hole] = field(default_factory=list)
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)
    covered: bool = False

    def free(self, x: float, z: float, half_x: float, half_z: float) -> bool:
        """Whether a rectangle about (x, z) is on the wall and nothing is there; it then counts as taken."""
        box = (x - half_x, x + half_x, z - half_z, z + half_z)
        if abs(x) + half_x > self.width / 2 - 0.02 or box[2] < 0 or box[3] > self.height:
            return False
        blocked = [*self.taken, *[(*h.x, *h.z) for h in self.holes]]
        if any(box[0] < b[1] and b[0] < box[1] and box[2] < b[3] and b[2] < box[3] for b in blocked):
            return False
        self.taken.append((box[0] - 0.03, box[1] + 0.03, box[2] - 0.03, box[3] + 0.03))
        return True


@dataclass(frozen=True)
class Enclosure:
    """The inside of a closed room: x and y from, to, and the ceiling's height."""

    x: tuple[float, float]
    y: tuple[float, float]
    top: float


def enclosure(rng: np.random.Generator, room: Room) -> Enclosure:
    """Dimensions of a closed room around a work area."""
    left, right, front = rng.uniform(2.0, 3.4), rng.uniform(2.0, 3.4), rng.uniform(2.9, 4.2)
    return Enclosure((-left, right), (-front, room.wall_y), float(rng.uniform(2.4, 2.9)))


def walls_of(space: Enclosure, *, fitted: bool) -> dict[str, Wall]:
    """The four walls of a room; ``fitted``: cabinets stand along the one behind."""
    (x0, x1), (y0, y1), top = space.x, space.y, space.top
    wide, deep = x1 - x0, y1 - y0
    middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
    return {
        "back": Wall("back", at(middle_x, y1), wide, top, covered=fitted),
        "left": Wall("left", at(x0, middle_y) @ turn("z", 90), deep, top),
        "right": Wall("right", at(x1, middle_y) @ turn("z", -90), deep, top),
        "front": Wall("front", at(middle_x, y0) @ turn("z", 180), wide, top),
    }


def between(x: tuple[Number, Number], y: tuple[Number, Number], z: tuple[Number, Number]) -> Mesh:
    """A box between coordinates, whose texture does not start anew with it."""
    low, high = np.array([x[0], y[0], z[0]]), np.array([x[1], y[1], z[1]])
    mesh = board((high - low) / 2)
    return planar_uv(replace(mesh, vertices=mesh.vertices + (low + high) / 2))


def _body(wall: Wall) -> Mesh:
    """The wall itself, its holes left out; holes do not overlap along x."""
    pieces, x = [], -wall.width / 2 - _THICK
    for hole in sorted(wall.holes, key=lambda h: h.x):
        pieces.append(between((x, hole.x[0]), (0, _THICK), (0, wall.height)))
        pieces.append(between(hole.x, (0, _THICK), (0, hole.z[0])))
        pieces.append(between(hole.x, (0, _THICK), (hole.z[1], wall.height)))
        x = hole.x[1]
    pieces.append(between((x, wall.width / 2 + _THICK), (0, _THICK), (0, wall.height)))
    return merged(pieces, name="wall")


def build_wall(rng: np.random.Generator, looks: Looks, stage: Stage, wall: Wall, paint: Look, trim: Look) -> None:
    """Put a wall on the stage: its body, skirting, window frames and sills; in one of four a dado or a rail."""
    pieces = [Piece(_body(wall), paint)]
    half = wall.width / 2
    if rng.random() < 0.85:
        pieces.append(Piece(between((-half, half), (-0.014, 0), (0, rng.uniform(0.05, 0.1))), trim))
    low = min((h.z[0] for h in wall.holes), default=3.0)
    if rng.random() < 0.25 and low > 1.0 and not wall.covered:
        height = rng.uniform(0.75, 0.98)
        dado = looks.plaster(rng) if rng.random() < 0.6 else looks.wood(rng)
        pieces.append(Piece(between((-half, half), (-0.005, 0), (0.1, height)), dado))
        pieces.append(Piece(between((-half, half), (-0.018, 0), (height, height + 0.03)), trim))
    stage.add("wall", "wall", pieces, wall.world_from_wall)
    for hole in wall.holes:
        stage.add("window", "window", _frame(rng, hole, trim), wall.world_from_wall)


def _frame(rng: np.random.Generator, hole: Hole, trim: Look) -> list[Piece]:
    (x0, x1), (z0, z1) = hole.x, hole.z
    t, y = rng.uniform(0.03, 0.05), (0.05, 0.085)
    rails = [
        between((x0, x0 + t), y, (z0, z1)), between((x1 - t, x1), y, (z0, z1)),
        between((x0 + t, x1 - t), y, (z0, z0 + t)), between((x0 + t, x1 - t), y, (z1 - t, z1)),
    ]  # fmt: skip
    for k in range(1, int(rng.integers(1, 4))):
        x = x0 + (x1 - x0) * k / 2 if k == 1 else x0 + (x1 - x0) * rng.choice([0.25, 0.75])
        rails.append(between((x - t / 2, x + t / 2), y, (z0 + t, z1 - t)))
    if rng.random() < 0.4:
        z = z0 + (z1 - z0) * rng.uniform(0.5, 0.7)
        rails.append(between((x0 + t, x1 - t), y, (z - t / 3, z + t / 3)))
    sill = between((x0 - 0.03, x1 + 0.03), (-0.05, 0.05), (z0 - 0.025, z0))
    return [Piece(merged(rails, name="frame"), trim), Piece(sill, trim)]


def glaze(rng: np.random.Generator, looks: Looks, stage: Stage, wall: Wall, assets: Assets | None, outside: str) -> None:
    """Fill a wall's windows with panes that show what is outside and light the room; curtains hang beside some."""
    for hole in wall.holes:
        if hole.pane:
            x, z = (np.array(side) for side in (hole.x, hole.z))
            pane = sheet((x[1] - x[0]) / 2, (z[1] - z[0]) / 2, name="pane")
            look = Look(outdoor_pane(rng, assets, outside, float((x[1] - x[0]) / (z[1] - z[0]))), None)
            stage.add("pane", "window", [Piece(pane, look)], wall.world_from_wall @ at(x.mean(), 0.09, z.mean()))
        if rng.random() < 0.45:
            _hang_curtains(rng, looks, stage, wall, hole)


def _hang_curtains(rng: np.random.Generator, looks: Looks, stage: Stage, wall: Wall, hole: Hole) -> None:
    """Folded cloth at both sides of a window, from a rod."""
    look = looks.cloth(rng)
    top = min(hole.z[1] + rng.uniform(0.08, 0.2), wall.height - 0.05)
    low = max(hole.z[0] - rng.uniform(0.1, 0.5), 0.05) if rng.random() < 0.5 else 0.03
    width = rng.uniform(0.16, 0.3) * (hole.x[1] - hole.x[0])
    pieces = []
    for x in (hole.x[0] - 0.4 * width, hole.x[1] + 0.4 * width):
        pieces.append(Piece(folds(rng, x, width, (low, top)), look))
    reach = (hole.x[1] - hole.x[0]) / 2 + width
    pole = rod(0.011, 2 * reach)
    pieces.append(Piece(pole, looks.steel(rng), at((hole.x[0] + hole.x[1]) / 2, -0.075, top + 0.012) @ turn("y", 90)))
    stage.add("curtain", "curtain", pieces, wall.world_from_wall)
    wall.taken.append((hole.x[0] - width, hole.x[1] + width, low, top + 0.05))


def folds(rng: np.random.Generator, x: Number, width: Number, z: tuple[Number, Number]) -> Mesh:
    """Cloth that hangs in folds before a wall: its middle along the wall, its width, and from where to where it hangs."""
    count = 40 + int(40 * width)
    u = np.linspace(-0.5, 0.5, count)
    number = rng.uniform(3, 6) * max(width / 0.5, 1)
    fold = 0.022 * np.sin(2 * np.pi * u * number + rng.uniform(0, 6)) - 0.075
    line = np.stack([x + width * u, fold], axis=1)
    points = np.concatenate([np.column_stack([line, np.full(count, height)]) for height in z])
    i = np.arange(count - 1)
    quad = np.stack([i, i + 1, i + count + 1, i + count], axis=1)
    return planar_uv(Mesh("curtain", points, quad[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3)))


def ceiling(rng: np.random.Generator, looks: Looks, stage: Stage, space: Enclosure, *, lamps: float) -> None:
    """The ceiling, and with a probability of ``lamps`` what shines from it."""
    (x0, x1), (y0, y1), top = space.x, space.y, space.top
    white = looks.ceiling(rng)
    stage.add("ceiling", "ceiling", [Piece(between((x0 - 0.1, x1 + 0.1), (y0 - 0.1, y1 + 0.1), (top, top + 0.1)), white)])
    if rng.random() < lamps:
        warm = np.array([1, 0.86, 0.68]) ** rng.uniform(0, 1.6)
        kind = rng.integers(3)
        spots = [(rng.uniform(-1, 1), rng.uniform(max(y0 + 0.6, -1.6), y1 - 0.7))]
        if rng.random() < 0.4:
            spots.append((spots[0][0] + rng.choice([-1, 1]) * rng.uniform(0.9, 1.4), spots[0][1]))
        for x, y in spots:
            _lamp(rng, looks, stage, np.array([x, y, top]), int(kind), warm * rng.uniform(2, 11))


def _lamp(rng: np.random.Generator, looks: Looks, stage: Stage, place: np.ndarray, kind: int, radiance: np.ndarray) -> None:
    """A panel, a disc, or a globe that hangs."""
    r, g, b = (float(c) for c in radiance)
    glow = Look(Material((0.9, 0.9, 0.88, 1.0), None, 0.0, 0.6, (r, g, b), "plastic"))
    metal = looks.steel(rng)
    if kind == 0:
        w, d = rng.uniform(0.12, 0.3), rng.uniform(0.12, 0.6)
        pieces = [
            Piece(board([w, d, 0.02]), metal, at(z=-0.02)),
            Piece(sheet(w - 0.015, d - 0.015), glow, at(z=-0.041) @ turn("x", 90)),
        ]
    elif kind == 1:
        radius = rng.uniform(0.14, 0.24)
        pieces = [
            Piece(rod(radius, 0.05, segments=28), metal, at(z=-0.025)),
            Piece(rod(radius * 0.93, 0.02, segments=28), glow, at(z=-0.06)),
        ]
    else:
        radius, drop = rng.uniform(0.08, 0.14), rng.uniform(0.25, 0.6)
        pieces = [
            Piece(rod(0.003, drop), looks.dark(rng), at(z=-drop / 2)),
            Piece(ball(radius), glow, at(z=-drop - radius + 0.01)),
            Piece(rod(0.03, 0.04), metal, at(z=-drop + 0.01)),
        ]
    stage.add("lamp", "lamp", pieces, at(*place))
