"""A camera's effects on finished pictures."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8

from ..errors import BadValueError
from ..scene.colors import linear_from_srgb, srgb_from_linear
from .filters import reduced
from .lens import through_lens
from .processor import processed
from .records import CameraEffects
from .sensor import noisy
from .shutter import smeared

_LINEAR = linear_from_srgb(np.arange(256) / 255).astype(np.float32)


def apply(
    frames: UInt8[np.ndarray, "frames height width 3"],
    effects: CameraEffects,
    *,
    seed: int,
    depth: Float[np.ndarray, "depths rows columns"] | None = None,
    motion: Float[np.ndarray, "motions rows columns 2"] | None = None,
    first_frame: int = 0,
) -> UInt8[np.ndarray, "frames height width 3"]:
    """Finished pictures as a camera would have taken them; nothing moves, so labels stay right.

    A frame depends on its own picture, depth, motion, seed and number alone: any cut of a clip into batches gives the same
    pictures.

    Args:
        frames: sRGB.
        effects: the camera (``effects(name)``).
        seed: its noise.
        depth: metres along the optical axis, 0 where there is nothing; None: everything is in focus.
        motion: (x, y) in pixels a second; None: nothing moves while the shutter is open.
        first_frame: the number in the clip of the first of these frames.

    Returns:
        sRGB; the very frames if the effects are ``none``.
    """
    _check("depth", depth, frames.shape[:3])
    _check("motion", motion, (*frames.shape[:3], 2))
    if effects.nothing:
        return frames
    out = np.empty_like(frames)
    for index, picture in enumerate(frames):
        own = {name: None if of is None else of[index] for name, of in (("depth", depth), ("motion", motion))}
        out[index] = apply_frame(picture, effects, seed=seed, frame=first_frame + index, **own)
    return out


def apply_frame(
    picture: UInt8[np.ndarray, "height width 3"],
    effects: CameraEffects,
    *,
    seed: int,
    frame: int,
    depth: Float[np.ndarray, "rows columns"] | None = None,
    motion: Float[np.ndarray, "rows columns 2"] | None = None,
) -> UInt8[np.ndarray, "height width 3"]:
    """One frame of ``apply``, by its number in the clip."""
    _check("depth", depth, picture.shape[:2])
    _check("motion", motion, (*picture.shape[:2], 2))
    if effects.nothing:
        return picture
    light = _LINEAR.take(np.ascontiguousarray(picture.transpose(2, 0, 1)))
    if effects.exposure_s and motion is not None:
        light = smeared(light, np.asarray(motion, np.float32), effects.exposure_s)
    light = through_lens(light, effects, None if depth is None else np.asarray(depth, np.float32))
    light = light * np.array(effects.gains, np.float32)[:, None, None]
    return processed(noisy(light, effects, seed=seed, frame=frame), effects)


def binned(picture: UInt8[np.ndarray, "fine_height fine_width 3"], factor: int) -> UInt8[np.ndarray, "height width 3"]:
    """A picture (sRGB) whose pixels are ``factor`` x ``factor`` of a finer one: the mean of their light."""
    if factor == 1:
        return picture
    light = reduced(_LINEAR.take(np.ascontiguousarray(picture.transpose(2, 0, 1))), factor)
    return np.rint(255 * srgb_from_linear(light.transpose(1, 2, 0))).astype(np.uint8)


def _check(name: str, given: np.ndarray | None, right: tuple[int, ...]) -> None:
    if given is not None and given.shape != right:
        fix = f"give the {name} of these very pictures, or none"
        raise BadValueError(f"{name}'s shape", given.shape, right=str(right), fix=fix)
