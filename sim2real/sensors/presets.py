"""Sensors that have names, and sensors from YAML files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from ..camera_effects import effects
from ..errors import MissingFileError, UnknownNameError
from ..scene.readers.scene_file.yaml import error, read_yaml
from .records import (
    Compression,
    DepthCamera,
    Metering,
    Picture,
    RangeNoise,
    Sensor,
    Shutter,
    Signal,
    TimeOfFlight,
    Triangulation,
)


def _picture(camera: str) -> Picture:
    """The lens, pixels and processor that ``camera_effects`` has by that name."""
    own = effects(camera)
    return Picture(**{name: getattr(own, name) for name in Picture.model_fields})


_NAMED = (
    Sensor(),
    Sensor(
        name="phone",
        shutter=Shutter(exposure_s=effects("phone").exposure_s, readout_s=0.018),
        metering=Metering(hunting_stops=0.12, white_hunting=0.02, every_s=3.0, settle_s=0.35),
        picture=_picture("phone"),
        compression=Compression(h264_crf=22, group=30),
        depth=None,
    ),
    Sensor(
        name="webcam",
        shutter=Shutter(exposure_s=effects("webcam").exposure_s, readout_s=0.030),
        metering=Metering(hunting_stops=0.3, step_stops=0.1, white_hunting=0.05, every_s=2.0, settle_s=0.4),
        picture=_picture("webcam"),
        compression=Compression(jpeg_quality=68),
        depth=None,
    ),
    Sensor(
        name="realsense_d435",
        shutter=Shutter(exposure_s=effects("realsense").exposure_s, readout_s=0.020),
        metering=Metering(hunting_stops=0.15, step_stops=0.05, white_hunting=0.03, every_s=3.0, settle_s=0.3),
        picture=_picture("realsense"),
        depth=DepthCamera(
            min_m=0.2,
            max_m=10.0,
            noise=RangeNoise(floor_m=0.0004, per_m2=0.0025, grazing_m=0.0001),
            grain_px=2.2,
            lateral_px=1.3,
            signal=Signal(least=0.0012, spread=0.7, dazzle_deg=5.0, steepest_deg=83),
            triangulation=Triangulation(baseline_m=0.050, focal_px=640, step_px=1 / 32, band=True),
            unit_m=0.001,
        ),
    ),
    Sensor(
        name="kinect_v1",
        shutter=Shutter(exposure_s=1 / 30, readout_s=0.030),
        metering=Metering(hunting_stops=0.2, step_stops=0.1, white_hunting=0.04, every_s=3.0, settle_s=0.5),
        picture=Picture(
            aperture_mm=1.0,
            focus=1.8,
            blur_px=1.1,
            glare=0.04,
            fringe_px=0.4,
            vignetting=0.18,
            gains=(1.06, 1.0, 0.94),
            shot=5e-4,
            read=0.003,
            grain_px=0.7,
            chroma=0.7,
            chroma_px=1.4,
            contrast=0.05,
            saturation=0.85,
            black=0.03,
            sharpening=0.6,
            sharpening_px=1.2,
        ),
        depth=DepthCamera(
            min_m=0.5,
            max_m=4.5,
            noise=RangeNoise(floor_m=0.0012, per_m2=0.0019, from_m=0.4, grazing_m=0.0001),
            grain_px=1.6,
            lateral_px=0.9,
            signal=Signal(least=0.004, spread=0.5, dazzle_deg=8.0, steepest_deg=80),
            triangulation=Triangulation(baseline_m=0.075, focal_px=580, step_px=1 / 8),
            unit_m=0.001,
        ),
    ),
    Sensor(
        name="kinect_azure",
        shutter=Shutter(exposure_s=1 / 60, readout_s=0.022),
        metering=Metering(hunting_stops=0.12, step_stops=0.05, white_hunting=0.02, every_s=3.0, settle_s=0.3),
        picture=Picture(
            aperture_mm=1.2,
            focus=1.5,
            blur_px=0.6,
            glare=0.025,
            fringe_px=0.15,
            vignetting=0.14,
            gains=(1.02, 1.0, 0.98),
            shot=2e-4,
            read=0.0015,
            grain_px=0.5,
            chroma=0.5,
            chroma_px=1.2,
            contrast=0.05,
            saturation=0.95,
            denoising=0.35,
            faint=0.02,
            sharpening=0.5,
            sharpening_px=0.9,
        ),
        compression=Compression(jpeg_quality=88),
        depth=DepthCamera(
            min_m=0.25,
            max_m=5.46,
            noise=RangeNoise(floor_m=0.0006, per_m2=0.0002, grazing_m=0.0001, dark=0.5),
            lateral_px=0.35,
            signal=Signal(least=0.005, spread=0.35, dazzle_deg=3.0, steepest_deg=84),
            time_of_flight=TimeOfFlight(footprint_px=0.75, mixed_m=0.04, mixed_loss=0.55),
            unit_m=0.001,
        ),
    ),
    Sensor(
        name="industrial",
        shutter=Shutter(exposure_s=0.004),
        picture=Picture(blur_px=0.45, vignetting=0.06, shot=4e-5, read=0.0008),
        depth=DepthCamera(
            min_m=0.3,
            max_m=4.0,
            noise=RangeNoise(floor_m=0.00005, per_m2=0.0001, grazing_m=0.00002, dark=0.25),
            grain_px=0.6,
            signal=Signal(least=0.0015, spread=0.3, dazzle_deg=6.0, steepest_deg=80),
            triangulation=Triangulation(baseline_m=0.12, focal_px=2000),
        ),
    ),
)
_SENSORS = {own.name: own for own in _NAMED}
NAMES = tuple(_SENSORS)
"""The sensors that ``sensor`` knows."""


def sensor_of(name: str) -> Sensor:
    """The sensor of that name, or of a YAML file of that name.

    Raises:
        Sim2RealError: as ``sensor`` and ``read_sensor``.
    """
    return read_sensor(Path(name)) if Path(name).suffix in (".yaml", ".yml") else sensor(name)


def sensor(name: str) -> Sensor:
    """The sensor of that name; see ``NAMES``.

    Raises:
        UnknownNameError: there is none; the message lists them.
    """
    if name not in _SENSORS:
        raise UnknownNameError(name, NAMES, what="sensor")
    return _SENSORS[name]


class _SensorFile(Sensor):
    """A sensor's parameters, those that are left out being those of the sensor ``like``."""

    like: str = Field(default="none", exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _take_what_is_left_out(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or "like" not in data:
            return data
        like = data["like"]
        if like not in NAMES:
            raise error(f"is {like!r}, must be one of: {', '.join(NAMES)}", key="like")
        return _laid_over(sensor(like).model_dump(), data)


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Nested mappings, the upper one's values where it has some."""
    out = dict(below)
    for key, value in above.items():
        under = below.get(key)
        out[key] = _laid_over(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return out


def read_sensor(path: Path) -> Sensor:
    """Read a sensor from a YAML file: the records' parameters by their names; ``like: NAME`` says whose the others are.

    Raises:
        MissingFileError: there is no such file.
        BadKeyError: it is not YAML, or a key or value is wrong; says where.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(path, what="sensor file", fix=f"give a file, or one of {', '.join(NAMES)}")
    read = read_yaml(path, _SensorFile, "sensor file")
    name = read.name if "name" in read.model_fields_set and read.name not in NAMES else path.stem
    return Sensor.model_validate({**read.model_dump(), "name": name})
