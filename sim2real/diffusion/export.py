"""A clip's noise in the files that other people's samplers read, and readers of these files."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Float16, Float32

from ..clip import Clip, command_for, read_clip, readable_write_errors
from ..errors import BadValueError, MissingFileError, OutputExistsError, UnknownNameError, UnreadableFileError
from ..noise.layout import LatentTime, NoiseLayout
from .families import family_of
from .family import ModelFamily

ExportFormat = Literal["gwtf", "latents", "cosmos-transfer1"]
GWTF = NoiseLayout(factor=8, channels=16)
"""Go-with-the-Flow's ``noises.npy`` holds every frame; its reader picks frames 0, 4, ..., 48 for the 13 latents."""
COSMOS_TRANSFER1 = NoiseLayout(factor=8, channels=16, temporal_factor=8)
"""Latents of the tokenizer CV8x8x8: 121 frames are 16 latents."""
COSMOS_SIGMA_MAX = 80.0
"""The largest sigma of Cosmos' EDM schedule."""
SUFFIXES = (".pt", ".npy", ".safetensors")
USUAL = "wan-vace"
"""The family whose latents are written where none is named."""


@dataclass(frozen=True)
class ExportOptions:
    """What is written of a clip.

    - ``camera``: its name; may be left out where the clip has one.
    - ``model``: for ``latents``: a family's name, hub id or folder; Wan-VACE by default.
    - ``latent_time``: which frame of its group a latent stands for; the family's by default.
    - ``sigma_max``: for ``cosmos-transfer1``: the factor that makes noise ``x_sigma_max``; 80 by default.
    - ``draws``: for ``gwtf`` and ``latents``: so many further draws are written, too, as ``OUTPUT-1.npy`` and so on, for
      samplers that add noise while they run.
    """

    camera: str | None = None
    model: str | Path | None = None
    latent_time: LatentTime | None = None
    sigma_max: float | None = None
    draws: int = 0


def export_noise(
    clip: Path | str, output: Path | str, to: str, options: ExportOptions | None = None, *, overwrite: bool = False
) -> tuple[int, ...]:
    """Write the noise of one camera of a clip to a file, and further draws of it to files beside that.

    - ``gwtf``: float16 (frames, h, w, channels) as ``.npy``, Go-with-the-Flow's ``noises.npy``.
    - ``latents``: float32, what a family's pipeline takes as ``latents=``: batch of one, axes in the family's order.
    - ``cosmos-transfer1``: float32 (1, channels, latents, h, w), the ``x_sigma_max`` of Cosmos-Transfer1's model.

    Noise of every frame serves any temporal factor: the frames that the latents stand for are picked.

    Args:
        clip: the clip folder.
        output: the file; ``.pt``, ``.npy`` or ``.safetensors``.
        to: the format, one of ``ExportFormat``.
        options: of which camera, for which model, and how many draws.
        overwrite: replace existing files.

    Returns:
        Shape of the array in each file.

    Raises:
        BadValueError: the clip's noise has another layout or fewer draws (the message has the command that renders the right
            one), or an option does not belong to the format.
        UnknownNameError: no such format, camera or model.
        OutputExistsError: a file exists and ``overwrite`` is false.
    """
    output, asked = Path(output), ExportOptions() if options is None else options
    if to not in get_args(ExportFormat):
        raise UnknownNameError(to, get_args(ExportFormat), what="export format")
    for name, value, owners in (
        ("the model", asked.model, ("latents",)),
        ("the latent time", asked.latent_time, ("latents", "cosmos-transfer1")),
        ("sigma_max", asked.sigma_max, ("cosmos-transfer1",)),
        ("the number of draws", asked.draws or None, ("gwtf", "latents")),
    ):
        if value is not None and to not in owners:
            raise BadValueError(name, value, right=f"left out: it belongs to {' and '.join(owners)}")
    if asked.draws < 0:
        raise BadValueError("the number of draws", asked.draws, right="at least 0")
    suffixes = (".npy",) if to == "gwtf" else SUFFIXES
    if output.suffix not in suffixes:
        raise BadValueError(
            "the suffix of the output", repr(output.suffix), right=f"one of {', '.join(suffixes)}", where=output
        )
    files = [draw_file(output, draw) for draw in range(asked.draws + 1)]
    if taken := [file for file in files if file.exists() and not overwrite]:
        raise OutputExistsError(taken[0])
    opened = read_clip(Path(clip))
    view = _camera(opened, asked.camera)
    name, about, of = _format(opened, view, to, asked)
    first, frames = of(0)
    if asked.draws:
        opened.noise(view, asked.draws)  # the message of a clip that lacks some has the command for all
    about |= {"camera": view, "seed": opened.record.seed, "frames": ",".join(str(frame) for frame in frames)}
    with _written_together(files) as works:
        for draw, work in enumerate(works):
            _write(work, name, of(draw)[0] if draw else first, about | {"draw": draw})
    return first.shape


def _format(
    clip: Clip, camera: str, to: str, asked: ExportOptions
) -> tuple[str, dict[str, Any], Callable[[int], tuple[np.ndarray, list[int]]]]:
    """The tensor's name, what is written about it, and what makes it and says its frames by the number of a draw."""
    time = asked.latent_time
    if to == "gwtf":
        return "noises", {"format": to}, lambda draw: gwtf_noise(clip, camera, draw)
    if to == "latents":
        family = family_of(USUAL if asked.model is None else asked.model)
        about = {"format": to, "family": family.name, "axes": family.latent_axes}
        return "latents", about, lambda draw: latents(clip, camera, family, time, draw)
    sigma = COSMOS_SIGMA_MAX if asked.sigma_max is None else asked.sigma_max
    about = {"format": to, "sigma_max": sigma, "axes": "BCTHW"}
    return "x_sigma_max", about, lambda _: x_sigma_max(clip, camera, sigma, time)


def draw_file(output: Path, draw: int) -> Path:
    """Where a draw is written: the first has the name that was asked for, further ones its number behind that."""
    return output if draw == 0 else output.with_name(f"{output.stem}-{draw}{output.suffix}")


def gwtf_noise(clip: Clip, camera: str, draw: int = 0) -> tuple[Float16[np.ndarray, "frames h w channels"], list[int]]:
    """Go-with-the-Flow's noise, and the frames it belongs to."""
    noise, frames = _picked(clip, camera, GWTF, None, draw)
    return np.ascontiguousarray(noise.transpose(0, 2, 3, 1), np.float16), frames


def latents(
    clip: Clip, camera: str, family: ModelFamily, latent_time: LatentTime | None = None, draw: int = 0
) -> tuple[Float32[np.ndarray, "..."], list[int]]:
    """Unit-variance noise as a family's pipeline takes it, and the frames that the latents stand for.

    A pipeline that scales latents itself does so with these, too. The embedded model's noise is folded like its pictures.
    """
    noise, frames = _picked(clip, camera, family.layout, latent_time, draw)
    return family.latents(noise), frames


def x_sigma_max(
    clip: Clip, camera: str, sigma_max: float = COSMOS_SIGMA_MAX, latent_time: LatentTime | None = None
) -> tuple[Float32[np.ndarray, "1 channels latents h w"], list[int]]:
    """``noise * sigma_max``, what Cosmos-Transfer1 starts from, and the frames that the latents stand for."""
    if not 0 < sigma_max < float("inf"):
        raise BadValueError("sigma_max", sigma_max, right="greater than 0")
    noise, frames = _picked(clip, camera, COSMOS_TRANSFER1, latent_time)
    return np.ascontiguousarray(noise.transpose(1, 0, 2, 3)[None]) * np.float32(sigma_max), frames


def read_exported(path: Path | str, name: str = "latents") -> np.ndarray:
    """Read a file that ``export_noise`` wrote.

    Args:
        path: ``.npy``, ``.pt`` or ``.safetensors``.
        name: of the tensor in a safetensors file: ``latents`` or ``x_sigma_max``.

    Raises:
        MissingFileError: it does not exist.
        UnreadableFileError: it holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(path, what="exported noise", fix="make it with: sim2real export CLIP --to FORMAT -o FILE")
    try:
        if path.suffix == ".npy":
            return np.load(path, allow_pickle=False)
        if path.suffix == ".safetensors":
            from safetensors.numpy import load_file

            return load_file(path)[name]
        import torch

        return torch.load(path, map_location="cpu", weights_only=True).numpy()
    except Exception as error:  # each library has errors of its own
        why = " ".join(str(error).split()) or type(error).__name__
        raise UnreadableFileError(path, what="exported noise", why=why, fix="export it again") from error


def _camera(clip: Clip, name: str | None) -> str:
    if name is None and len(clip.cameras) != 1:
        raise BadValueError("the camera", "not given", right=f"one of {', '.join(clip.cameras)}", fix="pass --camera NAME")
    return clip.camera_name(clip.cameras[0] if name is None else name)


def _picked(
    clip: Clip, camera: str, layout: NoiseLayout, latent_time: LatentTime | None, draw: int = 0
) -> tuple[Float32[np.ndarray, "latents channels h w"], list[int]]:
    """The latents of a layout out of a clip whose noise has them, among others perhaps, and their frames."""
    record = clip.noise_record()
    times = get_args(LatentTime) if latent_time is None else ()
    wanted = [
        replace(layout, latent_time=time).latent_frames(clip.frames) for time in (latent_time or layout.latent_time, *times)
    ]
    found = [frames for frames in wanted if set(frames) <= set(record.latent_frames)]
    if (record.factor, record.channels) != (layout.factor, layout.channels) or not found:
        raise BadValueError(
            "the clip's noise",
            f"{record.channels} channels at factor {record.factor} of frames {_listed(record.latent_frames)}",
            right=f"{layout.channels} channels at factor {layout.factor} of frames {_listed(wanted[0])}",
            fix=f"render it with: {render_command(clip, layout)}",
        )
    places = [record.latent_frames.index(frame) for frame in found[0]]
    return clip.latents(camera, places, draw), found[0]


def render_command(clip: Clip, layout: NoiseLayout) -> str:
    """The command that renders a clip's noise again, for every frame, with the factor and channels of a layout."""
    options = ["--factor", layout.factor, "--channels", layout.channels]
    return command_for(clip, options, last=["--only", "noise"])


def _listed(frames: list[int]) -> str:
    return ", ".join(str(f) for f in frames) if len(frames) < 5 else f"{frames[0]}, {frames[1]}, ..., {frames[-1]}"


@contextmanager
def _written_together(files: Sequence[Path]) -> Iterator[list[Path]]:
    """Places for files to be written to, that all take their names at the end, or none does."""
    mark = uuid.uuid4().hex[:8]
    works = [file.with_name(f".{file.stem}.{mark}.tmp{file.suffix}") for file in files]
    try:
        with readable_write_errors(files[0]):
            files[0].parent.mkdir(parents=True, exist_ok=True)
            yield works
            _take_names(works, files)
    finally:
        for work in works:
            with suppress(OSError):
                work.unlink()


def _take_names(works: Sequence[Path], files: Sequence[Path]) -> None:
    """Rename works to files; where one cannot be renamed, all files are as they were before.

    The last one, often the only one, is replaced in one step: it is never missing, even if the process is killed meanwhile.
    """
    *earlier, last = zip(works, files, strict=True)
    olds: list[tuple[Path, Path | None]] = []
    try:
        for work, file in earlier:
            old = work.with_name(f"{work.name}.old") if file.is_file() else None
            if old is not None:
                os.replace(file, old)
            olds.append((file, old))
            os.replace(work, file)
        os.replace(*last)
    except BaseException:
        for file, old in reversed(olds):
            with suppress(OSError):
                file.unlink() if old is None else os.replace(old, file)
        raise
    for old in (old for _, old in olds if old is not None):
        with suppress(OSError):
            old.unlink()


def _write(path: Path, name: str, values: np.ndarray, about: Mapping[str, Any]) -> None:
    """Write one array."""
    if path.suffix == ".npy":
        np.save(path, values)
    elif path.suffix == ".safetensors":
        from safetensors.numpy import save_file

        save_file({name: values}, path, metadata={key: str(value) for key, value in about.items()})
    else:
        import torch

        torch.save(torch.from_numpy(values), path)
