"""The scene that a clip was rendered from, read once more."""

from __future__ import annotations

from pathlib import Path

from ..errors import BadValueError
from ..scene import Scene, load_as
from .folder import Clip


def scene_of(clip: Clip, *, fix: str = "") -> Scene:
    """The scene that a clip was rendered from, read as it was then.

    Args:
        clip: of a scene, not of a real video.
        fix: what to do about a scene that is another one now.

    Raises:
        BadValueError: the clip is of a video, or the file is another one now, or gives another number of frames.
        Sim2RealError: whatever the reader finds wrong.
    """
    record = clip.record
    if clip.of_video:
        raise BadValueError("the clip's source", "a video", right="a scene, which has surfaces", where=clip.path)
    scene = load_as(Path(record.scene.path), record.scene.options)
    if scene.sha256 != record.scene.sha256:
        raise BadValueError(
            "the scene's sha256", scene.sha256[:16], right=record.scene.sha256[:16], fix=fix, where=record.scene.path
        )
    if scene.frames != record.frames:
        raise BadValueError("the scene's number of frames", scene.frames, right=str(record.frames), fix=fix)
    return scene
