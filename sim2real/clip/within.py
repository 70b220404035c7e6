"""Clips within a clip: some of its frames, for models that take a part at a time; its pictures N times as wide and high."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import UnreadableFileError
from .folder import Clip, read_clip

FINE = "fine"
"""The folder of finer pictures, beside those of the cameras."""


@dataclass(frozen=True)
class ClipPart(Clip):
    """Pictures, cameras and poses of some frames, numbered from 0; the noise stays the whole clip's.

    - ``whole``: the clip that it is a part of.
    - ``first``: the frame of the whole clip that is its frame 0.
    """

    whole: Clip = field(kw_only=True)
    first: int = field(kw_only=True)

    def has(self, camera: str, kind: str) -> bool:
        """As the whole clip."""
        return self.whole.has(camera, kind)

    def picture(self, camera: str, kind: str, frame: int) -> Any:
        """One frame, as the whole clip reads it."""
        return self.whole.picture(camera, kind, self.first + frame)

    def frame_path(self, camera: str, kind: str, frame: int) -> Path:
        """The file of one frame, in the whole clip's folder."""
        return super().frame_path(camera, kind, self.first + frame)


def part_of(clip: Clip, first: int, frames: int) -> ClipPart:
    """``frames`` frames of a clip from its frame ``first`` on; all of them have to be there."""
    assert 0 <= first < first + frames <= clip.frames
    taken, record = slice(first, first + frames), clip.record
    cameras = {
        name: one.model_copy(update={"world_from_camera": one.world_from_camera[taken]}) for name, one in record.cameras.items()
    }
    instances = [one.model_copy(update={"world_from_instance": one.world_from_instance[taken]}) for one in record.instances]
    changed = {"frames": frames, "cameras": cameras, "instances": instances, "noise": None}
    return ClipPart(clip.path, record.model_copy(update=changed), whole=clip, first=first)


def finer(clip: Clip) -> tuple[Clip, int]:
    """The finer pictures of a clip, and how many times as wide and high they are; itself and 1 where it has none.

    They may have been deleted since, to save room.

    Raises:
        UnreadableFileError: they are of another rollout, or not as large as the clip's record says.
    """
    folder, factor = clip.path / FINE, clip.record.fine
    if factor == 1 or not folder.is_dir():
        return clip, 1
    found = read_clip(folder)
    size = (factor * clip.record.size[0], factor * clip.record.size[1])
    same = (found.cameras, found.frames, found.record.size) == (clip.cameras, clip.frames, size)
    if not same or found.record.scene.sha256 != clip.record.scene.sha256:
        why = "its scene, cameras, frames or size do not go with those of the clip"
        fix = f"render the clip again, or delete the folder {FINE}: footage is then made from the clip's own pictures"
        raise UnreadableFileError(folder, what="the finer pictures", why=why, fix=fix)
    return found, factor
