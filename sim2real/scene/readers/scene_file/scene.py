"""Scene files (``scenes/*.yaml``) become scenes. What they may say is in ``schema``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ....errors import BadValueError
from ...light.environment import Environment
from ...light.panoramas import MODEL, environment_of, name_and_angle
from ...light.plain import lighting_of
from ...records import Instance, Lighting, Mesh, ModelLight, Part, Scene
from ..frame_count import check_frames
from ..mesh.files import sha256_of
from ..package_files import package_file
from ..reading import Reading, option
from ..registry import own_options, reader_of
from ..registry import read as read_any
from .cameras import cameras_of
from .objects import Files, Placed, placed
from .schema import LightEntry, ObjectEntry, RolloutEntry, SceneFile
from .tables import read_table
from .track_entry import track_of
from .yaml import read_yaml

DEFAULT_FRAMES = 24
DEFAULT_FPS = 24.0


@dataclass(frozen=True)
class Options:
    """What scene files alone take."""

    asset_root: Path | str | None = option("Where to look for meshes whose paths lead nowhere on this machine.", metavar="DIR")


def read(path: Path, reading: Reading, options: Options) -> Scene:
    """Read a scene file.

    Args:
        path: the YAML file.
        reading: which of its frames, as a slice, and the rate follows the slice's step; (height, width) of all cameras; frames
            per second at which the result plays.
        options: where to look for mesh files of a recording from another machine.

    Raises:
        BadKeyError: a key or value is wrong; names file, line and key.
        MissingFileError: a file that it names does not exist.
        Sim2RealError: whatever else is wrong with the files that it names.
    """
    file = _with_sizes(read_yaml(path, SceneFile))
    files = Files(path, read=[path])
    base = _rollout(file.rollout, file, reading.size, options, files) if file.rollout else _empty(path, file, files)
    scene = furnished(
        base, {i.name: base.world_from_instance[:, k] for k, i in enumerate(base.instances)}, file, files, reading.size
    )
    return _paced(scene, reading.frames, reading.fps)


def furnished(
    base: Scene,
    ways: Mapping[str, Float[np.ndarray, "frames 4 4"]],
    file: SceneFile,
    files: Files,
    size: tuple[int, int] | None,
) -> Scene:
    """A scene with what a scene file puts into it: objects, classes, cameras, light.

    Args:
        base: the rollout's scene, or an empty one.
        ways: what cameras may look at and ride on besides the file's objects and the rollout's cameras, by name.
        file: what is put into it.
        files: what has been read.
        size: (height, width) of all cameras, against what the file says.
    """
    path, objects = files.source, [placed(entry, base.frames, base.fps, files) for entry in file.objects]
    scene = _with_objects(base, file.objects, objects, path)
    scene = _classified(scene, file, [entry.class_name for entry in file.objects], files)
    ways = dict(ways) | {entry.name: thing.world_from_object for entry, thing in zip(file.objects, objects, strict=True)}
    cameras = cameras_of(file.cameras, ways, base.cameras, base.frames, base.fps, files, file.size, size)
    lit = _lit(scene, file, files)
    return replace(
        lit,
        source=path,
        sha256=_hash(files, base if base.sha256 else None),
        cameras=(*_kept_cameras(base, file, path), *cameras),
        notes=(*lit.notes, *dict.fromkeys(files.notes)),
    )


def _with_sizes(file: SceneFile) -> SceneFile:
    """The file with its size said by every camera on a track, if it says one: otherwise a track's own counts."""
    if "size" not in file.model_fields_set:
        return file
    cameras = [c.model_copy(update={"size": file.size}) if c.track and c.size is None else c for c in file.cameras]
    return file.model_copy(update={"cameras": tuple(cameras)})


def _paced(scene: Scene, frames: slice | None, fps: float | None) -> Scene:
    if frames is not None:
        scene = replace(scene.sliced(frames), fps=scene.fps / (frames.step or 1))
    return scene if fps is None else replace(scene, fps=fps)


def _empty(path: Path, file: SceneFile, files: Files) -> Scene:
    tables = [entry.motion.table for entry in file.objects if entry.motion and entry.motion.table]
    tables += [entry.table for entry in file.cameras if entry.table]
    rows = [len(read_table(files.path(table)).position) for table in tables] if file.frames is None else []
    if file.frames is None:
        rows += [track_of(entry, files).frames_at(file.fps or DEFAULT_FPS) for entry in file.cameras if entry.track]
    count = file.frames or min(rows, default=DEFAULT_FRAMES)
    check_frames(count, len(file.objects) + len(file.cameras), path)
    nothing = np.zeros((count, 0, 4, 4))
    return Scene(path, "", (), (), (), nothing, np.zeros((count, 0), bool), (), file.fps or DEFAULT_FPS)


def _rollout(entry: RolloutEntry, file: SceneFile, size: tuple[int, int] | None, options: Options, files: Files) -> Scene:
    path = package_file(entry.package) if entry.package else files.path(str(entry.path))
    if path.suffix.lower() in (".yaml", ".yml"):
        raise BadValueError("the file of a rollout", path, right="a simulator's model or recording", where=files.source)
    own = entry.own | ({} if entry.asset_root is None else {"asset_root": entry.asset_root})
    paths = {name for name, known in own_options(reader_of(path)).items() if known.is_path}
    own = {name: files.path(value) if name in paths else value for name, value in own.items()}
    own = {name: tuple(value) if isinstance(value, list) else value for name, value in own.items()}
    files.read += [value for value in own.values() if isinstance(value, Path) and value.is_file()]
    if options.asset_root is not None:
        own["asset_root"] = options.asset_root
    stop = None if entry.frames is None else entry.frames * entry.stride
    reading = Reading(
        frames=None if stop is None and entry.stride == 1 else slice(0, stop, entry.stride),
        size=size or (file.size if "size" in file.model_fields_set else None),
        fps=entry.fps or file.fps,
    )
    scene = read_any(path, reading, own)
    if entry.frames is not None and scene.frames < entry.frames:
        raise BadValueError("rollout.frames", entry.frames, right=f"1 to {scene.frames}", where=files.source)
    return scene


def _with_objects(base: Scene, entries: tuple[ObjectEntry, ...], objects: list[Placed], source: Path) -> Scene:
    """The base scene and, behind its instances, one instance per object."""
    meshes: list[Mesh] = list(base.meshes)
    parts: list[Part] = list(base.parts)
    index: dict[int, int] = {}
    for k, thing in enumerate(objects):
        for mesh, move in thing.meshes:
            if id(mesh) not in index:
                index[id(mesh)] = len(meshes)
                meshes.append(mesh)
            parts.append(Part(index[id(mesh)], len(base.instances) + k, move))
    taken = {instance.name for instance in base.instances}
    for entry in entries:
        if entry.name in taken:
            right = "a name that the rollout does not use"
            raise BadValueError("the name of an object", repr(entry.name), right=right, where=source)
    if not objects:
        return base
    ways = np.stack([thing.world_from_object @ thing.object_from_instance for thing in objects], axis=1)
    visible = np.stack([thing.visible for thing in objects], axis=1)
    return replace(
        base,
        meshes=tuple(meshes),
        parts=tuple(parts),
        instances=(*base.instances, *(Instance(entry.name, entry.name) for entry in entries)),
        world_from_instance=np.concatenate([base.world_from_instance, ways], axis=1),
        visible=np.concatenate([base.visible, visible], axis=1),
    )


def _classified(scene: Scene, file: SceneFile, own: list[str | None], files: Files) -> Scene:
    """Classes by ``class``, then by the first pattern that fits, else as they are."""
    given = [None] * (len(scene.instances) - len(own)) + own
    instances, used = [], set()
    for instance, class_name in zip(scene.instances, given, strict=True):
        pattern = next((p for p in file.classes if fnmatchcase(instance.name, p)), None)
        used.add(pattern)
        found = class_name or (instance.class_name if pattern is None else file.classes[pattern])
        instances.append(replace(instance, class_name=found))
    files.notes += [f"classes: no instance has a name like {pattern!r}" for pattern in file.classes if pattern not in used]
    return replace(scene, instances=tuple(instances))


def _kept_cameras(base: Scene, file: SceneFile, path: Path) -> tuple:
    wanted = None if file.rollout is None else file.rollout.cameras
    kept = base.cameras if wanted is None else tuple(base.camera(name) for name in wanted)
    names = {camera.name for camera in kept}
    for entry in file.cameras:
        if entry.name in names:
            right = "a name that the rollout does not use"
            raise BadValueError("the name of a camera", repr(entry.name), right=right, where=path)
    return kept


def _lit(scene: Scene, file: SceneFile, files: Files) -> Scene:
    """The scene in the light of the file; without any it has that of the rollout, which ``--light model`` goes back to."""
    entry = file.light
    if entry.panorama == MODEL:
        scene, entry = scene.in_model_light(), entry.model_copy(update={"panorama": None})
    if entry == LightEntry():
        return scene
    environment = _environment(entry, scene.lighting.up, files)
    plain = scene.lighting if environment is None else lighting_of(environment, balanced=True)
    own = scene.model_light or ModelLight(scene.lighting, scene.lights, scene.environment)
    return replace(
        scene.without_note_of_light(),
        environment=environment,
        lights=None,
        lighting=_lighting(plain, entry),
        model_light=own if file.rollout else None,
    )


def _environment(entry: LightEntry, up: tuple[float, float, float], files: Files) -> Environment | None:
    if entry.panorama is None:
        return None
    environment = environment_of(entry.panorama, up, folder=files.source.parent, where=files.source)
    if (file := files.path(name_and_angle(entry.panorama)[0])).is_file():
        files.read.append(file)
    return environment


def _lighting(base: Lighting, entry: LightEntry) -> Lighting:
    given = {"sun_direction": entry.sun_direction, "sun": entry.sun, "sky": entry.sky, "ground": entry.ground}
    return replace(base, **{key: value for key, value in given.items() if value is not None})


def _hash(files: Files, rollout: Scene | None) -> str:
    own = sha256_of(files.read)
    if rollout is None:
        return own
    return hashlib.sha256(f"{own}\n{rollout.sha256}".encode()).hexdigest()
