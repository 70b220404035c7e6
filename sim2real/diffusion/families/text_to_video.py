"""Text to video by a U-Net with temporal layers: ModelScope's, and VideoCrafter2's in its place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import BadValueError
from ..checkpoints import Checkpoint
from ..family import ClipFacts
from ..options import GenerateOptions
from ..pipelines.files import unreadable, where_weights_are
from ..pipelines.videocrafter import tells_a_rate, with_rate
from ..schedulers import DETERMINISTIC_DDPM, RENOISING_DDPM
from .stable_diffusion import LAYOUT, Part, StableDiffusion

_LICENSE = "CC-BY-NC-4.0 (no commercial use)"
_UNET = Part("unet-videocrafter2", "UNet3DConditionModel", Checkpoint("adamdad/videocrafterv2_diffusers", "Apache-2.0"))


@dataclass(frozen=True)
class FromText(StableDiffusion):
    """Noise and a prompt, nothing else; its sampler is handed frames as a batch."""

    def stepped(self, latents: Any) -> Any:
        """(frames, channels, h, w) of (1, channels, frames, h, w)."""
        return latents[0].transpose(0, 1)


@dataclass(frozen=True)
class TextToVideo(FromText):
    """ModelScope's U-Net, and those that were tuned from it."""

    def recognizes(self, folder: Path) -> bool:
        """A folder of its pipeline class without VideoCrafter2's U-Net in it."""
        return super().recognizes(folder) and not (folder / _UNET.folder).is_dir()

    def check(self, options: GenerateOptions, clip: ClipFacts | None = None) -> None:
        """Also refuse VideoCrafter2's U-Net in this one's place: part of its weights would be left out."""
        super().check(options, clip)
        unet = Path(where_weights_are(self, options.model)) / "unet"
        if unet.is_dir() and tells_a_rate(unet):
            right = "one without a frame rate"
            fix = f"VideoCrafter2's goes to {_UNET.folder}/, beside the unet/ that the folder came with"
            raise BadValueError("the U-Net", "one that is told a frame rate", right=right, fix=fix, where=unet)


@dataclass(frozen=True)
class VideoCrafter(FromText):
    """Its U-Net is told a frame rate; the other parts are those of a text-to-video-sd model."""

    def recognizes(self, folder: Path) -> bool:
        """A folder of text-to-video-sd with VideoCrafter2's U-Net in it."""
        return super().recognizes(folder) and (folder / _UNET.folder).is_dir()

    def check(self, options: GenerateOptions, clip: ClipFacts | None = None) -> None:
        """Also refuse a U-Net that is neither in the folder nor to be fetched."""
        super().check(options, clip)
        _UNET.require(where_weights_are(self, options.model))

    def extra_parts(self, options: GenerateOptions, dtypes: Any) -> dict[str, Any]:
        """The U-Net."""
        model = where_weights_are(self, options.model)
        unet, place = _UNET.load(model, dtypes), _UNET.place(model)
        try:
            return {"unet": with_rate(unet, place)}
        except Exception as error:  # hub, safetensors and torch each have errors of their own
            raise unreadable(place, error) from error


_SHARED: dict[str, Any] = {
    "pipeline": "TextToVideoSDPipeline",
    "layout": LAYOUT,
    "latent_axes": "BCTHW",
    "cast": "none",
    "scaled_by": "pipeline",
    "control": "none",
    "needs": ("noise",),
    "schedulers": DETERMINISTIC_DDPM,
    "renoising": RENOISING_DDPM,
    "size_multiple": 8,
    "steps": 25,
    "denoisers": ("unet",),
    "inverts": True,
}

FAMILIES = (
    TextToVideo(
        name="text-to-video-sd",
        checkpoints=(
            Checkpoint("ali-vilab/text-to-video-ms-1.7b", _LICENSE, configuration="text-to-video-ms-1.7b"),
            Checkpoint("cerspense/zeroscope_v2_576w", _LICENSE, configuration="text-to-video-ms-1.7b"),
        ),
        guidance=9.0,
        made_for=(16, (256, 256)),
        remarks="Nothing but the noise and the prompt tells it about the scene. No LoRA files: this U-Net has no place for "
        "them.",
        **_SHARED,
    ),
    VideoCrafter(
        name="videocrafter2",
        checkpoints=(Checkpoint("cerspense/zeroscope_v2_576w", _LICENSE, configuration="text-to-video-ms-1.7b"),),
        guidance=12.0,
        made_for=(16, (320, 512)),
        remarks="The U-Net is adamdad/videocrafterv2_diffusers (Apache-2.0), text encoder and VAE are those of zeroscope. A "
        "folder is one of zeroscope with that U-Net in unet-videocrafter2/. It is told 24 frames a second. EquiVDM (VC2, "
        "with and without soft edges) was trained from it on warped noise; its weights are not published as far as we know.",
        **_SHARED,
    ),
)
