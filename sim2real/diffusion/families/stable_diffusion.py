"""What families around Stable Diffusion 1.5 share: latents of 8x8 pixels, and parts that lie beside its weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from ...arrays import reason
from ...errors import BadValueError, UnreadableFileError
from ...noise.layout import NoiseLayout
from ..checkpoints import Checkpoint
from ..controls import CONTROLS
from ..family import ClipFacts, pipeline_class
from ..options import GenerateOptions
from ..pipelines import PipelineFamily, PipelineInputs
from ..pipelines.files import unreadable, where_weights_are
from ..pipelines.sampler import own_sampler, sampler_configuration
from ..pipelines.tensors import pil_video, video_tensor

LAYOUT = NoiseLayout(factor=8, channels=4, temporal_factor=1)
OPENRAIL = "CreativeML OpenRAIL-M (use-based restrictions)"
PLAIN = "StableDiffusionPipeline"
"""The class that folders of Stable Diffusion name, whatever is put beside it."""
CONTROLNETS = {
    "depth": Checkpoint("lllyasviel/control_v11f1p_sd15_depth", OPENRAIL),
    "edges": Checkpoint("lllyasviel/control_v11p_sd15_canny", OPENRAIL),
    "soft-edges": Checkpoint("lllyasviel/control_v11p_sd15_softedge", OPENRAIL),
    "scribble": Checkpoint("lllyasviel/control_v11p_sd15_scribble", OPENRAIL),
}
"""Which net follows which control."""
HUB_IDS = ("stable-diffusion-v1-5/stable-diffusion-v1-5", "SG161222/Realistic_Vision_V5.1_noVAE")
"""Stable Diffusion 1.5, and a model that was tuned from it to make photographs."""


def checkpoints_with(configuration: str) -> tuple[Checkpoint, ...]:
    """Stable Diffusion's weights, with the parts that a family puts beside them."""
    return tuple(Checkpoint(hub_id, OPENRAIL, configuration=configuration) for hub_id in HUB_IDS)


_WEIGHTS = (".safetensors", ".bin")


@dataclass(frozen=True)
class Part:
    """A part of the pipeline that does not lie among Stable Diffusion's own.

    - ``folder``: its name in a model's folder.
    - ``kind``: its class in diffusers.
    - ``checkpoint``: where it is fetched from if the folder does not have it.
    """

    folder: str
    kind: str
    checkpoint: Checkpoint

    def place(self, model: str) -> str:
        """The part's folder, or its hub id."""
        own = Path(model) / self.folder
        return str(own) if own.is_dir() else self.checkpoint.hub_id

    def require(self, model: str) -> None:
        """Refuse a part that is not whole, or neither here nor to be fetched.

        Raises:
            UnreadableFileError: what is missing, and how to get it.
        """
        place = self.place(model)
        if not Path(place).is_dir():
            self._require_fetchable()
        elif not (Path(place) / "config.json").is_file() or not any(f.suffix in _WEIGHTS for f in Path(place).iterdir()):
            why, fix = "it lacks its config.json or its weights", "copy or download it again"
            raise UnreadableFileError(place, what=f"the {self.kind}", why=why, fix=fix)

    def _require_fetchable(self) -> None:
        import diffusers

        hub_id = self.checkpoint.hub_id
        try:
            getattr(diffusers, self.kind).load_config(hub_id)
        except Exception as error:  # hub, JSON and network each have errors of their own
            fix = f"offline, copy what `hf download {hub_id}` fetches to {self.folder}/ in the model's folder"
            why = reason(error).split(". ")[0].rstrip(".")
            raise UnreadableFileError(hub_id, what=f"the {self.kind}", why=why, fix=fix) from error

    def load(self, model: str, dtype: Any) -> Any:
        """The part with its weights.

        Raises:
            UnreadableFileError: it cannot be loaded.
        """
        import diffusers

        place = self.place(model)
        try:
            return getattr(diffusers, self.kind).from_pretrained(place, dtype=dtype)
        except Exception as error:  # hub, JSON and weights each have errors of their own
            raise unreadable(place, error) from error


@dataclass(frozen=True)
class StableDiffusion(PipelineFamily):
    """Latents go to the U-Net frame by frame; the pipeline does not cast them, and scales them by its sampler's first sigma."""

    def grid(self, pipeline: Any, frames: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """By the VAE: a U-Net that is also given pictures has more channels."""
        factor = 2 ** (len(pipeline.vae.config.block_out_channels) - 1)
        return frames, pipeline.vae.config.latent_channels, size[0] // factor, size[1] // factor

    def encode(self, pipeline: Any, film: UInt8[np.ndarray, "frames height width 3"]) -> Any:
        """Picture by picture, scaled by one number."""
        import torch

        vae, video = pipeline.vae, video_tensor(pipeline, film.transpose(0, 3, 1, 2) / np.float32(255))[0]
        with torch.no_grad():
            pictures = [vae.encode(2 * one[None].to(vae.dtype) - 1).latent_dist.mode() for one in video]
        latents = vae.config.scaling_factor * torch.cat(pictures)
        return latents if self.latent_axes == "TCHW" else latents.transpose(0, 1)[None]


@dataclass(frozen=True)
class ControlledByNets(StableDiffusion):
    """A ControlNet per control, each with its weight, in ``controlnet-NAME/`` of the model's folder or from the hub."""

    def weights(self, options: GenerateOptions, have: Mapping[str, bool] | None = None) -> dict[str, float]:
        """Those asked for, else the first: nets are loaded before any clip is seen, so that what it has cannot decide."""
        return super().weights(options)

    def parts(self, options: GenerateOptions) -> dict[str, list[Part]]:
        """Parts beside Stable Diffusion's own, by the argument of the pipeline that takes them."""
        return {"controlnet": [self.net_for(name, options) for name in self.weights(options)]}

    def net_for(self, control: str, options: GenerateOptions) -> Part:
        """The net of a control. A saved pipeline's one ``controlnet/`` serves the one control that is asked for."""
        model = Path(where_weights_are(self, options.model))
        alone = len(self.weights(options)) == 1 and not (model / f"controlnet-{control}").is_dir()
        folder = "controlnet" if alone and (model / "controlnet").is_dir() else f"controlnet-{control}"
        return Part(folder, "ControlNetModel", CONTROLNETS[control])

    def check(self, options: GenerateOptions, clip: ClipFacts | None = None) -> None:
        """What all pipelines refuse; and parts that lie neither in the folder nor on the hub."""
        super().check(options, clip)
        model = where_weights_are(self, options.model)
        for parts in self.parts(options).values():
            for part in parts:
                part.require(model)

    def extra_parts(self, options: GenerateOptions, dtypes: Any) -> dict[str, Any]:
        """Nets and adapters, and a sampler where the weights come with Stable Diffusion's own."""
        model = where_weights_are(self, options.model)
        loaded = {name: [part.load(model, dtypes) for part in parts] for name, parts in self.parts(options).items()}
        found: dict[str, Any] = {name: parts if len(parts) > 1 else parts[0] for name, parts in loaded.items()}
        if uses_plain_sampler(model):
            found["scheduler"] = self.plain_sampler(model)
        return found

    def own_sampler(self, model: str) -> Any:
        """The model's, or the one that takes the place of Stable Diffusion's own."""
        return self.plain_sampler(model) if uses_plain_sampler(model) else own_sampler(self, model)

    def plain_sampler(self, model: str) -> Any:
        """DDIM on the noise schedule that the weights were trained with."""
        return ddim_like(model)

    def arguments(
        self, pipeline: Any, given: PipelineInputs, noise: Float[np.ndarray, "latents channels h w"]
    ) -> dict[str, Any]:
        """A list of pictures and a strength per net; without lists where there is one net."""
        nets = getattr(pipeline.controlnet, "nets", [pipeline.controlnet])
        if len(nets) != len(given.weights):
            right = f"{len(nets)}, a net each: {', '.join(given.weights)}"
            raise BadValueError("the number of controls", len(given.weights), right=right)
        require_same_text(nets, pipeline.unet)
        videos = [pil_video(given.controls[name]) for name in given.weights]
        strengths = [float(weight) for weight in given.weights.values()]
        one = len(videos) == 1
        return super().arguments(pipeline, given, noise) | {
            self.pictures_argument: videos[0] if one else videos,
            "controlnet_conditioning_scale": strengths[0] if one else strengths,
        }

    @property
    def pictures_argument(self) -> str:
        """What the pipeline calls the control pictures."""
        return "conditioning_frames"


def require_same_text(nets: Iterable[Any], unet: Any) -> None:
    """Refuse nets of another Stable Diffusion than the U-Net's: matrices would not fit, deep inside.

    Raises:
        BadValueError: with the widths of the text that they look at.
    """
    wanted = unet.config.cross_attention_dim
    for net in nets:
        if net.config.cross_attention_dim != wanted:
            received = f"for text of width {net.config.cross_attention_dim}"
            fix = "pass one for Stable Diffusion 1.5, not 2 or XL"
            raise BadValueError("the ControlNet", received, right=f"{wanted}, as the U-Net", fix=fix)


def uses_plain_sampler(model: str) -> bool:
    """Whether a model's sampler is Stable Diffusion's own, which was not chosen for what is put beside its weights."""
    own = sampler_configuration(model).get("_class_name") == "PNDMScheduler"
    return own or pipeline_class(Path(model)) in (None, PLAIN)


def ddim_like(model: str, **changed: Any) -> Any:
    """DDIM with a model's own noise schedule, but for what is changed.

    Raises:
        UnreadableFileError: the model has no sampler's configuration.
    """
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler

    try:
        return DDIMScheduler.from_pretrained(model, subfolder="scheduler", **changed)
    except Exception as error:  # hub, JSON and network each have errors of their own
        raise unreadable(model, error) from error


NET_KINDS = ("noise", *dict.fromkeys(CONTROLS[name].kind for name in CONTROLNETS))
"""Pictures that the nets are shown."""
