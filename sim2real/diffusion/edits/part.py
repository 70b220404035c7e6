"""Footage of which some instances alone are made anew: all other pixels stay what they were, to the bit."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from jaxtyping import Bool

from ...clip import Clip
from ...clip.footage import FrameOf, generated_frames
from ...errors import BadValueError, MissingFileError, UnknownNameError
from ..family import Frames
from ..options import GenerateOptions

RENDERED = "rgb"
"""The clip's own render, as what is edited."""


def check_edit(options: GenerateOptions, clip: Clip | None = None) -> None:
    """Refuse half of an edit, footage that is not there, and names that the clip does not have.

    Raises:
        BadValueError: ``change`` without ``onto``, or the other way round.
        UnknownNameError: no such footage, class or instance.
        MissingFileError: the clip has no instances, or no render where that is edited.
    """
    from ..families.embedded.surfaces import check_called

    invert = options.large.invert
    if bool(options.change or invert is not None) != (options.onto is not None):
        given, other = ("--change", "--onto") if options.change else ("--onto", "--change, or with --invert")
        given, other = ("--invert", "--onto") if invert is not None else (given, other)
        value = ",".join(options.change) or options.onto or f"{invert:g}"
        fix = "--onto names the footage that stays, --change the classes or instances of it that are made anew"
        raise BadValueError(given, value, right=f"together with {other}", fix=fix)
    if clip is None or options.onto is None:
        return
    check_called(options.change, clip.record.instances)
    for camera in [options.camera] if options.camera else clip.cameras:
        needed = ["instances"] * bool(options.change) + ["rgb"] * (options.onto == RENDERED)
        if lacking := [kind for kind in needed if not clip.has(camera, kind)]:
            fix = f"render the clip with {'them' if len(lacking) > 1 else 'it'}: --only ...,{','.join(lacking)}"
            raise MissingFileError(clip.folder(camera), what=", ".join(lacking), fix=fix)
        old_frames(clip, camera, options.onto)


def old_frames(clip: Clip, camera: str, onto: str) -> FrameOf:
    """The footage that an edit starts from.

    Raises:
        UnknownNameError: the camera has no such footage; the message lists what it has.
    """
    if onto == RENDERED:
        return lambda frame: clip.rgb(camera, frame)
    found = {folder.name: folder for folder in clip.generated(camera)}
    if onto not in found:
        raise UnknownNameError(onto, [RENDERED, *found], what=f"footage of camera {camera}", where=clip.path)
    return generated_frames(found[onto])


def others(clip: Clip, change: Iterable[str]) -> tuple[str, ...]:
    """Names of all instances that are not changed, as patterns that mean them alone."""
    changed = changed_ids(clip, change)
    return tuple(_literal(one.name) for one in clip.record.instances if one.id not in changed)


def changed_ids(clip: Clip, change: Iterable[str]) -> set[int]:
    """Ids of the instances that patterns mean."""
    from ..families.embedded.surfaces import is_called

    patterns = tuple(change)
    return {one.id for one in clip.record.instances if any(is_called(pattern, one) for pattern in patterns)}


def edited(clip: Clip, camera: str, frames: Frames, options: GenerateOptions) -> Frames:
    """New footage where an instance is changed, the old everywhere else.

    Pixels on the border between them show a bit of both, and are mended (``border.py``); all others are copied.
    """
    from .border import with_border  # brings torch along

    assert options.onto is not None
    changed, old = changed_ids(clip, options.change), old_frames(clip, camera, options.onto)
    covered = clip.has(camera, "coverage")
    for index, new in enumerate(frames):
        coverage = clip.coverage(camera, index) if covered else None
        where = seen_where(clip, camera, index, changed)
        yield with_border(old(index), new, where, clip.instances(camera, index), coverage)


def seen_where(clip: Clip, camera: str, frame: int, changed: Iterable[int]) -> Bool[np.ndarray, "height width"]:
    """The pixels of some instances, by their centers: where they are the first surface, or are seen through clear things."""
    ids = list(changed)
    where = np.isin(clip.instances(camera, frame), ids)
    if clip.has(camera, "behind"):
        behind = clip.behind(camera, frame)
        where.ravel()[behind.at[np.isin(behind.ids, ids)]] = True
    return where


def untouched(clip: Clip, camera: str, frame: int, changed: Iterable[int]) -> Bool[np.ndarray, "height width"]:
    """Pixels that an edit of some instances leaves as they are."""
    from .border import touched  # brings torch along

    return ~touched(seen_where(clip, camera, frame, changed))


def settings_of_edit(options: GenerateOptions) -> dict[str, Any]:
    """What ``settings.json`` says of it."""
    invert = {} if options.large.invert is None else {"invert": options.large.invert}
    change = {"change": list(options.change)} if options.change else {}
    return {} if options.onto is None else {"onto": options.onto, **change, **invert}


def _literal(name: str) -> str:
    """A pattern that means this name alone."""
    escaped = "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
    assert fnmatchcase(name.lower(), escaped.lower())
    return escaped
