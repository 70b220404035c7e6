"""How automatic exposure and white balance swing about what is right."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float32

from .randomness import generator_of
from .records import Metering

_REMEMBERED = 6.0
"""Times ``settle_s`` after which a disturbance is over: e^-6 is nothing that one sees."""
_SWING = 2.5
"""Times ``settle_s`` that a whole swing takes: the first one overshoots by a fifth, as cameras do."""


def gains_at(metering: Metering, time_s: float, *, seed: int, camera: str) -> Float32[np.ndarray, " 3"]:
    """Gains of red, green and blue light at a time of the clip; they depend on nothing else.

    Args:
        metering: how the camera errs.
        time_s: since the first frame.
        seed: of the disturbances.
        camera: its name.
    """
    stops, white = metering.offset_stops, 0.0
    if metering.hunting_stops or metering.white_hunting:
        exposure, color = _errors(metering, time_s, seed, camera)
        stops += metering.hunting_stops * exposure
        white = metering.white_hunting * color
    if metering.step_stops:
        stops = metering.step_stops * round(stops / metering.step_stops)
    return (2.0**stops * np.exp([white / 2, 0, -white / 2])).astype(np.float32)


def _errors(metering: Metering, time_s: float, seed: int, camera: str) -> tuple[float, float]:
    """Of exposure and of white balance, in units of their disturbances."""
    now = math.floor(time_s / metering.every_s)
    first = math.floor((time_s - _REMEMBERED * metering.settle_s) / metering.every_s)
    exposure = color = 0.0
    for cell in range(first, now + 1):
        rng = generator_of(seed, camera, "metering", cell % 2**63)
        since = time_s - (cell + rng.random()) * metering.every_s
        if since >= 0:
            x = since / metering.settle_s
            exposure += rng.standard_normal() * math.exp(-x) * math.cos(2 * math.pi * x / _SWING)
            color += rng.standard_normal() * math.exp(-x / 2)  # white balance follows more slowly, and does not swing
    return exposure, color
