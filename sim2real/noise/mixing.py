"""The independent part of the noise: ``beta``, and the other spelling of it."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import torch
from jaxtyping import Float32

from ..errors import BadValueError


def independent_noise(
    shape: tuple[int, ...], *, seed: int, camera: str, frame: int
) -> Float32[torch.Tensor, "channels height width"]:
    """Noise that belongs to one frame of one camera alone, keyed so that any frame can be drawn by itself.

    Args:
        shape: (channels, height, width).
        seed: the clip's seed.
        camera: its name.
        frame: the pixel frame, counted from 0.

    Returns:
        i.i.d. standard normal values.
    """
    digest = hashlib.blake2b(f"independent/{seed}/{camera}/{frame}".encode(), digest_size=16).digest()
    generator = np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))
    return torch.from_numpy(generator.standard_normal(shape, dtype=np.float32))


def mix(
    noise: Float32[torch.Tensor, "channels height width"], beta: float, *, seed: int, camera: str, frame: int
) -> Float32[torch.Tensor, "channels height width"]:
    """``beta * noise + sqrt(1 - beta^2) * independent``; unit variance stays.

    Args:
        noise: surface noise of one frame.
        beta: correlation with the surface noise, 0 to 1; 1 returns ``noise`` itself.
        seed: the clip's seed.
        camera: the camera's name.
        frame: the pixel frame.

    Returns:
        Noise of the same shape.

    Raises:
        BadValueError: beta outside 0 to 1.

    Reference:
        EquiVDM (arXiv 2504.09789) with beta = 0.9.
    """
    if not 0 <= beta <= 1:
        raise BadValueError("beta", beta, right="between 0 (all independent) and 1 (all on the surfaces)")
    if beta == 1:
        return noise
    fresh = independent_noise(tuple(noise.shape), seed=seed, camera=camera, frame=frame).to(noise.device)
    return beta * noise + math.sqrt(1 - beta * beta) * fresh


def beta_from_degradation(degradation: float) -> float:
    """``beta`` that equals Go-with-the-Flow's degradation ``a``: ((1 - a) w + a e) / sqrt((1 - a)^2 + a^2).

    Raises:
        BadValueError: a outside 0 to 1.
    """
    if not 0 <= degradation <= 1:
        raise BadValueError("the degradation", degradation, right="between 0 (all on the surfaces) and 1 (all independent)")
    return (1 - degradation) / math.hypot(1 - degradation, degradation)
