"""What ``clip.json`` says: where a clip comes from, its cameras, instances and noise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from ..arrays import first_not_rigid
from ..camera.lens import Lens, Projection
from ..errors import BadValueError, Sim2RealError, UnreadableFileError
from ..text_files import read_json

VERSION = 1
"""Version of the clip folder's layout."""


def _array(value: Any) -> np.ndarray:
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, OverflowError) as error:
        raise ValueError(f"is no array of numbers: {error}") from error
    if not (np.abs(array) <= 1e30).all():
        raise ValueError("has numbers that are not finite, or huge")
    return array


Array = Annotated[np.ndarray, BeforeValidator(_array), PlainSerializer(lambda a: a.tolist())]


Share = Annotated[float, Field(ge=0, le=1)]
Pixels = Annotated[int, Field(ge=1)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)


class SceneRecord(_Record):
    """The scene that a clip was rendered from, so that noise for another model can be rendered again.

    - ``path`` is as the user gave it, ``sha256`` that of the file.
    - ``options`` are the reader's options (``states``, ``demo``, ``orbit``, ``stride``, ...) as they were given.
    """

    path: str
    sha256: str
    options: dict[str, Any] = Field(default_factory=dict)


class CameraRecord(_Record):
    """One camera: OpenCV axes, metres, pixel centers at 0.5; ``intrinsics`` and ``world_from_camera`` per frame.

    - ``projection`` and ``distortion`` are those of ``scene.Lens``; the file leaves them out where the camera is a pinhole.
    - ``source_name`` is what the source calls it, where that is no name for a folder.
    """

    intrinsics: Array = Field(validation_alias=AliasChoices("K", "intrinsics"), serialization_alias="K")
    world_from_camera: Array
    projection: Projection = "perspective"
    distortion: tuple[float, ...] = ()
    source_name: str | None = None

    @property
    def lens(self) -> Lens:
        """What bends this camera's rays."""
        return Lens(self.projection, self.distortion)

    @model_validator(mode="before")
    @classmethod
    def _one_matrix_per_frame(cls, data: Any) -> Any:
        """``K`` may be one 3x3 for all frames."""
        if not isinstance(data, dict):
            return data
        key = "K" if "K" in data else "intrinsics"
        if key in data and "world_from_camera" in data:
            k, world = _array(data[key]), _array(data["world_from_camera"])
            if k.shape == (3, 3) and world.ndim == 3:
                data = {**data, key: np.broadcast_to(k, (len(world), 3, 3))}
        return data

    @model_validator(mode="after")
    def _check_shapes(self) -> CameraRecord:
        frames = self.world_from_camera.shape[0] if self.world_from_camera.ndim else 0
        if self.world_from_camera.shape != (frames, 4, 4):
            raise ValueError(f"world_from_camera has shape {self.world_from_camera.shape}, must be (frames, 4, 4)")
        if self.intrinsics.shape != (frames, 3, 3):
            raise ValueError(f"K has shape {self.intrinsics.shape}, must be (3, 3) or ({frames}, 3, 3)")
        if not (self.intrinsics[:, [0, 1, 2], [0, 1, 2]] > 0).all():
            raise ValueError("K must have positive focal lengths")
        _check_rigid("world_from_camera", self.world_from_camera)
        try:
            _ = self.lens
        except Sim2RealError as error:
            raise ValueError(str(error)) from error
        return self


def _check_rigid(name: str, matrices: np.ndarray) -> None:
    if (frame := first_not_rigid(matrices)) is not None:
        raise ValueError(f"{name} of frame {frame} is no rotation with a translation")


class InstanceRecord(_Record):
    """One labeled thing.

    - ``id``: its value in the instance pictures (0 is the background).
    - ``clear``: one sees through all of it (alpha below 1); left out where that is not so, and in clips of older versions.
    """

    id: int = Field(ge=1, le=65535)
    name: str
    class_name: str = Field(validation_alias=AliasChoices("class", "class_name"), serialization_alias="class")
    world_from_instance: Array
    clear: bool = False


class NoiseRecord(_Record):
    """How ``noise.npy`` was made.

    - ``factor``: pixels per latent; ``latent_frames``: the pixel frame that each latent stands for.
    - ``temporal_factor``: frames per latent, the first frame alone; left out where it is 1; clips of older versions do not say.
    - ``beta``: the share of surface noise, ``beta * surface + sqrt(1 - beta^2) * fresh``; one number, or numbers by name of a
      class or an instance, ``background``, and ``*`` for all others.
    - ``draws``: how many more there are, ``noise-1.npy`` and so on: independent values on the same geometry; left out where 0.
    """

    factor: int = Field(ge=1)
    channels: int = Field(ge=1)
    beta: Share | dict[str, Share]
    latent_frames: list[int]
    method: str
    temporal_factor: int | None = Field(default=None, ge=1)
    draws: int = Field(default=0, ge=0)

    def latent_of(self, frame: int) -> int:
        """The latent that a pixel frame belongs to."""
        first, second, *_ = (*self.latent_frames[1:], 1, 1)
        told = self.temporal_factor or (second - first if len(self.latent_frames) > 3 else first)
        return min(-(-frame // max(told, 1)), len(self.latent_frames) - 1)


class RgbRecord(_Record):
    """What made the pictures ``rgb``, where it was not our renderer.

    - ``renderer`` and ``version``: of the package.
    - ``samples``: paths per pixel; ``denoiser``: what took away the noise that they leave; both left out where there are none.
    """

    renderer: str
    version: str
    samples: int | None = Field(default=None, ge=1)
    denoiser: str | None = None


class ClipRecord(_Record):
    """The whole of ``clip.json``.

    - ``size`` is (height, width) in pixels.
    - ``depth_range_m`` is the nearest and the farthest depth that the control videos ``depth.mp4`` of all cameras resolve.
    - ``rgb``: what made these pictures; left out where our renderer did.
    - ``as_live``: what all frames share was found in the first; left out where it was found in the whole clip.
    - ``quick``: light was followed from a quarter of the places; left out where it was not.
    - ``fine``: the clip was rendered again so many times as wide and high, into its folder ``fine``; left out where it is 1.
    """

    version: int = VERSION
    scene: SceneRecord
    seed: int
    fps: float = Field(gt=0, le=1e6)
    frames: int = Field(ge=1)
    size: tuple[Pixels, Pixels]
    cameras: dict[str, CameraRecord]
    instances: list[InstanceRecord] = Field(default_factory=list)
    noise: NoiseRecord | None = None
    depth_range_m: tuple[float, float] | None = None
    rgb: RgbRecord | None = None
    as_live: bool = False
    quick: bool = False
    fine: int = Field(default=1, ge=1)
    versions: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_frames(self) -> ClipRecord:
        if self.version > VERSION:
            raise ValueError(f"version is {self.version}, this sim2real reads up to {VERSION}; upgrade sim2real")
        for name, camera in self.cameras.items():
            if len(camera.world_from_camera) != self.frames:
                raise ValueError(f"camera {name!r} has {len(camera.world_from_camera)} frames, the clip has {self.frames}")
        for instance in self.instances:
            if instance.world_from_instance.shape != (self.frames, 4, 4):
                shape = instance.world_from_instance.shape
                raise ValueError(
                    f"instance {instance.name!r}: world_from_instance has shape {shape}, not ({self.frames}, 4, 4)"
                )
            _check_rigid(f"instance {instance.name!r}: world_from_instance", instance.world_from_instance)
        if self.noise is not None and not all(0 <= frame < self.frames for frame in self.noise.latent_frames):
            raise ValueError(f"noise.latent_frames names frames beyond 0 to {self.frames - 1}")
        if self.depth_range_m is not None and not 0 < self.depth_range_m[0] <= self.depth_range_m[1] < np.inf:
            raise ValueError(f"depth_range_m is {self.depth_range_m}, must be the nearest and the farthest depth")
        try:
            check_names(list(self.cameras))
        except Sim2RealError as error:
            raise ValueError(str(error)) from error
        return self


def write_record(path: Path, record: ClipRecord) -> None:
    """Write ``clip.json``: matrices on one line each, a constant ``K`` once."""
    data = record.model_dump(mode="python", by_alias=True)
    for instance in data["instances"]:
        if not instance["clear"]:
            del instance["clear"]
    for camera in data["cameras"].values():
        if all(k == camera["K"][0] for k in camera["K"]):
            camera["K"] = camera["K"][0]
        if camera["projection"] == "perspective":
            del camera["projection"]
        if not camera["distortion"]:
            del camera["distortion"]
        if camera["source_name"] is None:
            del camera["source_name"]
    for name in ("as_live", "quick"):
        if not data[name]:
            del data[name]
    if data["fine"] == 1:
        del data["fine"]
    if data["rgb"] is None:
        del data["rgb"]
    else:
        data["rgb"] = {name: value for name, value in data["rgb"].items() if value is not None}
    if data["noise"] is not None and data["noise"]["temporal_factor"] in (None, 1):
        del data["noise"]["temporal_factor"]
    if data["noise"] is not None and not data["noise"]["draws"]:
        del data["noise"]["draws"]
    path.write_text(_pretty(data) + "\n", encoding="utf-8")


def read_record(path: Path) -> ClipRecord:
    """Read and check ``clip.json``.

    Raises:
        UnreadableFileError: it is not JSON, or an entry is missing or wrong (the first is named).
    """
    fix = "render the clip again with: sim2real render"
    try:
        return ClipRecord.model_validate(read_json(path, what="the clip's record", fix=fix))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(k) for k in first["loc"]) or "clip"
        why = f"{key}: {first['msg'].removeprefix('Value error, ')}"
        raise UnreadableFileError(path, what="the clip's record", why=why, fix=fix) from error


def check_names(names: list[str]) -> None:
    """Refuse camera names that cannot be folder names.

    Raises:
        BadValueError: a name is empty, or has a path separator, or hides.
    """
    for name in names:
        if not name or name.startswith(".") or any(c in name for c in "/\\\0"):
            raise BadValueError("the camera name", repr(name), right="a name without / and \\ that does not start with a dot")


def _pretty(value: Any, indent: int = 0) -> str:
    """JSON with one line per matrix: readable, and small."""
    pad = "  " * (indent + 1)
    if isinstance(value, dict) and value:
        rows = [f"{pad}{json.dumps(str(k), ensure_ascii=False)}: {_pretty(v, indent + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(rows) + "\n" + "  " * indent + "}"
    if isinstance(value, (list, tuple)) and value and _depth(value) > 2:
        return "[\n" + ",\n".join(pad + _pretty(v, indent + 1) for v in value) + "\n" + "  " * indent + "]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 3
    return 1 + _depth(value[0]) if isinstance(value, (list, tuple)) and value else 0
