"""Recordings for the tests, written by rosbags: of ROS 2 as MCAP and SQLite, of ROS 1; and by the mcap package, of anything."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sim2real.transforms import quaternion_from_rotation

from .urdf_robots import ARM

ORIGIN_NS = 1_700_000_000 * 10**9
K = (60.0, 0, 32, 0, 62, 24, 0, 0, 1)
SIZE = (48, 64)
Said = tuple[str, int, Any]
"""A topic, when it was logged, in nanoseconds, and the message."""


def ns(seconds: float) -> int:
    return ORIGIN_NS + round(seconds * 1e9)


class Words:
    """Messages of ROS 2, or of ROS 1."""

    def __init__(self, one: bool = False) -> None:
        from rosbags.typesys import Stores, get_types_from_msg, get_typestore

        self.one = one
        self.store = get_typestore(Stores.ROS1_NOETIC if one else Stores.ROS2_HUMBLE)
        if one:
            self.store.register(get_types_from_msg("geometry_msgs/TransformStamped[] transforms", "tf2_msgs/msg/TFMessage"))

    def __call__(self, kind: str, *fields: Any, **named: Any) -> Any:
        return self.store.types[kind](*fields, **named)

    def header(self, frame: str, time_ns: int) -> Any:
        stamp = self("builtin_interfaces/msg/Time", time_ns // 10**9, time_ns % 10**9)
        return self("std_msgs/msg/Header", *((0,) if self.one else ()), stamp, frame)

    def text(self, text: str) -> Any:
        return self("std_msgs/msg/String", text)

    def joints(self, time_ns: int, **positions: float) -> Any:
        values, none = np.array(list(positions.values()), np.float64), np.zeros(0)
        return self("sensor_msgs/msg/JointState", self.header("", time_ns), list(positions), values, none, none)

    def transforms(self, *told: tuple[int, str, str, np.ndarray]) -> Any:
        """Of (time, parent, child, parent_from_child) each."""
        return self("tf2_msgs/msg/TFMessage", [self._transform(*one) for one in told])

    def _transform(self, time_ns: int, parent: str, child: str, matrix: np.ndarray) -> Any:
        w, x, y, z = quaternion_from_rotation(matrix[:3, :3]).tolist()
        moved = self(
            "geometry_msgs/msg/Transform",
            self("geometry_msgs/msg/Vector3", *matrix[:3, 3].tolist()),
            self("geometry_msgs/msg/Quaternion", x, y, z, w),
        )
        return self("geometry_msgs/msg/TransformStamped", self.header(parent, time_ns), child, moved)

    def camera(
        self,
        time_ns: int,
        frame: str,
        *,
        k: Sequence[float] = K,
        d: Sequence[float] = (),
        model: str = "plumb_bob",
        p: Sequence[float] | None = None,
        r: np.ndarray | None = None,
        binning: int = 0,
        roi: tuple[int, int, int, int] = (0, 0, 0, 0),
    ) -> Any:
        region = self("sensor_msgs/msg/RegionOfInterest", *roi, False)
        p = [*k[:3], 0, *k[3:6], 0, *k[6:], 0] if p is None else p
        numbers = [np.array(values, np.float64) for values in (d, k, (np.eye(3) if r is None else r).ravel(), p)]
        return self("sensor_msgs/msg/CameraInfo", self.header(frame, time_ns), *SIZE, model, *numbers, binning, binning, region)

    def image(self, time_ns: int, frame: str) -> Any:
        data = np.zeros(8, np.uint8)
        return self("sensor_msgs/msg/CompressedImage", self.header(frame, time_ns), "png", data)

    def marker(self, time_ns: int, frame: str, number: int, kind: int, matrix: np.ndarray, **others: Any) -> Any:
        """A marker; ``others`` are fields that are not as usual."""
        w, x, y, z = quaternion_from_rotation(matrix[:3, :3]).tolist()
        fields = {
            "header": self.header(frame, time_ns),
            "ns": "things",
            "id": number,
            "type": kind,
            "action": 0,
            "pose": self(
                "geometry_msgs/msg/Pose",
                self("geometry_msgs/msg/Point", *matrix[:3, 3].tolist()),
                self("geometry_msgs/msg/Quaternion", x, y, z, w),
            ),
            "scale": self("geometry_msgs/msg/Vector3", 0.2, 0.4, 0.6),
            "color": self("std_msgs/msg/ColorRGBA", 1.0, 0.0, 0.0, 1.0),
            "lifetime": self("builtin_interfaces/msg/Duration", 0, 0),
            "frame_locked": False,
            "points": [],
            "colors": [],
            "texture_resource": "",
            "texture": self("sensor_msgs/msg/CompressedImage", self.header("", 0), "", np.zeros(0, np.uint8)),
            "uv_coordinates": [],
            "text": "",
            "mesh_resource": "",
            "mesh_file": self("visualization_msgs/msg/MeshFile", "", np.zeros(0, np.uint8)),
            "mesh_use_embedded_materials": False,
        }
        return self("visualization_msgs/msg/Marker", **(fields | others))


def ros2(folder: Path, said: Iterable[Said], storage: str = "mcap", compression: str | None = None) -> Path:
    """A recording of ROS 2."""
    from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

    words = Words()
    plugin = {"mcap": StoragePlugin.MCAP, "sqlite3": StoragePlugin.SQLITE3}[storage]
    writer = Writer(folder, version=9, storage_plugin=plugin)
    if compression is not None:
        writer.set_compression(CompressionMode[compression], CompressionFormat.ZSTD)
    with writer:
        connections: dict[str, Any] = {}
        for topic, time, message in said:
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, message.__msgtype__, typestore=words.store)
            writer.write(connections[topic], time, words.store.serialize_cdr(message, message.__msgtype__))
    return folder


def mcap_of(folder: Path, said: Iterable[Said]) -> Path:
    """The MCAP file of a recording of ROS 2."""
    (path,) = ros2(folder, said).glob("*.mcap")
    return path


def ros1(path: Path, said: Iterable[Said]) -> Path:
    """A recording of ROS 1."""
    from rosbags.rosbag1 import Writer

    words = Words(one=True)
    with Writer(path) as writer:
        connections: dict[str, Any] = {}
        for topic, time, message in said:
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, message.__msgtype__, typestore=words.store)
            writer.write(connections[topic], time, words.store.serialize_ros1(message, message.__msgtype__))
    return path


def json_mcap(path: Path, said: Iterable[tuple[str, str, int, Any]], **how: Any) -> Path:
    """An MCAP file of (topic, schema, time, message as plain data), in JSON."""
    from mcap.writer import Writer

    with path.open("wb") as file:
        writer = Writer(file, **how)
        writer.start(profile="", library="test")
        channels: dict[str, int] = {}
        for topic, schema, time, message in said:
            if topic not in channels:
                number = writer.register_schema(name=schema, encoding="jsonschema", data=b"{}")
                channels[topic] = writer.register_channel(topic=topic, message_encoding="json", schema_id=number)
            data = json.dumps(message).encode()
            writer.add_message(channel_id=channels[topic], log_time=time, publish_time=time, data=data)
        writer.finish()
    return path


JOINTS = ("shoulder", "elbow", "lift", "left_finger")


def positions_of(seconds: np.ndarray) -> np.ndarray:
    """What the joints of the arm do: any smooth motion within limits."""
    phase = np.arange(len(JOINTS)) + 1.0
    return np.sin(np.outer(seconds, phase) + phase) * [1.2, 2.0, 0.05, 0.04] + [0, 0, 0.05, 0.05]


def of_arm(words: Words, seconds: np.ndarray, stamps: np.ndarray, urdf: str = ARM) -> list[Said]:
    """The arm: its description, joint states at some seconds, a camera at its hand at others."""
    found: list[Said] = [("/robot_description", ns(0), words.text(urdf))]
    for time, row in zip(seconds.tolist(), positions_of(seconds), strict=True):
        state = words.joints(ns(time), **dict(zip(JOINTS, row, strict=True)))
        found.append(("/joint_states", ns(time), state))
    found += [("/wrist/camera_info", ns(t), words.camera(ns(t), "camera_optical_frame")) for t in stamps.tolist()]
    return found
