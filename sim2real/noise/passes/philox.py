"""Counter-based normals: every value is a pure function of integers, on every device.

Philox2x32 with 7 rounds (Salmon et al., SC 2011) turns (64-bit key, counter) into two 32-bit words, Box-Muller turns these
into a pair of normals. Only ``+ - * sqrt`` are used for the normals, so IEEE devices agree bit for bit.
"""

# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportIndexIssue=false, reportCallIssue=false, reportOperatorIssue=false, reportReturnType=false

import numpy as np
import warp as wp

from ...native_code import native

wp.set_module_options({"enable_backward": False, "fast_math": False, "fuse_fp": False})


MIX64 = native(__file__, "mix64")


@wp.func_native(MIX64 + "return x;")
def mix64(x: wp.uint64) -> wp.uint64:
    """Spread every input bit over all output bits."""
    ...


NORMAL_PAIR = native(__file__, "normal_pair")

NORMALS = native(__file__, "normals")


@wp.func_native(
    "const unsigned key_low = (unsigned)key, key_high = (unsigned)(key >> 32);"
    + NORMAL_PAIR
    + "return odd ? second_value : first_value;"
)
def keyed_normal(key: wp.uint64, counter: wp.uint32, odd: int) -> float:
    """One standard normal: the first or second of the pair of a counter."""
    ...


def philox_reference(key: np.ndarray, counter: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Plain numpy twin of the generator, in float64 and with numpy's own logarithm and sines.

    Args:
        key: uint64, any shape.
        counter: uint32, broadcast against ``key``.

    Returns:
        The two normals of every counter, float64.

    Reference:
        Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3 (SC 2011).
    """
    key, counter = np.broadcast_arrays(np.asarray(key, np.uint64), np.asarray(counter, np.uint64))
    mask = np.uint64(0xFFFFFFFF)
    lo, hi, round_key = counter & mask, key >> np.uint64(32), key & mask
    for _ in range(7):
        product = lo * np.uint64(0xD256D193)
        lo, hi = (product >> np.uint64(32)) ^ round_key ^ hi, product & mask
        round_key = (round_key + np.uint64(0x9E3779B9)) & mask
    radius = np.sqrt(-2 * np.log(((lo >> np.uint64(1)).astype(np.float64) + 0.5) * 2.0**-31))
    turns = (hi >> np.uint64(30)).astype(np.float64) + (hi & np.uint64(0x3FFFFFFF)).astype(np.float64) * 2.0**-30 - 0.5
    return radius * np.cos(turns * np.pi / 2), radius * np.sin(turns * np.pi / 2)


def mix64_reference(x: np.ndarray) -> np.ndarray:
    """Plain numpy twin of ``mix64``."""
    x = np.asarray(x, np.uint64)
    with np.errstate(over="ignore"):
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
