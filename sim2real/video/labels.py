"""Instance masks of a video, where somebody supplies them."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Shaped, UInt16
from PIL import Image

from ..arrays import reason
from ..clip import InstanceRecord
from ..errors import BadValueError, MissingFileError, Sim2RealError, UnreadableFileError
from .pictures import Pictures, crop_box

_MODES = ("L", "P", "I", "I;16", "I;16B", "I;16L")
"""What Pillow calls gray of 8 and 16 bits, and palettes, whose indices count."""
_MOST = 65535
_FIX = "write ids as PNG of 8 or 16 bits, gray or with a palette, a file per frame, 0 where there is none"


@dataclass(frozen=True, eq=False)
class MaskFiles:
    """Instance masks, a PNG file per frame, scaled and cropped as the pictures are; ids stay what they are.

    - ``files``: one per frame of the pictures, each of the size that the video's file has.
    - ``pictures``: of the same camera.
    - ``seen``: the ids of all frames that were read so far.

    Raises:
        MissingFileError: a file is not there; the first one is named.
    """

    files: Sequence[Path]
    pictures: Pictures
    seen: set[int] = field(default_factory=set, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        for file in self.files:
            if not file.is_file():
                raise MissingFileError(file, what="mask", fix="there must be one per frame")

    def frame(self, frame: int) -> UInt16[np.ndarray, "height width"]:
        """The instance ids of a frame, 0 where there is none; may be called from any thread.

        Raises:
            UnreadableFileError: it is no PNG of ids, or damaged.
            BadValueError: it has another size than the video, or an id above 65535.
        """
        path = self.files[frame]
        ids = _read(path)
        right = self.pictures.source_size
        if ids.shape != right:
            received, wanted = f"{ids.shape[0]}x{ids.shape[1]}", f"{right[0]}x{right[1]}, that of the video"
            raise BadValueError("the size of the mask", received, right=wanted, where=path)
        if ids.max(initial=0) > _MOST or ids.min(initial=0) < 0:
            raise BadValueError("an id of the mask", int(ids.max()), right=f"0 to {_MOST}", where=path)
        fitted = _fitted(ids.astype(np.uint16), self.pictures.size)
        with self._lock:
            self.seen.update(int(i) for i in np.unique(fitted) if i)
        return fitted


def instances_of(ids: Sequence[int], frames: int, names: Mapping[int, str]) -> list[InstanceRecord]:
    """Ids of masks as instances of a clip: in the order of ids, at the origin, since nobody knows where they are.

    Args:
        ids: each once.
        frames: of the clip.
        names: by id, of the instance and of its class; one without is called by its id and has no class.
    """
    still = np.tile(np.eye(4), (frames, 1, 1))
    return [
        InstanceRecord(id=i, name=names.get(i, str(i)), class_name=names.get(i, ""), world_from_instance=still)
        for i in sorted(ids)
    ]


def _read(path: Path) -> Shaped[np.ndarray, "height width"]:
    try:
        with Image.open(path) as picture:
            if picture.format != "PNG" or picture.mode not in _MODES:
                raise UnreadableFileError(path, what="the mask", why=f"it is {picture.format} {picture.mode}", fix=_FIX)
            return np.array(picture)
    except Sim2RealError:
        raise
    except Exception as error:  # headers, chunks and compression each have errors of their own
        raise UnreadableFileError(path, what="the mask", why=reason(error).split(" '")[0], fix=_FIX) from error


def _fitted(ids: UInt16[np.ndarray, "height width"], size: tuple[int, int]) -> UInt16[np.ndarray, "fitted_height fitted_width"]:
    """The id at the middle of every pixel of a picture that was scaled to cover ``size`` and cropped around its center."""
    height, width = ids.shape
    if (height, width) == size:
        return ids
    left, top, right, bottom = crop_box((height, width), size)
    rows = top + (np.arange(size[0]) + 0.5) * (bottom - top) / size[0]
    columns = left + (np.arange(size[1]) + 0.5) * (right - left) / size[1]
    return ids[np.clip(rows.astype(int), 0, height - 1)][:, np.clip(columns.astype(int), 0, width - 1)]
