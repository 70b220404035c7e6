"""Pictures as pipelines take and give them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sim2real.diffusion.controls import inverse_depth_control
from sim2real.diffusion.pipelines.tensors import eight_bits, video_tensor

SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.just(3))
VIDEOS = arrays(np.float32, SHAPES, elements=st.floats(-1, 2, width=32))


@given(video=VIDEOS)
def test_eight_bits_are_rounded_and_clipped(video):
    made = eight_bits(video)
    assert made.dtype == np.uint8 and np.array_equal(made, np.round(video * np.float32(255)).clip(0, 255))


def test_a_gray_control_reaches_a_pipeline_in_three_channels_without_being_copied_for_each(rng):
    control = inverse_depth_control(rng.uniform(1, 3, (2, 8, 6)).astype(np.float32))
    tensor = video_tensor(SimpleNamespace(_execution_device="cpu"), control)
    assert tensor.shape == (1, 2, 3, 8, 6) and np.array_equal(tensor[0].numpy(), control)
    assert tensor.untyped_storage().nbytes() == control.nbytes // 3
    colored = rng.random((2, 3, 8, 6), np.float32)
    assert np.array_equal(video_tensor(SimpleNamespace(_execution_device="cpu"), colored)[0].numpy(), colored)
