"""The pictures of docs/sensors.md: ``python -m benchmarks.sensor_pictures CLIP [DIR]``.

One per preset, of one frame of a clip of the kitchen that no camera has filmed yet (``sim2real run scenes/kitchen.yaml -o CLIP
--camera-effects none``): a part of the picture, a part of that three times as large, measured depth (black: nothing), and
depth as a surface lit from the upper left, which shows noise, steps and flying pixels.
"""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from sim2real.camera import camera_from_px
from sim2real.clip import Clip, read_clip
from sim2real.clip.report.colors import depth_picture
from sim2real.dataset.clips import DatasetClip
from sim2real.sensors import NAMES, SensedFrame, sensed_frames, sensor

IMAGES = Path(__file__).parent.parent / "docs" / "images" / "sensors"
CAMERA, FRAME = "counter", 30
SIDE = 240
CORNER, DETAIL = (150, 200), (60, 70)
"""Of the part (row, column), and of what is enlarged within it."""
ZOOM = 3
LIMIT_BYTES = 60_000


def main(clip: Clip, folder: Path) -> None:
    """Draw all."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        panels = panels_of(clip, filmed(clip, name))
        sheet = Image.fromarray(
            np.concatenate([np.pad(p, ((0, 0), (0, 4), (0, 0)), constant_values=255) for p in panels], axis=1)
        )
        for quality in range(92, 20, -4):
            sheet.save(folder / f"{name}.jpg", quality=quality, subsampling=0)
            if (folder / f"{name}.jpg").stat().st_size <= LIMIT_BYTES:
                break


def filmed(clip: Clip, name: str) -> SensedFrame:
    """The frame that is shown, as a sensor has it."""
    chosen = sensor(name)
    first = 0 if chosen.compression.h264_crf is None else FRAME // chosen.compression.group * chosen.compression.group
    first = FRAME if chosen.compression.h264_crf is None else first
    pictures = islice(DatasetClip("clip", clip).pictures(CAMERA), first, FRAME + 1)
    *_, last = sensed_frames(clip, CAMERA, chosen, 0, pictures, first_frame=first)
    return last


def panels_of(clip: Clip, sensed: SensedFrame) -> list[UInt8[np.ndarray, "side side 3"]]:
    """What is shown of a frame."""
    part = np.s_[CORNER[0] : CORNER[0] + SIDE, CORNER[1] : CORNER[1] + SIDE]
    picture = sensed.rgb[part]
    detail = picture[DETAIL[0] :, DETAIL[1] :][: SIDE // ZOOM, : SIDE // ZOOM]
    panels = [picture, np.repeat(np.repeat(detail, ZOOM, axis=0), ZOOM, axis=1)]
    if sensed.depth is not None:
        true = clip.depth(CAMERA, FRAME)[part]
        color = depth_picture(sensed.depth, (float(true[true > 0].min()), float(true.max())))
        color[sensed.depth <= 0] = 0
        panels += [color[part], relief(clip, sensed.depth)[part]]
    return panels


def relief(clip: Clip, depth: Float32[np.ndarray, "height width"]) -> UInt8[np.ndarray, "height width 3"]:
    """Measured points as a surface, lit from the upper left."""
    height, width = depth.shape
    camera = clip.camera(CAMERA)
    pixels = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), axis=-1)
    points = camera_from_px(pixels, depth, camera.intrinsics[FRAME], camera.lens)
    normal = np.cross(np.gradient(points, axis=1), np.gradient(points, axis=0))
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
    normal *= -np.sign(normal[..., 2:])
    shade = np.clip(normal @ np.array([-0.45, -0.55, -0.7]), 0, 1)
    return np.where((depth > 0)[..., None], 40 + 215 * shade[..., None].repeat(3, -1), 0).astype(np.uint8)


if __name__ == "__main__":
    main(read_clip(Path(sys.argv[1])), Path(sys.argv[2]) if len(sys.argv) > 2 else IMAGES)
