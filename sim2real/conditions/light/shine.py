"""How much of the light that falls on a surface it sends back as from matte paint, and how much it mirrors."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

GLOSS = 0.25
"""The roughness of lacquer."""
MATTE = 0.75
"""Roughness from which what is mirrored is what falls on the surface."""
GRAZING = np.float32(-9.28)
"""Octaves by which a surface that is seen straight on mirrors less than one that is seen along it, in Karis' fit."""
_PLASTIC = np.float32(0.04)
"""What everything but metal mirrors, seen straight on."""


def matte(roughness: Float32[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape"]:
    """How far a surface is from a mirror, 0 to 1: matte ones mirror what falls on them from everywhere."""
    return np.clip(2 * roughness / MATTE - 1, 0, 1)


def matte_share(
    base: Float32[np.ndarray, "*shape 3"], metallic: Float32[np.ndarray, "*shape"]
) -> Float32[np.ndarray, "*shape 3"]:
    """What of the light on a surface it sends back in all directions."""
    return base * (1 - metallic[..., None])


def mirrored_share(
    base: Float32[np.ndarray, "*shape 3"],
    metallic: Float32[np.ndarray, "*shape"],
    roughness: Float32[np.ndarray, "*shape"],
    facing: Float32[np.ndarray, "*shape"],
) -> Float32[np.ndarray, "*shape 3"]:
    """What of the light from the mirrored lobe a microfacet surface sends to the eye.

    Karis 2014, "Physically based shading on mobile": a fit to the integral over the lobe.

    Args:
        base: linear base color.
        metallic: 0 to 1.
        roughness: 0 to 1.
        facing: cosine between the normal and the direction to the eye.
    """
    rough = roughness.astype(np.float32)
    x, y, z, w = 1 - rough, 0.0425 - 0.0275 * rough, 1.04 - 0.572 * rough, 0.022 * rough - 0.04
    bend = np.minimum(x * x, np.exp2(GRAZING * np.clip(facing, 0, 1))) * x + y
    scale, bias = z - 1.04 * bend, w + 1.04 * bend
    at_front = _PLASTIC + (base - _PLASTIC) * metallic[..., None]
    return at_front * np.maximum(scale, 0)[..., None] + np.maximum(bias, 0)[..., None]


def mirrored_by(
    roughness: Float32[np.ndarray, "*shape"],
    own: Float32[np.ndarray, "*shape"],
    gloss: Float32[np.ndarray, "*shape 3"],
    reflection: Float32[np.ndarray, "*shape 3"],
    light: Float32[np.ndarray, "*shape 3"],
) -> Float32[np.ndarray, "*shape 3"]:
    """What surfaces mirror at another roughness: between what is known of lacquer, of themselves and of matte paint.

    Args:
        roughness: that they are to have.
        own: that they have.
        gloss: what they mirror if they are no rougher than ``GLOSS``.
        reflection: what they mirror.
        light: what falls on them, which matte surfaces mirror.
    """
    own = np.clip(own, GLOSS, MATTE)
    smoother = np.clip((roughness - GLOSS) / np.maximum(own - GLOSS, 1e-3), 0, 1)[..., None]
    rougher = np.clip((roughness - own) / np.maximum(MATTE - own, 1e-3), 0, 1)[..., None]
    out = gloss + smoother * (reflection - gloss)
    return out + rougher * (light - out)
