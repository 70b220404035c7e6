"""The kernels' lines of sight in plain torch, with the order of their sums: the one twin of ``kernels``."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor


def straight_rays(
    x: Float[Tensor, "*shape"], y: Float[Tensor, "*shape"], intrinsics: Float[Tensor, "3 3"] | Float[np.ndarray, "3 3"]
) -> Float64[Tensor, "*shape 2"]:
    """Lines of sight (x, y) through places of the picture, of a camera that bends none; differentiable.

    Args:
        x: px, pixel centers at 0.5.
        y: the same.
        intrinsics: in pixels; a tensor may require gradients.
    """
    k = torch.as_tensor(intrinsics).to(x.device).double()
    down = (y.double() - k[1, 2]) * (1 / k[1, 1])
    across = (x.double() - k[0, 2]) * (1 / k[0, 0]) - k[0, 1] / k[0, 0] * down
    return torch.stack([across, down], dim=-1)


def table_rays(
    x: Float[Tensor, "n"], y: Float[Tensor, "n"], table: Float64[Tensor, "height width 2"]
) -> Float64[Tensor, "n 2"]:
    """Lines of sight through places of a bent camera's picture, bilinear between pixel centers and beyond the outermost ones.

    Args:
        x: px, pixel centers at 0.5.
        y: the same.
        table: lines of sight through pixel centers.
    """
    i = torch.floor(x - 0.5).long().clamp(0, table.shape[1] - 2)
    j = torch.floor(y - 0.5).long().clamp(0, table.shape[0] - 2)
    a, b = (x - 0.5 - i)[..., None], (y - 0.5 - j)[..., None]
    upper = (1 - a) * table[j, i] + a * table[j, i + 1]
    lower = (1 - a) * table[j + 1, i] + a * table[j + 1, i + 1]
    return (1 - b) * upper + b * lower
