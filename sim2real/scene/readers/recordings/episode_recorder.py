"""Sessions of Isaac Sim's episode recorder (``isaacsim.replicator.episode_recorder``), HDF5 of schema version 2.

A manifest of JSON says which prims were recorded and in which group of every episode: world poses of links, bodies and cameras,
quaternions with w first. They are put on the USD stage that was exported beside the session, which the reader of stages shows.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from jaxtyping import Float

from ....arrays import lengths_of
from ....errors import BadValueError, EmptySceneError, MissingFileError, UnreadableFileError
from ....file_order import natural_key
from ....optional import require
from ....transforms import rigid, rotation_from_quaternion
from ...records import Scene
from ..frame_count import check_frames
from ..hdf5 import dataset, opened, readable, rows_of, subgroup, text_of
from ..reading import Reading, rate_of
from ..usd.opening import opened as opened_stage
from ..usd.opening import quiet
from ..usd.posing import can_be_posed, pose_prims
from ..usd.stage import Options as StageOptions
from ..usd.stage import scene_of_stage
from ..usd.types import Stage
from .log import chosen

VERSION = 2
DEFAULT_FPS = 60.0
_SNAPSHOT = "stage_snapshot.usd"
_FIX = "record it again with Isaac Sim 6"
_LENS = ("focal_length", "horizontal_aperture", "vertical_aperture")
_ATTRIBUTES = {
    "focal_length": "focalLength",
    "horizontal_aperture": "horizontalAperture",
    "vertical_aperture": "verticalAperture",
}
_LISTED = 6


@dataclass(frozen=True, eq=False)
class Session:
    """One episode.

    - ``ways`` by the path of a prim, rigid, in the axes and units of the stage; ``lenses`` of cameras among them.
    - ``size``: (height, width) where all cameras that say theirs agree; ``fps`` by the simulation's clock.
    - ``snapshot``: what the session calls its stage.
    """

    episodes: tuple[str, ...]
    episode: str
    ways: dict[str, Float[np.ndarray, "frames 4 4"]]
    lenses: dict[str, dict[str, Float[np.ndarray, "frames"]]]
    size: tuple[int, int] | None
    seconds: Float[np.ndarray, "frames"] | None
    snapshot: str
    notes: tuple[str, ...]

    @property
    def frames(self) -> int:
        """How many."""
        return max((len(way) for way in self.ways.values()), default=0)


def is_one(file: Any) -> bool:
    """Whether a file is a session, of whatever version."""
    return "schema_version" in file.attrs and subgroup(file, "manifest") is not None and subgroup(file, "episodes") is not None


def read_session(path: Path, episode: str | None, stage: Path | None, reading: Reading) -> Scene:
    """A session's episode, shown on its stage.

    Raises:
        MissingFileError: there is no stage, or not what it refers to.
        UnreadableFileError: session or stage are damaged, or of another version.
        UnknownNameError: there is no such episode.
        BadValueError: poses that are none, or tables of different lengths.
        EmptySceneError: nothing of what was recorded is on the stage.
        MissingPackageError: h5py or usd-core is not installed.
    """
    session = session_of(path, episode)
    where = stage or _stage_beside(path, session)
    if where is None or not where.is_file():
        name = where or path.parent / (PurePath(session.snapshot).name or _SNAPSHOT)
        fix = "export the stage (export_stage_snapshot) or pass --stage"
        raise MissingFileError(name, what="the USD stage that the session was recorded on", fix=fix)
    rows = range(session.frames)[reading.frames or slice(None)]
    if len(rows) == 0:
        right = f"within 0:{session.frames}"
        raise BadValueError("the range of frames", f"{rows.start}:{rows.stop}", right=right, where=path)
    check_frames(len(rows), len(session.ways), path)
    step = (reading.frames.step or 1) if reading.frames else 1
    fps = reading.fps or rate_of(session.seconds, DEFAULT_FPS) / step
    picked = slice(rows.start, rows.stop, rows.step)
    size = reading.size or session.size
    with quiet(where):
        opened = opened_stage(where)
        missing = _pose(opened, session, picked, fps, path)
        scene = scene_of_stage(opened, where, Reading(slice(0, len(rows)), size, fps), StageOptions())
        unit = float(require("pxr.UsdGeom", "usd").GetStageMetersPerUnit(opened))
    notes = [f"Isaac Sim's episode recorder, {session.episode}: {session.frames} frames, on {where.name}", *session.notes]
    notes += [f"recorded prims that are not on the stage: {_list(missing)}"] if missing else []
    notes += [f"recorded positions are taken in the stage's units, {unit:g} m"] if unit != 1 else []
    digest = hashlib.sha256(f"{scene.sha256}\n{_digest(session)}".encode()).hexdigest()
    return replace(scene, source=path, sha256=digest, notes=(*notes, *scene.notes))


def session_facts(path: Path, episode: str | None) -> tuple[dict[str, Any], Path | None]:
    """What a session holds, as plain data, and the stage beside it, ``None`` where there is none."""
    session = session_of(path, episode)
    facts = {
        "source": str(path),
        "recording": "Isaac Sim's episode recorder",
        "episodes": list(session.episodes),
        "episode": session.episode,
        "frames": session.frames,
        "fps": rate_of(session.seconds, DEFAULT_FPS),
        "prims": sorted(session.ways),
        "cameras": sorted(session.lenses),
        "notes": [*session.notes, f"its stage {session.snapshot or _SNAPSHOT} is not beside it: pass --stage"],
    }
    return facts, _stage_beside(path, session)


def session_of(path: Path, episode: str | None) -> Session:
    """Read one episode of a session; errors as ``read_session``."""
    with opened(path) as file, readable(path):
        _check_version(file, path)
        tracks = _manifest(file, path)
        names = sorted((name for name in file["episodes"] if subgroup(file["episodes"], name) is not None), key=natural_key)
        if not names:
            raise EmptySceneError(path, lacks="episodes", fix=_FIX)
        name = chosen(names, episode, path)
        group, where = file["episodes"][name], f"{path} {name}"
        ways, lenses, unread = dict[str, np.ndarray](), dict[str, dict[str, np.ndarray]](), Counter[str]()
        seconds = None
        for track in tracks:
            held, kind = subgroup(group, str(track.get("group", "")).strip("/") or "?"), str(track.get("type"))
            if held is None:
                continue
            if kind == "sim_time":
                seconds = _scalars(held, "sim_time", where)
            elif kind == "articulation":
                ways |= _links(held, track, where)
            elif kind in ("rigid_body", "xform", "camera") and track.get("space", "world") == "world":
                ways |= _poses(held, [str(track.get("prim_path"))], ("position", "orientation"), where)
                if kind == "camera":
                    found = {key: _scalars(held, key, where) for key in _LENS}
                    lenses[str(track.get("prim_path"))] = {key: v for key, v in found.items() if v is not None}
            else:
                unread[kind if kind != "xform" else "xform in local space"] += 1
        snapshot = text_of(file.attrs.get("stage_snapshot", ""))
        frames = _check_lengths(ways, lenses, where)
    notes = (
        [f"recorded and not read: {', '.join(f'{count} {kind}' for kind, count in sorted(unread.items()))}"] if unread else []
    )
    seconds = seconds if seconds is not None and len(seconds) == frames else None
    return Session(tuple(names), name, ways, lenses, _size(tracks), seconds, snapshot, tuple(notes))


def _check_version(file: Any, path: Path) -> None:
    found = file.attrs["schema_version"]
    if not (np.ndim(found) == 0 and np.asarray(found).dtype.kind in "iu" and int(found) == VERSION):
        why = f"its schema version is {str(found)[:40]}, must be {VERSION}"
        raise UnreadableFileError(path, what="session", why=why, fix=_FIX)


def _manifest(file: Any, path: Path) -> list[dict[str, Any]]:
    """The manifest's entries for what was recorded."""
    held = dataset(file["manifest"], "tracks")
    try:
        tracks = json.loads(text_of(held[()])) if held is not None else None
    except (ValueError, RecursionError) as error:
        raise UnreadableFileError(path, what="session", why="its manifest holds no JSON", fix=_FIX) from error
    if not isinstance(tracks, list) or not all(isinstance(track, dict) for track in tracks):
        raise UnreadableFileError(path, what="session", why="its manifest lists no tracks", fix=_FIX)
    return tracks


def _links(held: Any, track: dict[str, Any], where: str) -> dict[str, np.ndarray]:
    names = track.get("link_paths")
    if not isinstance(names, list):
        raise BadValueError("link_paths of the manifest", str(names)[:60], right="a list of paths", where=where)
    return _poses(held, [str(name) for name in names], ("positions", "orientations"), where) if names else {}


def _poses(held: Any, paths: list[str], channels: tuple[str, str], where: str) -> dict[str, np.ndarray]:
    """Ways by path, from two tables of a group."""
    tables = []
    for channel, width in zip(channels, (3, 4), strict=True):
        table = dataset(held, channel)
        if table is None:
            raise BadValueError(f"{channel} of {paths[0]}", "absent", right="recorded", where=where)
        rows = rows_of(table, f"{channel} of {paths[0]}", where, width=width * len(paths))
        tables.append((rows.reshape(len(rows), len(paths), width), table.attrs.get("quaternion_order", "wxyz")))
    (positions, _), (turns, order) = tables
    if len(positions) != len(turns):
        raise BadValueError(f"the number of frames of {paths[0]}", len(turns), right=str(len(positions)), where=where)
    wxyz = np.roll(turns, 1, axis=-1) if text_of(order) == "xyzw" else turns
    norms = lengths_of(wxyz)
    if (np.abs(norms - 1) > 0.05).any():
        frame, k = (int(v) for v in np.argwhere(np.abs(norms - 1) > 0.05)[0])
        received = np.round(turns[frame, k], 6).tolist()
        raise BadValueError(f"the quaternion of {paths[k]} in frame {frame}", received, right="of length 1", where=where)
    world = rigid(rotation_from_quaternion(wxyz), positions)
    return {path: world[:, k] for k, path in enumerate(paths)}


def _scalars(held: Any, name: str, where: str) -> Float[np.ndarray, "frames"] | None:
    """A number per frame; ``None`` where there are none."""
    table = dataset(held, name)
    if table is None or table.shape is None or len(table.shape) != 1 or table.dtype.kind not in "fiu":
        return None
    values = np.asarray(table, np.float64)
    if not (np.abs(values) <= 1e30).all():
        raise BadValueError(name, "NaN or infinite", right="finite", where=where)
    return values


def _check_lengths(ways: dict[str, np.ndarray], lenses: dict[str, dict[str, np.ndarray]], where: str) -> int:
    lengths = {path: len(way) for path, way in ways.items()}
    lengths |= {f"{path} ({key})": len(values) for path, lens in lenses.items() for key, values in lens.items()}
    if not lengths:
        raise EmptySceneError(where, lacks="recorded poses", fix="record articulations, rigid bodies or xforms")
    first, count = next(iter(lengths.items()))
    for path, length in lengths.items():
        if length != count or count == 0:
            right = "at least 1" if count == 0 else f"{count}, as {first} has"
            raise BadValueError(f"the number of frames of {path}", length, right=right, where=where)
    return count


def _size(tracks: list[dict[str, Any]]) -> tuple[int, int] | None:
    sizes = {tuple(track["resolution"]) for track in tracks if _is_size(track.get("resolution"))}
    return next(((height, width) for width, height in sizes), None) if len(sizes) == 1 else None


def _is_size(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(v) is int and 0 < v <= 65536 for v in value)


def _stage_beside(path: Path, session: Session) -> Path | None:
    """The stage in the session's folder; only the last part of its recorded name counts."""
    names = (PurePath(session.snapshot.replace("\\", "/")).name, _SNAPSHOT)
    return next((path.parent / name for name in names if name and (path.parent / name).is_file()), None)


def _pose(stage: Stage, session: Session, rows: slice, fps: float, where: Path) -> list[str]:
    """Put what was recorded on a stage; the paths that it lacks."""
    there = {path: way[rows] for path, way in session.ways.items() if can_be_posed(stage, path)}
    missing = [path for path in session.ways if path not in there]
    if not there:
        fix = "pass --stage with the stage that was recorded"
        raise EmptySceneError(where, lacks=f"recorded prim on the stage ({_list(missing)})", fix=fix)
    pose_prims(stage, there, fps)
    geom = require("pxr.UsdGeom", "usd")
    for path, lens in session.lenses.items():
        if path in there and stage.GetPrimAtPath(path).IsA(geom.Camera):
            for key, values in lens.items():
                attribute = stage.GetPrimAtPath(path).GetAttribute(_ATTRIBUTES[key])
                for frame, value in enumerate(values[rows]):
                    attribute.Set(float(value), float(frame))
    return missing


def _digest(session: Session) -> str:
    digest = hashlib.sha256()
    for path, way in session.ways.items():
        digest.update(path.encode("utf-8", "replace"))
        digest.update(np.ascontiguousarray(way).tobytes())
    return digest.hexdigest()


def _list(names: list[str]) -> str:
    return ", ".join(names[:_LISTED]) + (f", … ({len(names)} in all)" if len(names) > _LISTED else "")
