"""Counter-based normals: every value is a pure function of integers, on every device.

Philox2x32 with 7 rounds (Salmon et al., SC 2011) turns (64-bit key, counter) into two 32-bit words, Box-Muller turns these
into a pair of normals. Only ``+ - * sqrt`` are used for the normals, so IEEE devices agree bit for bit.
"""

# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportIndexIssue=false, reportCallIssue=false, reportOperatorIssue=false, reportReturnType=false

import numpy as np
import warp as wp

wp.set_module_options({"enable_backward": False, "fast_math": False, "fuse_fp": False})


# Finaliser that spreads every input bit over all output bits (Stafford's variant 13, as in splitmix64).
MIX64 = """
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
    x = x ^ (x >> 31);
"""


@wp.func_native(MIX64 + "return x;")
def mix64(x: wp.uint64) -> wp.uint64:
    """Spread every input bit over all output bits."""
    ...


# `first_value` and `second_value`, the normals of `counter` under `key_low` and `key_high`.
NORMAL_PAIR = """
    // Philox2x32-7
    unsigned lo = counter, hi = key_high, round_key = key_low;
    for (int r = 0; r < 7; ++r) {
        const unsigned long long product = (unsigned long long)lo * 0xD256D193ull;
        lo = (unsigned)(product >> 32) ^ round_key ^ hi;
        hi = (unsigned)product;
        round_key += 0x9E3779B9u;
    }
    // radius sqrt(-2 ln u), u in (0, 1]; ln by u = 2^e * m with m in [sqrt(1/2), sqrt(2)), then Cephes' polynomial in m - 1
    const float u = ((float)(int)(lo >> 1) + 0.5f) * 4.656612873077393e-10f;
    union { float f; int i; } bits;
    bits.f = u;
    const int e = (bits.i - 0x3F3504F3) >> 23;
    bits.i -= e << 23;
    const float m = bits.f - 1.0f, mm = m * m, exponent = (float)e;
    float poly = 7.0376836292e-2f;
    poly = poly * m - 1.1514610310e-1f;
    poly = poly * m + 1.1676998740e-1f;
    poly = poly * m - 1.2420140846e-1f;
    poly = poly * m + 1.4249322787e-1f;
    poly = poly * m - 1.6668057665e-1f;
    poly = poly * m + 2.0000714765e-1f;
    poly = poly * m - 2.4999993993e-1f;
    poly = poly * m + 3.3333331174e-1f;
    const float ln = m + (poly * m * mm - 2.12194440e-4f * exponent - 0.5f * mm) + 0.693359375f * exponent;
    const float square = -2.0f * ln;
    const float radius = ::sqrtf(square > 0.0f ? square : 0.0f);
    // angle: 30 bits inside a quadrant around 0, two bits choose the quadrant
    const float t = (((float)(int)(hi & 0x3FFFFFFFu) + 0.5f) * 9.313225746154785e-10f - 0.5f) * 1.5707963267948966f;
    const float tt = t * t;
    const float s = radius * (t + t * tt * ((-1.9515295891e-4f * tt + 8.3321608736e-3f) * tt - 1.6666654611e-1f));
    const float c = radius * (1.0f - 0.5f * tt
        + tt * tt * ((2.443315711809948e-5f * tt - 1.388731625493765e-3f) * tt + 4.166664568298827e-2f));
    const float x = (hi & 0x40000000u) ? -s : c, y = (hi & 0x40000000u) ? c : s;
    const float first_value = (hi & 0x80000000u) ? -x : x, second_value = (hi & 0x80000000u) ? -y : y;
"""

# Fills `first` and `second` with the normals of `draws` counters, `counted`. One loop without calls, so that clang vectorizes
# it; NVRTC compiles the same text as scalar code.
NORMALS = (
    """
#if !defined(__CUDA_ARCH__)
    #pragma clang loop vectorize(enable) vectorize_width(8) interleave(disable)
#endif
    for (int d = 0; d < draws; ++d) {
        const unsigned counter = counted[d];
"""
    + NORMAL_PAIR
    + """
        first[d] = first_value;
        second[d] = second_value;
    }
"""
)


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
