"""LTX-Video and LTX-2: from text, from a first frame, and with the control videos of IC-LoRA files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Float32

from ...arrays import reason
from ...errors import BadValueError, UnreadableFileError
from ...noise.layout import NoiseLayout
from ..checkpoints import Checkpoint
from ..family import ClipFacts, ModelFamily
from ..options import GenerateOptions
from ..pipelines import PipelineFamily, PipelineInputs
from ..pipelines.lightricks import condition_pipeline, in_context_pipeline
from ..pipelines.tensors import pil_pictures, pil_video

if TYPE_CHECKING:
    from ..pipelines.model import PipelineModel

_LAYOUT = NoiseLayout(factor=32, channels=128, temporal_factor=8)
_LTX = "LTXV Open Weights License (commercial use is limited by revenue)"
_LTX2 = "LTX-2 Community License (commercial use is limited by revenue)"
_IN_CONTEXT = "LTX2InContextPipeline"
_DOWNSCALED = "reference_downscale_factor"
"""How much smaller the control videos were that an IC-LoRA was trained with, in the file's metadata."""


@dataclass(frozen=True)
class Ltx(PipelineFamily):
    """Tokens: a latent is a token, and ``latents=`` is (batch, latents x rows x columns, channels)."""

    def latents(self, noise: Float32[np.ndarray, "latents channels height width"]) -> Float32[np.ndarray, "..."]:
        """Noise as tokens, (1, latents x height x width, channels)."""
        tokens = noise.transpose(0, 2, 3, 1).reshape(1, -1, noise.shape[1])
        return np.ascontiguousarray(tokens)

    def grid(self, pipeline: Any, frames: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """By the VAE."""
        time, space = pipeline.vae_temporal_compression_ratio, pipeline.vae_spatial_compression_ratio
        return (frames - 1) // time + 1, pipeline.transformer.config.in_channels, size[0] // space, size[1] // space


@dataclass(frozen=True)
class Ltx2(Ltx):
    """From text; with a first frame by the pipeline of control videos, without any."""

    def with_picture(self) -> Ltx2:
        """That pipeline packs its latents itself."""
        return replace(self, pipeline=_IN_CONTEXT, latent_axes="BCTHW")

    def pipeline_class(self) -> Any:
        """The one of diffusers, or the one that takes noise beside a picture."""
        return in_context_pipeline() if self.pipeline == _IN_CONTEXT else super().pipeline_class()

    def latents(self, noise: Float32[np.ndarray, "latents channels height width"]) -> Float32[np.ndarray, "..."]:
        """As tokens, or in the axes (B, C, T, H, W)."""
        return ModelFamily.latents(self, noise) if self.pipeline == _IN_CONTEXT else super().latents(noise)

    def arguments(
        self, pipeline: Any, given: PipelineInputs, noise: Float[np.ndarray, "latents channels h w"]
    ) -> dict[str, Any]:
        """The first frame, where there is one."""
        return super().arguments(pipeline, given, noise) | _first_frame(given)


def _first_frame(given: PipelineInputs) -> dict[str, Any]:
    """The first frame for LTX-2: it is compressed before, as what the model was trained on."""
    from diffusers.pipelines.ltx2.pipeline_ltx2_condition import LTX2VideoCondition

    return {} if given.first_frame is None else {"conditions": LTX2VideoCondition(pil_pictures([given.first_frame])[0])}


@dataclass(frozen=True)
class LtxCondition(Ltx):
    """From text, or from a first frame, whose tokens take the place of the first latent's."""

    def pipeline_class(self) -> Any:
        """The one that takes noise."""
        return condition_pipeline()

    def latents(self, noise: Float32[np.ndarray, "latents channels height width"]) -> Float32[np.ndarray, "..."]:
        """Noise in the axes (B, C, T, H, W), which the pipeline packs itself."""
        return ModelFamily.latents(self, noise)

    def arguments(
        self, pipeline: Any, given: PipelineInputs, noise: Float[np.ndarray, "latents channels h w"]
    ) -> dict[str, Any]:
        """The first frame, and what the decoder of these weights wants to be told of noise that is left."""
        arguments = super().arguments(pipeline, given, noise)
        if pipeline.vae.config.timestep_conditioning:
            arguments |= {"decode_timestep": 0.05, "decode_noise_scale": 0.025}
        return arguments if given.first_frame is None else arguments | {"image": pil_pictures([given.first_frame])[0]}


@dataclass(frozen=True)
class Ltx2InContext(LtxCondition):
    """A control video, whose tokens stand behind those of the footage; an IC-LoRA file makes the model follow it.

    - ``needs_lora``: a file has to be given.
    - ``smaller``: how much smaller than the footage the loaded file wants the control video.
    """

    smaller: int = 1
    needs_lora: bool = True

    def pipeline_class(self) -> Any:
        """The one that takes noise."""
        return in_context_pipeline()

    def check(self, options: GenerateOptions, clip: ClipFacts | None = None) -> None:
        """What all pipelines refuse; a control without its file; sizes that do not fit smaller control videos."""
        super().check(options, clip)
        if not options.large.loras:
            right = "the IC-LoRA file of the control: without it the model takes no notice of the control video"
            fix = "fetch it from Lightricks/LTX-2-19b-IC-LoRA-Depth-Control or -Canny-Control"
            raise BadValueError("--lora", "left out", right=right, fix=fix)
        ((control, strength),) = self.weights(options).items()
        if strength > 1:
            raise BadValueError(f"the weight of --control {control}", strength, right=f"at most 1 for {self.name}")
        multiple = self.layout.factor * downscaled(options)
        if clip is not None and any(length % multiple for length in clip.size):
            right = f"multiples of {multiple}: the IC-LoRA file was trained with smaller control videos"
            raise BadValueError("the size", f"{clip.size[0]}x{clip.size[1]}", right=right, fix="render with another --size")

    def load(self, options: GenerateOptions) -> PipelineModel:
        """Load the pipeline, and keep in mind how small its control videos have to be."""
        from ..pipelines.model import PipelineModel

        return PipelineModel(replace(self, smaller=downscaled(options)), options)

    def arguments(
        self, pipeline: Any, given: PipelineInputs, noise: Float[np.ndarray, "latents channels h w"]
    ) -> dict[str, Any]:
        """The control as a reference, how much it is looked at, and how much smaller it has to be."""
        from diffusers.pipelines.ltx2.pipeline_ltx2_ic_lora import LTX2ReferenceCondition

        ((control, strength),) = given.weights.items()
        return Ltx.arguments(self, pipeline, given, noise) | {
            **_first_frame(given),
            "reference_conditions": LTX2ReferenceCondition(frames=pil_video(given.controls[control])),
            "conditioning_attention_strength": float(strength),
            "reference_downscale_factor": self.smaller,
        }


def downscaled(options: GenerateOptions) -> int:
    """How much smaller than the footage the control video has to be: the largest that the LoRA files ask for.

    Raises:
        UnreadableFileError: a file is no safetensors file, or says something that is no number.
    """
    from safetensors import safe_open

    factors = [1]
    for lora in options.large.loras:
        files = sorted(lora.path.glob("*.safetensors")) if lora.path.is_dir() else [lora.path]
        for file in files:
            try:
                with safe_open(file, framework="np") as opened:
                    factors.append(int(float((opened.metadata() or {}).get(_DOWNSCALED, 1))))
            except Exception as error:  # safetensors and the file system each have errors of their own
                raise UnreadableFileError(file, what="the LoRA file", why=reason(error), fix="pass an IC-LoRA") from error
    return max(factors)


_SHARED: dict[str, Any] = {
    "layout": _LAYOUT,
    "cast": "float32",
    "scaled_by": "nobody",
    "schedulers": ("FlowMatchEulerDiscreteScheduler",),
    "size_multiple": 32,
    "own_sigmas": True,
    "loras": True,
    "guidance": 3.0,
}
_PLAIN = "Nothing but the noise and the prompt tells it about the scene. A latent is 32x32 pixels and 8 frames."

FAMILIES: tuple[ModelFamily, ...] = (
    Ltx(
        name="ltx",
        pipeline="LTXPipeline",
        latent_axes="BTHWC",
        control="none",
        needs=("noise",),
        checkpoints=(Checkpoint("Lightricks/LTX-Video", _LTX, configuration="ltx-video-2b"),),
        made_for=(161, (512, 704)),
        remarks=_PLAIN,
        **_SHARED,
    ),
    LtxCondition(
        name="ltx-condition",
        pipeline="LTXConditionPipeline",
        latent_axes="BCTHW",
        control="the first frame, where there is one",
        needs=("noise",),
        checkpoints=(
            Checkpoint("Lightricks/LTX-Video-0.9.7-dev", _LTX, configuration="ltx-video-13b"),
            Checkpoint("Lightricks/LTX-Video-0.9.5", _LTX),
        ),
        first_frame="may",
        made_for=(161, (512, 704)),
        remarks="diffusers' pipeline takes no noise: a subclass lets ours in. A latent is 32x32 pixels and 8 frames. IC-LoRA "
        "files of version 0.9.7 need tokens beside the footage's, which this pipeline of diffusers does not have; those of "
        "LTX-2 run.",
        **_SHARED,
    ),
    Ltx2(
        name="ltx2",
        pipeline="LTX2Pipeline",
        latent_axes="BTHWC",
        control="the first frame, where there is one",
        first_frame="may",
        needs=("noise",),
        checkpoints=(
            Checkpoint("Lightricks/LTX-2", _LTX2, configuration="ltx2-19b"),
            Checkpoint("diffusers/LTX-2.3-Diffusers", _LTX2),
        ),
        made_for=(121, (512, 768)),
        steps=30,
        remarks=f"{_PLAIN} A first frame takes the place of the first latent. It makes sound, too, from noise of its own; only "
        "the pictures are kept.",
        **_SHARED,
    ),
    Ltx2InContext(
        name="ltx2-control",
        pipeline=_IN_CONTEXT,
        first_frame="may",
        latent_axes="BCTHW",
        control="gray inverse depth or edges, VAE-encoded, as tokens behind the footage's, with an IC-LoRA file",
        needs=("noise", "depth", "edges"),
        needs_of_videos=("noise", "edges"),
        checkpoints=(
            Checkpoint("Lightricks/LTX-2", _LTX2, configuration="ltx2-19b"),
            Checkpoint("diffusers/LTX-2.3-Diffusers", _LTX2),
        ),
        controls=("depth", "edges"),
        joined="one",
        control_strength=True,
        made_for=(121, (512, 768)),
        steps=30,
        remarks="The weights are those of ltx2: pass --model ltx2-control, or their folder with its model_index.json changed; "
        "and --lora with the IC-LoRA file of the control (Lightricks/LTX-2-19b-IC-LoRA-Depth-Control, -Canny-Control). "
        "diffusers' pipeline takes no noise: a subclass lets ours in. A latent is 32x32 pixels and 8 frames.",
        **_SHARED,
    ),
)
