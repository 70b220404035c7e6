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
_OLD_NAMES = {"tf/msg/tfMessage": "tf2_msgs/msg/TFMessage"}
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
    store, name = _store(topic.encoding), _OLD_NAMES.get(topic.kind, topic.kind)
    of = store.deserialize_cdr if topic.encoding == "cdr" else store.deserialize_ros1
    return lambda data: of(data, name)


@functools.lru_cache(maxsize=2)
def _store(encoding: str) -> Any:
    typesys = require("rosbags.typesys", "ros")
    return typesys.get_typestore(typesys.Stores.ROS1_NOETIC if encoding == "ros1" else typesys.Stores.ROS2_HUMBLE)


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
