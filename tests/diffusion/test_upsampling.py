"""What small footage made of surfaces, on the surfaces of a larger clip."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest

from sim2real.clip import read_clip, write_record
from sim2real.clip.footage import generated_frames, write_footage
from sim2real.diffusion.edits.upsampling import upsample, upsampled
from sim2real.errors import BadValueError, MissingFileError, UnknownNameError

from .test_generate import SIZE, write_clip

BY = 4


def known_of(base: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """Conditions of one frame, in even light, of a wall: colors of surfaces and how they look, in [-1, 1]."""
    known = np.zeros((1, 23, *base.shape[1:]), np.float32)
    known[0, 0:3], known[0, 3:6], known[0, 11], known[0, 15:18] = shown, base, -1, 0.5
    return known


def averaged(picture: np.ndarray) -> np.ndarray:
    height, width = (length // BY for length in picture.shape[:2])
    return np.round(picture.reshape(height, BY, width, BY, 3).mean((1, 3))).astype(np.uint8)


def test_borders_of_surfaces_are_as_sharp_as_the_large_clip_has_them(rng):
    """A slanted border between two surfaces, of which the footage made two other colors."""
    y, x = np.mgrid[:64, :96]
    right = x + 0.3 * y > 57
    base = np.where(right, 0.6, -0.5)[None].repeat(3, axis=0)
    truth = np.where(right[..., None], (40, 90, 200), (230, 150, 60)).astype(np.uint8)
    made = upsampled(averaged(truth), known_of(base, base), BY).astype(int)
    assert np.abs(made - truth).mean() < 1
    assert (np.abs(made - truth).max(axis=-1) > 12).mean() < 0.01


def test_texture_that_the_footage_kept_is_sharp_again_and_texture_that_it_dropped_stays_away(rng):
    grain = rng.uniform(-0.4, 0.4, (3, 64, 96)).astype(np.float32)
    base = np.zeros_like(grain)
    kept = np.round(127.5 * (1 + 0.7 * grain)).astype(np.uint8).transpose(1, 2, 0)
    made = upsampled(averaged(kept), known_of(base, grain), BY).astype(int)
    assert np.abs(made - kept).mean() < 0.25 * np.abs(averaged(kept).repeat(BY, 0).repeat(BY, 1).astype(int) - kept).mean()
    plain = np.full((16, 24, 3), 128, np.uint8)
    assert np.abs(upsampled(plain, known_of(base, grain), BY).astype(int) - 128).max() <= 1


@pytest.fixture
def small(tmp_path, rng):
    folder = write_clip(tmp_path / "small", rng, frames=2)
    clip = read_clip(folder)
    frames = (np.round(0.5 * clip.rgb("front", k) + 60).astype(np.uint8) for k in range(2))
    write_footage(clip, folder / "front" / "generated" / "film-0", frames, {"model": "film"})
    return folder


@pytest.fixture
def large(tmp_path, rng):
    folder = write_clip(tmp_path / "large", rng, frames=2, size=(2 * SIZE[0], 2 * SIZE[1]))
    record = read_clip(folder).record
    scaled = np.asarray(record.cameras["front"].intrinsics) * np.array([2, 2, 1.0])[:, None]
    scaled[..., :2, 2] /= 2
    write_record(
        folder / "clip.json",
        record.model_copy(update={"cameras": {"front": record.cameras["front"].model_copy(update={"intrinsics": scaled})}}),
    )
    return folder


def test_footage_of_a_small_clip_appears_in_the_large_one(small, large):
    assert upsample(large, small, "film-0") == large
    (folder,) = read_clip(large).generated("front")
    assert folder.name == "film-0-upsampled"
    assert generated_frames(folder)(1).shape == (2 * SIZE[0], 2 * SIZE[1], 3)


def test_clips_that_do_not_fit_are_refused(small, large, tmp_path):
    with pytest.raises(UnknownNameError, match="film-1"):
        upsample(large, small, "film-1")
    with pytest.raises(BadValueError, match=re.escape("multiple of the small clip's 32x48")):
        upsample(small, small, "film-0")
    shutil.rmtree(large / "front" / "light")
    with pytest.raises(MissingFileError, match="light"):
        upsample(large, small, "film-0")
    record = read_clip(large).record
    camera = record.cameras["front"]
    elsewhere = camera.model_copy(update={"world_from_camera": np.asarray(camera.world_from_camera) + np.eye(4, k=3)})
    write_record(large / "clip.json", record.model_copy(update={"cameras": {"front": elsewhere}}))
    with pytest.raises(BadValueError, match="where camera front is"):
        upsample(large, small, "film-0")
