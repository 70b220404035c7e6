"""Pictures that were taken one by one become paths of cameras: those of one folder, size and lens belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from jaxtyping import Float

from ...camera.lens import Lens
from ...file_order import natural_key
from .records import MOST_CAMERAS, Track, unreadable

_NO_NAMES = ("images", "image", "rgb", "input", "train", "val", "test", "frames")
"""Folders whose names say nothing of a camera, below any number (``images_2``)."""


@dataclass(frozen=True, eq=False)
class Shot:
    """One picture: its name with its folder, where it was taken (OpenCV axes), how, and by which camera, if it has a number."""

    name: str
    world_from_camera: Float[np.ndarray, "4 4"]
    size: tuple[int, int]
    intrinsics: Float[np.ndarray, "3 3"]
    lens: Lens
    camera: int | None


def tracks_of(shots: Sequence[Shot], path: Path) -> tuple[Track, ...]:
    """One track per folder of pictures, in the natural order of their names; focal lengths may change along it.

    A folder whose pictures differ in size or lens becomes several tracks.

    Raises:
        UnreadableFileError: there would be too many.
    """
    groups: dict[tuple[str, tuple[int, int], Lens], list[Shot]] = {}
    for shot in sorted(shots, key=lambda shot: natural_key(shot.name)):
        groups.setdefault((_camera_name(shot.name), shot.size, shot.lens), []).append(shot)
    if len(groups) > MOST_CAMERAS:
        why = f"its {len(shots)} pictures have {len(groups)} different sizes or lenses"
        raise unreadable(path, why, "make it with one camera for all pictures (COLMAP: --ImageReader.single_camera 1)")
    names = [name for name, _, _ in groups]
    tracks, used = [], set[str]()
    for (name, size, lens), members in groups.items():
        own = name if names.count(name) == 1 else f"{name}-{members[0].camera or names.index(name) + len(used) + 1}"
        own = own if own not in used else f"{own}-{len(used)}"
        used.add(own)
        poses = np.stack([shot.world_from_camera for shot in members])
        tracks.append(Track(own, poses, size, np.stack([shot.intrinsics for shot in members]), lens))
    return tuple(tracks)


def _camera_name(picture: str) -> str:
    """What a picture's folders say of its camera: ``images/front/000000.png`` is front's."""
    name = picture.replace("\\", "/")
    folders = [part for part in PurePosixPath(name).parts[:-1] if part not in ("/", ".", "..")]
    plain = [k for k, part in enumerate(folders) if part.rstrip("0123456789_").lower() in _NO_NAMES]
    own = folders[plain[-1] + 1 :] if plain else [] if name.startswith("/") or ":" in name else folders
    return "/".join(own) or "track"
