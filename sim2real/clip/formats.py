"""How kinds of pictures are stored, and what people see of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from .. import kinds
from . import images
from .behind import SeenBehind, read_behind, write_behind
from .report.colors import colorized, depth_picture, light_picture

Range = tuple[float, float]
"""Nearest and farthest depth that is told apart, metres."""


@dataclass(frozen=True)
class Format:
    """One way to store a picture.

    - ``write`` and ``read`` a file of one frame.
    - ``look``: the picture as people see it, uint8, RGB or gray, by the depths that matter in it.
    - ``show``: the same in a video.
    - ``smooth``: it may be scaled down smoothly.
    """

    suffix: str
    write: Callable[[Path, Any], None]
    read: Callable[[Path], Any]
    look: Callable[[Any, Range], np.ndarray]
    show: Callable[[Any, Range], np.ndarray]
    smooth: bool = True

    @property
    def is_picture(self) -> bool:
        """Whether a file holds a picture, not arrays."""
        return self.suffix != ".npz"


def _as_it_is(picture: np.ndarray, depths: Range) -> np.ndarray:
    return picture


def _of_ids(ids: np.ndarray, depths: Range) -> np.ndarray:
    return colorized(ids)


def _of_shares(shares: np.ndarray, depths: Range) -> np.ndarray:
    """All of them together: white where the neighbors cover the pixel."""
    from ..conditions.coverage import shares as shares_of

    return np.rint(255 * shares_of(shares).sum(axis=0)).astype(np.uint8)


def _of_light(light: np.ndarray, depths: Range) -> np.ndarray:
    return light_picture(light)


def _control(depth: Float[np.ndarray, "height width"], depths: Range) -> UInt8[np.ndarray, "height width"]:
    """Gray inverse depth, as models take it."""
    from ..conditions import DepthRange, control_depth

    return control_depth(depth, DepthRange(*depths))


def _of_behind(behind: SeenBehind, depths: Range) -> np.ndarray:
    """What share of the light of what is behind comes through, a value per row."""
    return np.rint(255 * behind.share.astype(np.float32)).astype(np.uint8)


def _of_flow(flow: tuple[np.ndarray, np.ndarray], depths: Range) -> np.ndarray:
    """Where the motion's end is seen."""
    return np.where(flow[1], 255, 0).astype(np.uint8)


FORMATS = {
    "png": Format(".png", images.write_png, images.read_png, _as_it_is, _as_it_is),
    "ids": Format(".png", images.write_png, images.read_png, _of_ids, _of_ids, smooth=False),
    "shares": Format(".png", images.write_png, images.read_png, _of_shares, _of_shares, smooth=False),
    "depth": Format(".exr", images.write_depth, images.read_depth, depth_picture, _control),
    "light": Format(".exr", images.write_light, images.read_light, _of_light, _of_light),
    "behind": Format(".npz", write_behind, read_behind, _of_behind, _of_behind, smooth=False),
    "flow": Format(".npz", lambda path, flow: images.write_flow(path, *flow), images.read_flow, _of_flow, _of_flow),
}
"""By name: uint8 color or gray, uint16 ids, shares of four neighbors, metres, linear light, what is
behind clear things, and pairs of motion (x, y) in pixels and where it is seen."""


def format_of(kind: str) -> Format:
    """How a kind is stored.

    Raises:
        UnknownNameError: there is no such kind.
    """
    return FORMATS[str(kinds.picture(kind).stored)]
