from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from sim2real.errors import UnreadableFileError
from sim2real.video import open_pictures

CORNERS = {(0, 0): (250, 0, 0), (0, 1): (0, 250, 0), (1, 0): (0, 0, 250), (1, 1): (250, 250, 250)}
PLAIN = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 0x40000000)
TURNS = [(a, b, c, d) for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-1, 0, 1) for d in (-1, 0, 1)]
TURNS = [m for m in TURNS if abs(m[0]) == abs(m[3]) and abs(m[1]) == abs(m[2]) and abs(m[0]) + abs(m[1]) == 1]


def corners(height: int = 64, width: int = 96) -> np.ndarray:
    """A picture with four colors in its corners."""
    picture = np.zeros((height, width, 3), np.uint8)
    for (down, right), color in CORNERS.items():
        picture[down * height // 2 :, right * width // 2 :] = color
    return picture


def write(path: Path, pictures: list[np.ndarray], aspect: Fraction | None = None, **options: str) -> Path:
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=24)
        stream.height, stream.width, stream.pix_fmt = *pictures[0].shape[:2], "yuv420p"
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")))
        container.mux(stream.encode(None))
    return path


def noisy(count: int) -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 255, (count, 64, 96, 3), np.uint8))


@pytest.mark.parametrize("matrix", TURNS)
def test_a_video_is_turned_and_mirrored_as_its_display_matrix_says(matrix, tmp_path):
    path = write(tmp_path / "turned.mp4", [corners()])
    a, b, c, d = matrix
    turned = struct.pack(">9i", a * 65536, b * 65536, 0, c * 65536, d * 65536, 0, 0, 0, 0x40000000)
    data = path.read_bytes()
    at = data.rfind(PLAIN)
    assert data.count(PLAIN) == 2  # of the film, and of the track
    path.write_bytes(data[:at] + turned + data[at + 36 :])
    (picture,) = open_pictures(path)
    assert picture.shape == ((64, 96, 3) if a else (96, 64, 3))
    for (y, x), color in CORNERS.items():  # from the middle, a corner at (x, y) goes to (a x + c y, b x + d y)
        left, up = 2 * x - 1, 2 * y - 1
        right, down = a * left + c * up > 0, b * left + d * up > 0
        found = picture[(3 if down else 1) * picture.shape[0] // 4, (3 if right else 1) * picture.shape[1] // 4]
        assert np.abs(found.astype(int) - color).max() < 30


@pytest.mark.parametrize(
    ("aspect", "width"), [(Fraction(2), 192), (Fraction(1), 96), (Fraction(1, 2), 48), (Fraction(4, 3), 128)]
)
def test_pixels_that_are_not_square_are_made_square(aspect, width, tmp_path):
    pictures = open_pictures(write(tmp_path / "wide.mp4", [corners()], Fraction(aspect)))
    (picture,) = pictures
    assert pictures.size == (64, width)
    assert picture.shape == (64, width, 3)
    assert np.abs(picture[48, 3 * width // 4].astype(int) - CORNERS[1, 1]).max() < 30


def test_a_video_that_is_whole_has_no_notes(tmp_path):
    for name in ("a.mp4", "a.mkv", "a.avi"):
        assert open_pictures(write(tmp_path / name, noisy(20))).notes == ()


def test_a_video_that_ends_early_is_noted_or_refused_with_both_counts(tmp_path):
    path = write(tmp_path / "cut.mp4", noisy(20), movflags="+faststart")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * 0.8)])
    pictures = open_pictures(path)
    assert pictures.frames < 20
    assert f"the video ends early: {pictures.frames} of 20 frames could be read" in pictures.notes
    path.write_bytes(whole[: int(len(whole) * 0.3)])
    with pytest.raises(UnreadableFileError, match=r"it ends early, (\d) of 20 frames could be read; .* or pass --frames \1"):
        open_pictures(path)
    assert open_pictures(path, frames=2).frames == 2
    film = write(tmp_path / "cut.mkv", noisy(20))
    film.write_bytes(film.read_bytes()[: film.stat().st_size // 3])
    with pytest.raises(UnreadableFileError, match="of 20 frames could be read"):
        open_pictures(film)


def test_frames_that_the_decoder_calls_damaged_are_counted(tmp_path):
    path = write(tmp_path / "damaged.avi", noisy(20))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.75)])
    pictures = open_pictures(path)
    last = pictures.frames - 1
    assert f"1 of {last + 1} frames of the video are damaged, the first is frame {last}" in pictures.notes
    assert open_pictures(path, frames=last).notes == ()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_an_mp4_without_its_index_says_that_it_was_not_copied_whole(share, tmp_path):
    path = write(tmp_path / "cut.mp4", noisy(20))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(UnreadableFileError, match="its index is missing, it was not copied or recorded whole; copy it again"):
        open_pictures(path)
