"""Frechet distance of network features: are pictures of one set distributed as those of another?

Reference: Heusel, Ramsauer, Unterthiner, Nessler, Hochreiter 2017, GANs Trained by a Two Time-Scale Update Rule Converge to a
Local Nash Equilibrium; here of VGG16's relu3_3 at many places of every picture, so that few pictures do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, UInt8

from .perceptual import FeatureNetwork

TAP = "relu3_3"
_STRIDE = 3
"""Of the places whose features are taken: neighbors say much the same."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over features, which can be added: ``count`` of them, their ``total``, and of their ``products``."""

    count: int
    total: Float64[np.ndarray, "c"]
    products: Float64[np.ndarray, "c c"]

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.count + other.count, self.total + other.total, self.products + other.products)

    @property
    def mean(self) -> Float64[np.ndarray, "c"]:
        """Mean feature."""
        return self.total / self.count

    @property
    def covariance(self) -> Float64[np.ndarray, "c c"]:
        """Covariance of features."""
        return (self.products - self.count * np.outer(self.mean, self.mean)) / (self.count - 1)


def picture_moments(network: FeatureNetwork, picture: UInt8[np.ndarray, "height width 3"]) -> Moments:
    """Moments of one picture's features."""
    with torch.inference_mode():
        features = network.features(tensor_of(picture), until=TAP)[TAP][0, :, ::_STRIDE, ::_STRIDE]
        places = features.flatten(1).T.double().cpu().numpy()
    return Moments(len(places), places.sum(axis=0), places.T @ places)


def pooled(moments: Iterable[Moments]) -> Moments:
    """Moments of all pictures together."""
    first, *others = moments
    for other in others:
        first = first + other
    return first


def frechet(a: Moments, b: Moments) -> float:
    """Squared Frechet distance of the normal distributions with these moments; 0 for equal ones."""
    apart = a.mean - b.mean
    ca, cb = a.covariance, b.covariance
    root = _root(cb)
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ ca @ root), 0)).sum()
    return float(apart @ apart + np.trace(ca) + np.trace(cb) - 2 * shared)


def _root(covariance: Float64[np.ndarray, "c c"]) -> Float64[np.ndarray, "c c"]:
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def tensor_of(picture: UInt8[np.ndarray, "height width 3"]) -> torch.Tensor:
    """A picture as networks take it: (1, 3, height, width), 0 to 1."""
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32) / 255)[None]
