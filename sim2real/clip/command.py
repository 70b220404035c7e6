"""The command that makes a clip again, with other options."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .folder import Clip

_USUAL = (1, 3)
"""Pixels per latent and channels of noise that was rendered for no other model than the embedded one."""


def command_for(clip: Clip, options: Sequence[object], *, last: Sequence[object] = ()) -> str:
    """The command line that makes a clip like this one, with further options; for episodes of LeRobot datasets a general one.

    Args:
        clip: what the scene or video, the reader's options, the size, the cameras, the seed and the share of surface noise are
            taken from; the noise's factor and channels, too, where the options name neither these nor a model.
        options: words that follow the output.
        last: words at the end.
    """
    record = clip.record
    if "lerobot" in record.scene.options:  # an episode, of which only datasets are made
        return "sim2real dataset CONFIG -o DIR"
    words = ["sim2real", "warp" if clip.of_video else "render", record.scene.path, "-o", "CLIP", *options]
    size = {} if clip.of_video else {"size": record.size}
    for name, value in (dict(record.scene.options) | size).items():
        if name == "reader" or value is None or value is False:
            continue
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, (list, tuple)):
            words += [option, ("x" if name == "size" else ",").join(str(v) for v in value)]
        else:
            words += [option] if value is True else [option, value]
    words += [] if clip.of_video else [word for name in clip.cameras for word in ("--camera", name)]
    if record.rgb is not None:
        words += ["--rgb", record.rgb.renderer]
        words += [] if record.rgb.samples is None else ["--rgb-samples", record.rgb.samples]
    words += [f"--{name.replace('_', '-')}" for name in ("as_live", "quick") if getattr(record, name)]
    words += ["--fine", record.fine] if record.fine > 1 else []
    if record.seed:
        words += ["--seed", record.seed]
    laid_out = (record.noise.factor, record.noise.channels) if record.noise is not None else _USUAL
    if laid_out != _USUAL and not {"--for", "--factor"}.intersection(options):
        words += ["--factor", laid_out[0], "--channels", laid_out[1]]
    if record.noise is not None and record.noise.draws and "--draws" not in [*options, *last]:
        words += ["--draws", record.noise.draws]
    beta = 1.0 if record.noise is None else record.noise.beta
    if isinstance(beta, Mapping):
        words += ["--beta", ",".join(f"{name}={_exact(share)}" for name, share in beta.items())]
    elif beta != 1:
        words += ["--beta", _exact(beta)]
    return shlex.join(str(word) for word in [*words, *last])


def _exact(share: float) -> str:
    """A number in the fewest digits that are read back as the same."""
    short = f"{share:g}"
    return short if float(short) == share else repr(share)
