"""PNGs that we write are read by others as they were."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from sim2real.clip.png import png_bytes

cv2 = pytest.importorskip("cv2")
SIDES = st.tuples(st.integers(1, 9), st.integers(1, 9))
PICTURES = st.one_of(
    SIDES.flatmap(lambda s: arrays(np.uint8, s)),
    SIDES.flatmap(lambda s: arrays(np.uint8, (*s, 3))),
    SIDES.flatmap(lambda s: arrays(np.uint16, s)),
)


@given(picture=PICTURES)
def test_pillow_and_opencv_read_the_same_values(picture):
    data = png_bytes(picture)
    with Image.open(io.BytesIO(data)) as opened:
        opened.load()
        assert np.array_equal(np.asarray(opened), picture)
    other = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(other[..., ::-1] if picture.ndim == 3 else other, picture)


def test_views_are_written_as_they_look_and_a_changed_byte_is_noticed():
    picture = np.random.default_rng(0).integers(0, 256, (12, 10, 3), np.uint8)
    assert png_bytes(picture[::2, 1::3]) == png_bytes(picture[::2, 1::3].copy())
    data = bytearray(png_bytes(picture))
    data[60] ^= 1
    with pytest.raises((OSError, SyntaxError, zlib.error)), Image.open(io.BytesIO(bytes(data))) as opened:
        opened.load()
