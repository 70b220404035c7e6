"""Household models on the stage: things among ours, and furniture on the floor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from ...scene.records import Material, Mesh
from ..assets.library import Assets
from ..assets.models import Model
from .builder import Piece, Stage, at, turn
from .materials import Look
from .objects import Thing
from .shapes import Number

Box = tuple[np.ndarray, np.ndarray]
"""Lowest and highest corner, world axes, metres."""
_TRIANGLES = 230_000


def _pieces(meshes: tuple[Mesh, ...], rng: np.random.Generator) -> list[Piece]:
    """A model's meshes, plain ones a little off their color, so that two of a kind differ."""
    pieces: list[Piece] = []
    own: dict[int, Material] = {}
    for mesh in meshes:
        material = mesh.material
        if id(material) not in own:
            rough = float(np.clip(material.roughness + rng.normal(0, 0.06), 0.08, 0.95))
            tint = np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.03, 3)) if material.texture is None else np.ones(3)
            r, g, b = (float(c) for c in np.clip(np.array(material.base_color[:3]) * tint, 0, 1))
            own[id(material)] = replace(material, base_color=(r, g, b, material.base_color[3]), roughness=rough)
        pieces.append(Piece(mesh, Look(own[id(material)], None)))
    return pieces


def room_for(stage: Stage, meshes: tuple[Mesh, ...]) -> bool:
    """Whether the stage bears so many more triangles."""
    return stage.triangles + sum(len(mesh.faces) for mesh in meshes) < _TRIANGLES


def borrowed_thing(
    rng: np.random.Generator, assets: Assets, stage: Stage, *, largest_m: Number, smallest_m: Number = 0.0
) -> Thing | None:
    """A model that stands about, whose footprint's radius lies between two values; ``None`` where there is none or no room."""
    fit = [m for m in assets.clutter if smallest_m <= m.radius_m <= largest_m]
    if not fit:
        return None
    model = fit[rng.integers(len(fit))]
    meshes = assets.meshes(model)
    if not meshes or not room_for(stage, meshes):
        return None
    grown = float(np.clip(rng.normal(1, 0.06), 0.88, 1.12))
    pieces = [replace(p, thing_from_mesh=np.diag([grown, grown, grown, 1.0])) for p in _pieces(meshes, rng)]
    return Thing(model.name.lower(), pieces, model.radius_m * grown, model.size[2] * grown)


def boxes_of(stage: Stage) -> list[tuple[str, Box]]:
    """Class and bounding box of everything on the stage, all frames together."""
    out: list[tuple[str, Box]] = []
    motion = stage.world_from_instance()
    by_instance: dict[int, list[np.ndarray]] = {}
    for part in stage.parts:
        vertices = stage.meshes[part.mesh].vertices
        low, high = vertices.min(axis=0), vertices.max(axis=0)
        corners = np.array(np.meshgrid(*np.stack([low, high], axis=1), indexing="ij")).reshape(3, -1).T
        corners = corners @ part.instance_from_mesh[:3, :3].T + part.instance_from_mesh[:3, 3]
        by_instance.setdefault(part.instance, []).append(corners)
    for index, corners in by_instance.items():
        points = np.concatenate(corners)
        world = np.einsum("fij,pj->fpi", motion[:, index, :3, :3], points) + motion[:, index, None, :3, 3]
        out.append((stage.instances[index].class_name, (world.min(axis=(0, 1)), world.max(axis=(0, 1)))))
    return out


def place_furniture(
    rng: np.random.Generator,
    assets: Assets,
    stage: Stage,
    *,
    inside: tuple[tuple[float, float], tuple[float, float]],
    clear: Float[np.ndarray, "points 3"],
    pieces: int,
) -> None:
    """Put furniture on the floor where nothing stands.

    Args:
        rng: of all of it.
        assets: with the models.
        stage: what is there is avoided.
        inside: x and y from, to, of the floor; the wall behind is at the highest y.
        clear: points that must stay free (the way from the camera to its target).
        pieces: at most so many.
    """
    taken = [box for name, box in boxes_of(stage) if name not in ("floor", "rug", "wall", "ceiling", "lamp", "cable")]
    (x0, x1), (y0, y1) = inside
    put = 0
    for _ in range(70 if assets.furniture else 0):
        if put >= pieces:
            return
        model = assets.furniture[rng.integers(len(assets.furniture))]
        side = rng.choice(["back", "left", "right", "free"], p=[0.55, 0.13, 0.13, 0.19])
        angle = {"back": 0.0, "left": 90.0, "right": -90.0}.get(str(side), float(rng.uniform(0, 360)))
        half = _footprint(model, angle) / 2
        gap = rng.uniform(0.02, 0.1)
        low_xy, high_xy = np.array([x0, y0 + 1.0]) + half + 0.02, np.array([x1, y1]) - half - 0.02
        xy = low_xy + rng.random(2) * (high_xy - low_xy)
        if side == "back":
            xy = np.array([np.clip(rng.normal(0, 1.3), x0 + half[0], x1 - half[0]), y1 - gap - half[1]])
        elif side != "free":
            xy[0] = x0 + gap + half[0] if side == "left" else x1 - gap - half[0]
        low, high = np.array([*(xy - half), 0.0]), np.array([*(xy + half), model.size[2]])
        if low[0] < x0 or high[0] > x1 or low[1] < y0 or high[1] > y1 or _meets(low, high, taken):
            continue
        if ((clear > low - 0.15) & (clear < high + 0.15)).all(axis=1).any():
            continue
        meshes = assets.meshes(model)
        if not meshes or not room_for(stage, meshes):
            continue
        stage.add(model.name, model.name.lower(), _pieces(meshes, rng), at(xy[0], xy[1], 0.001) @ turn("z", angle))
        taken.append((low, high))
        put += 1


def _footprint(model: Model, angle_deg: float) -> Float[np.ndarray, "2"]:
    c, s = abs(np.cos(np.deg2rad(angle_deg))), abs(np.sin(np.deg2rad(angle_deg)))
    w, d = model.size[:2]
    return np.array([w * c + d * s, w * s + d * c])


def _meets(low: np.ndarray, high: np.ndarray, taken: list[Box]) -> bool:
    return any((low < b[1] - 0.004).all() and (high > b[0] + 0.004).all() for b in taken)
