"""Things that lie and stand about: crockery, packaging, blocks, fruit, pots, books, small appliances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .builder import Piece, at, turn
from .materials import Looks
from .shapes import Number, arc, ball, board, filled_uv, pill, rod, tube, turned, wrapped


@dataclass(frozen=True, eq=False)
class Thing:
    """Pieces about an origin on the ground, z up; ``radius_m`` is the footprint's, ``height_m`` how tall it is."""

    class_name: str
    pieces: list[Piece]
    radius_m: Number
    height_m: Number


def _mug(rng: np.random.Generator, looks: Looks) -> Thing:
    r, h, wall = rng.uniform(0.035, 0.05), rng.uniform(0.08, 0.12), 0.005
    look = looks.ceramic(rng) if rng.random() < 0.7 else looks.plastic(rng)
    taper = rng.uniform(0.8, 1.05)
    profile = [(0, 0), (0.9 * r * taper, 0), (r * taper, 0.006), (r, h), (r - wall, h), (r * taper - wall, 0.01), (0, 0.01)]
    handle = tube(arc(0.3 * h, -80, 80, 8) * [1, 1, 1.05], 0.005, name="handle")
    return Thing("mug", [Piece(turned(profile, name="mug"), look), Piece(handle, look, at(r - 0.004, 0, 0.52 * h))], r * 1.6, h)


def _bowl(rng: np.random.Generator, looks: Looks) -> Thing:
    r, h = rng.uniform(0.06, 0.12), rng.uniform(0.04, 0.08)
    t = np.linspace(0.25, 1, 6)
    outside = [(r * np.sin(np.pi / 2 * k), h * (1 - np.cos(np.pi / 2 * k))) for k in t]
    inside = [(0.94 * x, z * 0.97 + 0.005) for x, z in outside[::-1]]
    inside[0] = (outside[-1][0] - 0.004, h)
    profile = [(0, outside[0][1]), *outside, *inside, (0, inside[-1][1])]
    pieces = [Piece(turned(profile, segments=24, name="bowl"), looks.ceramic(rng))]
    if rng.random() < 0.4:
        f = 0.035
        for k in range(3):
            place = at(0.45 * r * np.cos(2.1 * k), 0.45 * r * np.sin(2.1 * k), h * 0.3 + f)
            pieces.append(Piece(ball(f, 0.95, segments=14), looks.fruit(rng), place))
    return Thing("bowl", pieces, r, h)


def _plate(rng: np.random.Generator, looks: Looks) -> Thing:
    r = rng.uniform(0.08, 0.13)
    profile = [(0, 0), (0.6 * r, 0), (r, 0.015), (r, 0.019), (0.62 * r, 0.005), (0, 0.005)]
    return Thing("plate", [Piece(turned(profile, segments=24, name="plate"), looks.ceramic(rng))], r, 0.02)


def _bottle(rng: np.random.Generator, looks: Looks) -> Thing:
    r, h = rng.uniform(0.028, 0.045), rng.uniform(0.18, 0.28)
    look = looks.plastic(rng) if rng.random() < 0.6 else looks.ceramic(rng)
    neck, shoulder = r * rng.uniform(0.3, 0.45), h * rng.uniform(0.55, 0.7)
    bow = [(neck + (r - neck) * np.cos(a) ** 1.3, shoulder + 0.2 * h * np.sin(a)) for a in np.linspace(0, 1.5, 5)]
    body = turned([(0, 0), (0.9 * r, 0), (r, 0.008), *bow, (neck, 0.93 * h), (0, 0.93 * h)], name="bottle")
    cap = rod(neck * 1.25, 0.09 * h, bevel=0.003, name="cap")
    pieces = [Piece(body, look), Piece(cap, looks.plastic(rng), at(z=0.95 * h))]
    if rng.random() < 0.75:
        label = wrapped(r + 0.0004, rng.uniform(0.12, 0.2) * h, shoulder * rng.uniform(0.8, 0.97), rng.uniform(110, 360))
        pieces.append(Piece(label, looks.printed(rng)))
    return Thing("bottle", pieces, r, h)


def _can(rng: np.random.Generator, looks: Looks) -> Thing:
    r, h = rng.uniform(0.03, 0.05), rng.uniform(0.07, 0.14)
    body = Piece(rod(r, h, bevel=0.004, segments=24), looks.steel(rng), at(z=h / 2))
    return Thing("can", [body, Piece(wrapped(r + 0.0004, 0.006, h - 0.006), looks.printed(rng))], r, h)


def _carton(rng: np.random.Generator, looks: Looks) -> Thing:
    half = rng.uniform([0.03, 0.02, 0.05], [0.08, 0.05, 0.12])
    body = Piece(filled_uv(board(half, 0.002)), looks.printed(rng), at(z=half[2]))
    return Thing("carton", [body], float(np.hypot(*half[:2])), 2 * half[2])


def _blocks(rng: np.random.Generator, looks: Looks) -> Thing:
    s, count = rng.uniform(0.02, 0.035), int(rng.integers(1, 4))
    pieces = []
    for k in range(count):
        x, y = rng.uniform(-0.12, 0.12, 2) * s * min(k, 1)
        place = at(x, y, s * (2 * k + 1)) @ turn("z", rng.uniform(-25, 25))
        pieces.append(Piece(board([s, s, s], 0.08 * s), looks.plastic(rng), place))
    return Thing("block", pieces, 1.5 * s, 2 * s * count)


def _fruit(rng: np.random.Generator, looks: Looks) -> Thing:
    r, squash = rng.uniform(0.03, 0.045), rng.uniform(0.85, 1.2)
    return Thing("fruit", [Piece(ball(r, squash), looks.fruit(rng), at(z=r * squash))], r, 2 * r * squash)


def _books(rng: np.random.Generator, looks: Looks) -> Thing:
    z, pieces = 0.0, []
    for _ in range(int(rng.integers(1, 4))):
        half = rng.uniform([0.09, 0.065, 0.008], [0.13, 0.09, 0.02])
        place = at(z=z + half[2]) @ turn("z", rng.uniform(-15, 15))
        pages = board([half[0] - 0.002, half[1] - 0.003, half[2] - 0.0025])
        pieces.append(Piece(pages, looks.paper(rng), place))
        cover = looks.printed(rng)
        for side in (-1, 1):
            pieces.append(Piece(filled_uv(board([half[0], half[1], 0.00125])), cover, place @ at(z=side * (half[2] - 0.00125))))
        pieces.append(Piece(filled_uv(board([half[0], 0.001, half[2]])), cover, place @ at(y=-half[1] + 0.001)))
        z += 2 * half[2]
    return Thing("book", pieces, 0.14, z)


def _chopping_board(rng: np.random.Generator, looks: Looks) -> Thing:
    half = np.array([rng.uniform(0.12, 0.18), rng.uniform(0.08, 0.12), 0.008])
    return Thing(
        "chopping board", [Piece(board(half, 0.004), looks.wood(rng, period_m=0.5), at(z=half[2]))], half[0] * 1.2, 0.016
    )


def _pot(rng: np.random.Generator, looks: Looks) -> Thing:
    r, h = rng.uniform(0.07, 0.11), rng.uniform(0.07, 0.13)
    look = looks.steel(rng) if rng.random() < 0.5 else looks.plastic(rng)
    body = turned(
        [(0, 0), (0.94 * r, 0), (r, 0.01), (r, h), (r + 0.004, h), (r + 0.004, h + 0.004), (0, h + 0.004)], segments=24
    )
    lid = turned([(r + 0.002, h + 0.004), (0.6 * r, h + 0.02), (0, h + 0.024)], segments=24, name="lid")
    pieces = [Piece(body, look), Piece(lid, look), Piece(ball(0.014), looks.dark(rng), at(z=h + 0.034))]
    for side in (0, 180):
        pieces.append(
            Piece(
                tube(arc(0.025, -90, 90) @ np.array([[1, 0, 0], [0, 0, 1], [0, 1, 0]]), 0.006, name="handle"),
                looks.dark(rng),
                turn("z", side) @ at(r, 0, 0.75 * h),
            )
        )
    return Thing("pot", pieces, r * 1.3, h + 0.04)


def _kettle(rng: np.random.Generator, looks: Looks) -> Thing:
    r, h = rng.uniform(0.075, 0.1), rng.uniform(0.13, 0.18)
    look = looks.steel(rng) if rng.random() < 0.5 else looks.ceramic(rng)
    t = np.linspace(0.05, 0.92, 7)
    bulge = [(r * np.sqrt(1 - (1.15 * k - 0.35) ** 2), h * k) for k in t]
    body = turned([(0, 0), (0.8 * r, 0), *bulge, (0, h)], segments=24, crease_deg=50, name="kettle")
    spout = tube(np.array([[0.7 * r, 0, 0.45 * h], [1.15 * r, 0, 0.65 * h], [1.45 * r, 0, 0.95 * h]]), 0.013, name="spout")
    handle = tube(arc(0.75 * r, 15, 165, 10) * [1, 1, 1.1], 0.008, name="handle")
    black = looks.dark(rng)
    return Thing(
        "kettle",
        [
            Piece(body, look),
            Piece(spout, look),
            Piece(handle, black, at(z=0.92 * h)),
            Piece(ball(0.014), black, at(z=h + 0.01)),
        ],
        r * 1.4,
        h * 1.5,
    )


def _appliance(rng: np.random.Generator, looks: Looks) -> Thing:
    """A microwave or toaster oven: shell, dark window, handle, knobs; its front faces -y."""
    half = rng.uniform([0.16, 0.11, 0.1], [0.26, 0.17, 0.15])
    x, y, z = half
    shell = looks.steel(rng) if rng.random() < 0.4 else looks.front(rng)
    black = looks.dark(rng)
    pieces = [
        Piece(board(half, 0.008, name="shell"), shell, at(z=z)),
        Piece(board([0.66 * x, 0.006, 0.72 * z], 0.003, name="window"), black, at(-0.25 * x, -y, z)),
        Piece(pill(0.008, 1.2 * z), looks.steel(rng), at(0.5 * x, -y - 0.025, z)),
    ]
    pieces += [
        Piece(rod(0.016, 0.02, bevel=0.003), looks.steel(rng), at(0.76 * x, -y - 0.008, z * (0.6 + 0.5 * k)) @ turn("x", 90))
        for k in range(3)
    ]
    return Thing("microwave", pieces, float(np.hypot(x, y)), 2 * z)


def _crate(rng: np.random.Generator, looks: Looks) -> Thing:
    x, y, z, t = rng.uniform(0.1, 0.16), rng.uniform(0.08, 0.12), rng.uniform(0.03, 0.06), 0.005
    look = looks.plastic(rng) if rng.random() < 0.6 else looks.wood(rng)
    pieces = [Piece(board([x, y, t]), look, at(z=t))]
    for side in (-1, 1):
        pieces.append(Piece(board([t, y, z], 0.002), look, at(side * x, 0, z)))
        pieces.append(Piece(board([x, t, z], 0.002), look, at(0, side * y, z)))
    for _ in range(int(rng.integers(0, 4))):
        r = rng.uniform(0.025, 0.035)
        color = looks.plastic(rng)
        left, near = rng.uniform(-0.6, 0.6, 2) * [x, y]
        pieces.append(Piece(ball(r, segments=14), color, at(left, near, 2 * t + r)))
    return Thing("crate", pieces, float(np.hypot(x, y)), 2 * z)


def _towel(rng: np.random.Generator, looks: Looks) -> Thing:
    half = np.array([rng.uniform(0.09, 0.16), rng.uniform(0.06, 0.1), rng.uniform(0.008, 0.02)])
    return Thing("towel", [Piece(board(half, 0.007), looks.cloth(rng), at(z=half[2]))], float(np.hypot(*half[:2])), 2 * half[2])


_KINDS: tuple[tuple[Callable[[np.random.Generator, Looks], Thing], float], ...] = (
    (_mug, 1.3),
    (_bowl, 1.0),
    (_plate, 0.6),
    (_bottle, 1.2),
    (_can, 1.0),
    (_carton, 1.2),
    (_blocks, 1.6),
    (_fruit, 0.8),
    (_books, 0.6),
    (_chopping_board, 0.5),
    (_pot, 0.7),
    (_kettle, 0.8),
    (_appliance, 0.5),
    (_crate, 0.6),
    (_towel, 0.4),
)


def thing(rng: np.random.Generator, looks: Looks, *, largest_m: Number = 1.0) -> Thing:
    """A thing of any kind whose footprint's radius is at most ``largest_m``."""
    weight = np.array([w for _, w in _KINDS])
    for _ in range(20):
        made = _KINDS[rng.choice(len(_KINDS), p=weight / weight.sum())][0](rng, looks)
        if made.radius_m <= largest_m:
            return made
    return _fruit(rng, looks)


def graspable(rng: np.random.Generator, looks: Looks) -> Thing:
    """A thing that a gripper can hold."""
    return (_can, _blocks, _fruit, _bottle)[rng.integers(4)](rng, looks)
