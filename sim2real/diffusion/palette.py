"""A clip's look in a few colours: what the embedded model gets where bigger models get a text."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32, UInt8

COLOURS = 6
"""Tokens of a palette."""


def palette_of(
    rgb: UInt8[np.ndarray, "frames height width 3"], *, pixels: int = 4096, rounds: int = 12
) -> Float32[np.ndarray, "colours 4"]:
    """The dominant colours of a clip and their shares, by k-means.

    Without randomness: pixels are taken at even distances and the centres start at quantiles of brightness.

    Args:
        rgb: the clip.
        pixels: how many pixels to look at.
        rounds: of k-means.

    Returns:
        Red, green and blue in [-1, 1] and the square root of the share, largest share first.
    """
    flat = rgb.reshape(-1, 3)
    seen = flat[np.linspace(0, len(flat) - 1, min(pixels, len(flat))).astype(int)].astype(np.float64) / 127.5 - 1
    by_brightness = seen[np.argsort(seen.sum(-1), kind="stable")]
    centres = by_brightness[((np.arange(COLOURS) + 0.5) / COLOURS * len(seen)).astype(int)].copy()
    shares = np.zeros(COLOURS)
    for _ in range(rounds):
        nearest = ((seen[:, None] - centres[None]) ** 2).sum(-1).argmin(1)
        for k in range(COLOURS):
            members = seen[nearest == k]
            shares[k] = len(members) / len(seen)
            if len(members):
                centres[k] = members.mean(0)
    order = np.argsort(-shares, kind="stable")
    return np.concatenate([centres[order], np.sqrt(shares[order])[:, None]], axis=1).astype(np.float32)


def choose_palette(palettes: Float[np.ndarray, "looks colours 4"], seed: int) -> Float32[np.ndarray, "colours 4"]:
    """One of a model's palettes, by seed: neighbouring seeds give unrelated looks."""
    return palettes[np.random.default_rng([int(seed), 0x10015]).integers(len(palettes))].astype(np.float32)
