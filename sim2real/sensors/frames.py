"""A clip as a sensor sees it, frame by frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, UInt8

from ..camera_effects.lens import through_lens
from ..camera_effects.processor import processed
from ..camera_effects.sensor import noisy
from ..clip import Clip
from ..errors import BadValueError, MissingFileError
from ..scene.colors import linear_from_srgb
from .compression import VideoCodec, decoded, jpeg
from .depth import sensed_depth
from .metering import gains_at
from .motion import motion_at
from .randomness import key_of
from .records import Sensor
from .shutter import exposed
from .surface import surface_at

_LINEAR = linear_from_srgb(np.arange(256) / 255).astype(np.float32)


@dataclass(frozen=True, eq=False)
class SensedFrame:
    """One frame as a sensor hands it out.

    - ``rgb``: sRGB.
    - ``depth``: metres along the camera's z, 0 where nothing was measured; None of cameras that measure none.
    - ``jpeg``: the file that ``rgb`` was read from, where the camera makes JPEGs.
    - ``moved_px``: how far, at most, a pixel is from where labels have it: by rolling shutter, off the middle row.
    - ``smeared_px``: the longest way of a pixel while the shutter is open; labels are at its middle.
    """

    rgb: UInt8[np.ndarray, "height width 3"]
    depth: Float32[np.ndarray, "height width"] | None
    jpeg: bytes | None = None
    moved_px: float = 0.0
    smeared_px: float = 0.0


def sensed_frames(
    clip: Clip,
    camera: str,
    sensor: Sensor,
    seed: int,
    pictures: Iterable[UInt8[np.ndarray, "height width 3"]],
    *,
    first_frame: int = 0,
) -> Iterator[SensedFrame]:
    """What a sensor makes of the frames of a clip, in order, with a few frames in memory.

    A frame depends on seed, camera, its number, its own picture and its own labels alone, so any cut of a clip gives the same
    bits; with H.264, also on the pictures before it in its group of frames.

    Args:
        clip: the clip folder.
        camera: one of its cameras.
        sensor: of which kind (``sensor(name)``, ``sensor(name).varied(seed)``).
        seed: of all that is random.
        pictures: sRGB, from ``first_frame`` on: the render, or footage.
        first_frame: the number of the first picture; with H.264, a multiple of ``compression.group``.

    Raises:
        BadValueError: pictures of another size, too many of them, or a first frame in the middle of a group.
        MissingFileError: the clip lacks depth, or motion, that the sensor needs.
    """
    name = clip.camera_name(camera)
    _check(clip, name, sensor, first_frame)
    codec = None if sensor.compression.h264_crf is None else VideoCodec(sensor.compression, clip.record.fps)
    for frame, picture in enumerate(pictures, first_frame):
        if frame >= clip.frames:
            raise BadValueError("the number of pictures", f"above {clip.frames}", right=f"{clip.frames}, as the clip has")
        if picture.shape != (*clip.record.size, 3):
            right = f"{(*clip.record.size, 3)}, as the clip has"
            raise BadValueError("the picture's shape", picture.shape, right=right, where=f"frame {frame}")
        sensed = _filmed(clip, name, sensor, seed, picture, frame)
        if codec is not None:
            sensed = replace(sensed, rgb=codec.passed(sensed.rgb, frame))
        elif sensor.compression.jpeg_quality is not None:
            file = jpeg(sensed.rgb, sensor.compression.jpeg_quality)
            sensed = replace(sensed, rgb=decoded(file), jpeg=file)
        yield sensed


def _check(clip: Clip, camera: str, sensor: Sensor, first_frame: int) -> None:
    group = sensor.compression.group
    if sensor.compression.h264_crf is not None and first_frame % group:
        raise BadValueError("the first frame", first_frame, right=f"a multiple of {group}, where a group of frames begins")
    measures = sensor.depth is not None and not sensor.depth.nothing
    if (measures or sensor.picture.aperture_mm) and not clip.has(camera, "depth"):
        again = "with --depth DIR" if clip.of_video else "with depth among --only"
        fix = f"make the clip again {again}, or take a sensor without depth and aperture, such as none"
        raise MissingFileError(clip.folder(camera), what=f"depth (which the sensor {sensor.name} needs)", fix=fix)


def _filmed(
    clip: Clip, camera: str, sensor: Sensor, seed: int, picture: UInt8[np.ndarray, "height width 3"], frame: int
) -> SensedFrame:
    """A frame before compression."""
    true = clip.depth(camera, frame) if clip.has(camera, "depth") else None
    depth = None if sensor.depth is None else true
    if sensor.depth is not None and not sensor.depth.nothing:
        depth = sensed_depth(surface_at(clip, camera, frame), sensor.depth, seed=seed, camera=camera, frame=frame)
    if sensor.plain:
        return SensedFrame(picture, depth)
    light = _LINEAR.take(np.ascontiguousarray(picture.transpose(2, 0, 1)))
    exposure, readout = (min(s * clip.record.fps, 1.0) for s in (sensor.shutter.exposure_s, sensor.shutter.readout_s))
    moved = smeared = 0.0
    if exposure or readout:
        motion = motion_at(clip, camera, frame)
        light = exposed(light, motion, true, exposure=exposure, readout=readout)
        speed = np.hypot(motion[..., 0], motion[..., 1]).max(1, initial=0)  # of every row
        off = np.abs((np.arange(len(speed)) + 0.5) / len(speed) - 0.5)
        moved, smeared = readout * float((speed * off).max()), exposure * float(speed.max())
    effects = sensor.picture.effects
    light = through_lens(light, effects, true)
    gains = gains_at(sensor.metering, frame / clip.record.fps, seed=seed, camera=camera)
    light = light * (gains * np.array(effects.gains, np.float32))[:, None, None]
    light = noisy(light, effects, seed=key_of(seed, camera, "pixels"), frame=frame)
    return SensedFrame(processed(light, effects), depth, moved_px=moved, smeared_px=smeared)
