"""What writers take from a clip as it lies on disk: checked for being there, and copied where a format allows it."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import av
from PIL import Image

from ...clip import VideoWriter, command_for
from ...clip.footage import footage_length, footage_pictures
from ...errors import BadValueError, MissingFileError
from ..clips import DatasetClip

_RENDERED = ("noise", "rgb", "depth", "normals", "edges", "instances", "albedo", "material", "light", "reflection", "flow")


def check_kinds(item: DatasetClip, *kinds: str) -> None:
    """Refuse a clip that lacks pictures of some kind.

    Raises:
        MissingFileError: one of its cameras does; says which, of which clip, and the command that renders them.
    """
    for camera in item.clip.cameras:
        for kind in kinds:
            if not item.clip.has(camera, kind):
                has = [name for name in _RENDERED if item.clip.has(camera, name)]
                command = command_for(item.clip, ["--only", ",".join(dict.fromkeys([*has, *kinds]))])
                what = f"{kind} of camera {camera} of the clip {item.clip_id}"
                raise MissingFileError(item.clip.folder(camera) / kind, what=what, fix=f"render it with: {command}")


def check_pictures(item: DatasetClip) -> None:
    """Refuse a clip in which a camera has neither footage nor a render, or footage of another length.

    Raises:
        MissingFileError: it has neither; says the command that renders it.
        BadValueError: the footage has not one picture per frame.
    """
    if len(item.footage) < len(item.clip.cameras):
        check_kinds(item, "rgb")
    for folder in item.footage.values():
        if (length := footage_length(folder)) != item.clip.frames:
            raise BadValueError("the footage's length", length, right=f"{item.clip.frames} frames", where=folder)


def png_pictures(item: DatasetClip, camera: str) -> Iterator[bytes]:
    """The pictures of ``DatasetClip.pictures`` as PNG files; copied where they lie on disk as such."""
    folder = item.footage.get(camera)
    if folder is None:
        files = [item.clip.frame_path(camera, "rgb", frame) for frame in range(item.clip.frames)]
    else:
        files = footage_pictures(folder)
    if files and all(file.is_file() for file in files):
        yield from (file.read_bytes() for file in files)
        return
    for picture in item.pictures(camera):
        with io.BytesIO() as file:
            Image.fromarray(picture).save(file, format="PNG", compress_level=1)
            yield file.getvalue()


def picture_video(item: DatasetClip, camera: str) -> bytes:
    """The pictures of ``DatasetClip.pictures`` as an h264 mp4; the clip's own where it has one of as many frames."""
    folder = item.footage.get(camera)
    ready = item.clip.folder(camera) / "rgb.mp4" if folder is None else folder / "video.mp4"
    if ready.is_file() and _frames(ready) == item.clip.frames:
        return ready.read_bytes()
    with tempfile.TemporaryDirectory() as work:
        made = Path(work) / "video.mp4"
        with VideoWriter(made, item.clip.record.fps) as video:
            for picture in item.pictures(camera):
                video.write(picture)
        return made.read_bytes()


def _frames(video: Path) -> int:
    """How many frames a video says that it has; 0 where it is no video."""
    try:
        with av.open(str(video)) as container:
            return container.streams.video[0].frames
    except (av.FFmpegError, IndexError):
        return 0
