"""How much of the motion a noise video carries: its covariance from frame to frame against the overlap of footprints."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.sparse import csr_matrix

DISTANCES = (1, 4, 16, 48)
"""Frames apart."""
BANDS = 8
"""Horizontal bands of the picture; with the channels they are the samples that the standard error is made of."""


@dataclass(frozen=True)
class Transport:
    """Transport efficiency over one distance in time.

    - ``efficiency``: slope of the covariance against the normalized overlap of footprints; 1 for integrals of white noise over
      footprints, 0 for noise that ignores the geometry. Of frames that are not white it says little.
    - ``error``: its standard error over the draw of the noise and over parts of the picture.
    - ``overlap``: mean over pixels of the sum of squared overlaps: how much there is to carry.
    - ``ceiling``: the efficiency of integrals of white noise that are mixed with independent noise as told.
    """

    distance: int
    pairs: int
    efficiency: float
    error: float
    overlap: float
    ceiling: float = 1.0


class Slope:
    """Accumulates ``sum(overlap * product of noise) / sum(overlap^2)`` over pairs of frames, with its standard error.

    Pairs of one clip share their noise, so they are no independent samples: each channel of each band of the picture is one,
    summed over all pairs first.
    """

    def __init__(self) -> None:
        self._carried: np.ndarray | None = None
        self._squares = np.zeros(BANDS)
        self._possible = 0.0
        self._pixels = 0
        self.pairs = 0

    def add(
        self,
        of: Float[np.ndarray, "channels height width"],
        given: Float[np.ndarray, "channels height width"],
        overlaps: tuple[csr_matrix, csr_matrix],
        betas: tuple[Float[np.ndarray, "height width"], Float[np.ndarray, "height width"]] | None = None,
    ) -> None:
        """Add a pair of frames.

        Args:
            of: the noise whose pixels are the overlaps' rows.
            given: the noise whose pixels are their columns.
            overlaps: two independent estimates, as ``transport_efficiency`` wants them.
            betas: share of surface noise at every pixel of both; None is 1.
        """
        channels, height, width = of.shape
        both, squares = (overlaps[0] + overlaps[1]).tocoo(), overlaps[0].multiply(overlaps[1]).tocoo()
        band_of_row = np.arange(height * width) // width * BANDS // height
        band = band_of_row[both.row]
        carried = [
            np.bincount(band, both.data / 2 * of[c].ravel()[both.row] * given[c].ravel()[both.col], BANDS)
            for c in range(channels)
        ]
        self._carried = np.array(carried) + (0 if self._carried is None else self._carried)
        self._squares += np.bincount(band_of_row[squares.row], squares.data, BANDS)
        shares = 1.0 if betas is None else betas[0].ravel()[squares.row] * betas[1].ravel()[squares.col]
        self._possible += float((squares.data * shares).sum())
        self._pixels += height * width
        self.pairs += 1

    def result(self, distance: int) -> Transport | None:
        """The slope; ``None`` if no pair shares anything."""
        total = self._squares.sum()
        if self._carried is None or total <= 0:
            return None
        channels = len(self._carried)
        slope = float(self._carried.sum() / (channels * total))
        rest = self._carried - slope * self._squares
        count = channels * int((self._squares > 0).sum())
        error = math.sqrt(count / (count - 1) * float((rest**2).sum())) / (channels * total) if count > 1 else math.nan
        return Transport(distance, self.pairs, slope, float(error), float(total / self._pixels), float(self._possible / total))


def transport(
    noise: Float[np.ndarray, "latents channels height width"],
    latent_frames: Sequence[int],
    overlap: Callable[[int, int, int], csr_matrix],
    *,
    beta: Callable[[int], Float[np.ndarray, "height width"]] | None = None,
    pairs: int = 4,
    distances: Sequence[int] = DISTANCES,
    progress: Callable[[int, int], None] | None = None,
) -> list[Transport]:
    """Transport efficiency of a noise video.

    Args:
        noise: the video.
        latent_frames: the frame that each latent stands for.
        overlap: called with (frame a, frame b, seed of the rays): the normalized overlap, (pixels of b, pixels of a).
        beta: called with a frame: the share of surface noise at every pixel; None is 1.
        pairs: pairs of frames per distance, spread evenly over the clip.
        distances: in frames.
        progress: called with (done, total) pairs.

    Returns:
        One figure per distance at which the clip has pairs that share something.
    """
    place = {frame: k for k, frame in enumerate(latent_frames)}
    chosen: dict[int, list[tuple[int, int]]] = {}
    for distance in distances:
        every = [(a, a + distance) for a in place if a + distance in place]
        chosen[distance] = [every[k] for k in np.unique(np.linspace(0, len(every) - 1, min(pairs, len(every))).astype(int))]
    total = sum(len(found) for found in chosen.values())
    results, done = [], 0
    for distance, found in chosen.items():
        slope = Slope()
        for a, b in found:
            overlaps = (overlap(a, b, 0), overlap(a, b, 1))
            of, given = (np.asarray(noise[place[frame]], np.float64) for frame in (b, a))
            slope.add(of, given, overlaps, None if beta is None else (beta(b), beta(a)))
            done += 1
            if progress:
                progress(done, total)
        result = slope.result(distance)
        results += [] if result is None else [result]
    return results
