"""Further draws of the noise of a real video move as the first does, and are independent of it."""

from __future__ import annotations

import numpy as np
import pytest

from sim2real.metrics.whiteness import whiteness
from sim2real.noise import NoiseLayout, seed_of_draw
from sim2real.video import WarpOptions, open_pictures, warp_video
from tests.flow.pictures import SIZE

pytest.importorskip("cv2")
LAYOUT, DRAWS = NoiseLayout(2, 8), 2


def warped(folder, output, **asked):
    options = WarpOptions(only=["noise"], layout=LAYOUT, pages=False, threads=1, **asked)
    return warp_video(open_pictures(folder), output, options)


def test_draws_are_the_noise_of_other_seeds_with_the_same_motion_bit_for_bit(disc_folder, tmp_path):
    clip = warped(disc_folder, tmp_path / "clip", draws=DRAWS, seed=7)
    assert clip.noise_record().draws == DRAWS
    for draw in range(DRAWS + 1):
        alone = warped(disc_folder, tmp_path / str(draw), seed=seed_of_draw(7, draw))
        assert np.array_equal(alone.noise("video"), clip.noise("video", draw))
        assert whiteness(np.asarray(clip.noise("video", draw)[-1])[None]).worst() < 5
    a, b = (np.asarray(clip.noise("video", draw)) for draw in (0, 1))
    assert abs((a * b).mean()) * np.sqrt(a[0].size) < 5, "frames share noise: as many values as one has"
    wall = (slice(None), slice(None, SIZE[0] // 4 - 14))
    for draw in (a, b):
        assert (draw[0][wall] * draw[-1][wall]).mean() / (draw[0][wall] ** 2).mean() > 0.9
