"""A pipeline that is loaded, with what was asked of it."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...clip import Clip
from ..controls import stacked
from ..family import ClipFacts, Frames, NoiseOf, Told
from ..options import GenerateOptions
from ..prompts import prompt_of
from .given import PipelineInputs, controls_of, first_frame_of, kept_pixels, read_picture
from .guards import require_grid, require_lengths, require_spread, require_unit_variance
from .loading import loaded_pipeline
from .memory import estimate

if TYPE_CHECKING:
    from .family import PipelineFamily


class PipelineModel:
    """What :class:`sim2real.diffusion.family.Model` asks of a model, for any pipeline."""

    def __init__(self, family: PipelineFamily, options: GenerateOptions) -> None:
        self._family, self._options = family, options
        self.pipeline = loaded_pipeline(family, options)
        if not family.own_sigmas:
            require_spread(self.pipeline.scheduler, self._steps)

    @property
    def _steps(self) -> int:
        return self._family.steps if self._options.steps is None else self._options.steps

    def inputs(self, clip: Clip, camera: str, noise: NoiseOf) -> PipelineInputs:
        """What a camera's pictures, and the user, give to the pipeline."""
        family, large = self._family, self._options.large
        needs = family.needs_of(self._options, of_video=clip.of_video)
        weights = family.weights(
            self._options, {kind: clip.has(camera, kind) for kind in ("depth", "edges", "rgb", "instances")}
        )
        asked = {
            "prompt": prompt_of(clip, camera, self._options),
            "negative_prompt": large.negative_prompt,
            "steps": self._steps,
            "guidance": family.guidance if large.guidance is None else large.guidance,
            "strength": family.strength if large.strength is None else large.strength,
            "seed": self._options.seed,
        }
        return PipelineInputs(
            noise=noise,
            settings=self._settings(asked, weights, clip),
            frames=clip.frames,
            size=clip.record.size,
            controls=controls_of(clip, camera, weights),
            weights=weights,
            rgb=stacked(clip, camera, "rgb") if "rgb" in needs else None,
            kept=kept_pixels(clip, camera, self._options),
            first_frame=first_frame_of(clip, camera, self._options),
            references=tuple(read_picture(Path(path)) for path in large.references),
            asked=asked,
        )

    def _settings(self, asked: dict[str, Any], weights: dict[str, float], clip: Clip) -> dict[str, Any]:
        """What ``settings.json`` says: nothing that was asked for is left out."""
        large, known = self._options.large, estimate(self._family, self._options, ClipFacts(clip.frames, clip.record.size))
        said = {
            "first_frame": None if large.first_frame is None else str(large.first_frame),
            "references": [str(path) for path in large.references],
            "loras": [str(lora) for lora in large.loras],
            "keep": list(self._options.keep),
            "look": self._options.look,
            "offload": large.offload,
            "device_map": large.device_map,
            "vae_tiling": large.vae_tiling,
            "attention_slicing": large.attention_slicing,
            "compile": large.compile,
        }
        return {
            "family": self._family.name,
            **{name: value for name, value in asked.items() if name != "seed" and value is not None},
            "scheduler": type(self.pipeline.scheduler).__name__,
            "controls": weights,
            "dtype": str(getattr(self.pipeline, self._family.denoisers[0]).dtype).removeprefix("torch."),
            **{name: value for name, value in said.items() if value not in (None, [], False, "none")},
            **({} if known is None else {"estimated_bytes": known.together}),
        }

    def run(self, inputs: PipelineInputs, tell: Told) -> Frames:
        """Denoise all frames at once."""
        family, pipeline = self._family, self.pipeline
        noise = inputs.noise(slice(0, family.noise_latents(inputs.frames)))
        require_unit_variance(noise)
        require_grid(noise.shape, family.grid(pipeline, inputs.frames, inputs.size), family.name)
        arguments = family.arguments(pipeline, inputs, noise)
        result = pipeline(**arguments, **_told(pipeline, tell, arguments.get("num_inference_steps", self._steps)))
        pictures = family.footage(result)
        require_lengths(pictures, inputs.frames, inputs.size, family.name)
        if inputs.kept is not None and inputs.rgb is not None:
            pictures = np.where(inputs.kept[..., None], inputs.rgb, pictures)
        yield from pictures


def _told(pipeline: Any, tell: Told, steps: int) -> dict[str, Any]:
    """A callback that reports every step, as far as the pipeline has one."""
    taken = inspect.signature(type(pipeline).__call__).parameters

    def on_step_end(_: object, index: int, timestep: object, tensors: dict[str, Any]) -> dict[str, Any]:
        tell(index + 1, max(steps, index + 1))
        return {}

    if "callback_on_step_end" in taken:
        asked = {"callback_on_step_end_tensor_inputs": []} if "callback_on_step_end_tensor_inputs" in taken else {}
        return {"callback_on_step_end": on_step_end, **asked}
    if "callback" in taken:
        return {"callback": lambda index, timestep, latents: tell(index + 1, max(steps, index + 1))}
    return {}
