"""What a gfx-replay file says: what is loaded, created, moved and deleted, keyframe by keyframe.

Habitat's world is in metres with y up; quaternions are (w, x, y, z). A keyframe holds what changed since the one before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from ....arrays import lengths_of
from ....errors import UnreadableFileError
from ....text_files import read_json
from ....transforms import rigid, rotation_from_quaternion
from ..frame_count import check_frames

WHAT = "gfx-replay file"
_FIX = "write it again with Habitat's gfx_replay_manager"
_LARGEST = 1e9
NAVMESH = 3


@dataclass(frozen=True, eq=False)
class Asset:
    """A file, or a primitive by its name: ``world_from_file`` turns its axes to Habitat's; ``kind`` as Habitat numbers it."""

    name: str
    world_from_file: Float[np.ndarray, "3 3"]
    kind: int


@dataclass(eq=False)
class Way:
    """Where something is from the frames on in which it was moved."""

    at: list[int] = field(default_factory=list)
    places: list[np.ndarray] = field(default_factory=list)

    def move(self, frame: int, place: Float[np.ndarray, "4 4"]) -> None:
        """It is there from this frame on."""
        if self.at and self.at[-1] == frame:
            self.places[-1] = place
        else:
            self.at.append(frame)
            self.places.append(place)

    def of(self, frames: range) -> Float[np.ndarray, "frames 4 4"]:
        """Its place in some frames; before it was first moved, where it was first put."""
        if not self.at:
            return np.tile(np.eye(4), (len(frames), 1, 1))
        last = np.searchsorted(self.at, np.array(frames), side="right") - 1
        return np.stack(self.places)[np.maximum(last, 0)]


@dataclass(eq=False)
class Drawn:
    """An instance of an asset, and where it is while it exists (``seen``)."""

    asset: Asset
    scale: tuple[float, float, float]
    way: Way
    seen: Bool[np.ndarray, "frames"]
    semantic_only: bool = False
    has_bones: bool = False
    semantic_id: int = -1
    object_id: int = -1


@dataclass(eq=False)
class Replay:
    """A whole replay; ``users`` are transforms by name that the recorder added, ``lights`` those of the last change."""

    frames: int
    drawn: list[Drawn] = field(default_factory=list)
    users: dict[str, Way] = field(default_factory=dict)
    lights: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class _Wrong(ValueError):
    """What a value of the file is and must be, without the file's name."""


def read_replay(path: Path) -> Replay:
    """Play a replay.

    Raises:
        UnreadableFileError: it is no JSON, no replay, or a value in it is of another kind, not finite or no rotation.
        BadValueError: it has more frames than memory holds.
    """
    tree = read_json(path, what=WHAT, fix=_FIX)
    keyframes = tree.get("keyframes", [tree["keyframe"]] if "keyframe" in tree else None)
    if keyframes is None:
        raise _unreadable(path, *_other_kind(tree))
    if not isinstance(keyframes, list) or not keyframes:
        raise _unreadable(path, "its keyframes are no list, or an empty one", _FIX)
    created = sum(len(k["creations"]) for k in keyframes if isinstance(k, dict) and isinstance(k.get("creations"), list))
    users = {_user_name(user) for k in keyframes if isinstance(k, dict) for user in _listed(k, "userTransforms", strict=False)}
    check_frames(len(keyframes), created + len(users), path)
    replay, player = Replay(len(keyframes)), _Player()
    for frame, keyframe in enumerate(keyframes):
        try:
            player.play(replay, frame, keyframe)
        except _Wrong as error:
            raise _unreadable(path, f"keyframe {frame}: {error}", _FIX) from error
    return replay


@dataclass(eq=False)
class _Player:
    """What exists while a replay is played."""

    assets: dict[str, Asset] = field(default_factory=dict)
    there: dict[int, Drawn] = field(default_factory=dict)
    unnamed: set[str] = field(default_factory=set)

    def play(self, replay: Replay, frame: int, keyframe: Any) -> None:
        if not isinstance(keyframe, dict):
            raise _Wrong("it is no object")
        for load in _listed(keyframe, "loads"):
            asset = _asset(load)
            self.assets[asset.name] = asset
        for entry in _listed(keyframe, "creations"):
            self._create(replay, frame, entry)
        for key in keyframe.get("deletions") or ():
            gone = self.there.pop(key, None) if isinstance(key, int) else None
            if gone is not None:
                gone.seen[frame:] = False
        for entry in _listed(keyframe, "stateUpdates"):
            drawn = self.there.get(_key(entry))
            if drawn is not None:
                state = _object(entry, "state")
                drawn.way.move(frame, _transform(_object(state, "absTransform")))
                drawn.semantic_id = _whole(state.get("semanticId"), drawn.semantic_id)
        for entry in _listed(keyframe, "metadata"):
            drawn = self.there.get(_key(entry))
            if drawn is not None:
                told = _object(entry, "metadata")
                drawn.semantic_id = _whole(told.get("semanticId"), drawn.semantic_id)
                drawn.object_id = _whole(told.get("objectId"), drawn.object_id)
        for entry in _listed(keyframe, "userTransforms"):
            name, place = _user_name(entry), _transform(_object(entry, "transform"))
            replay.users.setdefault(name, Way()).move(frame, place)
        if keyframe.get("lightsChanged"):
            replay.lights = list(_listed(keyframe, "lights"))

    def _create(self, replay: Replay, frame: int, entry: dict[str, Any]) -> None:
        told = _object(entry, "creation")
        name = _plain(_text(told, "filepath"))
        asset = self.assets.get(name)
        if asset is None:
            if name not in self.unnamed:
                replay.notes.append(f"{name} is created, but was never loaded: left out, as Habitat does")
            self.unnamed.add(name)
            return
        scale = told.get("scale")
        drawn = Drawn(
            asset,
            (1.0, 1.0, 1.0) if scale is None else _scale(scale),
            Way(),
            np.arange(replay.frames) >= frame,
            semantic_only=bool(told.get("isSemantic")) and not told.get("isRGBD", True),
            has_bones=_whole(told.get("rigId"), -1) >= 0,
        )
        replay.drawn.append(drawn)
        self.there[_key(entry)] = drawn


def _asset(load: dict[str, Any]) -> Asset:
    frame = load.get("frame") or {}
    if not isinstance(frame, dict):
        raise _Wrong("the frame of a loaded asset is no object")
    up = _numbers(frame.get("up", [0, 1, 0]), 3, "up of a frame")
    front = _numbers(frame.get("front", [0, 0, -1]), 3, "front of a frame")
    lengths = float(np.linalg.norm(up)), float(np.linalg.norm(front))
    if min(lengths) < 1e-6 or abs(up @ front) > 1e-3 * lengths[0] * lengths[1]:
        raise _Wrong("up and front of a frame must be at right angles")
    up, back = up / lengths[0], -front / lengths[1]
    # rows are Habitat's axes (right, up, back) in those of the file
    return Asset(_plain(_text(load, "filepath")), np.stack([np.cross(up, back), up, back]), _whole(load.get("type"), 0))


def _plain(name: str) -> str:
    """A file's name without the changes to its materials that Habitat adds to it."""
    return name.partition("?")[0]


def _scale(value: Any) -> tuple[float, float, float]:
    x, y, z = _numbers(value, 3, "the scale of an instance").tolist()
    if min(abs(x), abs(y), abs(z)) < 1e-9:
        raise _Wrong("the scale of an instance is 0")
    return x, y, z


def _transform(value: dict[str, Any]) -> Float[np.ndarray, "4 4"]:
    place = _numbers(value.get("translation"), 3, "a translation")
    turn = _numbers(value.get("rotation"), 4, "a rotation")
    if not abs(lengths_of(turn) - 1) <= 0.05:
        raise _Wrong(f"a rotation is {turn.tolist()}, must be a quaternion of length 1")
    return rigid(rotation_from_quaternion(turn), place)


def _numbers(value: Any, count: int, what: str) -> np.ndarray:
    good = (
        isinstance(value, list) and len(value) == count and all(type(v) in (int, float) and abs(v) <= _LARGEST for v in value)
    )
    if not good:
        raise _Wrong(f"{what} is {repr(value)[:60]}, must be {count} finite numbers")
    return np.array(value, np.float64)


def _listed(keyframe: dict[str, Any], key: str, *, strict: bool = True) -> Iterator[dict[str, Any]]:
    held = keyframe.get(key) or []
    if not isinstance(held, list) or not all(isinstance(entry, dict) for entry in held):
        if strict:
            raise _Wrong(f"{key} is no list of objects")
        return iter(())
    return iter(held)


def _object(entry: dict[str, Any], key: str) -> dict[str, Any]:
    held = entry.get(key)
    if not isinstance(held, dict):
        raise _Wrong(f"{key} is {repr(held)[:60]}, must be an object")
    return held


def _text(entry: dict[str, Any], key: str) -> str:
    held = entry.get(key)
    if not isinstance(held, str):
        raise _Wrong(f"{key} is {repr(held)[:60]}, must be a text")
    return held


def _key(entry: dict[str, Any]) -> int:
    held = entry.get("instanceKey")
    if type(held) is not int:
        raise _Wrong(f"instanceKey is {repr(held)[:60]}, must be a whole number")
    return held


def _user_name(entry: dict[str, Any]) -> str:
    return str(entry.get("name", ""))[:200]


def _whole(value: Any, otherwise: int) -> int:
    return value if type(value) is int and abs(value) < 2**31 else otherwise


def _other_kind(tree: dict[str, Any]) -> tuple[str, str]:
    """What else a JSON file is, and what to do."""
    if "env_info" in tree and "episodes" in tree:
        return "it is ManiSkill's JSON beside a recording", "give the .h5 file of the same name"
    if "frames" in tree and "camera_model" in tree:
        return "it holds cameras only (transforms.json)", "give the scene that they look at"
    return "it has no keyframes", "give a file of Habitat's gfx_replay_manager"


def _unreadable(path: Path, why: str, fix: str) -> UnreadableFileError:
    return UnreadableFileError(path, what=WHAT, why=why, fix=fix)
