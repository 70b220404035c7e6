"""What ``run`` and ``generate`` share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..clip import Clip
    from .progress import Progress


def generate_footage(
    clip: Clip, *, model: str | None, prompt: str | None, steps: int | None, seed: int, progress: Progress
) -> Clip:
    """Generate footage for every camera of a clip, then draw the contact sheet and the report anew."""
    from ..clip import readable_write_errors, write_report, write_sheet
    from ..diffusion import generate

    generate(clip.path, model=model, prompt=prompt, steps=steps, seed=seed, progress=progress)
    with readable_write_errors(clip.path):
        progress("contact sheet and report", 0, 1)
        write_sheet(clip)
        write_report(clip)
        progress("contact sheet and report", 1, 1)
    return clip
