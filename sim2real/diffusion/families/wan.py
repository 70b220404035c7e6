"""Wan: from text, from a first frame, from a video, and VACE with control videos, masks and reference pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from ...errors import BadValueError
from ...noise.layout import NoiseLayout
from ...text_files import read_json
from ..checkpoints import Checkpoint
from ..controls import blended
from ..family import ClipFacts, ModelFamily, pipeline_class
from ..options import GenerateOptions
from ..pipelines import PipelineFamily, PipelineInputs
from ..pipelines.files import where_weights_are
from ..pipelines.tensors import independent_latents, pil_pictures, video_tensor
from ..pipelines.video_to_video import noised
from ..schedulers import DETERMINISTIC_FLOW, RENOISING_FLOW

_LAYOUT = NoiseLayout(factor=8, channels=16, temporal_factor=4)
_APACHE = "Apache-2.0"
_PICTURED = "WanImageToVideoPipeline"
_WIDE_CHANNELS = 48
"""Of TI2V-5B's VAE, which is another one than that of all other Wan models."""


@dataclass(frozen=True)
class Wan(PipelineFamily):
    """Noise goes in verbatim as float32; the VAE stays in float32."""

    def recognizes(self, folder: Path) -> bool:
        """A folder of its pipeline class; TI2V-5B's class is that of all text models, its VAE tells it apart."""
        if pipeline_class(folder) != self.pipeline:
            return False
        return self.pipeline != "WanPipeline" or _channels(folder) == self.layout.channels

    def check(self, options: GenerateOptions, clip: ClipFacts | None = None) -> None:
        """Also that the VAE has the family's channels: with another one, pipelines go on with grids of another size."""
        super().check(options, clip)
        folder = Path(where_weights_are(self, options.model))
        if folder.is_dir() and (found := _channels(folder)) != self.layout.channels:
            right = f"{self.layout.channels} for {self.name}"
            raise BadValueError(
                "the VAE's number of channels", found, right=right, fix="use the VAE of the model", where=folder
            )

    def grid(self, pipeline: Any, frames: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """By the VAE's channels: a transformer that is also given pictures has more."""
        latents, _, height, width = super().grid(pipeline, frames, size)
        return latents, pipeline.vae.config.z_dim, height, width

    def encode(self, pipeline: Any, film: UInt8[np.ndarray, "frames height width 3"]) -> Any:
        """Normalized by the VAE's mean and spread per channel."""
        return encoded(pipeline, video_tensor(pipeline, film.transpose(0, 3, 1, 2) / np.float32(255)))


def _channels(folder: Path) -> int:
    """Of the latents of a folder's VAE; those of most Wan models where it does not say."""
    file = folder / "vae" / "config.json"
    if not file.is_file():
        return _LAYOUT.channels
    known = read_json(file, what="the VAE's configuration", fix="copy the model again")
    return int(known.get("z_dim", _LAYOUT.channels))


@dataclass(frozen=True)
class WanVace(Wan):
    """A control video, masks, and reference pictures, which stand before the footage as latents of their own."""

    def arguments(
        self, pipeline: Any, given: PipelineInputs, noise: Float[np.ndarray, "latents channels h w"]
    ) -> dict[str, Any]:
        """The blended control where the model is to paint, the render where it is to keep, and a mask that tells them apart."""
        control, strength = blended(given.controls, given.weights)
        extra: dict[str, Any] = {"conditioning_scale": strength}
        if given.kept is not None and given.rgb is not None:
            kept = np.repeat(given.kept[:, None], 3, axis=1)
            control = np.where(kept, given.rgb.transpose(0, 3, 1, 2) / np.float32(255), control)
            extra["mask"] = video_tensor(pipeline, (~kept).astype(np.float32))
        if given.references:
            extra["reference_images"] = pil_pictures(given.references)
        return super().arguments(pipeline, given, noise) | {"video": video_tensor(pipeline, control)} | extra

    def extended(
        self, pipeline: Any, given: PipelineInputs, noise: Float[np.ndarray, "latents channels h w"], draw: int
    ) -> Float[np.ndarray, "more channels h w"]:
        """Reference pictures have latents before those of the footage; they show no surface of the scene."""
        if not given.references:
            return noise
        return np.concatenate([independent_latents(noise.shape[1:], len(given.references), given.asked["seed"], draw), noise])


@dataclass(frozen=True)
class WanImage(Wan):
    """Begins from a picture."""

    def arguments(
        self, pipeline: Any, given: PipelineInputs, noise: Float[np.ndarray, "latents channels h w"]
    ) -> dict[str, Any]:
        """The first frame beside the noise."""
        assert given.first_frame is not None
        return super().arguments(pipeline, given, noise) | {"image": pil_pictures([given.first_frame])[0]}


@dataclass(frozen=True)
class WanVideo(Wan):
    """Begins from the render or a video, with our noise on top of it (SDEdit, arXiv 2108.01073)."""

    def arguments(
        self, pipeline: Any, given: PipelineInputs, noise: Float[np.ndarray, "latents channels h w"]
    ) -> dict[str, Any]:
        """The pipeline takes a video or latents, not both: the video is encoded and noised here, at its first timestep."""
        assert given.rgb is not None
        arguments = super().arguments(pipeline, given, noise)
        latents = noised(pipeline, self.encode(pipeline, given.rgb), arguments["latents"], given)
        return arguments | {"latents": latents, "strength": given.asked["strength"]}


def encoded(pipeline: Any, video: Any) -> Any:
    """Normalized latents (B, C, T, h, w) of a video (B, T, 3, H, W) in [0, 1], by the mode of the VAE's posterior."""
    import torch

    vae = pipeline.vae
    given = (2 * video - 1).transpose(1, 2).to(device=pipeline._execution_device, dtype=vae.dtype)
    with torch.no_grad():
        latents = vae.encode(given).latent_dist.mode().float()
    shape = (1, vae.config.z_dim, 1, 1, 1)
    mean, std = (torch.tensor(v, device=latents.device).view(shape) for v in (vae.config.latents_mean, vae.config.latents_std))
    return (latents - mean) / std


def _family(kind: type[Wan], name: str, pipeline: str, checkpoints: tuple[Checkpoint, ...], **facts: Any) -> Wan:
    """What all Wan models share."""
    shared: dict[str, Any] = {
        "layout": _LAYOUT,
        "latent_axes": "BCTHW",
        "cast": "float32",
        "scaled_by": "nobody",
        "schedulers": DETERMINISTIC_FLOW,
        "renoising": RENOISING_FLOW,
        "size_multiple": 16,
        "wide": ("vae",),
        "loras": True,
        "control": "none",
        "needs": ("noise",),
    }
    return kind(name=name, pipeline=pipeline, checkpoints=checkpoints, **(shared | facts))


FAMILIES: tuple[ModelFamily, ...] = (
    _family(
        WanVace,
        "wan-vace",
        "WanVACEPipeline",
        (
            Checkpoint("Wan-AI/Wan2.1-VACE-1.3B-diffusers", _APACHE, configuration="wan2.1-vace-1.3b"),
            Checkpoint("Wan-AI/Wan2.1-VACE-14B-diffusers", _APACHE, configuration="wan2.1-vace-14b"),
            Checkpoint("linoyts/Wan2.2-VACE-Fun-14B-diffusers", _APACHE, configuration="wan2.2-vace-fun-14b"),
        ),
        control="gray inverse depth (near is bright) or edges (white on black), VAE-encoded, VACE branch",
        needs=("noise", "depth", "edges"),
        needs_of_videos=("noise", "edges"),
        controls=("depth", "edges", "scribble", "rgb", "blur"),
        control_strength=True,
        references=4,
        keeps=True,
        steps=30,
        denoisers=("transformer", "transformer_2"),
        inverts=True,
        remarks="One control video: several are blended. Reference pictures lie before the footage as latents of their own.",
    ),
    _family(
        Wan,
        "wan",
        "WanPipeline",
        (
            Checkpoint("Wan-AI/Wan2.1-T2V-1.3B-Diffusers", _APACHE, configuration="wan2.1-t2v-1.3b"),
            Checkpoint("Wan-AI/Wan2.1-T2V-14B-Diffusers", _APACHE, configuration="wan2.1-t2v-14b"),
            Checkpoint("Wan-AI/Wan2.2-T2V-A14B-Diffusers", _APACHE, configuration="wan2.2-t2v-a14b"),
        ),
        denoisers=("transformer", "transformer_2"),
        inverts=True,
        remarks="Nothing but the noise and the prompt tells it about the scene.",
    ),
    _family(
        Wan,
        "wan-ti2v",
        "WanPipeline",
        (Checkpoint("Wan-AI/Wan2.2-TI2V-5B-Diffusers", _APACHE, configuration="wan2.2-ti2v-5b"),),
        layout=NoiseLayout(factor=16, channels=_WIDE_CHANNELS, temporal_factor=4),
        size_multiple=32,
        made_for=(121, (704, 1280)),
        first_frame="may",
        pictured_by=_PICTURED,
        control="the first frame, where there is one",
        inverts=True,
        remarks="Without a first frame, nothing but the noise and the prompt tells it about the scene; one takes the place of "
        "the first latent. A latent is 16x16 pixels.",
    ),
    _family(
        WanImage,
        "wan-i2v",
        _PICTURED,
        (
            Checkpoint("Wan-AI/Wan2.1-I2V-14B-480P-Diffusers", _APACHE, configuration="wan2.1-i2v-14b"),
            Checkpoint("Wan-AI/Wan2.1-I2V-14B-720P-Diffusers", _APACHE, configuration="wan2.1-i2v-14b"),
            Checkpoint("Wan-AI/Wan2.2-I2V-A14B-Diffusers", _APACHE, configuration="wan2.2-i2v-a14b"),
        ),
        first_frame="must",
        denoisers=("transformer", "transformer_2"),
        remarks="Goes on from the first frame: a photograph in the render's place decides how the footage looks.",
    ),
    _family(
        WanVideo,
        "wan-v2v",
        "WanVideoToVideoPipeline",
        (
            Checkpoint("Wan-AI/Wan2.1-T2V-1.3B-Diffusers", _APACHE, configuration="wan2.1-t2v-1.3b"),
            Checkpoint("Wan-AI/Wan2.1-T2V-14B-Diffusers", _APACHE, configuration="wan2.1-t2v-14b"),
        ),
        needs=("noise", "rgb"),
        strength=0.7,
        remarks="The weights are those of wan: pass --model wan-v2v, or their folder with its model_index.json changed.",
    ),
    ModelFamily(
        name="wan-fun-control",
        pipeline="WanPipeline",
        layout=_LAYOUT,
        latent_axes="BCTHW",
        cast="float32",
        scaled_by="nobody",
        control="depth, edges or pose, VAE-encoded, joined to the channels; no pipeline of diffusers: export only",
        needs=("noise", "depth", "edges"),
        schedulers=DETERMINISTIC_FLOW,
        checkpoints=(
            Checkpoint("alibaba-pai/Wan2.1-Fun-V1.1-1.3B-Control", _APACHE),
            Checkpoint("alibaba-pai/Wan2.2-Fun-A14B-Control", _APACHE),
        ),
        size_multiple=16,
    ),
)
