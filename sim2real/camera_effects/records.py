"""What a camera adds to a finished picture, and the cameras that have names."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..errors import UnknownNameError


@dataclass(frozen=True)
class CameraEffects:
    """Everything that one camera adds; the defaults add nothing.

    Lengths that end in ``_px`` are pixels of a picture of 480 rows; they scale with the picture. Light is linear, 1 is white.

    The shutter:
    - ``exposure_s`` is how long it is open, in seconds, at most from frame to frame: those of the sensors of the same names.

    The lens:
    - ``aperture_mm`` is the diameter of the entrance pupil; 0 keeps everything in focus.
    - ``focus`` is the distance in metres that is sharp; None: what the middle of the picture shows.
    - ``blur_px`` is the standard deviation of the lens' and the sensor's own blur.
    - ``glare`` is the share of light that is scattered wide, highlights most.
    - ``fringe_px`` is how far red moves out and blue moves in at the corners.
    - ``vignetting`` is the share of light that the corners lose.

    The sensor:
    - ``gains`` multiply red, green and blue light.
    - ``shot`` and ``read`` make the noise: its variance is ``shot * light + read^2``.
    - ``grain_px`` is the standard deviation of the blur that processing gives to the brightness of the noise.
    - ``chroma`` is the strength of colored noise to that of the brightness, ``chroma_px`` its blur.

    The processor:
    - ``contrast`` bends the screen values: an S above 0, flatter below 0.
    - ``saturation`` multiplies the distance from gray.
    - ``black`` and ``white`` are the darkest and the brightest screen value, 0..1.
    - ``denoising`` is the share of faint detail that is smoothed away, ``faint`` what counts as faint (screen values, 0..1).
    - ``sharpening`` is how much of the detail finer than ``sharpening_px`` is added to itself.
    - ``quality`` is JPEG's, 1 to 95 (below 90 with colors at half size); None compresses nothing.
    """

    name: str = "none"
    exposure_s: float = 0.0
    aperture_mm: float = 0.0
    focus: float | None = None
    blur_px: float = 0.0
    glare: float = 0.0
    fringe_px: float = 0.0
    vignetting: float = 0.0
    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)
    shot: float = 0.0
    read: float = 0.0
    grain_px: float = 0.0
    chroma: float = 0.0
    chroma_px: float = 0.0
    contrast: float = 0.0
    saturation: float = 1.0
    black: float = 0.0
    white: float = 1.0
    denoising: float = 0.0
    faint: float = 0.02
    sharpening: float = 0.0
    sharpening_px: float = 1.0
    quality: int | None = None

    @property
    def nothing(self) -> bool:
        """Whether these effects leave every picture as it is."""
        return replace(self, name="none") == CameraEffects()


_NAMED = (
    CameraEffects(),
    CameraEffects(
        "phone",
        exposure_s=1 / 60,
        aperture_mm=3.8,
        blur_px=0.5,
        glare=0.015,
        vignetting=0.1,
        shot=4e-5,
        read=0.001,
        grain_px=0.5,
        chroma=0.4,
        chroma_px=1.2,
        contrast=-0.3,
        sharpening=0.45,
        sharpening_px=0.9,
        quality=93,
    ),
    CameraEffects(
        "webcam",
        exposure_s=1 / 30,
        aperture_mm=1.2,
        focus=0.7,
        blur_px=0.95,
        glare=0.05,
        fringe_px=0.35,
        vignetting=0.22,
        gains=(1.17, 1.08, 0.95),
        shot=4e-4,
        read=0.0015,
        grain_px=0.9,
        chroma=0.4,
        chroma_px=2.5,
        contrast=0.1,
        saturation=0.92,
        black=0.015,
        denoising=0.75,
        faint=0.03,
        sharpening=0.7,
        sharpening_px=1.3,
        quality=68,
    ),
    CameraEffects(
        "realsense",
        exposure_s=1 / 64,
        aperture_mm=0.9,
        focus=1.0,
        blur_px=0.85,
        glare=0.035,
        fringe_px=0.25,
        vignetting=0.16,
        gains=(0.92, 1.0, 1.08),
        shot=4.5e-4,
        read=0.002,
        grain_px=0.45,
        chroma=0.6,
        chroma_px=1.0,
        contrast=-0.25,
        saturation=0.8,
        black=0.03,
        white=0.96,
        sharpening=0.15,
        sharpening_px=1.0,
        quality=88,
    ),
)
_EFFECTS = {effects.name: effects for effects in _NAMED}
NAMES = tuple(_EFFECTS)
"""The cameras that ``effects`` knows."""


def effects(name: str) -> CameraEffects:
    """What the camera of that name adds: ``none``, ``phone``, ``webcam`` or ``realsense``."""
    if name not in _EFFECTS:
        raise UnknownNameError(name, NAMES, what="camera effects")
    return _EFFECTS[name]
