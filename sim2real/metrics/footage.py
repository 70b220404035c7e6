"""Does footage follow its geometry? Consistency along exact motion, and edges where the condition has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy import ndimage

from ..clip import Clip
from ..clip.images import read_png
from ..errors import MissingFileError
from .motion import labelled_motion, sampled

DISTANCES = (1, 4, 16)
"""Frames apart."""
EDGE_TOLERANCE = 1 / 120
"""How far an edge may lie from the condition's, as a share of the picture's height."""


@dataclass(frozen=True)
class FootageFigures:
    """Figures of one camera's footage.

    - ``psnr_db[d]``: cross-frame PSNR at distance d: frame a against frame a + d fetched along the exact motion, over pixels
      visible in both (dB, from the mean squared error over all pairs).
    - ``warp_error[d]``: the same as a mean absolute difference, 0 to 1.
    - ``edge_agreement``: of the strongest gradients of the footage, as many as the condition has edge pixels, the share that
      lies on a condition edge, averaged with the share of condition edges that have one; 0 to 1.
    """

    psnr_db: dict[int, float]
    warp_error: dict[int, float]
    edge_agreement: float


def footage_figures(
    clip: Clip, camera: str, frames: Callable[[int], UInt8[np.ndarray, "height width 3"]], *, stride: int = 1
) -> FootageFigures:
    """Measure footage against the clip's geometry.

    Args:
        clip: with depth, instances and edges.
        camera: its name.
        frames: gives the footage's frame of an index; ``generated_frames`` or ``clip.rgb``.
        stride: take every so many frames as sources.

    Returns:
        Figures; distances longer than the clip are left out.
    """
    psnr, warp = {}, {}
    for distance in (d for d in DISTANCES if d < clip.frames):
        squared = absolute = count = 0.0
        for source in range(0, clip.frames - distance, stride):
            there, visible = labelled_motion(clip, camera, source, source + distance)
            a = frames(source)[visible].astype(np.float64) / 255
            b = sampled(frames(source + distance).astype(np.float64) / 255, there[visible])
            squared += float(((a - b) ** 2).sum())
            absolute += float(np.abs(a - b).sum())
            count += a.size
        if count:
            psnr[distance] = float(-10 * np.log10(max(squared / count, 1e-12)))
            warp[distance] = absolute / count
    agreement = [edge_agreement(frames(k), clip.edges(camera, k) > 127) for k in range(0, clip.frames, stride)]
    return FootageFigures(psnr, warp, float(np.mean(agreement)))


def edge_agreement(picture: UInt8[np.ndarray, "height width 3"], edges: Bool[np.ndarray, "height width"]) -> float:
    """Share of strong gradients on condition edges, averaged with the share of condition edges that have a strong gradient."""
    if not edges.any():
        return 1.0
    strength = gradient_ridges(picture)
    least = np.partition(strength.ravel(), -int(edges.sum()))[-int(edges.sum())]
    strong = (strength >= least) & (strength > 0)
    if not strong.any():
        return 0.0
    reach = max(1.0, EDGE_TOLERANCE * picture.shape[0])
    to_edge, to_strong = (np.asarray(ndimage.distance_transform_edt(~lines)) for lines in (edges, strong))
    return float((np.mean(to_edge[strong] <= reach) + np.mean(to_strong[edges] <= reach)) / 2)


def gradient_ridges(picture: UInt8[np.ndarray, "height width 3"]) -> Float[np.ndarray, "height width"]:
    """Gradient magnitude of the smoothed luminance."""
    luminance = picture.astype(np.float64) @ [0.299, 0.587, 0.114]
    return ndimage.gaussian_gradient_magnitude(luminance, sigma=max(0.7, picture.shape[0] / 400))


def generated_frames(folder: Path) -> Callable[[int], UInt8[np.ndarray, "height width 3"]]:
    """Reader of the frames that ``generate`` wrote.

    Raises:
        MissingFileError: a frame is not there.
    """

    def read(index: int) -> UInt8[np.ndarray, "height width 3"]:
        path = folder / "frames" / f"{index:06d}.png"
        if not path.is_file():
            raise MissingFileError(path, what="frame of the footage", mend="generate it again with: sim2real generate CLIP")
        return read_png(path)

    return read
