"""Masks as runs of pixels."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as coco

from sim2real.dataset.masks import bounding_box, coco_rle, ids_in, mask_of, mask_png, runs_of

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools.mask.decode


def masks(least: int = 0) -> st.SearchStrategy[np.ndarray]:
    def drawn(shape: tuple[int, int]) -> st.SearchStrategy[np.ndarray]:
        cells = st.lists(st.booleans(), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1])
        return cells.map(lambda values: np.array(values, bool).reshape(shape)).filter(lambda m: m.sum() >= least)

    return st.tuples(st.integers(1, 7), st.integers(1, 7)).flatmap(drawn)


@given(masks())
@settings(max_examples=100, deadline=None)
def test_runs_and_pictures_give_the_mask_back_and_runs_are_those_that_coco_reads(mask):
    runs = runs_of(mask)
    assert (mask_of(runs, mask.shape) == mask).all() and mask_of(runs, mask.shape).dtype == bool
    theirs = coco.frPyObjects({"size": list(mask.shape), "counts": runs.tolist()}, *mask.shape)
    assert (coco.decode(theirs) == mask).all()
    read = np.array(Image.open(io.BytesIO(mask_png(mask))))
    assert read.dtype == np.uint8 and (read == np.where(mask, 255, 0)).all()
    rle = coco_rle(mask)
    assert (coco.decode(rle) == mask).all() and isinstance(rle["counts"], str)


@given(masks(least=1))
@settings(max_examples=50, deadline=None)
def test_the_box_is_the_one_that_coco_finds(mask):
    assert list(bounding_box(mask)) == coco.toBbox(coco.encode(np.asfortranarray(mask, np.uint8))).tolist()


def test_ids_are_counted_without_the_background():
    assert ids_in(np.array([[0, 3, 3], [65535, 3, 0]], np.uint16)) == {3: 3, 65535: 1}
    assert ids_in(np.zeros((2, 3), np.uint16)) == {}
