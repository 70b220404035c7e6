"""CogVideoX: from text, from a first frame, from a video, and Fun-Control with a control video."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from ...errors import BadValueError
from ...noise.layout import NoiseLayout
from ...text_files import read_json
from ..checkpoints import Checkpoint, published
from ..controls import blended
from ..family import ClipFacts, pipeline_class
from ..options import GenerateOptions
from ..pipelines import PipelineFamily, PipelineInputs
from ..pipelines.files import checkpoint_of, where_weights_are
from ..pipelines.tensors import independent_latents, pil_pictures, pil_video, video_tensor
from ..pipelines.video_to_video import noised

_LAYOUT = NoiseLayout(factor=8, channels=16, temporal_factor=4)
_LICENSE = "CogVideoX License (commercial use needs a registration)"
_PLAIN = "CogVideoXPipeline"
_FRAMES_OF_A_PAIR = 8
"""Frames of two latents. The VAE decodes pairs, and takes a pair that begins a video for eight frames, not five."""
_T2V = (
    Checkpoint("zai-org/CogVideoX-2b", "Apache-2.0", configuration="cogvideox-2b"),
    Checkpoint("zai-org/CogVideoX-5b", _LICENSE, configuration="cogvideox-5b"),
    Checkpoint("zai-org/CogVideoX1.5-5B", _LICENSE, configuration="cogvideox1.5-5b"),
)


@dataclass(frozen=True)
class CogVideoX(PipelineFamily):
    """Noise has its frames before its channels; the pipeline does not cast it, and its sampler's first sigma is 1."""

    @property
    def pictured(self) -> bool:
        """Whether the transformer is given pictures beside the noise, in as many channels again."""
        return False

    def recognizes(self, folder: Path) -> bool:
        """A folder of its pipeline class with a transformer of its channels: Fun-Control's folders name the class of T2V."""
        told, wide = pipeline_class(folder), _channels(folder) == 2 * self.layout.channels
        return told == self.pipeline and wide == self.pictured

    def grid(self, pipeline: Any, frames: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """By the VAE's channels: a transformer that is also given pictures has more."""
        latents, _, height, width = super().grid(pipeline, frames, size)
        return latents, pipeline.vae.config.latent_channels, height, width

    def check(self, options: GenerateOptions, clip: ClipFacts | None = None) -> None:
        """Also refuse a size or length of which it learned no positions: others would be put in their place, in silence."""
        super().check(options, clip)
        config = self.transformer_of(options)
        if options.large.invert is not None and config.get("patch_size_t"):
            right = "CogVideoX-2b or -5b with --invert: version 1.5 takes latents of no frame of the video"
            raise BadValueError("the model", "of version 1.5", right=right)
        if clip is None or not config.get("use_learned_positional_embeddings"):
            return
        factor = self.layout.factor
        learned = (
            config.get("sample_frames", 49),
            (factor * config.get("sample_height", 60), factor * config.get("sample_width", 90)),
        )
        if (clip.frames, clip.size) != learned:
            frames, (height, width) = learned
            received = f"{clip.frames} frames of {clip.size[0]}x{clip.size[1]}"
            right = f"{frames} frames of {height}x{width}: these weights have learned positions"
            raise BadValueError("the clip", received, right=right, fix="render it with --frames and --size")

    def transformer_of(self, options: GenerateOptions) -> Mapping[str, Any]:
        """The transformer's configuration, as far as it is known."""
        model = where_weights_are(self, options.model)
        if Path(model).is_dir():
            return _transformer_in(Path(model))
        known = checkpoint_of(self, model)
        return {} if known is None or known.configuration is None else published(known.configuration)["parts"]["transformer"]

    def encode(self, pipeline: Any, film: UInt8[np.ndarray, "frames height width 3"]) -> Any:
        """Scaled by one number."""
        import torch

        vae, video = pipeline.vae, video_tensor(pipeline, film.transpose(0, 3, 1, 2) / np.float32(255))
        with torch.no_grad():
            encoded = vae.encode((2 * video - 1).transpose(1, 2).to(vae.dtype)).latent_dist.mode()
        return vae.config.scaling_factor * encoded.transpose(1, 2)

    def extended(
        self, pipeline: Any, given: PipelineInputs, noise: Float[np.ndarray, "latents channels h w"], draw: int
    ) -> Float[np.ndarray, "more channels h w"]:
        """Version 1.5 takes pairs of latents: an odd number gets one before it, which is dropped again."""
        lacking = -len(noise) % (pipeline.transformer.config.patch_size_t or 1)
        if not lacking:
            return noise
        return np.concatenate([independent_latents(noise.shape[1:], lacking, given.asked["seed"], draw), noise])


@dataclass(frozen=True)
class CogVideoXImage(CogVideoX):
    """Begins from a picture."""

    @property
    def pictured(self) -> bool:
        """The first frame."""
        return True

    def arguments(
        self, pipeline: Any, given: PipelineInputs, noise: Float[np.ndarray, "latents channels h w"]
    ) -> dict[str, Any]:
        """The first frame beside the noise."""
        assert given.first_frame is not None
        return super().arguments(pipeline, given, noise) | {"image": pil_pictures([given.first_frame])[0]}


@dataclass(frozen=True)
class CogVideoXControl(CogVideoX):
    """Follows a control video, which is encoded and given beside the noise."""

    @property
    def pictured(self) -> bool:
        """The control video."""
        return True

    def recognizes(self, folder: Path) -> bool:
        """Published folders name the class of text to video; what tells them apart is the transformer's channels."""
        wide = _channels(folder) == 2 * self.layout.channels
        return wide and pipeline_class(folder) in (self.pipeline, _PLAIN)

    def arguments(
        self, pipeline: Any, given: PipelineInputs, noise: Float[np.ndarray, "latents channels h w"]
    ) -> dict[str, Any]:
        """The blended control; its length is the footage's."""
        control, _ = blended(given.controls, given.weights)
        return super().arguments(pipeline, given, noise) | {"control_video": pil_video(control)}


@dataclass(frozen=True)
class CogVideoXVideo(CogVideoX):
    """Begins from the render or a video, with our noise on top of it (SDEdit, arXiv 2108.01073)."""

    def check(self, options: GenerateOptions, clip: ClipFacts | None = None) -> None:
        """Also refuse version 1.5."""
        super().check(options, clip)
        if self.transformer_of(options).get("patch_size_t"):
            right = "CogVideoX-2b or -5b: the pipeline takes no odd number of latents, and the VAE decodes no even one"
            raise BadValueError("the model", "of version 1.5", right=right)

    def arguments(
        self, pipeline: Any, given: PipelineInputs, noise: Float[np.ndarray, "latents channels h w"]
    ) -> dict[str, Any]:
        """The pipeline takes a video or latents, not both: the video is encoded and noised here, at its first timestep."""
        assert given.rgb is not None
        arguments = super().arguments(pipeline, given, noise)
        latents = noised(pipeline, self.encode(pipeline, given.rgb), arguments["latents"], given)
        return arguments | {"latents": latents, "strength": given.asked["strength"]}


def _transformer_in(folder: Path) -> dict[str, Any]:
    file = folder / "transformer" / "config.json"
    return read_json(file, what="the transformer's configuration", fix="copy the model again") if file.is_file() else {}


def _channels(folder: Path) -> int:
    """Channels that a folder's transformer takes."""
    return _transformer_in(folder).get("in_channels", _LAYOUT.channels)


_SHARED: dict[str, Any] = {
    "layout": _LAYOUT,
    "latent_axes": "BTCHW",
    "cast": "none",
    "scaled_by": "pipeline",
    "schedulers": ("CogVideoXDDIMScheduler",),
    "renoising": ("CogVideoXDPMScheduler",),
    "size_multiple": 16,
    "frames_step": _FRAMES_OF_A_PAIR,
    "guidance": 6.0,
    "made_for": (49, (480, 720)),
}
_CONTROLLED: dict[str, Any] = _SHARED | {"renoising": ()}
"""The pipeline calls its sampler in one way only, which is not that of the one that draws."""
_WARPED = (
    "Go-with-the-Flow's LoRA files (OneOverZero/Go-With-The-Flow) load with --lora; its degradation d is --beta (1 - d) / "
    "sqrt(d^2 + (1 - d)^2) of render: 0.71 for its usual 0.5, 0.92 for 0.3."
)

FAMILIES = (
    CogVideoX(
        name="cogvideox",
        pipeline=_PLAIN,
        control="none",
        needs=("noise",),
        checkpoints=_T2V,
        loras=True,
        inverts=True,
        remarks=f"Nothing but the noise and the prompt tells it about the scene. {_WARPED}",
        **_SHARED,
    ),
    CogVideoXImage(
        name="cogvideox-i2v",
        pipeline="CogVideoXImageToVideoPipeline",
        control="the first frame",
        needs=("noise",),
        first_frame="must",
        loras=True,
        checkpoints=(
            Checkpoint("zai-org/CogVideoX-5b-I2V", _LICENSE, configuration="cogvideox-5b-i2v"),
            Checkpoint("zai-org/CogVideoX1.5-5B-I2V", _LICENSE, configuration="cogvideox1.5-5b-i2v"),
        ),
        remarks=f"Goes on from the first frame: a photograph in the render's place decides how the footage looks. {_WARPED} "
        "Version 1.0 has learned positions: 49 frames of 480x720 and nothing else.",
        **_SHARED,
    ),
    CogVideoXControl(
        name="cogvideox-fun-control",
        pipeline="CogVideoXFunControlPipeline",
        control="any control video, VAE-encoded, joined to the channels",
        needs=("noise", "depth", "edges"),
        needs_of_videos=("noise", "edges"),
        controls=("depth", "edges", "soft-edges", "scribble"),
        checkpoints=(
            Checkpoint("alibaba-pai/CogVideoX-Fun-V1.1-2b-Control", _LICENSE, configuration="cogvideox-fun-2b-control"),
            Checkpoint("alibaba-pai/CogVideoX-Fun-V1.1-5b-Control", _LICENSE, configuration="cogvideox-fun-5b-control"),
        ),
        loras=True,
        inverts=True,
        remarks="One control video: several are blended, and it has no strength.",
        **_CONTROLLED,
    ),
    CogVideoXVideo(
        name="cogvideox-v2v",
        pipeline="CogVideoXVideoToVideoPipeline",
        control="the render, noised by strength",
        needs=("noise", "rgb"),
        checkpoints=_T2V[:2],
        strength=0.7,
        loras=True,
        remarks="The weights are those of cogvideox: pass --model cogvideox-v2v, or their folder with its model_index.json "
        "changed.",
        **_SHARED,
    ),
)
