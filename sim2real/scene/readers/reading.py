"""What every reader is asked for, and how a reader says what it alone takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Reading:
    """What a user says of any file; ``None`` leaves it to the file.

    - ``frames``: which of the rollout's frames, as a slice; a reader returns those that exist.
    - ``size``: (height, width) of the cameras; ``fps``: frames per second.
    """

    frames: slice | None = None
    size: tuple[int, int] | None = None
    fps: float | None = None


def rate_of(seconds: Float[np.ndarray, "frames"] | None, usual: float) -> float:
    """Frames per second by the median step of their times; ``usual`` where there are no times, or they stand still."""
    if seconds is None or len(seconds) < 2:
        return usual
    step = float(np.median(np.diff(seconds)))
    return rate if step > 0 and 0 < (rate := round(1 / step, 3)) < np.inf else usual


def uneven(what: str, seconds: Float[np.ndarray, "frames"]) -> list[str]:
    """A note of times that rise unevenly, ``what`` names those whose they are; none if they are even."""
    steps = np.diff(seconds)
    if not len(steps) or steps.max() <= 1.5 * np.median(steps):
        return []
    longest = f"{steps.max():.3g} s where {np.median(steps):.3g} s is usual"
    return [f"{what} are not evenly apart in time (up to {longest}); they are played evenly"]


def option(explanation: str, *, metavar: str | None = None) -> Any:
    """A field of a reader's ``Options``, None unless it is given.

    Args:
        explanation: what the command line says of it.
        metavar: what its value is called there.
    """
    return field(default=None, metadata={"help": explanation, "metavar": metavar})


@dataclass(frozen=True)
class NoOptions:
    """Of a reader that takes none of its own."""
