"""Motion that somebody else knows: vectors of a renderer, read from files, or depth and cameras."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32
from torch import Tensor

from ..arrays import numbers, read_arrays, reason
from ..errors import BadValueError, MissingFileError, UnreadableFileError
from ..exr import read_exr
from ..file_order import in_order
from .estimated import sampled_at_end
from .exact import Flow

SUFFIXES = (".npy", ".npz", ".exr")
EXR_PAIRS = (("X", "Y"), ("R", "G"), ("u", "v"), ("U", "V"), ("forward.u", "forward.v"), ("FORWARD.X", "FORWARD.Y"))
"""Channels of an EXR that hold motion (x, y); a layer's name may stand before them."""
_MEND = "write .npy (height, width, 2), .npz with forward and visible, or .exr with X and Y"
_FARTHEST_PX = 1e9
"""Longer vectors are marks of what has no counterpart, as infinite ones are."""


def flow_files(folder: Path) -> list[Path]:
    """The motion files of a folder, in natural order of their names.

    Raises:
        MissingFileError: there is no such folder, or it has none.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingFileError(folder, what="folder of motion files")
    files = in_order(f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES and not f.name.startswith("."))
    if not files:
        raise MissingFileError(folder, what="motion files", fix=f"the folder must hold one of {', '.join(SUFFIXES)} per frame")
    return files


def read_flow(
    path: Path, size: tuple[int, int]
) -> tuple[Float32[Tensor, "height width 2"], Bool[Tensor, "height width"] | None]:
    """Read motion (x, y) in pixels to another frame, and where its end is visible, if the file says.

    - ``.npy``: (height, width, 2);
    - ``.npz``: ``forward`` (or ``flow``, or the only array) likewise, and ``visible`` (height, width), as in clip folders;
    - ``.exr``: channels X and Y (or R and G, U and V), y downwards.

    Args:
        path: the file.
        size: (height, width) that it must have.

    Raises:
        UnreadableFileError: the file is damaged or has no motion in it.
        BadValueError: its shape does not fit.
    """
    path = Path(path)
    try:
        motion, visible = _arrays(path)
    except (ValueError, OSError, RuntimeError, KeyError) as error:
        raise UnreadableFileError(path, what="the motion", why=reason(error), fix=_MEND) from error
    if motion.shape != (*size, 2):
        raise BadValueError("the shape of the motion", motion.shape, right=str((*size, 2)), where=path)
    if visible is not None and visible.shape != size:
        raise BadValueError("the shape of visible", visible.shape, right=str(size), where=path)
    if visible is not None and visible.dtype.kind not in "biuf":
        raise BadValueError("the type of visible", visible.dtype, right="bool", where=path)
    visible = None if visible is None else visible.astype(bool)
    motion = numbers(motion, "the motion", where=path)
    finite = np.asarray((np.abs(motion) < _FARTHEST_PX).all(axis=-1))
    if not finite.all():  # renderers mark what has no counterpart this way
        motion, visible = np.where(finite[..., None], motion, 0), finite if visible is None else visible & finite
    seen = None if visible is None else torch.from_numpy(np.ascontiguousarray(visible))
    return torch.from_numpy(np.ascontiguousarray(motion, np.float32)), seen


def _arrays(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    if path.suffix.lower() in (".npy", ".npz"):
        arrays = read_arrays(path, what="the motion", fix=_MEND)
        names = [n for n in ("forward", "flow", *arrays) if n in arrays and n != "visible"]
        if not names:
            raise KeyError("it holds no array forward")
        return arrays[names[0]], arrays.get("visible")
    channels = read_exr(path, what="the motion", fix=_MEND)
    for x, y in EXR_PAIRS:
        for name in sorted(channels):
            if name == x or name.endswith(f".{x}"):
                other = name[: len(name) - len(x)] + y
                if other in channels:
                    return np.stack([channels[name], channels[other]], axis=-1), None
    raise KeyError(f"its channels {', '.join(sorted(channels))} hold no pair X and Y")


def inverted_flow(forward: Flow, *, iterations: int = 20) -> Flow:
    """The motion back, from a motion that is known only forward.

    Every target pixel looks for the source point that moves to it: by fixed-point iteration from the pixel whose motion ends
    nearest. Pixels that no source point reaches are not visible.

    Args:
        forward: motion from source to target.
        iterations: of the fixed point; each shortens the miss by the motion's gradient.
    """
    motion = forward.forward
    back = _splatted(forward)
    for _ in range(iterations):
        back = -sampled_at_end(back, motion)[1]
    seen = forward.visible[..., None].float()
    inside, there = sampled_at_end(back, torch.cat([motion, seen], dim=-1))
    misses = (back + there[..., :2]).square().sum(-1) > 0.25**2
    return Flow(back, inside & ~misses & (there[..., 2] > 0.5))


def _splatted(flow: Flow) -> Tensor:
    """Every source pixel's motion, turned round, at the target pixel where it ends; the mean motion where none does."""
    height, width = flow.visible.shape
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    column = torch.floor(x + 0.5 + flow.forward[..., 0]).long()
    row = torch.floor(y + 0.5 + flow.forward[..., 1]).long()
    lands = (column >= 0) & (row >= 0) & (column < width) & (row < height) & flow.visible
    back = -flow.forward.reshape(-1, 2).mean(dim=0).expand(height * width, 2).clone()
    place = (row * width + column)[lands]
    total = torch.zeros((height * width, 2)).index_add_(0, place, -flow.forward[lands])
    count = torch.zeros(height * width).index_add_(0, place, torch.ones(len(place)))
    back[count > 0] = (total / count.clamp(min=1)[:, None])[count > 0]
    return back.reshape(height, width, 2)


def motion_of_depth(
    depth: Float[np.ndarray, "height width"],
    other_depth: Float[np.ndarray, "height width"],
    intrinsics: Float[np.ndarray, "3 3"],
    other_intrinsics: Float[np.ndarray, "3 3"],
    world_from_camera: Float[np.ndarray, "4 4"],
    world_from_other: Float[np.ndarray, "4 4"],
    *,
    tolerance: float = 0.02,
) -> Flow:
    """Motion of a scene that stands still, between two views with known depth.

    Args:
        depth: of the source view, metres along its z; 0 is infinitely far.
        other_depth: of the target view.
        intrinsics: of the source view, pixels.
        other_intrinsics: of the target view.
        world_from_camera: of the source view, OpenCV axes.
        world_from_other: of the target view.
        tolerance: share of its depth by which a visible point may miss the target's depth.
    """
    height, width = depth.shape
    y, x = np.mgrid[:height, :width] + 0.5
    ray = np.stack([x, y, np.ones_like(x)], -1) @ np.linalg.inv(intrinsics).T
    other_from_camera = np.linalg.inv(world_from_other) @ world_from_camera
    far = depth <= 0
    point = ray * np.where(far, 1.0, depth)[..., None] @ other_from_camera[:3, :3].T
    point += np.where(far[..., None], 0.0, other_from_camera[:3, 3])
    ahead = point[..., 2] > 1e-9
    z = np.where(ahead, point[..., 2], 1.0)
    at = (point / z[..., None]) @ np.asarray(other_intrinsics, np.float64).T
    motion = np.where(ahead[..., None], at[..., :2] - np.stack([x, y], -1), 0.0)
    if np.allclose(other_from_camera, np.eye(4), rtol=0, atol=1e-12) and np.array_equal(intrinsics, other_intrinsics):
        motion = np.zeros_like(motion)  # what stands still does not drift by rounding

    column, row = (np.floor(np.clip(at[..., k], 0, n - 1)).astype(int) for k, n in ((0, width), (1, height)))
    inside = ahead & (at[..., 0] >= 0) & (at[..., 1] >= 0) & (at[..., 0] <= width) & (at[..., 1] <= height)
    nearest, farthest = _range_around(np.where(other_depth > 0, other_depth, np.inf))
    low, high = nearest[row, column] * (1 - tolerance), farthest[row, column] * (1 + tolerance)
    there = np.where(far, np.inf, z)
    return Flow(torch.from_numpy(motion.astype(np.float32)), torch.from_numpy(inside & (there >= low) & (there <= high)))


def _range_around(depth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest depth of every pixel and its four neighbors: a slanted surface changes within a pixel."""
    padded = np.pad(depth, 1, mode="edge")
    views = [padded[1:-1, 1:-1], padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]]
    return np.min(views, axis=0), np.max(views, axis=0)
