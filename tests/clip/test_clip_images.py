from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import OpenEXR
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sim2real.clip import images
from sim2real.errors import BadValueError, MissingFileError, UnreadableFileError


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([np.uint8, np.uint16]).flatmap(
        lambda kind: hnp.arrays(
            kind,
            st.tuples(st.integers(1, 9), st.integers(1, 9)).map(lambda s: s if kind is np.uint16 else (*s, 3)),
        )
    )
)
def test_pictures_come_back_bit_for_bit(tmp_path_factory, picture):
    path = tmp_path_factory.mktemp("png") / "a.png"
    images.write_png(path, picture)
    again = images.read_png(path)
    assert again.dtype == picture.dtype
    assert np.array_equal(again, picture)


def test_depth_is_channel_z_in_float32_without_loss(tmp_path):
    depth = np.random.default_rng(0).standard_normal((7, 5)).astype(np.float32)
    images.write_depth(tmp_path / "d.exr", depth)
    with OpenEXR.File(str(tmp_path / "d.exr")) as file:
        assert list(file.channels()) == ["Z"]
        assert file.header()["compression"] == OpenEXR.ZIP_COMPRESSION
    assert np.array_equal(images.read_depth(tmp_path / "d.exr"), depth)


def test_noise_written_from_threads_in_any_order_is_a_plain_npy(tmp_path):
    noise = np.random.default_rng(0).standard_normal((9, 4, 6, 5)).astype(np.float32)
    with images.NoiseWriter(tmp_path / "n.npy", noise.shape) as writer, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda k: writer.write(k, noise[k]), reversed(range(9))))
    again = np.load(tmp_path / "n.npy", mmap_mode="r")
    assert again.flags.c_contiguous and again.dtype == np.float32
    assert np.array_equal(again, noise)
    assert np.array_equal(images.read_noise(tmp_path / "n.npy"), noise)


def test_noise_of_a_wrong_shape_is_refused(tmp_path):
    with images.NoiseWriter(tmp_path / "n.npy", (2, 4, 6, 5)) as writer:
        for latent, shape in ((0, (4, 5, 6)), (2, (4, 6, 5))):
            with pytest.raises(BadValueError):
                writer.write(latent, np.zeros(shape, np.float32))


@pytest.mark.parametrize("read", [images.read_png, images.read_depth, images.read_noise])
def test_missing_and_damaged_files_are_named(tmp_path, read):
    with pytest.raises(MissingFileError, match=r"absent\.x"):
        read(tmp_path / "absent.x")
    (tmp_path / "bad.x").write_bytes(b"not a picture")
    with pytest.raises(UnreadableFileError, match=r"bad\.x") as caught:
        read(tmp_path / "bad.x")
    assert "\n" not in str(caught.value)


def test_pictures_written_in_threads_are_what_they_were_when_handed_over_and_errors_are_raised(tmp_path):
    picture = np.zeros((4, 5, 3), np.uint8)
    with images.PictureWriter() as pictures:
        for shade in range(40):
            picture[:] = shade  # the same memory again and again
            pictures.write(tmp_path / f"{shade}.png", picture)
    assert all((images.read_png(tmp_path / f"{shade}.png") == shade).all() for shade in range(40))
    with pytest.raises(FileNotFoundError), images.PictureWriter() as pictures:
        pictures.write(tmp_path / "nowhere" / "0.png", picture)
