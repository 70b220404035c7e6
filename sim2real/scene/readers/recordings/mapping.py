"""What a mapping file may say: what the things of a recording look like, and what is around them.

Lengths are metres, z is up, quaternions here are (w, x, y, z) whatever the recording's order, files start at the mapping file's
folder. Objects around the recorded ones, cameras, light and classes are said as in scene files.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from ....transforms import quaternion_from_rotation
from ..scene_file.objects import rotation_of
from ..scene_file.schema import CameraEntry, LightEntry, ObjectEntry, SceneFile, check_shape
from ..scene_file.values import Numbers3, Positive, Size
from ..scene_file.yaml import Entry, error, shown

TO_FILL_IN = "???"
"""What stands in a mapping file for what only the user knows."""
ROBOTS = (".urdf", ".xacro", ".usd", ".usda", ".usdc", ".usdz", ".xml", ".mjcf", ".mjb", ".mjz")
_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")
_OWN = ("name", "motion", "visible")
JointOrder = Literal["file", "breadth_first", "depth_first"]

_FROM_OPENCV = {
    "ros": np.eye(3),
    "opengl": np.diag([1.0, -1, -1]),
    "world": np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]]),
}
"""Axes of cameras by Isaac Lab's names: z forward and y down; y up and z back; x forward and z up (SAPIEN's, too)."""


class ThingEntry(ObjectEntry):
    """What a recorded thing looks like.

    - ``robot`` is a URDF, USD or MJCF file; else a ``mesh`` file, a ``primitive`` with its sizes, or a file in a ``package``.
    - ``joints`` are the names of the joints in the recording's order, or a rule: as in the ``file``, ``breadth_first``,
      ``depth_first``; left out: the only order that all rules agree on.
    - ``root`` is the link (body, prim) that the recorded pose is that of; left out: the first.
    - ``packages`` says where ``package://`` leads, as ``--packages`` does.
    - ``position`` and a rotation place a mesh or primitive in the recorded frame; ``class`` left out: its name.
    - ``leave_out``: it is not shown.
    """

    name: str = Field("", min_length=0)
    robot: str | None = None
    joints: tuple[str, ...] | JointOrder | None = None
    root: str | None = None
    packages: str | None = None
    leave_out: bool = False

    @model_validator(mode="after")
    def _shape(self) -> ThingEntry:
        for key in _OWN:
            if key in self.model_fields_set:
                raise error("does not belong to a recorded thing", key=key)
        if self.leave_out:
            return self
        file = next((key for key in ("robot", "mesh", "package") if getattr(self, key) is not None), None)
        if file is not None:
            _check_file(file, str(getattr(self, file)))
        if self.robot is None:
            return check_shape(self)
        others = [key for key in ("mesh", "package", "primitive") if getattr(self, key) is not None]
        if others:
            raise error(f"has robot and {others[0]}, must have only one of them", key=others[0])
        if PurePath(self.robot).suffix.lower() not in ROBOTS:
            right = f"must end in one of: {', '.join(ROBOTS)}; other files are a mesh"
            raise error(f"is {shown(self.robot)}, {right}", key="robot")
        return self

    @property
    def is_robot(self) -> bool:
        """Whether its file says how its links hang together."""
        return self.robot is not None or PurePath(self.package or "").suffix.lower() in ROBOTS


def _check_file(key: str, name: str) -> None:
    if TO_FILL_IN in name:
        raise error(f"is {shown(name)}, must be filled in: the file of what it looks like, or leave_out: true", key=key)
    if _URL.match(name):
        raise error(f"is {shown(name)}, must be a file on this machine; download it with what it refers to", key=key)


class MountedCameraEntry(CameraEntry):
    """A camera as in scene files, that may ride on a link (``attached_to: robot/panda_hand``).

    ``convention`` says of which axes its rotation is: ``ros`` (x right, y down, z forward), ``opengl`` (x right, y up, z back)
    or ``world`` (x forward, y left, z up), by Isaac Lab's names; SAPIEN's poses are ``world``.
    """

    convention: Literal["ros", "opengl", "world"] = "ros"

    @property
    def plain(self) -> CameraEntry:
        """The same camera with our axes, those of ``ros``."""
        told = self.model_dump(include=self.model_fields_set - {"convention"})
        if (rotation := rotation_of(self)) is not None:
            told.pop("euler_deg", None)
            told["quaternion"] = quaternion_from_rotation(rotation @ _FROM_OPENCV[self.convention]).tolist()
        return CameraEntry.model_validate({key: list(v) if isinstance(v, tuple) else v for key, v in told.items()})


class MappingFile(Entry):
    """A mapping file.

    - ``simulator``: whose recordings it is for; left out: any.
    - ``quaternions``: their order in the recording; ``auto``: found.
    - ``fps`` of the recording; left out: as it says, or as the simulator usually has it.
    - ``env_origin`` is added to recorded positions.
    - ``articulations`` and ``objects`` by their names in the recording; ``static``: what is around them, as ``objects`` of
      scene files are; ``classes`` maps patterns of instance names to classes. Links are called THING/LINK.
    """

    simulator: Literal["isaac_lab", "maniskill"] | None = None
    quaternions: Literal["auto", "wxyz", "xyzw"] = "auto"
    fps: Positive | None = None
    size: Size = (480, 640)
    env_origin: Numbers3 = (0.0, 0.0, 0.0)
    articulations: dict[str, ThingEntry] = Field(default_factory=dict)
    objects: dict[str, ThingEntry] = Field(default_factory=dict)
    static: tuple[ObjectEntry, ...] = ()
    cameras: tuple[MountedCameraEntry, ...] = ()
    light: LightEntry = LightEntry()
    classes: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _distinct(self) -> MappingFile:
        for what, entries in (("static", self.static), ("cameras", self.cameras)):
            names = [entry.name for entry in entries]
            for k, name in enumerate(names):
                if name in names[:k]:
                    raise error(
                        f"{what}[{k}] has the name {name!r} of {what}[{names.index(name)}], must have its own", key=what
                    )
        return self

    @property
    def surroundings(self) -> SceneFile:
        """What is around the recorded things, as a scene file would have it."""
        told = {"objects": self.static, "light": self.light, "classes": self.classes, "fps": self.fps}
        told |= {"cameras": tuple(camera.plain for camera in self.cameras)}
        return SceneFile(**told, **({"size": self.size} if "size" in self.model_fields_set else {}))  # type: ignore[arg-type]
