# pyright: reportPrivateImportUsage=false
"""The embedded model: a small WanVACE on folded pixels, in diffusers' own pipeline."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import WanVACEPipeline, WanVACETransformer3DModel
from jaxtyping import Float, Float32
from safetensors.numpy import load_file, save_file
from safetensors.torch import save_file as save_tensors
from torch import Tensor

from ..errors import MissingFileError, UnreadableFileError
from .palette import COLOURS
from .pixel_vae import FOLD, PixelVAE
from .schedulers import embedded_scheduler

INFO_FILE = "sim2real.json"
Z = 3 * FOLD**2


@dataclass(frozen=True)
class EmbeddedSpec:
    """Sizes of an embedded-type denoiser."""

    width: int = 192
    layers: int = 6
    vace_layers: tuple[int, ...] = (0, 3)
    heads: int = 6
    hidden: int = 768


@dataclass(frozen=True)
class EmbeddedInfo:
    """What a model folder says about itself (``sim2real.json``).

    - ``window``: frames, height and width (pixels) of the clips it was trained on: larger ones are cut into such windows.
    - ``steps``: denoising steps that it is meant for.
    - ``training``: recipe, counts and figures, for people.
    """

    spec: EmbeddedSpec = field(default_factory=EmbeddedSpec)
    window: tuple[int, int, int] = (8, 64, 64)
    steps: int = 4
    training: dict[str, Any] = field(default_factory=dict)


def build_transformer(spec: EmbeddedSpec, seed: int = 0) -> WanVACETransformer3DModel:
    """A denoiser with fresh weights; the same seed gives the same weights, and the global generator is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = WanVACETransformer3DModel(
            patch_size=(1, 2, 2),
            num_attention_heads=spec.heads,
            attention_head_dim=spec.width // spec.heads,
            in_channels=Z,
            out_channels=Z,
            text_dim=4,
            freq_dim=64,
            ffn_dim=spec.hidden,
            num_layers=spec.layers,
            cross_attn_norm=False,
            vace_layers=list(spec.vace_layers),
            vace_in_channels=2 * Z + FOLD**2,
        )
        # Hints and the output start at zero: the first prediction is grey, and conditions come in gently.
        outputs: list[Any] = [model.proj_out, *(getattr(block, "proj_out") for block in model.vace_blocks)]  # noqa: B009
        for layer in outputs:
            torch.nn.init.zeros_(layer.weight)
            torch.nn.init.zeros_(layer.bias)
    return model


def pipeline_of(transformer: torch.nn.Module) -> WanVACEPipeline:
    """Diffusers' unchanged pipeline around a denoiser (or around windows of one)."""
    parts: dict[str, Any] = {"vae": PixelVAE(), "scheduler": embedded_scheduler(), "transformer": transformer}
    with quiet_diffusers():
        pipeline = WanVACEPipeline(tokenizer=None, text_encoder=None, **parts)  # pyright: ignore[reportArgumentType]
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def vace_condition(
    vae: PixelVAE, control: Float[Tensor, "batch 3 frames height width"]
) -> Float[Tensor, "batch 112 frames h w"]:
    """What the pipeline makes of a control video in [0, 1] without a mask: the latents of grey, of the control, and ones."""
    reactive = vae.normalised(control * 2 - 1)
    inactive = vae.normalised(torch.zeros_like(control))
    batch, _, frames, h, w = reactive.shape
    return torch.cat([inactive, reactive, reactive.new_ones(batch, FOLD**2, frames, h, w)], dim=1)


def save_model(
    folder: Path,
    transformer: WanVACETransformer3DModel,
    palettes: Float32[np.ndarray, "looks colours 4"],
    info: EmbeddedInfo,
    *,
    dtype: torch.dtype = torch.float16,
) -> None:
    """Write a model folder: ``sim2real.json``, ``palettes.safetensors`` and diffusers' own ``transformer/``."""
    folder.mkdir(parents=True, exist_ok=True)
    transformer.save_config(folder / "transformer")
    weights = {name: value.to(dtype).contiguous() for name, value in transformer.state_dict().items()}
    save_tensors(weights, folder / "transformer" / "diffusion_pytorch_model.safetensors", metadata={"format": "pt"})
    save_file({"palettes": np.ascontiguousarray(palettes)}, folder / "palettes.safetensors")
    (folder / INFO_FILE).write_text(json.dumps(asdict(info), indent=2) + "\n")


def load_model(folder: Path) -> tuple[WanVACETransformer3DModel, Float32[np.ndarray, "looks colours 4"], EmbeddedInfo]:
    """Read what :func:`save_model` wrote; weights come back as float32.

    Raises:
        MissingFileError: the folder has no model.
        UnreadableFileError: it has one that does not fit this version.
    """
    described = folder / INFO_FILE
    if not described.is_file():
        raise MissingFileError(described, what="model", mend="train one with: sim2real train RECIPE -o DIR")
    try:
        raw = json.loads(described.read_text())
        spec = EmbeddedSpec(**{**raw["spec"], "vace_layers": tuple(raw["spec"]["vace_layers"])})
        info = EmbeddedInfo(spec, tuple(raw["window"]), int(raw["steps"]), raw["training"])
        palettes = load_file(folder / "palettes.safetensors")["palettes"]
        with quiet_diffusers():
            transformer = WanVACETransformer3DModel.from_pretrained(folder / "transformer", dtype=torch.float32)
    except (KeyError, TypeError, ValueError, OSError) as fault:
        why = str(fault).splitlines()[0] if str(fault) else type(fault).__name__
        raise UnreadableFileError(folder, what="the model", why=why, mend="train it again with: sim2real train") from fault
    if palettes.shape[1:] != (COLOURS, 4):
        raise UnreadableFileError(
            folder, what="the model's palettes", why=f"shape {palettes.shape}", mend="train it again with: sim2real train"
        )
    return transformer.eval().requires_grad_(False), palettes, info


def embedded_folder() -> Path:
    """Where the model that ships with the package lies: inside an installed package, or in ``assets/`` of a checkout."""
    package = Path(__file__).resolve().parents[1]
    places = [package / "assets" / "models" / "embedded", package.parent / "assets" / "models" / "embedded"]
    for place in places:
        if (place / INFO_FILE).is_file():
            return place
    raise MissingFileError(
        places[-1], what="the embedded model", mend="install the complete package, or train it with: sim2real train"
    )


@contextmanager
def quiet_diffusers() -> Iterator[None]:
    """Silence two of diffusers' remarks that do not apply: an unknown VAE class, and frame counts of temporal factor 1."""
    loggers = [
        logging.getLogger(name) for name in ("diffusers.pipelines.wan.pipeline_wan_vace", "diffusers.pipelines.pipeline_utils")
    ]

    def applies(record: logging.LogRecord) -> bool:
        message = record.getMessage()
        return not ("has to be divisible by 1." in message or "Expected types for" in message)

    for logger in loggers:
        logger.addFilter(applies)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(applies)
