"""Names of cameras become names of folders: those that cannot are changed, and the true name is kept."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from ...camera.view import Camera
from ..records import Scene

_LONGEST = 100
"""Characters; folders of one name are nested in others, and paths are bounded."""


def folder_name(name: str, taken: Iterable[str] = ()) -> str:
    """A name for a folder that is like a name and not taken: ``arm/wrist`` is ``arm-wrist``.

    Args:
        name: any text.
        taken: names that are in use; case does not tell names apart, as some file systems have it.
    """
    safe = re.sub(r"[/\\\x00-\x1f\x7f]+", "-", name).lstrip(".")[:_LONGEST] or "camera"
    used = {other.casefold() for other in taken}
    number, found = 2, safe
    while found.casefold() in used:
        found, number = f"{safe}-{number}", number + 1
    return found


def with_folder_names(scene: Scene) -> Scene:
    """The scene with cameras whose names can be folders; a note tells of each that is called otherwise."""
    good = [camera.name for camera in scene.cameras if folder_name(camera.name) == camera.name]
    taken, cameras, notes = list(dict.fromkeys(good)), list[Camera](), list[str]()
    for camera in scene.cameras:
        if camera.name in good:
            good.remove(camera.name)
            cameras.append(camera)
            continue
        name = folder_name(camera.name, taken)
        taken.append(name)
        cameras.append(replace(camera, name=name, source_name=camera.source_name or camera.name))
        notes.append(f"camera {camera.name!r} is called {name} in the clip")
    return replace(scene, cameras=tuple(cameras), notes=(*scene.notes, *notes)) if notes else scene
