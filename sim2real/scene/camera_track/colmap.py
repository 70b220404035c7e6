"""Cameras of COLMAP's sparse models, as text or binary, in a folder or a zip file.

Reference: COLMAP, Output format: ``images`` hold ``camera_from_world`` as a quaternion (w, x, y, z) and a translation, OpenCV's
axes, in a unit of its own; pixels are counted from the picture's corner, centers at 0.5.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path, PurePosixPath
from typing import cast

import numpy as np
from jaxtyping import Float

from ...arrays import lengths_of
from ...camera.lens import Lens
from ...transforms import inverse_rigid, rigid, rotation_from_quaternion
from . import colmap_binary, colmap_text
from .colmap_models import CameraModel, Picture, lens_of
from .grouping import Shot, tracks_of
from .records import TrackFile, rigid_poses, unreadable

MOST_UNPACKED = 4 << 30
"""Bytes of a file in a zip file; larger models are to be unpacked."""


@dataclass(frozen=True)
class Model:
    """Where a sparse model lies: two names, and how a file of that name is opened."""

    cameras: str
    images: str
    opened: Callable[[str], BufferedIOBase]
    files: tuple[Path, ...]


def has_model(path: Path) -> bool:
    """Whether a folder or a zip file holds a sparse model, at whatever depth."""
    return bool(_models(path))


def read_colmap(path: Path) -> TrackFile:
    """Read a sparse model: the first one of several (COLMAP calls it ``0``), with a note.

    Args:
        path: its folder or one above it, a zip file, or one of its files.

    Raises:
        UnreadableFileError: there is none, or it is damaged.
        BadValueError: a pose or a lens is none.
    """
    models = _models(path.parent if path.is_file() and not zipfile.is_zipfile(path) else path)
    if not models:
        raise unreadable(path, "it has no cameras and images, as .bin or .txt", "choose the folder of a sparse model")
    model = models[0]
    more = f"; {len(models) - 1} more models in {path.name} are not read" if len(models) > 1 else ""
    binary = model.images.endswith(".bin")
    read_cameras = colmap_binary.cameras_of if binary else colmap_text.cameras_of
    read_images = colmap_binary.images_of if binary else colmap_text.images_of
    with model.opened(model.cameras) as file:
        cameras = read_cameras(file, path)
    with model.opened(model.images) as file:
        pictures = read_images(file, path)
    if not pictures:
        raise unreadable(path, "no picture of it has a pose", "reconstruct it again")
    place = "/".join(PurePosixPath(model.images).parent.parts[-2:])
    note = f"{len(pictures)} poses of COLMAP's model {place or path.name}, which has no scale of its own (--track-scale){more}"
    return TrackFile(tracks_of(_shots(pictures, cameras, path), path), None, model.files, (note,))


def _shots(pictures: list[Picture], cameras: dict[int, CameraModel], path: Path) -> list[Shot]:
    quaternion = np.array([picture.quaternion for picture in pictures])
    length = lengths_of(quaternion)
    if (odd := ~((length > 1e-6) & (length < 1e6))).any():
        raise unreadable(path, f"the quaternion of {pictures[int(odd.argmax())].name} is not finite, or zero")
    camera_from_world = rigid(rotation_from_quaternion(quaternion), np.array([picture.translation for picture in pictures]))
    poses = inverse_rigid(rigid_poses(camera_from_world, path))
    known: dict[int, tuple[tuple[int, int], Float[np.ndarray, "3 3"], Lens]] = {}
    shots = []
    for picture, pose in zip(pictures, poses, strict=True):
        if picture.camera not in cameras:
            raise unreadable(path, f"{picture.name} was taken by camera {picture.camera}, which there is not")
        if picture.camera not in known:
            known[picture.camera] = lens_of(cameras[picture.camera], path)
        size, k, lens = known[picture.camera]
        shots.append(Shot(picture.name, pose, size, k, lens, picture.camera))
    return shots


def _models(path: Path) -> list[Model]:
    """The sparse models in a folder or a zip file, those of ``sparse/0`` before others."""
    if path.is_dir():
        return _in_folder(path)
    if not zipfile.is_zipfile(path):
        return []
    try:
        with zipfile.ZipFile(path) as archive:
            names = {info.filename: info for info in archive.infolist()}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise unreadable(path, f"its list of files is damaged ({error})") from error

    def opened(name: str) -> BufferedIOBase:
        if names[name].file_size > MOST_UNPACKED or names[name].flag_bits & 1:
            why = "is encrypted" if names[name].flag_bits & 1 else f"has {names[name].file_size / 1e9:.0f} GB"
            raise unreadable(path, f"{name} {why}", "unpack it and choose the folder")
        return cast(BufferedIOBase, zipfile.ZipFile(path).open(name))

    return [Model(cameras, images, opened, (path,)) for cameras, images in _pairs(names)]


def _in_folder(folder: Path) -> list[Model]:
    found = {}
    for place in (folder, *(folder / name for name in ("sparse/0", "sparse", "colmap/sparse/0", "0"))):
        for ending in ("bin", "txt"):
            pair = place / f"cameras.{ending}", place / f"images.{ending}"
            if all(file.is_file() for file in pair):
                names = str(pair[0]), str(pair[1])
                found.setdefault(names, Model(*names, lambda name: Path(name).open("rb"), pair))
    return list(found.values())


def _pairs(names: dict[str, zipfile.ZipInfo]) -> list[tuple[str, str]]:
    """Pairs of cameras and images that lie in one folder; binary ones first, folders in order."""
    pairs = []
    for name in sorted(names):
        place = PurePosixPath(name)
        for ending in ("bin", "txt"):
            cameras = str(place.with_name(f"cameras.{ending}")) if place.name == f"images.{ending}" else ""
            if cameras in names and "__MACOSX" not in name:
                pairs.append((cameras, name))
    return pairs
