"""Recordings of Isaac Lab, ManiSkill and Isaac Sim's episode recorder as scenes.

The first two say where things are, not what they look like: a mapping file does. Sessions of the episode recorder are shown on
the USD stage that they were recorded on, and need none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ....arrays import first_broken_row
from ....errors import BadValueError, MissingFileError, UnknownNameError
from ....transforms import rigid, rotation_from_quaternion
from ...records import Instance, Mesh, Part, Scene
from ..frame_count import check_frames
from ..reading import Reading, option
from ..scene_file.objects import Files
from ..scene_file.scene import furnished
from ..scene_file.yaml import read_yaml
from .build import check_entry, figure_of
from .episode_recorder import read_session, session_of
from .figures import Figure, joined
from .inside import is_session, read_log
from .log import Log, QuaternionOrder, Track, sliced
from .maniskill import USUAL_RATE
from .mapping import MappingFile, ThingEntry
from .outline import outline_of_log, outline_of_session
from .quaternions import ORDERS, Found, in_order, order_of

DEFAULT_FPS = 30.0
_FARTHEST_M = 1e9
_LISTED = 8


@dataclass(frozen=True)
class Options:
    """What these recordings alone take."""

    mapping: Path | str | None = option(
        "What the things of the recording look like: a YAML file (docs/recordings.md); sim2real inspect writes one to fill in.",
        metavar="FILE",
    )
    demo: str | None = option("Which demonstration, trajectory or episode of the file.  [default: the first]", metavar="NAME")
    quaternions: str | None = option(
        "Order of the recording's quaternions: wxyz, xyzw or auto.  [default: as the mapping says, else auto]", metavar="ORDER"
    )
    stage: Path | str | None = option(
        "The USD stage on which a session of Isaac Sim's episode recorder is shown.  [default: the one beside it]",
        metavar="FILE",
    )


def read(path: Path, reading: Reading, options: Options) -> Scene:
    """Read one episode of a recording.

    Args:
        path: the HDF5 file.
        reading: which frames; (height, width) of all cameras; frames per second.
        options: mapping file, episode, order of quaternions.

    Raises:
        MissingFileError: the mapping, or a file that it names, does not exist; no mapping was given.
        BadKeyError: a key or value of the mapping is wrong; names file, line and key.
        UnknownNameError: the mapping names what was not recorded, or there is no such episode.
        BadValueError: tables that do not fit each other or the robots, NaN, an order of quaternions that cannot be told.
        UnreadableFileError: a file is damaged.
    """
    if is_session(path):
        _refuse(options, "mapping", "quaternions", why="a session of the episode recorder, which says both", where=path)
        return read_session(path, options.demo, _path(options.stage), reading)
    _refuse(options, "stage", why="a recording that is shown by a mapping file", where=path)
    if options.mapping is None:
        fix = f"pass --mapping; sim2real inspect {path.name} --mapping-skeleton FILE writes one to fill in"
        raise MissingFileError(path, what="what the recorded things look like: a mapping file", fix=fix)
    whole, _ = read_log(path, options.demo)
    source = Path(options.mapping)
    mapping = _mapping(source, whole)
    found = _order(options.quaternions or mapping.quaternions, whole, path)
    log = sliced(whole, reading.frames, path)
    return _scene(path, log, mapping, found, reading, Files(source, read=[source]))


def outline(path: Path, options: Options) -> dict[str, Any] | None:
    """What a recording without its mapping holds, as plain data; ``None`` where it is a scene already.

    Raises:
        Sim2RealError: as ``read``.
    """
    if is_session(path):
        return outline_of_session(path, options.demo) if options.stage is None else None
    if options.mapping is not None:
        return None
    log, names = read_log(path, options.demo)
    asked = options.quaternions or "auto"
    order = Found(_checked_order(asked), "as asked for") if asked != "auto" else _known(log) or order_of(log.tracks)
    return outline_of_log(path, log, names, order, log.fps or _usual_rate(log))


def demo_names(path: Path) -> list[str]:
    """Names of a recording's episodes, in natural order; errors as ``read``."""
    return list(session_of(path, None).episodes) if is_session(path) else read_log(path, None)[1]


def _scene(path: Path, log: Log, mapping: MappingFile, found: Found, reading: Reading, files: Files) -> Scene:
    assert found.order is not None
    entries = mapping.articulations | mapping.objects
    shown = [track for track in log.tracks if track.name in entries and not entries[track.name].leave_out]
    left_out = [track.name for track in log.tracks if track not in shown]
    ways = {track.name: _way(track, found.order, np.array(mapping.env_origin), path) for track in log.tracks}
    check_frames(log.frames, len(log.tracks), path)
    figures = {track.name: figure_of(track, entries[track.name], files) for track in shown}
    fps, of_rate = _rate(log, mapping, reading)
    base = replace(
        _placed(figures, ways, {name: entry.class_name or name for name, entry in entries.items()}, log.frames),
        source=path,
        sha256=_digest(log),
        fps=fps,
        notes=(
            f"{log.simulator}, {log.episode}: {log.frames} frames",
            f"quaternions were read as {found.order}: {found.why}",
            *of_rate,
            *log.unread,
            *([f"left out, because the mapping does not show it: {_list(left_out)}"] if left_out else []),
            *dict.fromkeys(note for figure in figures.values() for note in figure.notes),
        ),
    )
    links = {joined(name, link): ways[name] @ way for name, figure in figures.items() for link, way in figure.links.items()}
    return replace(furnished(base, ways | links, mapping.surroundings, files, reading.size), source=path)


def _placed(figures: Mapping[str, Figure], ways: Mapping[str, np.ndarray], classes: Mapping[str, str], frames: int) -> Scene:
    """All figures where their roots are."""
    meshes, parts, instances, world = list[Mesh](), list[Part](), list[Instance](), list[np.ndarray]()
    for name, figure in figures.items():
        parts += [Part(p.mesh + len(meshes), p.instance + len(instances), p.instance_from_mesh) for p in figure.parts]
        meshes += figure.meshes
        instances += [Instance(joined(name, part), classes[name]) for part in figure.names]
        world.append(ways[name][:, None] @ figure.root_from_instance)
    placed = np.concatenate(world, axis=1) if world else np.zeros((frames, 0, 4, 4))
    seen = np.ones((frames, len(instances)), bool)
    return Scene(Path(), "", tuple(meshes), tuple(parts), tuple(instances), placed, seen, ())


def _way(track: Track, order: QuaternionOrder, origin: np.ndarray, path: Path) -> Float[np.ndarray, "frames 4 4"]:
    world = rigid(rotation_from_quaternion(in_order(track.root[:, 3:], order)), track.root[:, :3] + origin)
    if (frame := first_broken_row(world, _FARTHEST_M)) is not None:
        right = "within a million kilometres"
        raise BadValueError(f"the place of {track.name} in frame {frame}", "too far", right=right, where=path)
    return world


def _mapping(source: Path, log: Log) -> MappingFile:
    """The mapping file, checked against what was recorded."""
    if not source.is_file():
        raise MissingFileError(source, what="mapping file", fix="check --mapping")
    mapping = read_yaml(source, MappingFile, "mapping file")
    if mapping.simulator not in (None, log.key):
        raise BadValueError("simulator", mapping.simulator, right=f"{log.key}, which wrote the recording", where=source)
    for kind, entries, recorded in (
        ("articulation", mapping.articulations, log.articulations()),
        ("object", mapping.objects, log.objects()),
    ):
        _check_names(kind, entries, list(recorded), source)
    return mapping


def _check_names(kind: str, entries: Mapping[str, ThingEntry], recorded: list[str], source: Path) -> None:
    for name, entry in entries.items():
        if name not in recorded:
            raise UnknownNameError(name, recorded, what=f"recorded {kind}", where=source)
        check_entry(entry, name, source)


def _order(asked: str, log: Log, path: Path) -> Found:
    """The order of quaternions as asked for, as the simulator has it, or as found."""
    if asked != "auto":
        return Found(_checked_order(asked), "as asked for")
    found = _known(log) or order_of(log.tracks)
    if found.order is None:
        fix = "pass --quaternions wxyz (Isaac Lab up to 2) or xyzw (since 3)"
        what = "the order of the recording's quaternions"
        raise BadValueError(what, f"unknown: {found.why}", right="wxyz or xyzw", fix=fix, where=path)
    return found


def _known(log: Log) -> Found | None:
    return None if log.order is None else Found(log.order, f"as {log.simulator} writes them")


def _checked_order(asked: str) -> QuaternionOrder:
    for order in ORDERS:
        if order == asked:
            return order
    raise UnknownNameError(asked, [*ORDERS, "auto"], what="order of quaternions")


def _rate(log: Log, mapping: MappingFile, reading: Reading) -> tuple[float, list[str]]:
    if reading.fps is not None:
        return float(reading.fps), []
    told = mapping.fps or log.fps
    rate = told or _usual_rate(log)
    step = (reading.frames.step or 1) if reading.frames else 1
    note = f"the recording does not say its frame rate: read as {rate:g} per second; fps in the mapping, or --fps, changes it"
    return rate / step, [] if told else [note]


def _usual_rate(log: Log) -> float:
    return USUAL_RATE if log.key == "maniskill" else DEFAULT_FPS


def _digest(log: Log) -> str:
    """A hash of what was read of a recording; what else is in the file does not count."""
    digest = hashlib.sha256(log.key.encode())
    for track in log.tracks:
        for array in (track.root, track.joints):
            digest.update(track.name.encode("utf-8", "replace"))
            digest.update(b"" if array is None else np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _refuse(options: Options, *names: str, why: str, where: Path) -> None:
    for name in names:
        if getattr(options, name) is not None:
            raise BadValueError(f"--{name}", getattr(options, name), right=f"left out for {why}", where=where)


def _path(value: Path | str | None) -> Path | None:
    return None if value is None else Path(value)


def _list(names: list[str]) -> str:
    return ", ".join(names[:_LISTED]) + (f", … ({len(names)} in all)" if len(names) > _LISTED else "")
