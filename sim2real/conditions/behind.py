"""What is behind clear things, and what these add to it, where a pixel's center looks through some."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from ..scene import Camera
from .samples import Layers, Sampler
from .surface import SurfaceShader


@dataclass(frozen=True, eq=False)
class ClearPixels:
    """The clear things before the first surface that is not.

    - ``at``: the pixels whose centers look through some, counted row by row, ascending.
    - ``share``: of what is behind that is seen; 1 behind things of alpha 0.
    - ``added``: linear base color, roughness, metallic and emissive strength of the clear things, weighted by what is seen of
      each: with ``share`` times those of what is behind, they are the pixel's.
    """

    at: Int64[np.ndarray, " pixels"]
    share: Float32[np.ndarray, " pixels"]
    added: Float32[np.ndarray, "pixels 6"]


class ClearLooker:
    """Finds what is clear; may be used from several threads at once.

    Args:
        sampler: of the scene.
        surface: says what surfaces are made of.
    """

    def __init__(self, sampler: Sampler, surface: SurfaceShader) -> None:
        self._sampler, self._surface = sampler.with_side(1), surface

    def frame(self, camera: Camera, frame: int) -> ClearPixels | None:
        """What is clear in a view; ``None`` where nothing is."""
        layers = self._sampler.layers(camera, frame)
        if layers.behind is None:
            return None
        share, added = self._added(layers)
        here = layers.behind.weights[0] < 1
        rows, columns = (torch.nonzero(here)[:, k] + start for k, start in enumerate(_corner(layers)))
        at = (rows * camera.size[1] + columns).cpu().numpy()
        return ClearPixels(at, share[here].cpu().numpy(), added[here].cpu().numpy())

    def _added(self, layers: Layers) -> tuple[Float32[Tensor, "rows columns"], Float32[Tensor, "rows columns 6"]]:
        """What is seen of what is behind all clear things, and what these add; by the rule of ``Layers.blended``."""
        behind = layers.behind
        assert behind is not None
        front = self._surface.painted(layers.front)[behind.rows, behind.columns]
        shown = [front, *(self._surface.painted(samples) for samples in behind.layers[:-1])]
        share, added = torch.ones_like(behind.weights[0]), torch.zeros_like(front)
        for painted, weight in zip(reversed(shown), reversed(behind.weights), strict=True):
            clear = weight < 1  # elsewhere this layer is what is behind
            share = torch.where(clear, (1 - weight) * share, share)
            added = torch.where(clear[..., None], torch.lerp(added, painted, weight[..., None]), added)
        return share, added


def _corner(layers: Layers) -> tuple[int, int]:
    """Where the part of the picture begins that has something clear."""
    assert layers.behind is not None
    return layers.behind.rows.start, layers.behind.columns.start
