"""MuJoCo models with recorded states: the rollouts of robosuite, robomimic, MimicGen, LIBERO, Gymnasium and Menagerie."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ....errors import BadValueError
from ....transforms import rigid, rotation_from_quaternion
from ...light.lamps import NO_LAMPS
from ...records import Mesh, ModelLight, Part, Scene
from ..reading import Reading, option, rate_of
from .cameras import cameras_of
from .digest import digest_of
from .drawn.deforming import Deforming
from .drawn.flexes import deforming_flex
from .drawn.kinds import drawn, kinds_to_show
from .drawn.sites import Mark, mark
from .drawn.skins import deforming_skin
from .drawn.tendons import deforming_tendon
from .files import compiled_file, damage_named
from .geoms import dressed, geom_shape, horizon_m, look_key, mirror_of, shape_key
from .labels import Labeling, distinct, label_geoms, shown_geoms
from .lights import haze_of, lights_of
from .materials import lighting_of, textures_of
from .notes import notes_of_geoms, notes_of_replay
from .replay import Replay, at_reference, replay
from .states import Recording, read_states
from .types import MjModel

DEFAULT_FPS = 24.0


@dataclass(frozen=True)
class Options:
    """What models alone take."""

    states: Path | str | np.ndarray | None = option(
        "States of a MuJoCo model (.npy, .npz, .csv): a row per frame, [time, qpos, qvel], [qpos], or of mj_getState.",
        metavar="FILE",
    )
    state_spec: str | None = option(
        "What a row of the states holds, such as time,qpos,qvel or integration.  [default: what is as wide]", metavar="SPEC"
    )
    keyframe: str | None = option(
        "The model's keyframe to show without states, by name or number.  [default: home, else the first]", metavar="NAME|INDEX"
    )
    groups: tuple[int, ...] | None = option(
        "MuJoCo's geom groups to show.  [default: those that look like pictures]", metavar="G,..."
    )
    show: tuple[str, ...] | list[str] | str | None = option(
        "What to show besides geoms: skins, flexes, tendons, sites, or none.  [default: skins,flexes,tendons]",
        metavar="KIND,...",
    )


@dataclass(frozen=True)
class Choices:
    """What is shown of a model, and in which state where there is no recording: fields of ``Options``, ``None``: the usual."""

    groups: tuple[int, ...] | None = None
    show: tuple[str, ...] | list[str] | str | None = None
    keyframe: str | None = None
    state_spec: str | None = None


def read(path: Path, reading: Reading, options: Options) -> Scene:
    """The reader of models; see ``load_mujoco``."""
    return load_mujoco(path, **vars(reading), **vars(options))


def load_mujoco(
    path: Path | str,
    *,
    frames: slice | None = None,
    fps: float | None = None,
    size: tuple[int, int] | None = None,
    **options: Any,
) -> Scene:
    """Read a MuJoCo model (MJCF, URDF, MJB, or a zip archive of one) and replay recorded states.

    Args:
        path: the model's file.
        frames: which rows to replay; ``None``: all.
        fps: frames per second; ``None``: from the rows' times, else 24.
        size: picture size (height, width) of the cameras; ``None``: their own, else 480x640.
        options: fields of ``Options``; ``states`` may be the rows themselves. Without states there is one frame, in a
            keyframe or the reference pose.

    Returns:
        A scene with one instance per body that carries visible geoms (one per geom on the world itself), and one per skin,
        flex, tendon and site that is shown.

    Raises:
        MissingFileError: model or states do not exist.
        UnreadableFileError: MuJoCo refuses the model, or the states are no array.
        UnknownNameError: there is no such keyframe, kind of thing or element of a state.
        BadValueError: states of the wrong width or with NaN, a group that shows nothing, a rate that is not positive, a
            keyframe beside states.
        MissingPackageError: mujoco is not installed.
    """
    asked = Options(**options)
    source = Path(path)
    if asked.states is not None and asked.keyframe is not None:
        right = "left out where there are states, which say where everything is"
        raise BadValueError("--keyframe", asked.keyframe, right=right, where=source)
    if asked.states is None and asked.state_spec is not None:
        raise BadValueError("--state-spec", asked.state_spec, right="left out where there are no --states", where=source)
    model = compiled_file(source)
    recording = None if asked.states is None else read_states(asked.states)
    choices = Choices(asked.groups, asked.show, asked.keyframe, asked.state_spec)
    with damage_named(source):
        return scene_of_model(model, source, recording, Reading(frames, size, fps), choices)


def scene_of_model(
    model: MjModel,
    source: Path,
    recording: Recording | None,
    reading: Reading,
    choices: Choices | None = None,
    *,
    default_fps: float | None = None,
    notes: tuple[str, ...] = (),
) -> Scene:
    """A scene from a compiled model and its states; arguments and errors as in ``load_mujoco``.

    ``default_fps`` is the rate of recordings whose rows tell no time, before every n-th is chosen; ``notes`` come first.
    """
    choices, frames = choices or Choices(), reading.frames
    if recording is not None and frames is not None:
        recording = _sliced(recording, frames, source)
    kinds = kinds_to_show(choices.show)
    deforming, marks = _deforming(model, kinds), _marks(model, kinds)
    rows = 1 if recording is None else len(recording.rows)
    played = replay(
        model,
        recording,
        surfaces=[one.vertices for one in deforming],
        keyframe=choices.keyframe,
        state_spec=choices.state_spec,
    )
    shown = shown_geoms(model, choices.groups)
    besides = bool(deforming or marks) and choices.groups is None
    labeling = label_geoms(model, shown, source, may_be_empty=besides)
    poses = played.poses
    horizon = horizon_m(model, poses.world_from_camera[..., :3, 3])
    geoms = _meshes_and_parts(model, labeling, horizon)
    others = _others(played, deforming, marks, first_mesh=len(geoms[0]), first_instance=len(labeling.instances))
    instances = distinct([*labeling.instances, *(one.instance for one in (*deforming, *marks))])
    bodies = [*labeling.bodies, *(0 for _ in deforming), *(one.body for one in marks)]
    usual = (default_fps or DEFAULT_FPS) / (frames.step or 1 if frames else 1)
    said = notes_of_geoms(model, labeling, shown, choices.groups is None, horizon)
    haze = haze_of(model, sorted(labeling.geom_instance), poses.world_from_body[0])
    lights, said_of_lights = lights_of(model, poses.light_position, poses.light_direction, bodies, haze)
    if not lights.lamps:
        said_of_lights.append(NO_LAMPS)
    lighting = lighting_of(model, poses.light_position, poses.light_direction)
    replayed = notes_of_replay(model, played, kinds, recorded=recording is not None)
    return Scene(
        source=source,
        sha256=digest_of(model, recording, kinds),
        meshes=(*geoms[0], *others[0]),
        parts=(*geoms[1], *others[1]),
        instances=tuple(instances),
        world_from_instance=poses.world_from_body[:, bodies],
        visible=np.ones((rows, len(instances)), bool),
        cameras=cameras_of(model, poses.world_from_camera, reading.size),
        fps=_rate(reading.fps, played.seconds, usual, source),
        lighting=lighting,
        lights=lights if lights.lamps else None,
        model_light=None if lights.lamps else ModelLight(lighting, lights),
        notes=(*notes, *said, *said_of_lights, *replayed),
    )


def _deforming(model: MjModel, kinds: Iterable[str]) -> list[Deforming]:
    """Skins, flexes and tendons that are shown, in this order."""
    numbers = {kind: drawn(model, kind) if kind in kinds else [] for kind in ("skins", "flexes", "tendons")}
    found: list[Deforming | None] = [deforming_skin(model, int(k)) for k in numbers["skins"]]
    if len(numbers["flexes"]) or len(numbers["tendons"]):
        at_rest = at_reference(model)
        found += [deforming_flex(model, int(k), at_rest) for k in numbers["flexes"]]
        found += [deforming_tendon(model, int(k), at_rest) for k in numbers["tendons"]]
    return [one for one in found if one is not None]


def _marks(model: MjModel, kinds: Iterable[str]) -> list[Mark]:
    made = [mark(model, int(k)) for k in drawn(model, "sites")] if "sites" in kinds else []
    return [one for one in made if one is not None]


def _others(
    played: Replay, deforming: list[Deforming], marks: list[Mark], *, first_mesh: int, first_instance: int
) -> tuple[list[Mesh], list[Part]]:
    """Meshes and parts of what is no geom."""
    meshes: list[Mesh] = []
    parts: list[Part] = []
    for k, (one, vertices) in enumerate(zip(deforming, played.surfaces, strict=True)):
        own = one.meshes(vertices)
        parts += [Part(first_mesh + len(meshes) + number, first_instance + k) for number in range(len(own))]
        meshes += own
    for k, one in enumerate(marks):
        parts.append(Part(first_mesh + len(meshes), first_instance + len(deforming) + k, one.body_from_mesh))
        meshes.append(one.mesh)
    return meshes, parts


def _meshes_and_parts(model: MjModel, labeling: Labeling, horizon: float) -> tuple[tuple[Mesh, ...], tuple[Part, ...]]:
    shapes: dict[tuple, Mesh | None] = {}
    looks: dict[tuple, list[int]] = {}
    meshes: list[Mesh] = []
    parts: list[Part] = []
    pictures = textures_of(model, labeling.geom_instance)
    reflecting, mirror = mirror_of(model, labeling.geom_instance)
    for geom, instance in labeling.geom_instance.items():
        shape, look = shape_key(model, geom), (*look_key(model, geom), geom == reflecting)
        if shape not in shapes:
            shapes[shape] = geom_shape(model, geom, horizon)
        made = shapes[shape]
        if made is None:
            continue
        if look not in looks:
            new = dressed(model, geom, made, pictures)
            if geom == reflecting:
                new = [replace(mesh, mirror=mirror) for mesh in new]
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
    return rate_of(seconds, usual)
