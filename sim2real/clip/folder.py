"""Clip folders on disk: reading one, and making one that is whole or absent."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8, UInt16

from ..arrays import first_broken_row
from ..errors import (
    BadValueError,
    MissingFileError,
    OutputExistsError,
    UnknownNameError,
    UnreadableFileError,
    UnwritableOutputError,
)
from . import images
from .behind import SeenBehind, fitting
from .formats import format_of
from .record import CameraRecord, ClipRecord, NoiseRecord, read_record

_FORMATS: dict[str, tuple[tuple[int, ...], str]] = {
    **{kind: ((3,), "uint8") for kind in ("rgb", "normals", "albedo", "material")},
    **{kind: ((3,), "float32") for kind in ("light", "reflection", "gloss")},
    **{kind: ((), "uint16") for kind in ("instances", "coverage")},
    **{"edges": ((), "uint8"), "depth": ((), "float32")},
}
"""Channels and type of the pictures that have a method of their own."""


@dataclass(frozen=True)
class Clip:
    """A clip folder that has been read; pictures are read when asked for."""

    path: Path
    record: ClipRecord

    @property
    def frames(self) -> int:
        """Number of frames."""
        return self.record.frames

    @property
    def cameras(self) -> list[str]:
        """Names of the cameras."""
        return list(self.record.cameras)

    @property
    def of_video(self) -> bool:
        """Whether it was made from a real video, not from a scene."""
        return self.record.scene.options.get("reader") == "video"

    def camera(self, name: str) -> CameraRecord:
        """Intrinsics and transforms of a camera; unknown names list the valid ones."""
        return self.record.cameras[self.camera_name(name)]

    def camera_name(self, name: str) -> str:
        """A camera's own name, which is that of its folder, also for the name that the source has for it."""
        if name in self.record.cameras:
            return name
        for own, camera in self.record.cameras.items():
            if camera.source_name == name:
                return own
        raise UnknownNameError(name, self.cameras, what="camera", where=self.path)

    def folder(self, camera: str) -> Path:
        """The folder of a camera."""
        return self.path / self.camera_name(camera)

    def has(self, camera: str, kind: str) -> bool:
        """Whether the camera's folder holds ``noise`` or pictures of a kind (``rgb``, ``depth``, ...)."""
        folder = self.folder(camera)
        return (folder / noise_name(0)).is_file() if kind == "noise" else (folder / kind).is_dir()

    def frame_path(self, camera: str, kind: str, frame: int) -> Path:
        """The file of one frame."""
        return self.folder(camera) / kind / f"{frame:06d}{format_of(kind).suffix}"

    def picture(self, camera: str, kind: str, frame: int) -> Any:
        """One frame of any kind, as its format reads it; it must be what the clip's record says.

        Raises:
            UnreadableFileError: it is damaged, of another size or type, or not finite.
        """
        path = self.frame_path(camera, kind, frame)
        picture = format_of(kind).read(path)
        if isinstance(picture, np.ndarray):
            self._check(picture, kind, path)
        return picture

    def _check(self, picture: np.ndarray, kind: str, path: Path) -> None:
        channels, dtype = _FORMATS.get(kind, (picture.shape[2:], picture.dtype))
        shape, fix, why = (*self.record.size, *channels), "render the clip again", ""
        if picture.shape != shape or picture.dtype != dtype:
            why = f"it is {picture.dtype} {picture.shape}, must be {dtype} {shape}"
        elif picture.dtype.kind == "f" and not np.isfinite(picture).all():
            why = "it has numbers that are not finite"
        if why:
            raise UnreadableFileError(path, what=f"the picture ({kind})", why=why, fix=fix)

    def noise(self, camera: str, draw: int = 0) -> Float[np.ndarray, "latents channels height width"]:
        """Unit-variance noise as a read-only memory map.

        Args:
            camera: its name.
            draw: 0 is the clip's noise; further draws have independent values on the same geometry.

        Raises:
            BadValueError: the clip has fewer draws; the message has the command that makes it with them.
            MissingFileError: the file is not there.
            UnreadableFileError: it is damaged, or not what ``clip.json`` says.
        """
        if draw > (have := 0 if self.record.noise is None else self.record.noise.draws):
            from .command import command_for

            fix = f"make the clip again with: {command_for(self, ['--draws', draw])}"
            raise BadValueError(f"draw {draw} of the noise", "asked for", right=f"at most {have}", fix=fix, where=self.path)
        path = self.folder(camera) / noise_name(draw)
        noise, record = images.read_noise(path), self.record.noise
        if record is not None:
            wanted = (len(record.latent_frames), record.channels, *(side // record.factor for side in self.record.size))
            if noise.shape != wanted:
                why = f"its shape is {noise.shape}, clip.json says {wanted}"
                raise UnreadableFileError(path, what="the noise", why=why, fix="render the clip again")
        return noise

    def latents(
        self, camera: str, which: slice | Sequence[int], draw: int = 0
    ) -> Float[np.ndarray, "latents channels height width"]:
        """Some latents of the noise, or of a further draw of it, as float32.

        Raises:
            BadValueError: the clip has fewer draws.
            UnreadableFileError: a value is not finite.
        """
        noise = self.noise(camera, draw)
        chosen = np.asarray(noise[which], np.float32)
        if (broken := first_broken_row(chosen)) is not None:
            latent = range(len(noise))[which][broken] if isinstance(which, slice) else which[broken]
            path, why = self.folder(camera) / noise_name(draw), f"latent {latent} is not finite everywhere"
            raise UnreadableFileError(path, what="the noise", why=why, fix="render the clip again")
        return chosen

    def noise_record(self) -> NoiseRecord:
        """How the noise was made; a clip without noise says how to get it."""
        if self.record.noise is None:
            from .command import command_for

            fix = f"make it again with: {command_for(self, [])}"
            raise MissingFileError(self.path, what="noise in the clip", fix=fix)
        return self.record.noise

    def rgb(self, camera: str, frame: int) -> UInt8[np.ndarray, "height width 3"]:
        """The synthetic render."""
        return self.picture(camera, "rgb", frame)

    def depth(self, camera: str, frame: int) -> Float[np.ndarray, "height width"]:
        """Metres along the camera's z, 0 where there is no surface."""
        return self.picture(camera, "depth", frame)

    def normals(self, camera: str, frame: int) -> UInt8[np.ndarray, "height width 3"]:
        """Normals in the camera's frame as ``(n + 1) / 2`` in 8 bits."""
        return self.picture(camera, "normals", frame)

    def edges(self, camera: str, frame: int) -> UInt8[np.ndarray, "height width"]:
        """Geometric edges, white on black."""
        return self.picture(camera, "edges", frame)

    def albedo(self, camera: str, frame: int) -> UInt8[np.ndarray, "height width 3"]:
        """Base color with textures, unlit, sRGB; black where there is no surface."""
        return self.picture(camera, "albedo", frame)

    def material(self, camera: str, frame: int) -> UInt8[np.ndarray, "height width 3"]:
        """Roughness (red), metallic (green) and emissive strength (blue), each from 0 to 255; 0 where there is no surface."""
        return self.picture(camera, "material", frame)

    def light(self, camera: str, frame: int) -> Float[np.ndarray, "height width 3"]:
        """What a white matte surface at each pixel would send back: linear, exposed, about 1 in even light."""
        return self.picture(camera, "light", frame)

    def reflection(self, camera: str, frame: int) -> Float[np.ndarray, "height width 3"]:
        """What arrives at each pixel's surface from the mirrored direction, linear, exposed as ``light`` is."""
        return self.picture(camera, "reflection", frame)

    def gloss(self, camera: str, frame: int) -> Float[np.ndarray, "height width 3"]:
        """What arrives there if the surface is at least as smooth as lacquer: what restyled surfaces mirror."""
        return self.picture(camera, "gloss", frame)

    def coverage(self, camera: str, frame: int) -> UInt16[np.ndarray, "height width"]:
        """Sixteenths of each pixel that its neighbors' surfaces cover: above, below, left, right, from the lowest four bits."""
        return self.picture(camera, "coverage", frame)

    def behind(self, camera: str, frame: int) -> SeenBehind:
        """What is seen through clear things, a row per pixel whose center looks through some."""
        return fitting(self.picture(camera, "behind", frame), self.record.size, self.frame_path(camera, "behind", frame))

    def instances(self, camera: str, frame: int) -> UInt16[np.ndarray, "height width"]:
        """Instance ids, 0 where there is none."""
        return self.picture(camera, "instances", frame)

    def generated(self, camera: str) -> list[Path]:
        """Folders of generated footage (``<model>-<seed>``), oldest first."""
        root = self.folder(camera) / "generated"
        return sorted((p.parent for p in root.glob("*/settings.json")), key=lambda p: (p.stat().st_mtime_ns, p.name))


def noise_name(draw: int) -> str:
    """The file of a draw of the noise, in a camera's folder."""
    return f"noise-{draw}.npy" if draw else "noise.npy"


def read_clip(path: Path) -> Clip:
    """Open a clip folder.

    Args:
        path: the folder, or its ``clip.json``.

    Raises:
        MissingFileError: there is no such folder, or it holds no ``clip.json``.
        UnreadableFileError: ``clip.json`` is damaged.
    """
    path = Path(path)
    path = path.parent if path.name == "clip.json" else path
    if not path.is_dir():
        raise MissingFileError(path, what="clip folder", fix="make one with: sim2real render SCENE -o CLIP")
    if not (path / "clip.json").is_file():
        raise MissingFileError(path / "clip.json", what="the clip's record", fix="pass a folder that sim2real render made")
    return Clip(path, read_record(path / "clip.json"))


@contextmanager
def new_folder(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Fill a folder that appears whole at the end or not at all.

    The body writes into a hidden sibling, which is renamed when the body ends. Whatever goes wrong, an interrupt included,
    the sibling is removed and an older folder of that name is still there.

    Args:
        path: the folder to be.
        overwrite: replace an existing clip folder (or empty folder); anything else is refused even so.

    Yields:
        The folder to write into.

    Raises:
        OutputExistsError: it exists and ``overwrite`` is false.
        BadValueError: ``overwrite`` would delete something that is not a clip folder.
        UnwritableOutputError: the disk is full, or the place cannot be written.
    """
    path = Path(path)
    check_output(path, overwrite=overwrite)
    final = Path(os.path.abspath(path))
    _sweep(final)
    work = final.parent / f"{_work_stem(final)}.{uuid.uuid4().hex[:8]}.tmp"
    new_parents = [p for p in final.parents if not p.exists()]
    try:
        with readable_write_errors(path):
            work.mkdir(parents=True)
            with ExitStack() as holding:
                with suppress(OSError):  # not every file system has locks
                    holding.enter_context(_held(work))
                yield work
                _replace(work, final)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        for parent in new_parents:
            with suppress(OSError):
                parent.rmdir()
        raise


def _work_stem(final: Path) -> str:
    """How the names of a target's working folders begin; a long name is cut, and told apart by its hash."""
    if len(os.fsencode(final.name)) <= 200:
        return f".{final.name}"
    return f".{hashlib.sha256(os.fsencode(final.name)).hexdigest()[:16]}"


def _sweep(final: Path) -> None:
    """Remove what runs that were killed have left of this target; those that still run keep theirs.

    An ``.old`` folder is removed only where the target itself is there: otherwise it is the one copy of the older clip.
    """
    name = re.compile(re.escape(_work_stem(final)) + r"\.[0-9a-f]{8}\.(tmp|old)")
    with suppress(OSError):
        for left in list(final.parent.iterdir()):
            found = name.fullmatch(left.name)
            if found and (_is_dead(left) if found[1] == "tmp" else final.exists()):
                shutil.rmtree(left, ignore_errors=True)


def _is_dead(work: Path, grace_s: float = 10) -> bool:
    """Whether no run holds a working folder; one that was touched just now may be about to be held."""
    try:
        if time.time() - work.stat().st_mtime < grace_s:
            return False
        with _held(work):
            return True
    except OSError:
        return False


@contextmanager
def _held(work: Path) -> Iterator[None]:
    """Hold a working folder until the end, of the process at the latest; ``BlockingIOError`` where another run does."""
    handle = os.open(work, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def check_output(path: Path, *, overwrite: bool) -> None:
    """Refuse, before any work is done, an output that ``new_folder`` would refuse at its start."""
    with readable_write_errors(path):
        there = path.exists() or path.is_symlink()
    if not there:
        return
    if not overwrite:
        raise OutputExistsError(path)
    if not path.is_dir() or (any(path.iterdir()) and not _is_ours(path)):
        raise BadValueError(
            "the output", path, right="a clip folder, an empty folder or a new name", fix="choose another with -o"
        )


def _is_ours(path: Path) -> bool:
    return any(
        (path / name).is_file()
        for name in ("clip.json", "settings.json", "bake.json", "sensor.json", "calibration.json", "gbuffers.json")
    )


def _replace(work: Path, final: Path) -> None:
    """Put the finished folder in place; an older one is moved aside first and comes back if that fails."""
    if not final.exists():
        work.rename(final)
        return
    aside = work.with_suffix(".old")
    final.rename(aside)
    try:
        work.rename(final)
    except BaseException:
        aside.rename(final)
        raise
    shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def readable_write_errors(path: Path) -> Iterator[None]:
    """Turn what the system says about a full disk or a forbidden place into one line.

    Libraries that hide the system's error number are recognized by the free space that is left.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        number = error.errno if isinstance(error, OSError) else None
        text = str(error)
        if number == errno.ENAMETOOLONG:
            raise UnwritableOutputError(path, why="its name is too long", fix="choose a shorter one with -o") from error
        if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) or "No space left" in text or disk_is_full(path):
            raise UnwritableOutputError(
                path, why="the disk is full", fix="free some space or choose another disk with -o"
            ) from error
        if number in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise UnwritableOutputError(path, why="no permission", fix="choose another place with -o") from error
        if number in (errno.ENOTDIR, errno.EEXIST):
            raise UnwritableOutputError(
                path, why="a file is where a folder should be", fix="choose another place with -o"
            ) from error
        if isinstance(error, IsADirectoryError):
            place = Path(os.fsdecode(error.filename2 or error.filename or path))
            raise UnwritableOutputError(
                place, why="a folder is where a file should be", fix="choose another place with -o"
            ) from error
        raise


def disk_is_full(path: Path, least_bytes: int = 65536) -> bool:
    """Whether there is next to no room where a path is, or would be."""
    for place in (path, *path.absolute().parents):
        if place.exists():
            return shutil.disk_usage(place).free < least_bytes
    return False
