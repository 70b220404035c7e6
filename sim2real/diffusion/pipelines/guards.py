"""What pipelines would take in silence and make something else of: noise, grids, sigmas, lengths."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from jaxtyping import Float

from ...errors import BadValueError

_SIGMAS_OFF = 8.0
"""Standard errors that a latent's variance may be from 1: chance does not reach it."""
_SLACK = 0.05


def require_unit_variance(noise: Float[np.ndarray, "latents channels h w"]) -> None:
    """Refuse noise that somebody has scaled already, or that is constant: pipelines scale it themselves, and do not look.

    Raises:
        BadValueError: the latent and its variance.
    """
    per_latent = noise.reshape(len(noise), -1).astype(np.float64)
    variance = np.square(per_latent).mean(axis=1)
    allowed = _SLACK + _SIGMAS_OFF * np.sqrt(2 / per_latent.shape[1])
    worst = int(np.argmax(np.abs(variance - 1)))
    if not abs(variance[worst] - 1) <= allowed:
        right = "1: pipelines scale the noise themselves"
        raise BadValueError(f"the variance of the noise of latent {worst}", f"{variance[worst]:.3g}", right=right)


def require_grid(noise: tuple[int, ...], wanted: tuple[int, int, int, int], family: str) -> None:
    """Refuse noise of another grid than the loaded model's: pipelines fail later, and elsewhere, or not at all.

    Raises:
        BadValueError: with both shapes.
    """
    if tuple(noise) != tuple(wanted):
        right = f"{tuple(wanted)} (latents, channels, height, width) for this model"
        fix = f"the weights are not those of {family}, or the clip is of another size"
        raise BadValueError("the shape of the noise", tuple(noise), right=right, fix=fix)


def require_spread(scheduler: Any, steps: int) -> None:
    """Refuse a sampler whose last step removes next to nothing: with few steps, one of them then does nearly all the work.

    FlowMatchEuler without sigmas from the pipeline goes from 1 to its smallest sigma: two steps are 1, 0.0089, 0.

    Raises:
        BadValueError: the sigmas, and what to use.
    """
    if not type(scheduler).__name__.startswith("FlowMatchEuler") or steps < 2:
        return
    tried = copy.deepcopy(scheduler)
    tried.set_timesteps(steps)
    sigmas = [float(sigma) for sigma in tried.sigmas]
    last = min((sigma for sigma in sigmas if sigma > 0), default=1.0)
    if last < 0.1 / steps:
        shown = ", ".join(f"{sigma:.3g}" for sigma in sigmas)
        received = f"{type(scheduler).__name__} with {steps} steps, whose sigmas are {shown}"
        raise BadValueError(
            "the sampler", received, right="one whose steps are alike", fix="pass --scheduler UniPC, or more --steps"
        )


def require_lengths(pictures: np.ndarray, frames: int, size: tuple[int, int], family: str) -> None:
    """Refuse footage of another length or size than the clip: it would not lie over its labels.

    Raises:
        BadValueError: with both.
    """
    if pictures.shape != (frames, *size, 3):
        received = f"{len(pictures)} frames of {'x'.join(map(str, pictures.shape[1:3]))}"
        raise BadValueError(f"the footage of {family}", received, right=f"{frames} frames of {size[0]}x{size[1]}, as the clip")
