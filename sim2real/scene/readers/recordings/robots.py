"""Robots of recordings from MJCF and USD files, whose own readers draw them once their joints are where they were recorded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ....errors import BadValueError, UnknownNameError
from ....optional import require
from ...records import Scene
from ..frame_count import check_frames
from ..mesh.files import Y_UP
from ..mujoco.files import compiled_file, damage_named
from ..mujoco.model import Choices, scene_of_model
from ..mujoco.replay import replay
from ..mujoco.states import Recording
from ..mujoco.types import MjModel
from ..reading import Reading
from ..scene_file.objects import Files
from ..usd.joints import joints_of, root_from_bodies, roots_of
from ..usd.opening import opened, quiet, used_files
from ..usd.posing import can_be_posed, pose_prims, rest_of
from ..usd.stage import Options as StageOptions
from ..usd.stage import scene_of_stage
from ..usd.types import Stage
from ..usd.walking import prims_of
from .figures import Figure, joints_by_name, rooted
from .joint_order import Edge
from .log import Track
from .mapping import ThingEntry

_FPS = 24.0
"""Of a robot alone; it counts nothing."""


def of_model(path: Path, track: Track, entry: ThingEntry, files: Files) -> Figure:
    """A robot from an MJCF file; its root is the first body on the world.

    Raises:
        UnreadableFileError: MuJoCo refuses it.
        BadValueError: it has other joints than were recorded, or its bodies hang on nothing.
        UnknownNameError: it has no such joint or root.
        MissingPackageError: mujoco is not installed.
    """
    mujoco = require("mujoco", "mujoco")
    model = compiled_file(path)
    names = [model.body(k).name or f"body{k}" for k in range(model.nbody)]
    if entry.root is not None and entry.root not in names:
        raise UnknownNameError(entry.root, names, what=f"root of {track.name}", where=files.source)
    first = next((k for k in range(1, model.nbody) if model.body_parentid[k] == 0), 0)
    root = first if entry.root is None else names.index(entry.root)
    check_frames(track.frames, model.nbody, files.source)
    found, notes = joints_by_name(_edges_of_model(model, names, mujoco), track, entry, files.source)
    rows = np.tile(model.qpos0, (track.frames, 1)) if model.nq else np.zeros((track.frames, 0))
    for name, values in found.items():
        rows[:, model.joint(name).qposadr[0]] = values
    recording = Recording(rows, where=str(path)) if model.nq else None
    with damage_named(path):
        scene = scene_of_model(model, path, recording, Reading(), Choices(state_spec="qpos" if model.nq else None))
        bodies = replay(model, recording, state_spec="qpos" if model.nq else None).poses.world_from_body
    files.read.append(path)
    scene, bodies = _tiled(scene, track.frames), np.broadcast_to(bodies, (track.frames, *bodies.shape[1:]))
    figure = rooted(scene, bodies[:, root], {name: bodies[:, k] for k, name in enumerate(names) if k})
    return _with_notes(figure, notes)


def _edges_of_model(model: MjModel, names: list[str], mujoco: object) -> list[Edge]:
    """The joints of a model; bodies with several have links of their own between them."""
    kinds = (int(mujoco.mjtJoint.mjJNT_HINGE), int(mujoco.mjtJoint.mjJNT_SLIDE))  # type: ignore[attr-defined]
    edges = []
    for body in range(1, model.nbody):
        above = names[model.body_parentid[body]]
        own = range(model.body_jntadr[body], model.body_jntadr[body] + model.body_jntnum[body])
        for k, joint in enumerate(own):
            below = names[body] if k == len(own) - 1 else f"{names[body]}#{k}"
            edges.append(Edge(model.joint(joint).name, above, below, int(model.jnt_type[joint]) in kinds))
            above = below
        if not own:
            edges.append(Edge("", above, names[body], False))
    return edges


def of_stage(path: Path, track: Track, entry: ThingEntry, files: Files) -> Figure:
    """A robot from a USD file with joints of UsdPhysics; its root is the body that all others hang on.

    Raises:
        UnreadableFileError: it is damaged, or its bodies hang on each other in a circle.
        BadValueError: it has other joints than were recorded, or several roots.
        UnknownNameError: it has no such joint or root.
        MissingPackageError: usd-core is not installed.
    """
    with quiet(path):
        stage = opened(path)
        joints = joints_of(stage, path)
        bodies = list(dict.fromkeys(body for joint in joints for body in (joint.parent, joint.child)))
        root = _root_of_stage(stage, entry, roots_of(joints), bodies, track, files)
        check_frames(track.frames, len(bodies) + 1, files.source)
        edges = [Edge(joint.name, joint.parent, joint.child, joint.kind != "fixed") for joint in joints]
        found, notes = joints_by_name(edges, track, entry, files.source)
        geom = require("pxr.UsdGeom", "usd")
        unit_m = float(geom.GetStageMetersPerUnit(stage)) if geom.StageHasAuthoredMetersPerUnit(stage) else 0.01
        rest = rest_of(stage, root)[0]
        ways = {body: rest @ way for body, way in root_from_bodies(joints, root, found, track.frames, unit_m).items()}
        lost = [body for body in ways if not can_be_posed(stage, body)]
        if lost:
            right = "prims that can be moved, in no instance"
            raise BadValueError(f"bodies of {track.name}", ", ".join(lost[:4]), right=right, where=path)
        pose_prims(stage, ways, _FPS)
        scene = _tiled(scene_of_stage(stage, path, Reading(frames=slice(0, track.frames)), StageOptions()), track.frames)
        files.read += used_files(stage)
        z_up_m = _z_up(stage, unit_m)
    links = {body.rpartition("/")[2]: _in_metres(z_up_m, way) for body, way in ways.items()}
    return _with_notes(rooted(scene, _in_metres(z_up_m, ways[root]), links), notes)


def _root_of_stage(stage: Stage, entry: ThingEntry, roots: list[str], bodies: list[str], track: Track, files: Files) -> str:
    if entry.root is not None:
        named = [body for body in bodies if entry.root in (body, body.rpartition("/")[2])]
        if named or can_be_posed(stage, entry.root):
            return named[0] if named else entry.root
        raise UnknownNameError(entry.root, bodies, what=f"root of {track.name}", where=files.source)
    if len(roots) > 1:
        right = "one, named as root"
        raise BadValueError(f"the roots of {track.name}", ", ".join(roots[:6]), right=right, where=files.source)
    if roots:
        return roots[0]
    physics = require("pxr.UsdPhysics", "usd")
    rigid_bodies = [str(p.GetPath()) for p in prims_of(stage) if p.HasAPI(physics.RigidBodyAPI)]
    default = stage.GetDefaultPrim()
    found = rigid_bodies[:1] or ([str(default.GetPath())] if default and can_be_posed(stage, str(default.GetPath())) else [])
    if not found:
        raise BadValueError(f"the root of {track.name}", "unknown", right="named as root, by its path", where=files.source)
    return found[0]


def _z_up(stage: Stage, unit_m: float) -> Float[np.ndarray, "4 4"]:
    """The reader's world from the stage's."""
    y_up = str(require("pxr.UsdGeom", "usd").GetStageUpAxis(stage)) == "Y"
    return (Y_UP if y_up else np.eye(4)) @ np.diag([unit_m, unit_m, unit_m, 1.0])


def _in_metres(z_up_m: np.ndarray, way: np.ndarray) -> Float[np.ndarray, "frames 4 4"]:
    """A rigid way on the stage, in the reader's world."""
    world = z_up_m @ way
    unit = float(np.cbrt(np.linalg.det(z_up_m[:3, :3])))
    return np.concatenate([np.concatenate([world[:, :3, :3] / unit, world[:, :3, 3:]], axis=2), world[:, 3:]], axis=1)


def _tiled(scene: Scene, frames: int) -> Scene:
    """A scene of one frame in as many as there are."""
    if scene.frames == frames:
        return scene
    return replace(
        scene,
        world_from_instance=np.repeat(scene.world_from_instance[:1], frames, axis=0),
        visible=np.repeat(scene.visible[:1], frames, axis=0),
        cameras=(),
    )


def _with_notes(figure: Figure, notes: list[str]) -> Figure:
    return replace(figure, notes=(*figure.notes, *notes))
