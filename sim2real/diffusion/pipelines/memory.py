"""How much memory a large model will take, as far as it can be known before it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import BadValueError
from ...text_files import read_json
from ..checkpoints import parameters_in, published
from ..family import ClipFacts
from .files import checkpoint_of, where_weights_are

if TYPE_CHECKING:
    from ..options import GenerateOptions
    from .family import PipelineFamily

_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
_TOKEN_COPIES = 14
"""Widths of a token that a transformer block holds at once: the stream, queries, keys, values, and four of the feed-forward
layer with its activation; measured by nobody, a rule of thumb."""
_PIXEL_COPIES = 4 * 96
"""Values per pixel that a video decoder holds at its last layers: four pictures of 96 channels."""


@dataclass(frozen=True)
class Estimate:
    """Bytes.

    - ``weights``: by part, as they are loaded.
    - ``working``: what denoising or decoding takes beside them, whichever is more: a rule of thumb.
    """

    weights: Mapping[str, int]
    working: int

    @property
    def together(self) -> int:
        """Everything at once."""
        return sum(self.weights.values()) + self.working

    def sentence(self, offload: str = "none") -> str:
        """One line for people."""
        parts = ", ".join(f"{name} {_gigabytes(size)}" for name, size in self.weights.items())
        total = sum(self.weights.values())
        held = {"none": total, "model": max(self.weights.values(), default=0), "sequential": 0}[offload]
        gpu = (
            f"; with --offload {offload} about {_gigabytes(held + self.working)} of it on the GPU" if offload != "none" else ""
        )
        return f"memory, estimated: {_gigabytes(total)} of weights ({parts}) and {_gigabytes(self.working)} to work with{gpu}"


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 5e7 else f"{size / 1e6:.0f} MB"


def estimate(family: PipelineFamily, options: GenerateOptions, clip: ClipFacts | None = None) -> Estimate | None:
    """Memory of weights and of work; None where neither the weights are here nor their configuration is known.

    Args:
        family: of the model.
        options: model, dtype.
        clip: frames and size; what the model was made for without one.
    """
    parameters, parts = _known(family, options)
    if not parameters:
        return None
    dtype = options.large.dtype or ("bfloat16" if _cuda_bytes() is not None else "float32")
    sizes = {name: count * (4 if name in family.wide else _BYTES[dtype]) for name, count in parameters.items()}
    frames, size = (clip.frames, clip.size) if clip is not None else family.made_for
    return Estimate(sizes, working_bytes(family, parts, frames, size, _BYTES[dtype]))


def working_bytes(family: PipelineFamily, parts: Mapping[str, Any], frames: int, size: tuple[int, int], width: int) -> int:
    """A rule of thumb for what denoising or decoding holds beside the weights.

    Args:
        family: its layout.
        parts: configurations by part.
        frames: of the footage.
        size: (height, width).
        width: bytes per value.
    """
    layout, denoiser = family.layout, parts.get(family.denoisers[0], {})
    latents = len(layout.latent_frames(frames)) * (size[0] // layout.factor) * (size[1] // layout.factor)
    heads = denoiser.get("num_attention_heads")
    if isinstance(heads, int) and "attention_head_dim" in denoiser and "block_out_channels" not in denoiser:
        patch = denoiser.get("patch_size", 1)
        area = patch[0] * patch[1] * patch[2] if isinstance(patch, list) else patch * patch
        tokens, wide = latents // area, heads * denoiser["attention_head_dim"]
    else:  # a U-Net: its first level has as many tokens as latents
        channels = denoiser.get("block_out_channels") or [320]
        tokens, wide = 2 * latents, channels[0]
    denoising = tokens * wide * _TOKEN_COPIES * width
    together = min(frames, max(4, layout.temporal_factor))
    decoding = together * size[0] * size[1] * _PIXEL_COPIES * (4 if "vae" in family.wide else width)
    return max(denoising, decoding)


def require_memory(family: PipelineFamily, options: GenerateOptions) -> None:
    """Refuse weights alone that do not fit where they are to go.

    Raises:
        BadValueError: how much there is, and how to need less.
    """
    from ...memory import memory_bytes

    known, offload = estimate(family, options), options.large.offload
    if known is None or options.large.device_map is not None or not known.weights:
        return
    cuda = _cuda_bytes()
    held = {"none": sum(known.weights.values()), "model": max(known.weights.values()), "sequential": 0}[offload]
    have, where = (cuda, "on the GPU") if cuda is not None else (memory_bytes(), "of memory")
    if held > have:
        fix = "pass --offload model or sequential" if cuda is not None and offload == "none" else "use a smaller model"
        fix = "pass --dtype bfloat16" if cuda is None and options.large.dtype in (None, "float32") else fix
        right = f"at least {held / 1e9:.0f} GB for the weights of {family.name}"
        raise BadValueError(f"what is free {where}", f"{have / 1e9:.0f} GB", right=right, fix=fix)


def known_parts(family: PipelineFamily, options: GenerateOptions) -> Mapping[str, Any]:
    """Configurations by part, of the folder, or as published; empty where nothing is known."""
    return _known(family, options)[1]


def _known(family: PipelineFamily, options: GenerateOptions) -> tuple[dict[str, int], dict[str, Any]]:
    """Counts of parameters, and configurations, by part: of the folder, or as published."""
    model = where_weights_are(family, options.model)
    folder = Path(model)
    if folder.is_dir():
        files = {file.parent.name: file for file in sorted(folder.glob("*/config.json"))}
        parts = {name: read_json(file, what="the configuration", fix="copy it again") for name, file in files.items()}
        return parameters_in(folder), parts
    checkpoint = checkpoint_of(family, model)
    if checkpoint is None or checkpoint.configuration is None:
        return {}, {}
    known = published(checkpoint.configuration)
    return dict(known["parameters"]), known["parts"]


def _cuda_bytes() -> int | None:
    """What is free on the first GPU."""
    import torch

    return int(torch.cuda.mem_get_info()[0]) if torch.cuda.is_available() else None
