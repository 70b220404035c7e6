import numpy as np
import pytest

from sim2real.errors import MissingFileError, UnreadableFileError
from sim2real.training.packed import packed_clip, packed_folder, photograph_of
from tests.training.conftest import clip_arrays

EVERYTHING = (slice(None),) * 3


def test_a_packed_clip_holds_what_the_clip_holds_and_its_photograph(clip_files):
    clip, arrays = packed_clip(clip_files[0]), clip_arrays(0)
    pixels = clip.pixels(EVERYTHING)
    assert clip.shape == (4, 32, 48) and np.array_equal(clip.intrinsics, arrays["K"])
    for name in ("rgb", "albedo", "material", "normals", "edges", "depth", "coverage"):
        assert np.array_equal(pixels[name], arrays[name]), name
    assert np.array_equal(pixels["target"], photograph_of(arrays))
    part = clip.pixels((slice(1, 3), slice(4, 8), slice(0, 5)))
    assert np.array_equal(part, pixels[1:3, 4:8, :5])


def test_a_clip_is_packed_once(clip_files):
    packed_clip(clip_files[0])
    (file,) = packed_folder(clip_files[0].parent).iterdir()
    before = file.stat().st_mtime_ns
    clip_files[0].unlink()
    assert packed_clip(clip_files[0]).shape == (4, 32, 48) and file.stat().st_mtime_ns == before


def test_clips_that_are_missing_or_damaged_are_named(tmp_path):
    with pytest.raises(MissingFileError, match="training clip"):
        packed_clip(tmp_path / "000000.npz")
    arrays = clip_arrays(0)
    np.savez(tmp_path / "000001.npz", **{name: value for name, value in arrays.items() if name != "light"})
    with pytest.raises(UnreadableFileError, match="light"):
        packed_clip(tmp_path / "000001.npz")
    np.savez(tmp_path / "000002.npz", **{**arrays, "edges": arrays["edges"][:2]})
    with pytest.raises(UnreadableFileError, match="edges .* does not belong"):
        packed_clip(tmp_path / "000002.npz")
    assert not list(tmp_path.glob("packed-*/*"))
