"""MuJoCo models with recorded states: the rollouts of robosuite, robomimic, MimicGen, LIBERO, Gymnasium and Menagerie."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from ....errors import BadValueError, EmptySceneError, MissingFileError
from ....transforms import rigid, rotation_from_quaternion
from ...records import Instance, Mesh, Part, Scene
from ..reading import Reading, option
from .cameras import cameras_of
from .compile import compiled
from .geoms import dressed, geom_shape, horizon_m, is_infinite, look_key, shape_key, visual_geoms
from .materials import geom_rgba, lighting_of, textures_of
from .not_read import note_of_what_is_not_read
from .states import Recording, read_states, replay
from .types import MjModel

DEFAULT_FPS = 24.0


@dataclass(frozen=True)
class Labeling:
    """Which instance every geom belongs to.

    - ``instances`` as in ``Scene.instances``; ``bodies`` are their body numbers in the model (0 is the world).
    - ``geom_instance`` maps the numbers of visible geoms to instance ids (1, 2, ...).
    """

    instances: tuple[Instance, ...]
    bodies: tuple[int, ...]
    geom_instance: dict[int, int]


@dataclass(frozen=True)
class Options:
    """What models alone take."""

    states: Path | str | None = option(
        "States of a MuJoCo model: one row [time, qpos, qvel] or [qpos] per frame.", metavar="FILE"
    )
    groups: tuple[int, ...] | None = option(
        "MuJoCo's geom groups to show.  [default: those that look like pictures]", metavar="G,..."
    )


def read(path: Path, reading: Reading, options: Options) -> Scene:
    """The reader of models; see ``load_mujoco``."""
    return load_mujoco(path, **vars(options), **vars(reading))


def load_mujoco(
    path: Path | str,
    *,
    states: Path | str | np.ndarray | None = None,
    frames: slice | None = None,
    groups: tuple[int, ...] | None = None,
    fps: float | None = None,
    size: tuple[int, int] | None = None,
) -> Scene:
    """Read a MuJoCo model (MJCF or URDF) and replay recorded states.

    Args:
        path: the model's XML file.
        states: ``.npy`` or ``.npz`` with one row per frame, or the rows themselves (``read_states``, ``state_layouts``).
            ``None``: one frame, in the model's keyframe.
        frames: which rows to replay; ``None``: all.
        groups: geom groups to show; ``None``: ``visual_geoms`` chooses.
        fps: frames per second; ``None``: from the rows' times, else 24.
        size: picture size (height, width) of the cameras; ``None``: their own, else 480x640.

    Returns:
        A scene with one instance per body that carries visible geoms (one per geom on the world itself).

    Raises:
        MissingFileError: model or states do not exist.
        UnreadableFileError: MuJoCo refuses the model, or the states are no array.
        BadValueError: states of the wrong width or with NaN, a group that shows nothing, a rate that is not positive.
        MissingPackageError: mujoco is not installed.
    """
    source = Path(path)
    if not source.is_file():
        raise MissingFileError(source, what="MuJoCo model")
    model = compiled(lambda mujoco: mujoco.MjModel.from_xml_path(str(source)), source)
    recording = None if states is None else read_states(states)
    return scene_of_model(model, source, recording, Reading(frames, size, fps), groups=groups)


def scene_of_model(
    model: MjModel,
    source: Path,
    recording: Recording | None,
    reading: Reading,
    *,
    groups: tuple[int, ...] | None = None,
    default_fps: float | None = None,
    notes: tuple[str, ...] = (),
) -> Scene:
    """A scene from a compiled model and its states; arguments and errors as in ``load_mujoco``.

    ``default_fps`` is the rate of recordings whose rows tell no time, before every n-th is chosen; ``notes`` come first.
    """
    frames = reading.frames
    if recording is not None and frames is not None:
        recording = _sliced(recording, frames, source)
    poses, seconds, layout = replay(model, recording)
    shown = _shown(model, groups)
    labeling = label_geoms(model, shown, source)
    horizon = horizon_m(model, poses.world_from_camera[..., :3, 3])
    meshes, parts = _meshes_and_parts(model, labeling, horizon)
    cameras = cameras_of(model, poses.world_from_camera, reading.size)
    count = len(poses.world_from_body)
    return Scene(
        source=source,
        sha256=_digest(model, recording),
        meshes=meshes,
        parts=parts,
        instances=labeling.instances,
        world_from_instance=poses.world_from_body[:, list(labeling.bodies)],
        visible=np.ones((count, len(labeling.instances)), bool),
        cameras=cameras,
        fps=_rate(reading.fps, seconds, (default_fps or DEFAULT_FPS) / (frames.step or 1 if frames else 1), source),
        lighting=lighting_of(model, poses.light_position, poses.light_direction),
        notes=(*notes, *_notes(model, labeling, shown, groups is None, layout, recording, horizon)),
    )


def labeling_of(model: MjModel, groups: tuple[int, ...] | None, source: object = "") -> Labeling:
    """Which instances a model has; arguments and errors as in ``scene_of_model``."""
    return label_geoms(model, _shown(model, groups), source)


def _shown(model: MjModel, groups: tuple[int, ...] | None) -> Bool[np.ndarray, "geoms"]:
    return visual_geoms(model) if groups is None else np.isin(model.geom_group, groups)


def label_geoms(model: MjModel, shown: Bool[np.ndarray, "geoms"], source: object = "") -> Labeling:
    """Instances in the order of bodies: one per body with visible geoms, and one per visible geom of the world itself.

    The class is the name of the tree that a body belongs to (the child of the world that it hangs on); a body that only
    groups others (no geoms, joints, sites or cameras of its own, several children) is looked through, once.

    Raises:
        BadValueError: no geom of the model is among those to be shown.
    """
    seen = shown & (np.array([geom_rgba(model, g)[3] for g in range(model.ngeom)]) > 0)
    geoms = [int(g) for g in np.flatnonzero(seen)]
    if not geoms:
        if model.ngeom == 0:
            raise EmptySceneError(source, lacks="geoms", fix="give the bodies of the model geoms")
        present = ", ".join(str(int(g)) for g in np.unique(model.geom_group))
        chosen = ", ".join(str(int(g)) for g in np.unique(model.geom_group[shown])) or "none that the model has"
        raise BadValueError("the choice of geom groups", chosen, right=f"groups with visible geoms, of {present}", where=source)
    instances, bodies, of_geom, of_body = [], [], {}, {}
    for geom in sorted(geoms, key=lambda g: (int(model.geom_bodyid[g]), g)):
        body = int(model.geom_bodyid[geom])
        if body == 0 or body not in of_body:
            name = (model.geom(geom).name or f"geom_{geom}") if body == 0 else _body_name(model, body)
            instances.append(Instance(name, name if body == 0 else _class_name(model, body), fixed=_is_fixed(model, body)))
            bodies.append(body)
            of_body[body] = len(instances)
        of_geom[geom] = of_body[body]
    return Labeling(tuple(_distinct(instances)), tuple(bodies), of_geom)


def _distinct(instances: list[Instance]) -> list[Instance]:
    taken: set[str] = set()
    out = []
    for k, instance in enumerate(instances):
        name = instance.name if instance.name not in taken else f"{instance.name}_{k + 1}"
        taken.add(name)
        out.append(replace(instance, name=name))
    return out


def _body_name(model: MjModel, body: int) -> str:
    return model.body(body).name or f"body_{body}"


def _is_fixed(model: MjModel, body: int) -> bool:
    """Whether no joint and no mocap pose moves a body."""
    root = int(model.body_rootid[body])
    return int(model.body_weldid[body]) == 0 and (root == 0 or int(model.body_mocapid[root]) < 0)


def _class_name(model: MjModel, body: int) -> str:
    chain = [body]
    while int(model.body_parentid[chain[-1]]) != 0:
        chain.append(int(model.body_parentid[chain[-1]]))
    chain.reverse()
    if len(chain) > 1 and _only_groups(model, chain[0]):
        chain.pop(0)
    if model.body(chain[0]).name:
        return model.body(chain[0]).name
    below = [b for b in range(chain[0], model.nbody) if _is_below(model, b, chain[0]) and model.body(b).name]
    names = [model.body(b).name for b in below]
    common = _common_start(names)
    return common or (names[0] if names else _body_name(model, chain[0]))


def _only_groups(model: MjModel, body: int) -> bool:
    own = int(model.body_geomnum[body]) + int(model.body_jntnum[body])
    own += int(np.sum(model.site_bodyid == body)) + int(np.sum(model.cam_bodyid == body))
    return own == 0 and int(np.sum(model.body_parentid == body)) > 1


def _is_below(model: MjModel, body: int, root: int) -> bool:
    while body > root:
        body = int(model.body_parentid[body])
    return body == root


def _common_start(names: list[str]) -> str:
    """What several names begin with (``panda0`` of ``panda0_link1``, ``panda0_hand``), if that is a word."""
    if len(names) < 2:
        return ""
    first, last = min(names), max(names)
    same = next((k for k, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    word = first[:same].rsplit("_", 1)[0].strip("_:/- ") if "_" in first[:same] else ""
    return word if len(word) >= 3 else ""


def _meshes_and_parts(model: MjModel, labeling: Labeling, horizon: float) -> tuple[tuple[Mesh, ...], tuple[Part, ...]]:
    shapes: dict[tuple, Mesh | None] = {}
    looks: dict[tuple, list[int]] = {}
    meshes: list[Mesh] = []
    parts: list[Part] = []
    pictures = textures_of(model, labeling.geom_instance)
    for geom, instance in labeling.geom_instance.items():
        shape, look = shape_key(model, geom), look_key(model, geom)
        if shape not in shapes:
            shapes[shape] = geom_shape(model, geom, horizon)
        made = shapes[shape]
        if made is None:
            continue
        if look not in looks:
            new = dressed(model, geom, made, pictures)
            looks[look] = list(range(len(meshes), len(meshes) + len(new)))
            meshes.extend(new)
        place = rigid(rotation_from_quaternion(model.geom_quat[geom]), model.geom_pos[geom])
        parts.extend(Part(mesh, instance - 1, place) for mesh in looks[look])
    return tuple(meshes), tuple(parts)


def _sliced(recording: Recording, frames: slice, source: Path) -> Recording:
    rows = recording.rows[frames]
    if len(rows) == 0:
        received = f"{frames.start}:{frames.stop}"
        raise BadValueError(
            "the range of frames", received, right=f"within 0:{len(recording.rows)}", where=recording.where or source
        )
    mocap, seconds = recording.mocap, recording.seconds
    return replace(
        recording,
        rows=rows,
        mocap=None if mocap is None else mocap[frames],
        seconds=None if seconds is None else seconds[frames],
    )


def _rate(fps: float | None, seconds: Float[np.ndarray, "frames"] | None, usual: float, source: Path) -> float:
    if fps is not None:
        if not (np.isfinite(fps) and fps > 0):
            raise BadValueError("the frame rate", fps, right="a positive number of frames per second", where=source)
        return float(fps)
    if seconds is not None and len(seconds) > 1:
        step = float(np.median(np.diff(seconds)))
        if step > 0 and 0 < (rate := round(1 / step, 3)) < np.inf:
            return rate
    return usual


def _notes(
    model: MjModel,
    labeling: Labeling,
    shown: Bool[np.ndarray, "geoms"],
    automatic: bool,
    layout: str,
    recording: Recording | None,
    horizon: float,
) -> list[str]:
    groups = np.asarray(model.geom_group)
    seen = np.unique(groups[shown])
    hidden = np.setdiff1d(groups, seen)
    chosen = "chosen automatically, --groups chooses others" if automatic else "as asked"
    rest = f", hidden: {', '.join(map(str, hidden))}" if len(hidden) else ""
    notes = [f"geom groups shown ({chosen}): {', '.join(map(str, seen))}{rest}"]
    left_out = np.flatnonzero(~shown & np.isin(groups, seen))
    if len(left_out):
        bodies = list(dict.fromkeys(_body_name(model, int(model.geom_bodyid[g])) for g in left_out))
        names = ", ".join(bodies[:3]) + (f" and {len(bodies) - 3} more" if len(bodies) > 3 else "")
        notes.append(f"{len(left_out)} colliding geom(s) of group 0 hidden, whose bodies have pictures of their own: {names}")
    notes.append(f"no states given: one frame at {layout}" if recording is None else f"states read as {layout}")
    endless = [g for g in labeling.geom_instance if is_infinite(model, g)]
    if endless:
        notes.append(f"{len(endless)} infinite plane(s) drawn {2 * horizon:.0f} m wide, past any camera's horizon")
    lost = [g for g in labeling.geom_instance if geom_shape_is_missing(model, g)]
    if lost:
        notes.append(f"{len(lost)} signed-distance geom(s) without a mesh were left out")
    besides = note_of_what_is_not_read(model)
    return notes if besides is None else [*notes, besides]


def geom_shape_is_missing(model: MjModel, geom: int) -> bool:
    """Whether a geom has no surface that can be drawn."""
    return int(model.geom_type[geom]) >= 7 and int(model.geom_dataid[geom]) < 0


def _digest(model: MjModel, recording: Recording | None) -> str:
    """A hash of what the pictures depend on: compiled geometry, textures, colors, and the states."""
    digest = hashlib.sha256()
    arrays = [
        *(model.mesh_vert, model.mesh_face, model.mesh_texcoord, model.hfield_data, model.tex_data, model.mat_rgba),
        *(model.geom_type, model.geom_size, model.geom_pos, model.geom_quat, model.geom_rgba, model.geom_matid),
        *(model.geom_group, model.geom_bodyid, model.body_parentid, model.body_pos, model.body_quat, model.jnt_axis),
        *(model.jnt_pos, model.cam_pos, model.cam_quat, model.cam_fovy, model.qpos0, model.key_qpos),
    ]
    if recording is not None:
        arrays += [recording.rows] + ([] if recording.mocap is None else [recording.mocap])
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
