"""Sensed frames in a clip folder: ``<camera>/sensed/``, beside the ideal ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from jaxtyping import UInt8

from .. import __version__
from ..clip import Clip, new_folder, readable_write_errors
from ..clip.images import write_depth, write_png
from ..errors import BadValueError
from .frames import SensedFrame, sensed_frames
from .records import Sensor


def write_sensed(
    clip: Clip,
    camera: str,
    sensor: Sensor,
    seed: int,
    pictures: Iterable[UInt8[np.ndarray, "height width 3"]],
    *,
    source: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write what a sensor sees into ``<camera>/sensed``, whole or not at all; an older one is replaced.

    - ``rgb/000000.png``, or ``.jpg`` as the camera made it;
    - ``depth/000000.exr``: float32 metres, channel Z, 0 where nothing was measured; absent of cameras that measure none;
    - ``sensor.json``: parameters, seed, and for every frame how far rolling shutter moved pixels and motion smeared them.

    Args:
        clip: the clip folder.
        camera: one of its cameras.
        sensor: of which kind.
        seed: of all that is random.
        pictures: sRGB, one per frame.
        source: where the pictures are from, for ``sensor.json``.
        progress: called with (done, total).

    Raises:
        BadValueError: pictures of another size or number than the clip's.
        MissingFileError: the clip lacks depth, or motion, that the sensor needs.
        UnwritableOutputError: the disk is full, or the place cannot be written.
    """
    folder = clip.folder(camera) / "sensed"
    with readable_write_errors(folder), new_folder(folder, overwrite=folder.exists()) as work:
        (work / "rgb").mkdir()
        rows: list[dict[str, Any]] = []
        for frame, sensed in enumerate(sensed_frames(clip, camera, sensor, seed, pictures)):
            if sensed.jpeg is not None:
                (work / "rgb" / f"{frame:06d}.jpg").write_bytes(sensed.jpeg)
            else:
                write_png(work / "rgb" / f"{frame:06d}.png", sensed.rgb)
            if sensed.depth is not None:
                (work / "depth").mkdir(exist_ok=True)
                write_depth(work / "depth" / f"{frame:06d}.exr", sensed.depth)
            rows.append(_row(sensed))
            if progress is not None:
                progress(frame + 1, clip.frames)
        if len(rows) != clip.frames:
            raise BadValueError("the number of pictures", len(rows), right=f"{clip.frames}, one per frame", where=clip.path)
        facts = {"sensor": sensor.model_dump(mode="json"), "seed": seed, "source": source, "sim2real": __version__}
        text = json.dumps({**facts, "frames": rows}, indent=2, allow_nan=False)
        (work / "sensor.json").write_text(text + "\n", encoding="utf-8")


def _row(sensed: SensedFrame) -> dict[str, float]:
    row = {"moved_px": round(sensed.moved_px, 3), "smeared_px": round(sensed.smeared_px, 3)}
    if sensed.depth is not None:
        row["measured"] = round(float((sensed.depth > 0).mean()), 4)
    return row
