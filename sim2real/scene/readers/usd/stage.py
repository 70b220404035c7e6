"""USD stages with time samples: recordings of Isaac Sim, Isaac Lab and Omniverse, and what MuJoCo exports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ....errors import BadValueError, EmptySceneError
from ....optional import require
from ....transforms import inverse_rigid, rigid
from ...light.metering import lit_by
from ...mesh_ops import cleaned, mapped, shaded
from ...moving_vertices import MovingVertices
from ...records import Instance, Mesh, Part, Scene
from ..mesh.files import Y_UP, sha256_of
from ..reading import Reading, option
from .cameras import cameras_of
from .clothing import clothed, colored, some
from .instancers import Placed, scattered
from .labels import thing_of
from .lights import light_of
from .materials import Materials
from .mujoco_export import is_mujoco_export, plain_name
from .opening import opened, quiet, used_files
from .placing import is_flat, linear_parts, rigid_way, ways_of
from .primvars import uv_values
from .shapes import Shape, face_colors, shape_of
from .skeletons import PointsAt, bake_skins
from .timing import frames_of, sampled_range
from .types import Prim, Stage
from .walking import Walked, prims_of, walked

_USUAL_UNIT_M = 0.01
_STILL_M = 1e-5
"""What a surface may wander within its thing, and be called rigid: recordings round to 32 bits."""


@dataclass(frozen=True)
class Options:
    """What stages alone take."""

    meters_per_unit: float | None = option("Metres per unit of a USD stage, against what it says.", metavar="M")


@dataclass(frozen=True, eq=False)
class _Built:
    """Meshes, and who carries them."""

    meshes: list[Mesh]
    parts: list[Part]
    instances: list[Instance]
    ways: list[np.ndarray]
    visible: list[np.ndarray]


def read(path: Path, reading: Reading, options: Options) -> Scene:
    """Read a stage: rigid things with their recorded ways (``labels`` has the rule), what deforms, cameras, sun and sky.

    Frames go from ``startTimeCode`` to ``endTimeCode``; the stage's up axis is turned to z, and its unit to metres.

    Raises:
        MissingFileError: a layer that the stage refers to is not there.
        UnreadableFileError: the file is damaged, refers to itself, or holds a mesh that is none.
        BadValueError: a transform, a lens, a unit or a range of time codes that cannot be used.
        EmptySceneError: nothing of it can be drawn.
        MissingPackageError: usd-core is not installed.
    """
    with quiet(path):
        return scene_of_stage(opened(path), path, reading, options)


def scene_of_stage(stage: Stage, path: Path, reading: Reading, options: Options) -> Scene:
    """The scene of an open stage, within ``quiet``; arguments and errors as in ``read``."""
    usd, geom = require("pxr.Usd", "usd"), require("pxr.UsdGeom", "usd")
    prims, exported = prims_of(stage), is_mujoco_export(stage)
    frames = frames_of(
        stage,
        sampled_range(prims),
        reading,
        path,
        things=sum(prim.IsA(geom.Gprim) or prim.IsA(geom.Camera) for prim in prims),
        has_cameras=any(prim.IsA(geom.Camera) for prim in prims),
        past_end=1.0 if exported else 0.0,
    )
    times = [usd.TimeCode(float(code)) for code in frames.codes]
    skins = bake_skins(stage, prims, frames.codes)
    z_up_m, notes = _axes(stage, path, options.meters_per_unit, exported)
    found = walked(stage.GetPseudoRoot(), times)
    files = used_files(stage)
    materials = Materials(times[0], notes, files)
    placed = _placed(found, stage, times, z_up_m, path, notes)
    built = _build(placed, times, materials, path, skins)
    if not built.parts:
        said = "; ".join([*notes, *_what_was_read(found, placed)])
        raise EmptySceneError(
            path, lacks="surfaces that can be drawn", fix=f"save it with meshes{f' ({said})' if said else ''}"
        )
    cameras, of_cameras = cameras_of(found.cameras, times, z_up_m, reading.size, path)
    light, of_lights = light_of(found.lights, times, z_up_m, path, files)
    names = [plain_name(instance.name) if exported else instance.name for instance in built.instances]
    classes = [plain_name(instance.class_name) if exported else instance.class_name for instance in built.instances]
    scene = Scene(
        source=path,
        sha256=sha256_of(files),
        meshes=tuple(built.meshes),
        parts=tuple(built.parts),
        instances=tuple(map(Instance, _distinct(names), classes)),
        world_from_instance=np.stack(built.ways, axis=1),
        visible=np.stack(built.visible, axis=1),
        cameras=cameras,
        fps=frames.fps,
        lighting=light.lighting,
        environment=light.environment,
        notes=tuple(dict.fromkeys([*frames.notes, *notes, *of_cameras, *of_lights, *_what_was_read(found, placed)])),
    )
    return lit_by(scene, light.lamps, light.dome) if light.lamps else scene


def _axes(stage: Stage, path: Path, asked: float | None, exported: bool) -> tuple[Float[np.ndarray, "4 4"], list[str]]:
    """Our world (metres, z up) from the stage's."""
    geom = require("pxr.UsdGeom", "usd")
    notes, unit = [], float(geom.GetStageMetersPerUnit(stage))
    if asked is not None:
        unit = asked
    elif not geom.StageHasAuthoredMetersPerUnit(stage):
        unit = 1.0 if exported else _USUAL_UNIT_M
        why = "MuJoCo's exporter writes metres" if exported else "USD's default; --meters-per-unit changes it"
        notes.append(f"{path.name} does not say its unit: read as {unit:g} m ({why})")
    if not (np.isfinite(unit) and 1e-9 <= unit <= 1e9):
        raise BadValueError("metersPerUnit", unit, right="positive", where=path)
    y_up = str(geom.GetStageUpAxis(stage)) == "Y"
    if y_up:
        notes.append(f"{path.name}: its y axis is up and was turned to z, the up axis here")
    if exported:
        notes.append("MuJoCo's exporter writes no field of view: pass --intrinsics for the cameras' own")
    return (Y_UP if y_up else np.eye(4)) @ np.diag([unit, unit, unit, 1.0]), notes


def _placed(
    found: Walked, stage: Stage, times: Sequence[Any], z_up_m: np.ndarray, path: Path, notes: list[str]
) -> list[Placed]:
    """Every surface that is drawn, with its thing."""
    things = [thing_of(surface.prim, stage) for surface in found.surfaces]
    owners = {thing.path: stage.GetPrimAtPath(thing.path) for thing in things}
    prims = {str(surface.prim.GetPath()): surface.prim for surface in found.surfaces} | owners
    ways = ways_of(list(prims.values()), times, z_up_m, path)
    placed = [
        Placed(surface.prim, thing, ways[str(surface.prim.GetPath())], ways[thing.path], surface.visible)
        for surface, thing in zip(found.surfaces, things, strict=True)
    ]
    for instancer in found.instancers:
        placed += scattered(instancer, times, z_up_m, path, notes)
    return placed


def _build(
    placed: Sequence[Placed], times: Sequence[Any], materials: Materials, path: Path, skins: dict[str, PointsAt]
) -> _Built:
    built = _Built([], [], [], [], [])
    shapes: dict[str, list[Mesh]] = {}
    known: dict[tuple, list[int]] = {}
    index: dict[tuple[str, bytes], int] = {}
    for one in placed:
        key = _source(one.prim, materials)
        if key not in shapes:
            shapes[key] = _meshes(one.prim, times, materials, path, skins)
        if not shapes[key]:
            continue
        seen = one.visible & ~is_flat(one.world_from_thing)
        if not seen.any():
            continue
        thing = (one.thing.path, seen.tobytes())
        way = rigid_way(one.world_from_thing)
        if thing not in index:
            index[thing] = len(built.instances)
            built.instances.append(Instance(one.thing.name, one.thing.class_name))
            built.ways.append(way)
            built.visible.append(seen)
        within = inverse_rigid(way) @ one.world_from_prim
        still, place = _still(within, seen, shapes[key])
        if still:
            rotation, stretch = (m[0] for m in linear_parts(place[None, :3, :3]))
            same = (key, np.round(stretch, 9).tobytes())
            if same not in known:
                known[same] = list(range(len(built.meshes), len(built.meshes) + len(shapes[key])))
                built.meshes.extend(_stretched(mesh, stretch) for mesh in shapes[key])
            built.parts.extend(Part(mesh, index[thing], rigid(rotation, place[:3, 3])) for mesh in known[same])
        else:
            built.parts.extend([Part(len(built.meshes) + k, index[thing]) for k in range(len(shapes[key]))])
            built.meshes.extend(_swept(mesh, within, int(np.flatnonzero(seen)[0])) for mesh in shapes[key])
    return built


def _still(within: np.ndarray, seen: np.ndarray, meshes: Sequence[Mesh]) -> tuple[bool, np.ndarray]:
    """Whether a surface stays where it is within its thing, and where that is."""
    place = within[np.flatnonzero(seen)[0]]
    corners = np.concatenate([np.stack([mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)]) for mesh in meshes])
    reach = float(np.abs(corners).max())
    change = np.abs(within[seen] - place)
    wander = change[:, :3, :3].sum(axis=2).max(initial=0) * reach + change[:, :3, 3].max(initial=0)
    flat = abs(np.linalg.det(place[:3, :3])) < 1e-27
    allowed = _STILL_M * max(1.0, reach * float(np.abs(place[:3, :3]).max()))
    return bool(wander <= allowed and not flat), place


def _stretched(mesh: Mesh, stretch: np.ndarray) -> Mesh:
    return mesh if np.abs(stretch - np.eye(3)).max() <= 1e-9 else mapped(mesh, stretch)


def _swept(mesh: Mesh, within: np.ndarray, first: int) -> Mesh:
    """A mesh whose place within its thing changes, as one that deforms."""

    def at(frame: int) -> Float[np.ndarray, "points 3"]:
        points = mesh.vertices if mesh.deformed is None else mesh.deformed[frame]
        return points @ within[frame, :3, :3].T + within[frame, :3, 3]

    linear = within[first, :3, :3]
    at_first = mapped(mesh, linear) if abs(np.linalg.det(linear)) > 1e-27 else replace(mesh, normals=None)
    return replace(at_first, vertices=at(first), deformed=MovingVertices(len(within), len(mesh.vertices), at))


def _source(prim: Prim, materials: Materials) -> str:
    """What tells surfaces apart: instances of one prototype are the same, unless a material was bound from outside."""
    if not prim.IsInstanceProxy():
        return str(prim.GetPath())
    return f"{prim.GetPrimInPrototype().GetPath()} {materials.path_for(prim)}"


def _meshes(prim: Prim, times: Sequence[Any], materials: Materials, path: Path, skins: dict[str, PointsAt]) -> list[Mesh]:
    """The meshes of a prim, one per material, in the prim's frame."""
    shape = shape_of(prim, times, path, materials.notes, skins.get(str(prim.GetPath())))
    if shape is None:
        return []
    taken = np.zeros(len(shape.mesh.faces), bool)
    made = []
    for owner, triangles in shape.subsets:
        taken[triangles] = True
        made.append(_mesh(prim, owner, shape, triangles, times[0], materials))
    rest = np.flatnonzero(~taken)
    if len(rest):
        made.append(_mesh(prim, prim, shape, rest, times[0], materials))
    return [mesh for mesh in made if mesh is not None]


def _mesh(prim: Prim, owner: Prim, shape: Shape, triangles: np.ndarray, time: Any, materials: Materials) -> Mesh | None:
    look, whole = materials.bound_to(owner), shape.mesh
    if shape.corners is not None:
        found = uv_values(prim, None if look is None else look.uv_name, time)
        uv = None if found is None else shape.corners.spread(found.values, found.interpolation)
        whole = replace(whole, uv=None if uv is None else np.array(uv))
    if look is None:
        colors, opacity = face_colors(prim, shape, time)
        mesh = colored(some(whole, triangles), None if colors is None else colors[triangles], opacity)
    else:
        mesh = clothed(some(whole, triangles), look, materials.notes)
    mesh, dropped = cleaned(mesh)
    for why, count in dropped.items():
        materials.notes.append(f"{prim.GetPath()}: {count} faces are {why} and were dropped")
    return shaded(mesh) if len(mesh.faces) else None


def _distinct(names: Sequence[str]) -> list[str]:
    """The names, each once: later ones of the same get numbers."""
    given, used, last, found = set(names), set[str](), Counter[str](), []
    for name in names:
        free = name
        while free in used or (free != name and free in given):
            last[name] += 1
            free = f"{name}_{last[name] + 1}"
        used.add(free)
        found.append(free)
    return found


def _what_was_read(found: Walked, placed: Sequence[Placed]) -> list[str]:
    """Sentences on what is on the stage and not in the scene."""
    notes = []
    refined = Counter(str(p.prim.GetAttribute("subdivisionScheme").Get()) for p in placed if p.prim.GetTypeName() == "Mesh")
    smooth = sum(count for scheme, count in refined.items() if scheme != "none")
    if smooth:
        notes.append(f"{smooth} meshes are subdivision surfaces (USD's default), which are drawn as they are, not refined")
    if found.hidden:
        said = ", ".join(f"{count} {what}" for what, count in sorted(found.hidden.items()))
        notes.append(f"surfaces that are not shown by USD's rules: {said}")
    if found.left_out:
        said = ", ".join(f"{count} {kind}" for kind, count in sorted(found.left_out.items()))
        notes.append(f"left out, because only meshes and solids are read: {said}")
    return notes
