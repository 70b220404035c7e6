"""AnimateDiff: Stable Diffusion 1.5 with motion modules, steered by ControlNets, by few key frames, or from a video."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ...errors import BadValueError
from ..checkpoints import Checkpoint
from ..family import ClipFacts, pipeline_class
from ..options import GenerateOptions
from ..pipelines import PipelineInputs
from ..pipelines.files import where_weights_are
from ..pipelines.sampler import sampler_configuration
from ..pipelines.tensors import pil_pictures, pil_video
from ..pipelines.video_to_video import noised
from ..schedulers import DETERMINISTIC_DDPM, RENOISING_DDPM
from .stable_diffusion import (
    CONTROLNETS,
    LAYOUT,
    NET_KINDS,
    PLAIN,
    ControlledByNets,
    Part,
    checkpoints_with,
    ddim_like,
    uses_plain_sampler,
)

_ADAPTER = Part("motion_adapter", "MotionAdapter", Checkpoint("guoyww/animatediff-motion-adapter-v1-5-3", "Apache-2.0"))
_SPARSE = {
    "scribble": Part(
        "sparsectrl-scribble", "SparseControlNetModel", Checkpoint("guoyww/animatediff-sparsectrl-scribble", "Apache-2.0")
    ),
    "rgb": Part("sparsectrl-rgb", "SparseControlNetModel", Checkpoint("guoyww/animatediff-sparsectrl-rgb", "Apache-2.0")),
}
_KEY_EVERY = 8
"""Frames from one key frame to the next."""
_LONGEST = 32
"""Frames: the motion modules know as many positions."""


@dataclass(frozen=True)
class AnimateDiff(ControlledByNets):
    """A motion adapter and ControlNets beside weights of Stable Diffusion 1.5, or a pipeline that diffusers has saved."""

    def recognizes(self, folder: Path) -> bool:
        """A saved pipeline, or plain Stable Diffusion without SparseCtrl nets beside it."""
        known = pipeline_class(folder)
        return known == self.pipeline or (known == PLAIN and not any(folder.glob("sparsectrl-*")))

    def parts(self, options: GenerateOptions) -> dict[str, list[Part]]:
        """The motion adapter beside the nets."""
        return super().parts(options) | {"motion_adapter": [_ADAPTER]}

    def check(self, options: GenerateOptions, clip: ClipFacts | None = None) -> None:
        """Also refuse another noise schedule than the motion modules were trained with: footage would be washed out."""
        super().check(options, clip)
        model = where_weights_are(self, options.model)
        schedule = sampler_configuration(model).get("beta_schedule", "linear")
        if schedule != "linear" and not uses_plain_sampler(model):
            fix = "change beta_schedule in scheduler/scheduler_config.json"
            right = "linear, as the motion modules were trained with"
            raise BadValueError("the sampler's noise schedule", schedule, right=right, fix=fix, where=model)

    def plain_sampler(self, model: str) -> Any:
        """DDIM on the linear schedule of the motion modules, which is not that of Stable Diffusion."""
        return ddim_like(model, beta_schedule="linear", timestep_spacing="linspace", clip_sample=False, steps_offset=1)


@dataclass(frozen=True)
class AnimateDiffSparse(AnimateDiff):
    """One SparseCtrl net that is shown key frames: every eighth and the last; or one picture as the first frame."""

    def recognizes(self, folder: Path) -> bool:
        """A saved pipeline, or plain Stable Diffusion with SparseCtrl nets beside it."""
        known = pipeline_class(folder)
        return known == self.pipeline or (known == PLAIN and any(folder.glob("sparsectrl-*")))

    def net_for(self, control: str, options: GenerateOptions) -> Part:
        """The net of a control."""
        part = _SPARSE[control]
        model = Path(where_weights_are(self, options.model))
        saved = (model / "controlnet").is_dir() and not (model / part.folder).is_dir()
        return replace(part, folder="controlnet") if saved else part

    def check(self, options: GenerateOptions, clip: ClipFacts | None = None) -> None:
        """Also refuse a first frame that no net looks at."""
        super().check(options, clip)
        if options.large.first_frame is not None and "rgb" not in self.weights(options):
            right = "given with --control rgb, whose net looks at pictures"
            raise BadValueError("--first-frame", options.large.first_frame, right=right)

    def pipeline_class(self) -> Any:
        """A subclass that encodes key frames without a draw: diffusers samples their latents from torch's global generator."""
        from ..pipelines.sparse_control import sparse_pipeline

        return sparse_pipeline()

    def arguments(
        self, pipeline: Any, given: PipelineInputs, noise: Float[np.ndarray, "latents channels h w"]
    ) -> dict[str, Any]:
        """Pictures of the key frames alone, and where they stand."""
        keys = [0] if given.first_frame is not None else key_frames(given.frames)
        (control,) = given.controls.values()
        pictures = pil_video(control[keys]) if given.first_frame is None else pil_pictures([given.first_frame])
        return super().arguments(pipeline, given, noise) | {
            "conditioning_frames": pictures,
            "controlnet_frame_indices": keys,
        }


def key_frames(frames: int) -> list[int]:
    """Every eighth frame and the last."""
    return sorted({*range(0, frames, _KEY_EVERY), frames - 1})


@dataclass(frozen=True)
class AnimateDiffVideo(AnimateDiff):
    """Begins from the render or a video, with our noise on top of it (SDEdit, arXiv 2108.01073), and follows ControlNets."""

    def recognizes(self, folder: Path) -> bool:
        """A saved pipeline alone: plain weights are AnimateDiff's."""
        return pipeline_class(folder) == self.pipeline

    def arguments(
        self, pipeline: Any, given: PipelineInputs, noise: Float[np.ndarray, "latents channels h w"]
    ) -> dict[str, Any]:
        """The pipeline takes a video or latents, not both, and scales neither: the video is encoded and noised here."""
        assert given.rgb is not None
        arguments = super().arguments(pipeline, given, noise)
        latents = noised(pipeline, self.encode(pipeline, given.rgb), arguments["latents"], given)
        return arguments | {"latents": latents, "strength": given.asked["strength"]}


_SHARED: dict[str, Any] = {
    "layout": LAYOUT,
    "latent_axes": "BCTHW",
    "cast": "none",
    "scaled_by": "pipeline",
    "schedulers": DETERMINISTIC_DDPM,
    "renoising": RENOISING_DDPM,
    "checkpoints": checkpoints_with("animatediff"),
    "size_multiple": 8,
    "joined": "each",
    "control_strength": True,
    "steps": 25,
    "guidance": 7.5,
    "loras": True,
    "most_frames": _LONGEST,
    "made_for": (16, (512, 512)),
    "denoisers": ("unet",),
}
_FOLDER = (
    "A folder is one of Stable Diffusion 1.5 or a model that was tuned from it, with motion_adapter/ and a net per control "
    "in it; what it lacks is fetched from the hub."
)

FAMILIES = (
    AnimateDiff(
        name="animatediff-controlnet",
        pipeline="AnimateDiffControlNetPipeline",
        control="a picture per frame and ControlNet: depth, edges, soft edges, scribble, each with its weight",
        needs=NET_KINDS,
        controls=tuple(CONTROLNETS),
        inverts=True,
        remarks=f"{_FOLDER} Nets are in controlnet-depth/, controlnet-edges/, controlnet-soft-edges/, controlnet-scribble/. "
        "The motion LoRA spacepxl/animatediffv3_warpednoise_motionlora was trained on warped noise: try it with --lora.",
        **_SHARED,
    ),
    AnimateDiffSparse(
        name="animatediff-sparsectrl",
        pipeline="AnimateDiffSparseControlNetPipeline",
        control="every eighth frame and the last, as scribbles or pictures; the frames between follow the noise alone",
        needs=("noise", "edges"),
        controls=tuple(_SPARSE),
        first_frame="may",
        remarks=f"{_FOLDER} Nets are in sparsectrl-scribble/ and sparsectrl-rgb/. With --control rgb --first-frame PHOTO "
        "footage begins from a photograph. The LoRA guoyww/animatediff-motion-lora-v1-5-3 belongs to these nets: pass it "
        "with --lora.",
        **(_SHARED | {"checkpoints": checkpoints_with("animatediff-sparsectrl"), "joined": "one"}),
    ),
    AnimateDiffVideo(
        name="animatediff-v2v",
        pipeline="AnimateDiffVideoToVideoControlNetPipeline",
        control="the render, noised by strength, and a picture per frame and ControlNet",
        needs=("rgb", *NET_KINDS),
        controls=tuple(CONTROLNETS),
        strength=0.7,
        remarks="The weights are those of animatediff-controlnet: pass --model animatediff-v2v, or their folder with its "
        "model_index.json changed.",
        **_SHARED,
    ),
)
