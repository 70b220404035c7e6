"""Line drawings of pictures, where there is no geometry to draw: Canny's edges of brightness."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from ..optional import require

WEAK, STRONG = 100.0, 200.0
"""Gradients of gray levels from which a line goes on, and from which it begins: what control models are trained with."""


def picture_edges(
    picture: UInt8[np.ndarray, "height width 3"], *, weak: float = WEAK, strong: float = STRONG
) -> UInt8[np.ndarray, "height width"]:
    """Edges of a picture, white on black, one pixel thick.

    Thresholds are fixed, not taken from each picture: the lines of a video do not come and go with its brightness.

    Args:
        picture: sRGB.
        weak: gradient from which a line that has begun goes on.
        strong: gradient from which a line begins.

    Raises:
        MissingPackageError: OpenCV is not installed.

    Reference:
        Canny: A computational approach to edge detection (PAMI 1986), by OpenCV.
    """
    cv2 = require("cv2", "flow")
    gray = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.Canny(gray, weak, strong, L2gradient=True), np.uint8)
