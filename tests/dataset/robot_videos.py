"""A LeRobot dataset of two cameras and two episodes whose pictures move, with masks of what moves in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from sim2real.clip.images import write_png
from sim2real.dataset.writers.lerobot import write
from tests.dataset.plain_clips import plain_clip, written
from tests.flow.pictures import SIZE, panned

FRAMES = (5, 6)
"""Of the episodes."""
CAMERAS = ("front", "wrist")
STEP_PX = 3
"""By which everything is further right in every frame."""
MASKS = "masks/{episode:06d}/{camera}/{frame:06d}.png"


def picture(episode: int, camera: str, frame: int) -> np.ndarray:
    """A texture of its own for every video, with a dark square before it."""
    shown = panned(10 * episode + CAMERAS.index(camera), (STEP_PX * frame, 0.0))
    shown[mask(episode, camera, frame) > 0] //= 4
    return shown


def mask(episode: int, camera: str, frame: int) -> np.ndarray:
    """Id 3 is in both cameras, 700 in ``wrist`` alone."""
    left, ids = 20 + STEP_PX * frame, np.zeros(SIZE, np.uint8 if camera == "front" else np.uint16)
    ids[20:50, left : left + 40] = 3
    if camera == "wrist":
        ids[60:80, left : left + 10 + episode] = 700
    return ids


def carried(frames: int, seed: int) -> dict[str, np.ndarray]:
    """What the robot did and felt."""
    rng = np.random.default_rng(seed)
    return {
        "action": rng.standard_normal((frames, 6)).astype(np.float32),
        "observation.state": rng.standard_normal((frames, 6)).astype(np.float32),
        "timestamp": (np.arange(frames) / np.float32(30)).astype(np.float32),
        "next.done": np.arange(frames) == frames - 1,
    }


def recorded(folder: Path) -> Path:
    """Write ``robot``, the dataset, and ``masks`` beside it; returns the folder of both."""
    clips = []
    for episode, frames in enumerate(FRAMES):
        shape = {"frames": frames, "fps": 30.0, "size": SIZE, "cameras": CAMERAS}
        clip = plain_clip(
            folder / "clips", f"plain-{episode}", kinds=("rgb", "depth"), episode=carried(frames, episode), **shape
        )
        for camera in CAMERAS:
            (folder / MASKS.format(episode=episode, camera=camera, frame=0)).parent.mkdir(parents=True)
            for frame in range(frames):
                write_png(clip.clip.frame_path(camera, "rgb", frame), picture(episode, camera, frame))
                write_png(folder / MASKS.format(episode=episode, camera=camera, frame=frame), mask(episode, camera, frame))
        row = {**clip.row, "robot_type": "so100", "names": {"action": list("abcdef")}}
        clips.append(replace(clip, task=f"push it to place {episode}", row=row))
    written(write, clips, folder / "robot")
    return folder
