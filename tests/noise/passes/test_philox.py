from typing import no_type_check

import numpy as np
import warp as wp
from scipy.stats import kstest

from sim2real.devices import warp_ready
from sim2real.noise.passes.philox import keyed_normal, mix64, mix64_reference, philox_reference


@wp.kernel
@no_type_check
def draw(key: wp.uint64, first: wp.array(dtype=float), second: wp.array(dtype=float)):
    k = wp.tid()
    mixed = mix64(key + wp.uint64(k / 1000))
    first[k] = keyed_normal(mixed, wp.uint32(k % 1000), 0)
    second[k] = keyed_normal(mixed, wp.uint32(k % 1000), 1)


def drawn(count: int) -> tuple[np.ndarray, np.ndarray]:
    warp_ready()
    first, second = (wp.zeros(count, dtype=float, device="cpu") for _ in range(2))
    wp.launch(draw, dim=count, inputs=[wp.uint64(2**63 + 12345), first, second], device="cpu")
    return first.numpy(), second.numpy()


def test_kernel_normals_equal_the_plain_reference():
    count = 200_000
    k = np.arange(count)
    with np.errstate(over="ignore"):
        expected = philox_reference(mix64_reference(np.uint64(2**63 + 12345) + (k // 1000).astype(np.uint64)), k % 1000)
    for values, reference in zip(drawn(count), expected, strict=True):
        assert np.abs(values - reference).max() < 3e-5


def test_normals_are_standard_and_uncorrelated():
    first, second = (values.astype(float) for values in drawn(1_000_000))
    for values in (first, second):
        assert kstest(values, "norm").pvalue > 1e-6
        assert abs(values.mean()) < 5e-3 and abs(values.var() - 1) < 7.1e-3
    assert abs(np.mean(first * second)) < 5e-3
    assert abs(np.mean(first[1:] * first[:-1])) < 5e-3
