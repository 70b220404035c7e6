from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim2real.clip import VideoWriter
from sim2real.clip.images import write_png
from tests.flow.pictures import disc_before_wall

FRAMES = 5


@pytest.fixture(scope="session")
def disc_frames() -> list[np.ndarray]:
    return [disc_before_wall(step)[0] for step in range(FRAMES)]


@pytest.fixture(scope="session")
def disc_folder(disc_frames, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for k, picture in enumerate(disc_frames):
        write_png(folder / f"{k:03d}.png", picture)
    return folder


@pytest.fixture(scope="session")
def disc_video(disc_frames, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("video") / "disc.mp4"
    with VideoWriter(path, 12.0, crf=4) as video:
        for picture in disc_frames:
            video.write(picture)
    return path
