# pyright: reportPrivateImportUsage=false
"""NVIDIA Cosmos: Transfer 2.5 with control nets, Predict 2.5 and Predict 2 from text or a first frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ...errors import UnreadableFileError
from ...noise.layout import NoiseLayout
from ...optional import require
from ..checkpoints import Checkpoint
from ..family import ClipFacts, ModelFamily
from ..options import GenerateOptions
from ..pipelines import PipelineFamily, PipelineInputs
from ..pipelines.chunks import chunks_of, transfer_pipeline
from ..pipelines.files import unreadable, where_weights_are
from ..pipelines.tensors import pil_pictures, pil_video

_LAYOUT = NoiseLayout(factor=8, channels=16, temporal_factor=4)
_LICENSE = "NVIDIA Open Model License (its guardrail must stay on)"
_TRANSFER = "nvidia/Cosmos-Transfer2.5-2B"
_NETS = {"depth": "depth", "edges": "edge", "instances": "seg", "blur": "blur"}
"""Which net, of the names in revisions of the weights, follows which control."""
_WHOLE = 93
"""Frames that the models were trained on."""


def safety_checker() -> Any:
    """NVIDIA's guardrail, without which the pipelines do not run, and whose license forbids to leave it out.

    Raises:
        MissingPackageError: it is not installed.
    """
    return require("cosmos_guardrail", "cosmos").CosmosSafetyChecker()


def require_packages() -> None:
    """Refuse, before anything is loaded, what cannot run without packages that are not here.

    Raises:
        MissingPackageError: cosmos_guardrail or torchvision is not installed.
    """
    for package in ("cosmos_guardrail", "torchvision"):
        require(package, "cosmos")


@dataclass(frozen=True)
class Cosmos(PipelineFamily):
    """Text is checked before, and footage after, by NVIDIA's guardrail."""

    def check(self, options: GenerateOptions, clip: ClipFacts | None = None) -> None:
        """That the guardrail is there, before anything is fetched; and what all pipelines refuse."""
        require_packages()
        super().check(options, clip)

    def extra_parts(self, options: GenerateOptions, dtypes: Any) -> dict[str, Any]:
        """The guardrail, which folders of weights do not hold."""
        return {"safety_checker": safety_checker()}

    def grid(self, pipeline: Any, frames: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """By the VAE's channels: the transformer is also told which latents are given."""
        latents, _, height, width = super().grid(pipeline, frames, size)
        return latents, pipeline.vae.config.z_dim, height, width


@dataclass(frozen=True)
class CosmosTransfer(Cosmos):
    """A control net; clips longer than ``chunk`` frames are made in chunks, each with the noise of its own frames."""

    chunk: int = _WHOLE

    def pipeline_class(self) -> Any:
        """The one that takes noise chunk by chunk."""
        return transfer_pipeline()

    def weights(self, options: GenerateOptions, have: Mapping[str, bool] | None = None) -> dict[str, float]:
        """The control asked for, else the first: the net is loaded before any clip is seen, and what that has cannot decide."""
        return super().weights(options)

    def net_of(self, options: GenerateOptions) -> tuple[str, str | None]:
        """Where the net of the control lies: a folder in the model's, or a hub id with a revision."""
        (control,) = self.weights(options)
        model = Path(where_weights_are(self, options.model))
        for folder in (model / f"controlnet-{control}", model / "controlnet"):
            if folder.is_dir():
                return str(folder), None
        return _TRANSFER, f"diffusers/controlnet/general/{_NETS[control]}"

    def check(self, options: GenerateOptions, clip: ClipFacts | None = None) -> None:
        """What all pipelines refuse; and a net that lies neither in the folder nor on the hub."""
        super().check(options, clip)
        place, revision = self.net_of(options)
        if revision is None:
            if not (Path(place) / "config.json").is_file() or not any(Path(place).glob("*.safetensors")):
                why, fix = "it lacks its config.json or its weights", "copy or download it again"
                raise UnreadableFileError(place, what="the control net", why=why, fix=fix)
        elif Path(where_weights_are(self, options.model)).is_dir():
            (control,) = self.weights(options)
            fix = f"copy what `hf download {place} --revision {revision}` fetches to controlnet-{control}/ in it"
            why = f"it has no net for --control {control}"
            raise UnreadableFileError(str(options.model), what="the model", why=why, fix=fix)

    def extra_parts(self, options: GenerateOptions, dtypes: Any) -> dict[str, Any]:
        """The guardrail, and the net of the control."""
        import diffusers

        place, revision = self.net_of(options)
        asked = {} if revision is None else {"revision": revision}
        try:
            net = diffusers.CosmosControlNetModel.from_pretrained(place, dtype=dtypes, **asked)
        except Exception as error:  # hub, JSON and weights each have errors of their own
            raise unreadable(place, error, self.checkpoints[0]) from error
        return super().extra_parts(options, dtypes) | {"controlnet": net}

    def arguments(
        self, pipeline: Any, given: PipelineInputs, noise: Float[np.ndarray, "latents channels h w"]
    ) -> dict[str, Any]:
        """Pictures of the control, its strength, and noise as an iterator over chunks."""
        ((control, strength),) = given.weights.items()
        chunk = min(given.frames, self.chunk)
        parts = chunks_of(noise, (chunk - 1) // self.layout.temporal_factor + 1, given.asked["seed"])
        return super().arguments(pipeline, given, noise) | {
            "controls": pil_video(given.controls[control]),
            "controls_conditioning_scale": float(strength),
            "num_frames_per_chunk": chunk,
            "latents": iter([self.latents_tensor(pipeline, part) for part in parts]),
        }


@dataclass(frozen=True)
class CosmosPredict(Cosmos):
    """Begins from a first frame, or from text alone."""

    def arguments(
        self, pipeline: Any, given: PipelineInputs, noise: Float[np.ndarray, "latents channels h w"]
    ) -> dict[str, Any]:
        """The first frame, where there is one, as a video of one frame."""
        arguments = super().arguments(pipeline, given, noise)
        if given.first_frame is None:
            return arguments
        return arguments | {"video": pil_pictures([given.first_frame]), "num_latent_conditional_frames": 1}


@dataclass(frozen=True)
class CosmosWorld(Cosmos):
    """Predict 2: the pipeline multiplies the noise by its first sigma, 80, and divides by 81 for the denoiser."""

    def arguments(
        self, pipeline: Any, given: PipelineInputs, noise: Float[np.ndarray, "latents channels h w"]
    ) -> dict[str, Any]:
        """The first frame beside the noise."""
        assert given.first_frame is not None
        return super().arguments(pipeline, given, noise) | {"image": pil_pictures([given.first_frame])[0]}


_SHARED: dict[str, Any] = {
    "layout": _LAYOUT,
    "latent_axes": "BCTHW",
    "cast": "float32",
    "size_multiple": 16,
    "made_for": (_WHOLE, (704, 1280)),
}
_GUIDED = "Guidance g is p + g (p - n) here, which others call g + 1."

FAMILIES: tuple[ModelFamily, ...] = (
    CosmosTransfer(
        name="cosmos-transfer",
        pipeline="Cosmos2_5_TransferPipeline",
        scaled_by="nobody",
        schedulers=("UniPCMultistepScheduler",),
        checkpoints=(
            Checkpoint(_TRANSFER, _LICENSE, gated=True, revision="diffusers/general", configuration="cosmos-transfer2.5-2b"),
        ),
        control="gray inverse depth, edges, a color per instance, or the blurred render; VAE-encoded, a control net each",
        needs=("noise", "depth", "edges", "instances", "rgb"),
        needs_of_videos=("noise", "edges"),
        controls=tuple(_NETS),
        joined="one",
        control_strength=True,
        steps=36,
        guidance=3.0,
        remarks=f"Its net lies in controlnet-NAME/ or controlnet/ of the folder, or comes from the hub. Clips of more than "
        f"{_WHOLE} frames are made in chunks that go on from each other's last frame; 92 n + 1 frames leave nothing over. "
        f"{_GUIDED}",
        **_SHARED,
    ),
    CosmosPredict(
        name="cosmos-predict",
        pipeline="Cosmos2_5_PredictBasePipeline",
        scaled_by="nobody",
        schedulers=("UniPCMultistepScheduler",),
        checkpoints=(
            Checkpoint(
                "nvidia/Cosmos-Predict2.5-2B",
                _LICENSE,
                gated=True,
                revision="diffusers/base/post-trained",
                configuration="cosmos-predict2.5-2b",
            ),
            Checkpoint(
                "nvidia/Cosmos-Predict2.5-14B",
                _LICENSE,
                gated=True,
                revision="diffusers/base/post-trained",
                configuration="cosmos-predict2.5-14b",
            ),
        ),
        control="the first frame, where there is one",
        needs=("noise",),
        first_frame="may",
        loras=True,
        steps=36,
        guidance=7.0,
        remarks=f"A first frame takes the place of the first latent; noise decides the rest. {_GUIDED}",
        **_SHARED,
    ),
    CosmosWorld(
        name="cosmos-predict2",
        pipeline="Cosmos2VideoToWorldPipeline",
        scaled_by="pipeline",
        schedulers=("FlowMatchEulerDiscreteScheduler",),
        checkpoints=(
            Checkpoint("nvidia/Cosmos-Predict2-2B-Video2World", _LICENSE, gated=True, configuration="cosmos-predict2-2b"),
            Checkpoint("nvidia/Cosmos-Predict2-14B-Video2World", _LICENSE, gated=True, configuration="cosmos-predict2-14b"),
        ),
        control="the first frame",
        needs=("noise",),
        first_frame="must",
        own_sigmas=True,
        steps=35,
        guidance=7.0,
        remarks=f"Made for 16 frames a second, and told the clip's. The first frame takes the place of the first latent. "
        f"{_GUIDED}",
        **_SHARED,
    ),
)
