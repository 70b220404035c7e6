"""What a format needs of a clip, checked before anything is written."""

from __future__ import annotations

from collections.abc import Sequence

from ..clip import command_for
from ..errors import MissingFileError
from ..kinds import names
from .clips import DatasetClip


def check_kinds(clips: Sequence[DatasetClip], kinds: Sequence[str]) -> None:
    """Refuse clips without a kind of picture; footage stands in for ``rgb``.

    Raises:
        MissingFileError: a camera of a clip lacks one; says the clip's id and how to get it.
    """
    for clip in clips:
        for camera in clip.clip.cameras:
            for kind in kinds:
                if not clip.clip.has(camera, kind) and not (kind == "rgb" and camera in clip.footage):
                    what = f"{kind} of clip {clip.clip_id}"
                    raise MissingFileError(clip.clip.folder(camera) / kind, what=what, fix=_fix(clip, camera, kind))


def _fix(clip: DatasetClip, camera: str, kind: str) -> str:
    if clip.clip.of_video:
        return "leave the clip out: it was made of a video, which tells nothing of it"
    held = [k for k in names() if k == kind or clip.clip.has(camera, k)]
    return f"render it again with: {command_for(clip.clip, ['--only', ','.join(held)])}"
