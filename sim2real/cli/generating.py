"""What ``run`` and ``generate`` share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import BadValueError

if TYPE_CHECKING:
    from ..clip import Clip
    from .progress import Progress


NEEDED = ("noise", "depth", "edges")
"""What footage is made from."""


def check_inputs_of_footage(options: dict[str, Any]) -> None:
    """Refuse, before anything is rendered, options that leave nothing for a model to work on.

    Raises:
        BadValueError: ``--only`` leaves out what models need, or the noise is laid out for none.
    """
    only: frozenset[str] | None = options["only"]
    lacking = [kind for kind in NEEDED if only is not None and kind not in only]
    if only is not None and lacking:
        received = ",".join(sorted(only))
        raise BadValueError(
            "--only", received, right=f"with {', '.join(lacking)}, which footage is made from", mend="or use: sim2real render"
        )
    for name in ("factor", "channels"):
        if options[name] is not None:
            raise BadValueError(
                f"--{name}", options[name], right="left out: the model of --for decides", mend="or use: sim2real render"
            )


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
