"""How a camera's processor is set: from the light that reaches it to a picture for screens."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ..errors import BadValueError

_RANGES = {
    "target": (0.05, 0.95),
    "highlights": (0.5, 100.0),
    "white_balance": (0.0, 1.0),
    "contrast": (0.0, 1.0),
    "saturation": (0.0, 2.0),
    "bloom": (0.0, 0.5),
    "black": (0.0, 0.2),
    "white": (0.7, 1.0),
}


@dataclass(frozen=True)
class Development:
    """The settings of a camera's processor; the defaults are a phone's.

    - ``target`` is the mean luma that metering aims at: sRGB, 0..1, the center counts most.
    - ``highlights`` is the exposed light that little of the picture may exceed: 1 is a sunlit white wall.
    - ``white_balance`` says how far the clip's mean color is turned to gray: 0 not at all, 1 wholly.
    - ``tint`` are gains of red, green and blue after that.
    - ``contrast`` bends the tone curve into an S: 0 is the shoulder alone, 1 a full smooth step.
    - ``saturation`` multiplies the distance from gray; 1 changes nothing.
    - ``bloom`` is the share of light that the lens spreads over its surroundings.
    - ``black`` and ``white`` are the screen values, 0..1, of no light and of endless light.
    """

    target: float = 0.54
    highlights: float = 1.2
    white_balance: float = 0.75
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    contrast: float = 0.45
    saturation: float = 1.0
    bloom: float = 0.04
    black: float = 0.008
    white: float = 0.985

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            low, high = _RANGES.get(field.name, (0.25, 4.0))
            for number in value if field.name == "tint" else (value,):
                if not low <= number <= high:
                    raise BadValueError(f"development's {field.name}", value, right=f"within {low:g} to {high:g}")

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Development:
        """Settings as cameras and their owners differ."""
        red, green, blue = np.exp(rng.normal(0, 0.025, 3)).tolist()
        return cls(
            target=float(np.clip(rng.normal(0.54, 0.07), 0.38, 0.68)),
            highlights=float(np.exp(rng.normal(0.3, 0.3))),
            white_balance=float(rng.uniform(0.55, 0.95)),
            tint=(red, green, blue),
            contrast=float(rng.uniform(0.15, 0.75)),
            saturation=float(rng.uniform(0.82, 1.12)),
            bloom=float(rng.uniform(0.01, 0.08)),
            black=float(rng.uniform(0, 0.02)),
            white=float(rng.uniform(0.955, 1)),
        )
