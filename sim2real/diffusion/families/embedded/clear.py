"""What one sees through stays clear when a clip is restyled: new surfaces are those of what is behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Float32, Int64, UInt8

from ....clip.behind import SeenBehind
from .conditions import (
    BASE,
    FACING,
    LIGHT,
    MADE_OF,
    NEARNESS,
    NORMALS,
    PICTURE,
    RENDERED,
    Surface,
    background_light,
    linear8,
    srgb8,
)
from .texturing import Stretch


@dataclass(frozen=True, eq=False)
class Clear:
    """What is behind clear things in a stretch of frames: the rows of all frames, one after the other.

    - ``frame``: of the stretch; ``row`` and ``column``: the pixel.
    - all else as in ``SeenBehind``.
    """

    frame: Int64[np.ndarray, " pixels"]
    row: Int64[np.ndarray, " pixels"]
    column: Int64[np.ndarray, " pixels"]
    share: Float32[np.ndarray, " pixels"]
    color: Float32[np.ndarray, "pixels 3"]
    material: Float32[np.ndarray, "pixels 3"]
    ids: np.ndarray
    depth: Float[np.ndarray, " pixels"]
    normals: UInt8[np.ndarray, "pixels 3"]
    noise: Float32[np.ndarray, "pixels 3"]

    @property
    def place(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The pixels, as an index of pictures."""
        return self.frame, self.row, self.column

    @property
    def before_nothing(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The pixels in which nothing is behind."""
        nothing = self.ids == 0
        return self.frame[nothing], self.row[nothing], self.column[nothing]


def clear_of(behind: Sequence[SeenBehind], width: int) -> Clear:
    """The rows of a stretch of frames.

    Args:
        behind: of every frame.
        width: of the pictures.
    """
    row, column = np.divmod(np.concatenate([one.at for one in behind]).astype(np.int64), width)
    names = ("share", "color", "material", "noise")
    return Clear(
        frame=np.repeat(np.arange(len(behind)), [len(one) for one in behind]),
        row=row,
        column=column,
        ids=np.concatenate([one.ids for one in behind]),
        depth=np.concatenate([one.depth for one in behind]),
        normals=np.concatenate([one.normals for one in behind]),
        **{name: np.concatenate([getattr(one, name) for one in behind]).astype(np.float32) for name in names},
    )


def without_clear(at: Stretch, clear: Clear) -> Stretch:
    """Frames as if their clear things were not there: surfaces, labels and noise are those of what is behind."""
    ids, depth, normals = shapes_behind(at.ids, at.depth, at.normals, clear)
    noise = at.noise.copy()
    frame, row, column = clear.place
    noise[frame, :, row, column] = clear.noise
    return replace(at, ids=ids, depth=depth, normals=normals, noise=noise)


def shapes_behind(
    ids: np.ndarray, depth: np.ndarray, normals: np.ndarray, clear: Clear
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, depth and normals with those of what is behind clear things."""
    ids, depth, normals = ids.copy(), depth.copy(), normals.copy()
    ids[clear.place], depth[clear.place], normals[clear.place] = clear.ids, clear.depth, clear.normals
    return ids, depth, normals


def before_nothing(
    albedo: UInt8[np.ndarray, "frames height width 3"], clear: Clear
) -> UInt8[np.ndarray, "frames height width 3"]:
    """Base colors (sRGB) in which nothing, behind clear things, is white: the light of such pixels is what is seen there."""
    albedo, nothing = albedo.copy(), clear.ids == 0
    albedo[clear.before_nothing] = srgb8(clear.color[nothing] + clear.share[nothing, None])
    return albedo


def as_background(conditions: Float32[np.ndarray, "frames channels height width"], clear: Clear) -> None:
    """Make what is clear, and has nothing behind it, a part of the background, in place: as bright, and without a surface.

    The network knows the background, and leaves it as it is seen; of a surface that is as bright it would not know the light.
    """
    frame, row, column = clear.before_nothing
    if not len(frame):
        return
    pixels = conditions[frame, :, row, column]
    for nowhere in (BASE, MADE_OF, NEARNESS):
        pixels[:, nowhere] = -1
    pixels[:, NORMALS], pixels[:, FACING] = 0, 0
    pixels[:, LIGHT], pixels[:, RENDERED] = pixels[:, PICTURE], background_light(pixels[:, PICTURE])
    conditions[frame, :, row, column] = pixels


def seen_through(surface: Surface, clear: Clear) -> Surface:
    """Surfaces of what is behind, with what the clear things before them add: these keep their own color and roughness.

    Args:
        surface: of the frames without the clear things.
        clear: what these are.
    """
    base, roughness, metallic = surface.base_color.copy(), surface.roughness.copy(), surface.metallic.copy()
    base[clear.place] = srgb8(clear.color + clear.share[:, None] * linear8(base[clear.place]))
    for picture, added in ((roughness, clear.material[:, 0]), (metallic, clear.material[:, 1])):
        seen = 255 * added + clear.share * picture[clear.place]
        picture[clear.place] = np.rint(np.clip(seen, 0, 255)).astype(np.uint8)
    return Surface(base, roughness, metallic)
