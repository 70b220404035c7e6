"""All of a recording that a scene is made of, in memory: transforms, joint states, calibrations, descriptions of robots."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ....arrays import reason
from ....errors import Sim2RealError
from .calibration import CameraLog, calibration_of
from .decoding import ENCODINGS, decoder_of, frame_name, frame_of, nanoseconds, stamp_of
from .keys import Poses, Series, pose_row
from .markers import Shown, put_entities, put_markers
from .recording import Recording, Topic, Window

TRANSFORMS = {"tf2_msgs/msg/TFMessage", "tf/msg/tfMessage", "foxglove.FrameTransforms", "foxglove.FrameTransform"}
JOINTS = {"sensor_msgs/msg/JointState"}
CAMERAS = {"sensor_msgs/msg/CameraInfo", "foxglove.CameraCalibration"}
IMAGES = {"sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"}
IMAGES |= {"foxglove.RawImage", "foxglove.CompressedImage", "foxglove.CompressedVideo"}
MARKERS = {"visualization_msgs/msg/Marker", "visualization_msgs/msg/MarkerArray"}
ENTITIES = {"foxglove.SceneUpdate"}
TEXT = "std_msgs/msg/String"
DESCRIPTION, STATIC = "robot_description", "tf_static"
_STATES = ("joint_states", "joint_state")
_LATEST, _ALWAYS = 2**62, -(2**61)
"""Nanoseconds: the year 2116, and long before 1970."""
_SHARED = {"map", "world", "earth"}
"""Frames that mean the same in the transforms of all robots."""


@dataclass
class Contents:
    """What was found.

    - ``moving``, ``fixed``: frames in their parents, by (namespace, name); those that are fixed hold one pose.
    - ``joints``: by topic and joint; ``cameras``: by topic; ``descriptions``: URDF by topic; ``shown``: markers and their like.
    - ``log``: by topic, when messages were logged; ``digest``: of all bytes that were read.
    """

    clock: str = "header"
    moving: dict[tuple[str, str], Poses] = field(default_factory=dict)
    fixed: dict[tuple[str, str], Poses] = field(default_factory=dict)
    joints: dict[str, dict[str, Series]] = field(default_factory=dict)
    cameras: dict[str, CameraLog] = field(default_factory=dict)
    images: dict[str, Series] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    shown: Shown = field(default_factory=Shown)
    refused: Counter[str] = field(default_factory=Counter)
    apart: list[int] = field(default_factory=list)
    digest: Any = field(default_factory=hashlib.sha256)

    def time(self, stamp: int, log_ns: int) -> int:
        """When something was, by the clock that was asked for.

        Raises:
            ValueError: it cannot have been then.
        """
        chosen = log_ns if stamp == 0 or self.clock == "log" else stamp
        if not 0 <= chosen < _LATEST:
            raise ValueError(f"a time of {chosen // 10**9} s")
        if chosen != log_ns and len(self.apart) < 1000:
            self.apart.append(abs(log_ns - stamp))
        return chosen


def base_name(topic: str) -> str:
    """The last word of a topic's name."""
    return topic.rstrip("/").rpartition("/")[2]


def namespace(topic: str) -> str:
    """What stands before the last word of a topic's name, without slashes around it."""
    return topic.strip("/").rpartition("/")[0]


def is_latched(topic: Topic) -> bool:
    """Whether a topic's messages hold from whenever they were logged on to the end."""
    return topic.kind == TEXT or topic.kind in TRANSFORMS and base_name(topic.name) == STATIC


def is_scene(topic: Topic) -> bool:
    """Whether anything of a topic is a part of the scene; pictures are not."""
    if topic.encoding not in ENCODINGS:
        return False
    if topic.kind == TEXT:
        return base_name(topic.name) == DESCRIPTION
    if topic.kind in JOINTS:
        return base_name(topic.name) in _STATES
    return topic.kind in TRANSFORMS | CAMERAS | MARKERS | ENTITIES


def gathered(recording: Recording, clock: str, window: Window) -> Contents:
    """Read what a scene is made of.

    Args:
        recording: where.
        clock: ``header`` (the stamps in messages, where they have one) or ``log`` (when messages were recorded).
        window: of what moves; what is latched is read whenever it was logged.

    Raises:
        UnreadableFileError: the recording is damaged so that nothing can be read.
    """
    contents = Contents(clock)
    if window is None:
        _gather(contents, recording, is_scene, None)
    else:
        _gather(contents, recording, lambda topic: is_scene(topic) and is_latched(topic), None)
        _gather(contents, recording, lambda topic: is_scene(topic) and not is_latched(topic), window)
    return contents


def gather_stamps(contents: Contents, recording: Recording, topics: set[str], window: Window) -> None:
    """Read when pictures were taken."""
    _gather(contents, recording, lambda topic: topic.name in topics and topic.kind in IMAGES, window)


def _gather(contents: Contents, recording: Recording, wanted: Callable[[Topic], bool], window: Window) -> None:
    decoders: dict[Topic, Callable[[bytes], Any]] = {}
    for topic, log_ns, data in recording.messages(wanted, window):
        contents.digest.update(f"{topic.name}\n{log_ns}\n".encode("utf-8", "replace"))
        contents.digest.update(data)
        try:
            if topic not in decoders:
                decoders[topic] = decoder_of(topic)
            _take(contents, topic, log_ns, decoders[topic](data))
        except Sim2RealError:
            raise
        except Exception as error:  # whatever decoders say of damaged bytes, or of fields that are not what they should be
            contents.refused[f"{topic.name} ({reason(error)[:80]})"] += 1


def _take(contents: Contents, topic: Topic, log_ns: int, message: Any) -> None:
    """Add what a message says."""
    if topic.kind in TRANSFORMS:
        for one in _transforms(message):
            _put_transform(contents, topic, log_ns, one)
        return
    if topic.kind == TEXT:
        contents.descriptions[topic.name] = str(message.data)
        return
    if topic.kind in MARKERS:
        put_markers(contents.shown, topic.name, message, lambda stamp: contents.time(stamp, log_ns))
        return
    if topic.kind in ENTITIES:
        put_entities(contents.shown, topic.name, message, lambda stamp: contents.time(stamp, log_ns))
        return
    time = contents.time(stamp_of(message), log_ns)
    if topic.kind in IMAGES:
        contents.images.setdefault(topic.name, Series()).add(time, [0.0])
    elif topic.kind in CAMERAS:
        found, frame = calibration_of(message), frame_of(message)
        contents.cameras.setdefault(topic.name, CameraLog(frame)).add(time, found)
    else:
        held = contents.joints.setdefault(topic.name, {})
        for name, position in zip(message.name, message.position, strict=False):
            if not np.isfinite(position) or abs(position) > 1e9:
                contents.refused[f"{topic.name} (a position of {name} is {position})"] += 1
                continue
            held.setdefault(str(name), Series()).add(time, [float(position)])


def _transforms(message: Any) -> Iterator[Any]:
    yield from message.transforms if hasattr(message, "transforms") else (message,)


def _put_transform(contents: Contents, topic: Topic, log_ns: int, one: Any) -> None:
    """Add a transform of ROS or of Foxglove."""
    if hasattr(one, "transform"):
        stamp, parent, child = nanoseconds(one.header.stamp), one.header.frame_id, one.child_frame_id
        place, turn = one.transform.translation, one.transform.rotation
    else:
        stamp, parent, child = nanoseconds(one.timestamp), one.parent_frame_id, one.child_frame_id
        place, turn = one.translation, one.rotation
    parent, child = frame_name(parent), frame_name(child)
    row = pose_row((place.x, place.y, place.z), (turn.x, turn.y, turn.z, turn.w))
    if row is None or parent == child or not child or not parent:
        why = "no transform" if row is None else "a frame without a name, or its own parent"
        contents.refused[f"{topic.name} (of {child or 'a frame'}: {why})"] += 1
        return
    static = base_name(topic.name) == STATIC
    within = contents.fixed if static else contents.moving
    time = _ALWAYS if static else contents.time(stamp, log_ns)
    key = namespace(topic.name) if topic.kind in ("tf2_msgs/msg/TFMessage", "tf/msg/tfMessage") else "", child
    if static:
        within[key] = Poses()  # the last one counts
    within.setdefault(key, Poses()).put(time, parent, row)


def merged_frames(contents: Contents) -> tuple[dict[str, Poses], list[str]]:
    """All frames by names that tell them apart, and a note of those that had to be renamed.

    Robots that publish transforms in namespaces of their own (``/robot1/tf``) may use the same names. Those get the namespace
    before them, but for ``map``, ``world`` and ``earth``.
    """
    found = contents.fixed | contents.moving
    used: dict[str, set[str]] = {}
    for (space, child), poses in found.items():
        for name in (child, *poses.parents):
            used.setdefault(name, set()).add(space)
    twice = {name for name, spaces in used.items() if len(spaces) > 1} - _SHARED

    def told(space: str, name: str) -> str:
        return f"{space}/{name}" if space and name in twice else name

    merged: dict[str, Poses] = {}
    for (space, child), poses in found.items():
        poses.parents = [told(space, parent) for parent in poses.parents]
        merged[told(space, child)] = poses
    notes = []
    if twice:
        spaces = sorted({space for name in twice for space in used[name] if space})
        notes.append(
            f"frames that several robots have are told apart by {', '.join(f'{s}/' for s in spaces)} before their names"
        )
    return merged, notes
