"""The independent part of the noise: drawn, and mixed with the surfaces' part."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import torch
from jaxtyping import Float32, Int32

from .beta import check_beta


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
    noise: Float32[torch.Tensor, "channels height width"],
    beta: float | Float32[torch.Tensor, "height width"],
    *,
    seed: int,
    camera: str,
    frame: int,
) -> Float32[torch.Tensor, "channels height width"]:
    """``beta * noise + sqrt(1 - beta^2) * independent``; unit variance stays.

    ``beta`` may differ from pixel to pixel. As long as it depends on geometry alone, never on the values, a frame stays exactly
    white: given ``beta``, pixel p is a function of its own two standard normals only, independent of those of all other pixels,
    and ``beta_p^2 + (1 - beta_p^2) = 1`` is its variance. Two frames then have ``beta_p beta_q`` of the covariance of their
    surface noise.

    Args:
        noise: surface noise of one frame.
        beta: correlation with the surface noise, 0 to 1, one or one per pixel; where it is 1 the bits of ``noise`` stay.
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
    low, high = (beta, beta) if isinstance(beta, (int, float)) else (float(beta.min()), float(beta.max()))
    for value in (low, high):
        check_beta("beta", value)
    if low == 1:
        return noise
    fresh = independent_noise(tuple(noise.shape), seed=seed, camera=camera, frame=frame).to(noise.device)
    if isinstance(beta, (int, float)):
        return beta * noise + math.sqrt(1 - beta * beta) * fresh
    return torch.where(beta == 1, noise, beta * noise + torch.sqrt((1 - beta) * (1 + beta)) * fresh)


def seen_beta(
    face: Int32[torch.Tensor, "height width"], beta_of_face: Float32[torch.Tensor, "faces_and_background"], factor: int
) -> Float32[torch.Tensor, "latent_height latent_width"]:
    """The beta of every latent: the mean over its pixels of the beta of what they see.

    Args:
        face: face that each pixel sees, -1 for the background.
        beta_of_face: one beta per face, and that of the background at the end.
        factor: pixels per latent and axis.
    """
    beta = beta_of_face[face.long()]
    return torch.nn.functional.avg_pool2d(beta[None], factor)[0]
