"""Bytes of messages as objects with the fields of the message, whatever wrote them."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from ....optional import require
from .recording import Topic

ENCODINGS = ("cdr", "ros1", "protobuf", "json")
_TRANSFORMS = "tf2_msgs/msg/TFMessage"
_OLD_NAMES = {"tf/msg/tfMessage": _TRANSFORMS}
_NANO = 10**9
_PARTS = (("sec", "nanosec"), ("seconds", "nanos"), ("sec", "nsec"))
"""What ROS, protobuf and JSON call seconds and nanoseconds."""


def decoder_of(topic: Topic) -> Callable[[bytes], Any]:
    """What decodes the messages of a topic; it raises whatever its library does about damaged ones.

    ROS's messages are read as the standard packages define them: definitions in recordings are not compiled.
    """
    if topic.encoding == "json":
        return _from_json
    if topic.encoding == "protobuf":
        return require("mcap_protobuf.decoder", "ros").DecoderFactory().decoder_for("protobuf", topic.schema)
    name = _OLD_NAMES.get(topic.kind, topic.kind)
    if topic.encoding == "ros1":
        return lambda data: _store("ROS1_NOETIC").deserialize_ros1(data, name)
    return lambda data: _from_cdr(data, name)


def _from_cdr(data: bytes, name: str) -> Any:
    """A message of ROS 2; markers had fewer fields before Humble."""
    try:
        return _store("ROS2_HUMBLE").deserialize_cdr(data, name)
    except Exception:
        if not name.startswith("visualization_msgs/"):
            raise
    return _store("ROS2_FOXY").deserialize_cdr(data, name)


@functools.lru_cache(maxsize=3)
def _store(name: str) -> Any:
    """The messages of a release of ROS."""
    typesys = require("rosbags.typesys", "ros")
    store = typesys.get_typestore(getattr(typesys.Stores, name))
    if _TRANSFORMS not in store.fielddefs:
        store.register(typesys.get_types_from_msg("geometry_msgs/TransformStamped[] transforms", _TRANSFORMS))
    return store


def _from_json(data: bytes) -> SimpleNamespace:
    found = json.loads(data, object_hook=lambda fields: SimpleNamespace(**fields))
    if not isinstance(found, SimpleNamespace):
        raise ValueError("no object")
    return found


def nanoseconds(stamp: Any) -> int:
    """A stamp of any kind; 0 where there is none."""
    for seconds, rest in _PARTS:
        if hasattr(stamp, seconds) and hasattr(stamp, rest):
            return int(getattr(stamp, seconds)) * _NANO + int(getattr(stamp, rest))
    return 0


def stamp_of(message: Any) -> int:
    """The stamp of a message with a header, or of one of Foxglove's; 0 where it has none."""
    header = getattr(message, "header", None)
    return nanoseconds(getattr(message, "timestamp", None) if header is None else header.stamp)


def frame_of(message: Any) -> str:
    """The coordinate frame of a message."""
    header = getattr(message, "header", None)
    return frame_name(message.frame_id if header is None else header.frame_id)


def frame_name(name: Any) -> str:
    """A frame's name without the slash that ROS 1 once put before it."""
    return str(name).strip().lstrip("/")
