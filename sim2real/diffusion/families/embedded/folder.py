"""Embedded-type models on disk: ``sim2real.json`` beside ``denoiser/``, its sizes and its weights in half precision."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from ....errors import MissingFileError, UnreadableFileError
from ....text_files import read_json
from . import INFO_FILE
from .conditions import CHANNEL_NAMES
from .denoiser import PictureDenoiser, Sizes

KIND = "picture-denoiser"
_FIX = "train one with: sim2real train RECIPE -o DIR, or leave --model away for the one that ships"
_SIZES, _WEIGHTS = "denoiser/config.json", "denoiser/diffusion_pytorch_model.safetensors"


@dataclass(frozen=True)
class Info:
    """What a model folder says about itself.

    - ``steps``: denoising steps that it is meant for.
    - ``training``: recipe, counts and figures, for people.
    - ``channels``: names of the conditions that it was trained on.
    """

    steps: int = 1
    training: dict[str, Any] = field(default_factory=dict)
    channels: tuple[str, ...] = CHANNEL_NAMES


def save_model(folder: Path, model: PictureDenoiser, info: Info, *, dtype: torch.dtype = torch.float16) -> None:
    """Write a model folder."""
    (folder / _WEIGHTS).parent.mkdir(parents=True, exist_ok=True)
    (folder / _SIZES).write_text(json.dumps(asdict(model.config), indent=2) + "\n")
    tensors = {name: value.detach().to(dtype).contiguous() for name, value in model.state_dict().items()}
    save_file(tensors, folder / _WEIGHTS, metadata={"format": "pt"})
    (folder / INFO_FILE).write_text(json.dumps({"kind": KIND, **asdict(info)}, indent=2) + "\n")


def read_info(folder: Path) -> Info:
    """What a model folder says about itself, without its weights: enough to refuse one before anything is rendered.

    Raises:
        MissingFileError: the folder has no model.
        UnreadableFileError: it has one that does not fit this version.
    """
    raw = read_json(folder / INFO_FILE, what="the model", fix="train one with: sim2real train RECIPE -o DIR")
    try:
        if raw.get("kind") != KIND:
            raise _unfit(folder, "it is of an older version, which painted from depth and edges alone")
        info = Info(int(raw["steps"]), raw["training"], tuple(str(name) for name in raw["channels"]))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _unfit(folder, error) from error
    if info.channels != CHANNEL_NAMES:
        raise _unfit(folder, f"it was trained on the conditions {', '.join(info.channels)}, must be {', '.join(CHANNEL_NAMES)}")
    return info


def _unfit(folder: Path, why: str | Exception) -> UnreadableFileError:
    """The refusal of a model folder, with the first line of what is wrong."""
    line = (str(why).splitlines() or [type(why).__name__])[0]
    return UnreadableFileError(folder, what="the model", why=line, fix=_FIX)


def load_model(folder: Path) -> tuple[PictureDenoiser, Info]:
    """Read what :func:`save_model` wrote; weights come back as float32, ready to predict with.

    Raises:
        MissingFileError: the folder has no model.
        UnreadableFileError: it has one that does not fit this version.
    """
    info = read_info(folder)
    sizes = read_json(folder / _SIZES, what="the model", fix=_FIX)
    try:
        with torch.device("meta"):  # no memory, whatever the sizes are, before the weights are known to fit
            model = PictureDenoiser(Sizes(**{name: value for name, value in sizes.items() if not name.startswith("_")}))
        weights = {name: value.float() for name, value in load_file(folder / _WEIGHTS).items()}
    except Exception as error:  # sizes, and weights that are cut or absent, each have errors of their own
        raise _unfit(folder, error) from error
    shapes, wanted = ({name: value.shape for name, value in tensors.items()} for tensors in (weights, model.state_dict()))
    if odd := [name for name in sorted({*shapes, *wanted}) if shapes.get(name) != wanted.get(name)]:
        raise _unfit(folder, f"weights do not fit its sizes: {', '.join(odd[:3])}{', ...' if odd[3:] else ''}")
    model.load_state_dict(weights, assign=True)
    return model.eval().requires_grad_(False).to(memory_format=torch.channels_last), info  # pyright: ignore[reportCallIssue]


def weights_written(folder: Path) -> tuple[int, int] | None:
    """When a model folder's weights were written (ns), and their bytes; ``None`` where there are none."""
    path = folder / _WEIGHTS
    return (path.stat().st_mtime_ns, path.stat().st_size) if path.is_file() else None


def model_folder(model: str | Path | None, beside: Path | None = None) -> Path:
    """The folder of an embedded-type model; ``None`` and ``embedded`` are the one that ships.

    Args:
        model: as it is given.
        beside: the folder that its path starts from; None is the working directory.
    """
    return embedded_folder() if model is None or str(model) == "embedded" else (beside or Path()) / model


def embedded_folder() -> Path:
    """Where the model that ships with the package lies: inside an installed package, or in ``assets/`` of a checkout.

    Raises:
        MissingFileError: it is in neither place.
    """
    package = Path(__file__).resolve().parents[3]
    places = [package / "assets" / "models" / "embedded", package.parent / "assets" / "models" / "embedded"]
    for place in places:
        if (place / INFO_FILE).is_file():
            return place
    raise MissingFileError(
        places[-1], what="the embedded model", fix="install the complete package, or train it with: sim2real train"
    )
