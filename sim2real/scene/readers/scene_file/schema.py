"""What a scene file may say: the pydantic models of ``scenes/*.yaml``.

Conventions: metres, z up, quaternions (w, x, y, z), frames counted from 0, colors as on a screen (sRGB 0..1 or "#rrggbb"),
files relative to the scene file. ``package:`` names a file inside an installed Python package, its first part the package.

Tables (``.npy``, or ``.csv`` with a header) hold one row per frame:

- positions ``x y z`` (npy: (frames, 3)),
- positions and rotations ``x y z qw qx qy qz`` (npy: (frames, 7)),
- or, npy only, matrices (frames, 4, 4).

A camera's table places its camera axes (x right, y down, z forward; ``axes: opengl`` for x right, y up, z back) and may add
``fx fy cx cy`` in pixels (npy: (frames, 11)).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import ConfigDict, Field, PositiveInt, model_validator

from ..registry import own_options_of
from .track_entry import TrackOrPath
from .values import (
    SMALLEST,
    Axis,
    Cells,
    Color,
    Distortion,
    Fraction,
    HalfSize,
    Intervals,
    Numbers2,
    Numbers3,
    Numbers4,
    PointOrName,
    Positive,
    Quaternion,
    Scale,
    Size,
    Zoom,
)
from .yaml import Entry, error, shown

PRIMITIVES: dict[str, dict[str, int]] = {
    "box": {"half_size": 3},
    "sphere": {"radius": 1},
    "ellipsoid": {"half_size": 3},
    "cylinder": {"radius": 1, "half_height": 1},
    "capsule": {"radius": 1, "half_height": 1},
    "cone": {"radius": 1, "half_height": 1},
    "torus": {"radius": 1, "tube_radius": 1},
    "plane": {"half_size": 2},
}
"""The sizes that each primitive needs, and how many numbers each has."""


def _one_of(entry: Entry, *names: str, at_least: int = 1) -> None:
    given = [name for name in names if getattr(entry, name) is not None]
    if len(given) > 1:
        raise error(f"has {' and '.join(given)}, must have only one of: {', '.join(names)}", key=given[1])
    if len(given) < at_least:
        raise error(f"must have one of: {', '.join(names)}")


class CheckerEntry(Entry):
    """A checkerboard: two colors, and how many squares along u and v of the mesh's UVs."""

    colors: tuple[Color, Color] = ((0.9, 0.9, 0.9), (0.25, 0.25, 0.25))
    cells: Cells = (8, 8)


class MaterialEntry(Entry):
    """What replaces a mesh's own material; keys that are left out keep it.

    - ``texture`` is an image file; it needs a mesh with UVs, as ``checker`` does. ``color`` multiplies it.
    - ``texture_repeat`` multiplies the UVs.
    """

    color: Color | None = None
    metallic: Fraction | None = None
    roughness: Fraction | None = None
    emission: Numbers3 | None = None
    texture: str | None = None
    texture_repeat: Numbers2 | None = None
    checker: CheckerEntry | None = None

    @model_validator(mode="after")
    def _one_texture(self) -> MaterialEntry:
        _one_of(self, "texture", "checker", at_least=0)
        return self


class PlacedEntry(Entry):
    """A position and a rotation, either of which may be left out.

    ``euler_deg`` are turns about the fixed x, then y, then z axis (roll, pitch, yaw).
    """

    position: Numbers3 | None = None
    quaternion: Quaternion | None = None
    euler_deg: Numbers3 | None = None

    @model_validator(mode="after")
    def _one_rotation(self) -> PlacedEntry:
        _one_of(self, "quaternion", "euler_deg", at_least=0)
        return self


class KeyframeEntry(PlacedEntry):
    """Where an object is at a time; what is left out is as in the object's own transform."""

    frame: float | None = None
    time_s: float | None = None

    @property
    def time(self) -> float:
        """In frames, or in seconds if ``frame`` is ``None``."""
        return self.frame if self.frame is not None else self.time_s or 0.0

    @model_validator(mode="after")
    def _one_time(self) -> KeyframeEntry:
        _one_of(self, "frame", "time_s")
        return self


class SpinEntry(Entry):
    """A steady turn about an axis of the object through its origin; comes on top of any other motion."""

    axis: Axis = (0.0, 0.0, 1.0)
    deg_per_s: float


class WayEntry(Entry):
    """A way through points, at a steady speed.

    - ``speed`` in metres per second; left out: the way takes the whole clip.
    - ``smooth`` rounds the corners (the curve still passes through the points); ``loop`` returns to the first point, for ever.
    """

    waypoints: Annotated[tuple[Numbers3, ...], Field(min_length=2)]
    speed: Positive | None = None
    smooth: bool = True
    loop: bool = False


class PathEntry(WayEntry):
    """``align`` turns the object so that its x axis follows the way, seen from above."""

    align: bool = False


class MotionEntry(Entry):
    """How an object moves: keyframes, path or table, and on top of it a spin."""

    keyframes: Annotated[tuple[KeyframeEntry, ...], Field(min_length=1)] | None = None
    interpolation: Literal["smooth", "linear", "step"] = "smooth"
    path: PathEntry | None = None
    table: str | None = None
    spin: SpinEntry | None = None

    @model_validator(mode="after")
    def _one_motion(self) -> MotionEntry:
        _one_of(self, "keyframes", "path", "table", at_least=0 if self.spin else 1)
        if self.keyframes:
            kinds = {k.frame is None for k in self.keyframes}
            times = [k.time for k in self.keyframes]
            if len(kinds) > 1:
                raise error("mixes frame and time_s, must use one of them", key="keyframes")
            if any(b - a < SMALLEST for a, b in zip(times, times[1:], strict=False)):
                raise error(f"has the times {shown(times)}, must be ascending", key="keyframes")
        return self


class ObjectEntry(PlacedEntry):
    """A labeled rigid thing.

    - Its shape is a ``mesh`` file, a ``primitive`` with its sizes (half lengths and radii), or a mesh file in a ``package``.
    - ``class`` is its class for labels; left out: as ``classes`` says, else its name.
    - ``visible`` holds the frames (first and last) in which it exists.
    - ``room`` turns its surface inward, for a box that the cameras are in.
    - ``up_axis`` is that of the mesh file; left out: y for glTF, z otherwise. The object's own axes have z up.
    - ``cells`` is the tessellation of a plane.
    """

    name: Annotated[str, Field(min_length=1)]
    class_name: str | None = Field(None, alias="class")
    mesh: str | None = None
    package: str | None = None
    primitive: Literal["box", "sphere", "ellipsoid", "cylinder", "capsule", "cone", "torus", "plane"] | None = None
    half_size: HalfSize | None = None
    radius: Positive | None = None
    half_height: Positive | None = None
    tube_radius: Positive | None = None
    cells: Cells | None = None
    up_axis: Literal["y", "z"] | None = None
    scale: Scale = (1.0, 1.0, 1.0)
    room: bool = False
    material: MaterialEntry | None = None
    visible: Intervals | None = None
    motion: MotionEntry | None = None

    @model_validator(mode="after")
    def _shape(self) -> ObjectEntry:
        return check_shape(self)


Shaped = TypeVar("Shaped", bound=ObjectEntry)


def check_shape(entry: Shaped) -> Shaped:
    """Refuse what is no one shape: several, or sizes that are not its own."""
    _one_of(entry, "mesh", "primitive", "package")
    needs = PRIMITIVES.get(entry.primitive or "", {})
    of = f"a {entry.primitive}" if entry.primitive else "a mesh file"
    for key in ("half_size", "radius", "half_height", "tube_radius"):
        value = getattr(entry, key)
        if value is None and key in needs:
            raise error(f"{of} needs: {', '.join(needs)}; {key} is missing", key="primitive")
        if value is not None and key not in needs:
            raise error(f"does not belong to {of}, which takes: {', '.join(needs) or 'scale'}", key=key)
    if entry.half_size is not None and (len(entry.half_size) != needs["half_size"] or min(entry.half_size) < SMALLEST):
        raise error(
            f"is {shown(list(entry.half_size))}, must be {needs['half_size']} positive numbers for {of}", key="half_size"
        )
    if entry.cells is not None and entry.primitive != "plane":
        raise error(f"does not belong to {of}, only to a plane", key="cells")
    if entry.up_axis is not None and entry.primitive:
        raise error(f"does not belong to {of}, only to mesh files", key="up_axis")
    return entry


class OrbitEntry(Entry):
    """A circle around a point, seen from it: ``degrees`` of it over the clip, from ``start_deg`` (0: from +x)."""

    center: PointOrName = (0.0, 0.0, 0.0)
    radius: Positive
    height: float = 0.0
    degrees: float = 360.0
    start_deg: float = 0.0


class CameraPathEntry(WayEntry):
    """A way that looks at a point or at an object."""

    target: PointOrName


class CameraEntry(PlacedEntry):
    """A camera: fixed (``position``), on an ``orbit``, on a ``path``, from a ``table``, or on a recorded ``track``.

    - A fixed camera has ``look_at`` (a point, or an object that it follows), or the rotation of its axes (x right, y down, z
      forward). ``turn_deg`` pans it about ``up`` over the clip.
    - ``attached_to`` carries a fixed camera on an object; position and rotation are then in that object's axes. It may also
      name a camera that stands before it (or one of the rollout's): so stereo pairs and rigs are made. Then a rotation that is
      left out is the carrier's, and so are size, field of view, near, projection and distortion.
    - Field of view: ``fov_deg`` (vertical; 45 if left out) or ``intrinsics`` [fx, fy, cx, cy] in pixels of ``size`` (left out:
      that of the scene). The principal point may lie anywhere.
    - ``projection: orthographic`` has ``height_m``, the height of what it shows, or ``intrinsics`` in pixels per metre.
    - ``distortion``: OpenCV's coefficients, k1 k2 p1 p2 [k3 [k4 k5 k6 [s1 s2 s3 s4]]]; with ``projection: fisheye``
      (equidistant) k1 k2 k3 k4, none if left out. ``fov_deg`` is that of the lens without its coefficients.
    - ``zoom``: factors on the focal length, evenly over the clip and steady between them: [1, 16, 1] goes near and back.
    """

    name: Annotated[str, Field(min_length=1)]
    size: Size | None = None
    fov_deg: Annotated[float, Field(gt=0, lt=180)] | None = None
    intrinsics: Numbers4 | None = None
    projection: Literal["perspective", "fisheye", "orthographic"] = "perspective"
    distortion: Distortion | None = None
    height_m: Positive | None = None
    zoom: Zoom | None = None
    near: Positive = 0.01
    up: Axis = (0.0, 0.0, 1.0)
    look_at: PointOrName | None = None
    turn_deg: float | None = None
    attached_to: str | None = None
    orbit: OrbitEntry | None = None
    path: CameraPathEntry | None = None
    table: str | None = None
    track: TrackOrPath | None = None
    axes: Literal["opencv", "opengl"] = "opencv"

    @model_validator(mode="after")
    def _kind(self) -> CameraEntry:
        _one_of(self, "position", "orbit", "path", "table", "track")
        _one_of(self, "fov_deg", "intrinsics", "height_m", at_least=0)
        _one_of(self, "look_at", "quaternion", "euler_deg", at_least=0)
        if self.track is not None and self.projection != "perspective":
            raise error("does not belong to a camera with a track, whose file says it", key="projection")
        if self.intrinsics is not None and min(self.intrinsics[:2]) < SMALLEST:
            raise error(f"is {shown(list(self.intrinsics))}, must have positive fx and fy", key="intrinsics")
        if self.position is None:
            for key in ("look_at", "quaternion", "euler_deg", "turn_deg", "attached_to"):
                if getattr(self, key) is not None:
                    raise error("belongs to a camera with a position only", key=key)
        elif self.attached_to is None and self.look_at is None and self.quaternion is None and self.euler_deg is None:
            raise error("a camera with a position must have one of: look_at, quaternion, euler_deg")
        return self

    @model_validator(mode="after")
    def _lens(self) -> CameraEntry:
        parallel = self.projection == "orthographic"
        if self.height_m is not None and not parallel:
            raise error("belongs to projection: orthographic only, the others take fov_deg or intrinsics", key="height_m")
        if parallel and self.fov_deg is not None:
            raise error("does not belong to an orthographic camera, which takes height_m", key="fov_deg")
        if parallel and self.distortion is not None:
            raise error("does not belong to an orthographic camera", key="distortion")
        if parallel and self.table is None and self.attached_to is None and self.height_m is None and self.intrinsics is None:
            raise error("an orthographic camera must have one of: height_m, intrinsics (pixels per metre)", key="projection")
        if self.projection == "fisheye" and self.distortion is not None and len(self.distortion) != 4:
            raise error(f"has {len(self.distortion)} numbers, must be k1 k2 k3 k4 for a fisheye", key="distortion")
        return self


class LightEntry(Entry):
    """Sun and sky; colors are linear light, not screen colors. ``sun_direction`` points to the sun.

    ``panorama`` is one of those of ``--light``, or an .exr beside the scene file, ``:DEGREES`` turns it; sun and sky of plain
    renders are then fitted to it. ``model`` is the rollout's own light, as ``--light model`` is.
    """

    panorama: str | None = None
    sun_direction: Axis | None = None
    sun: Numbers3 | None = None
    sky: Numbers3 | None = None
    ground: Numbers3 | None = None


class RolloutEntry(Entry):
    """A rollout as a simulator left it, to which the scene file adds cameras, classes and objects.

    - ``path`` (relative to the scene file) or ``package`` is the model (MuJoCo XML) or the recording (robomimic HDF5).
    - ``states`` (relative to the scene file): one row per frame; ``demo``: which demonstration of an HDF5 file.
    - ``frames`` and ``stride`` choose among the rollout's frames; left out: all.
    - ``cameras`` are the model's own cameras to keep, by name; left out: all.
    - ``groups`` are the MuJoCo geom groups to show; left out: chosen by what they hold.
    - any other option of the reader, by its name.
    """

    model_config = ConfigDict(extra="allow")

    path: str | None = None
    package: str | None = None
    states: str | None = None
    demo: str | None = None
    asset_root: str | None = None
    frames: PositiveInt | None = None
    stride: PositiveInt = 1
    fps: Positive | None = None
    cameras: tuple[str, ...] | None = None
    groups: tuple[int, ...] | None = None

    @classmethod
    def _more_keys(cls, data: Mapping[object, object]) -> Collection[str]:
        return own_options_of(Path(str(data.get("path") or data.get("package"))))

    @property
    def own(self) -> dict[str, Any]:
        """What the reader of the file alone takes."""
        told = {"states": self.states, "demo": self.demo, "groups": self.groups, **(self.model_extra or {})}
        return {name: value for name, value in told.items() if value is not None}

    @model_validator(mode="after")
    def _one_file(self) -> RolloutEntry:
        _one_of(self, "path", "package")
        return self


class SceneFile(Entry):
    """A scene file.

    - ``size`` is [height, width] of the cameras.
    - ``frames`` left out: those of the rollout, or of the shortest table, else 24.
    - ``classes`` maps patterns of instance names (``drawer_*``) to classes; the first that fits counts.
    """

    frames: PositiveInt | None = None
    fps: Positive | None = None
    size: Size = (480, 640)
    objects: tuple[ObjectEntry, ...] = ()
    cameras: tuple[CameraEntry, ...] = ()
    light: LightEntry = LightEntry()
    rollout: RolloutEntry | None = None
    classes: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> SceneFile:
        for what, entries in (("objects", self.objects), ("cameras", self.cameras)):
            first: dict[str, int] = {}
            for k, entry in enumerate(entries):
                same = first.setdefault(entry.name, k)
                if same != k:
                    raise error(f"{what}[{k}] has the name {entry.name!r} of {what}[{same}], must have its own", key=what)
        if self.rollout and self.frames:
            raise error("belongs to scenes without a rollout; write rollout.frames", key="frames")
        return self
