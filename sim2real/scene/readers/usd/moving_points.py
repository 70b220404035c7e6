"""Points of a mesh that move: read from the stage when a frame is asked for, so that no recording is in memory as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from ....errors import UnreadableFileError
from ...moving_vertices import MovingVertices
from .skeletons import PointsAt
from .types import Prim
from .values import rows_of


def moving_points(
    prim: Prim,
    points: Float[np.ndarray, "points 3"],
    times: Sequence[Any],
    notes: list[str],
    skin: PointsAt | None = None,
) -> MovingVertices | None:
    """The points of a mesh in all frames, each of which is looked at once; ``None`` where they stay.

    Frames whose points are of another number than the first one's, or not finite, keep those before. The stage stays open
    for as long as the points are held.

    Args:
        prim: the mesh.
        points: those of the first frame.
        times: the time codes of all frames.
        notes: gets a sentence where frames keep those before.
        skin: the points at any time, where a skeleton moves them.
    """
    attribute, stage = prim.GetAttribute("points"), prim.GetStage()
    if len(times) < 2 or (skin is None and not attribute.ValueMightBeTimeVarying()):
        return None
    points_at: PointsAt = skin or (lambda time: rows_of(attribute, time))
    start, taken, moves = points if skin is None else skin(times[0]), [0], False
    for frame, time in enumerate(times[1:], 1):
        now = points_at(time)
        fits = now.shape == points.shape and bool(np.isfinite(now).all())
        moves |= fits and not np.array_equal(now, start)
        taken.append(frame if fits else taken[-1])
    odd = sum(taken[frame] != frame for frame in range(len(times)))
    if odd:
        notes.append(f"{prim.GetPath()}: in {odd} frames its points do not fit, or are not finite; there it keeps its shape")
    if not moves:
        return None

    def at(frame: int) -> Float[np.ndarray, "points 3"]:
        now = points_at(times[taken[frame]])
        if now.shape != points.shape:
            where = stage.GetRootLayer().realPath
            raise UnreadableFileError(
                where, what="the USD stage", why="it has changed since it was opened", fix="load it again"
            )
        return now

    return MovingVertices(len(times), len(points), at)
