"""A pipeline that is loaded, with what was asked of it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...clip import Clip
from ...clip.footage import FrameOf, footage_settings
from ...clip.within import part_of
from ...errors import BadValueError
from ..controls import stacked
from ..edits.part import RENDERED, old_frames
from ..family import ClipFacts, ClipNoise, Frames, Noise, NoiseOf, Told
from ..options import GenerateOptions
from ..prompts import prompt_of
from ..schedulers import name_of
from .asked import guidance_of, steps_of
from .canvas import ClipCanvas
from .given import Film, Picture, PipelineInputs, continued, controls_of, first_frame_of, kept_pixels, read_picture
from .guards import require_grid, require_lengths, require_spread, require_unit_variance
from .inversion import ROUNDS, FirstOrder, inverted, mixed, sampler, ways_of
from .loading import loaded_pipeline
from .memory import estimate
from .renoising import drawing_from_the_clip
from .sampler import draws_of
from .seams import Made, joined
from .windows import NoiseOfWindows, WindowedInputs, Windows, windows_of

if TYPE_CHECKING:
    from .family import PipelineFamily


class PipelineModel:
    """What :class:`sim2real.diffusion.family.Model` asks of a model, for any pipeline."""

    def __init__(self, family: PipelineFamily, options: GenerateOptions) -> None:
        self._family, self._options = family, options
        self.pipeline = loaded_pipeline(family, options)
        self._steps, self._counts = steps_of(family, options), draws_of(family, options)
        if not family.own_sigmas and not options.large.timesteps and options.large.invert is None:
            require_spread(self.pipeline.scheduler, self._steps)

    def inputs(self, clip: Clip, camera: str, noise: NoiseOf) -> PipelineInputs | WindowedInputs:
        """What a camera's pictures, and the user, give to the pipeline; of a long clip, window by window."""
        family, large = self._family, self._options.large
        windows = windows_of(family, self._options, clip.frames)
        weights = family.weights(
            self._options, {kind: clip.has(camera, kind) for kind in ("depth", "edges", "rgb", "instances")}
        )
        asked = {
            "prompt": prompt_of(clip, camera, self._options),
            "negative_prompt": large.negative_prompt,
            "steps": self._steps,
            "guidance": guidance_of(family, self._options),
            "strength": family.strength if large.strength is None else large.strength,
            "timesteps": list(large.timesteps) or None,
            "eta": large.eta,
            "seed": self._options.seed,
            **self._source(clip, camera),
        }
        settings = self._settings(asked, weights, clip, windows)
        draw, onto = noise.draw if isinstance(noise, ClipNoise) else _only(noise), self._options.onto
        old = _footage(clip, camera, onto) if large.invert is not None and onto is not None else None
        if len(windows.first) == 1:
            return self._given(clip, camera, draw, weights, asked, settings, old)
        parts = functools.cache(lambda number: NoiseOfWindows(draw(number)))
        count = family.noise_latents(windows.length)

        def given(first: int, before: Film | None) -> PipelineInputs:
            part = part_of(clip, first, windows.length)
            begin = first // family.layout.temporal_factor
            own = None if old is None else functools.partial(_frame_after, old, first)
            inputs = self._given(part, camera, lambda number: parts(number).of(begin, count), weights, asked, settings, own)
            if before is None:
                return inputs
            if inputs.first_frame is not None:
                inputs = replace(inputs, first_frame=before[0])
            return continued(inputs, before) if large.seams == "continued" else inputs

        return WindowedInputs(noise=noise, settings=settings, windows=windows, given=given)

    def _given(
        self,
        clip: Clip,
        camera: str,
        draw: Callable[[int], NoiseOf],
        weights: dict[str, float],
        asked: dict[str, Any],
        settings: dict[str, Any],
        old: FrameOf | None,
    ) -> PipelineInputs:
        """All frames of a clip, or of a part of one."""
        needs, large = self._family.needs_of(self._options, of_video=clip.of_video), self._options.large
        return PipelineInputs(
            noise=draw(0),
            settings=settings,
            draw=draw,
            frames=clip.frames,
            size=clip.record.size,
            fps=clip.record.fps,
            controls=controls_of(clip, camera, weights),
            weights=weights,
            rgb=stacked(clip, camera, "rgb") if "rgb" in needs else None,
            kept=kept_pixels(clip, camera, self._options),
            first_frame=first_frame_of(clip, camera, self._options),
            references=tuple(read_picture(Path(path)) for path in large.references),
            asked=asked,
            source=None if old is None else np.stack([old(frame) for frame in range(clip.frames)]),
        )

    def _source(self, clip: Clip, camera: str) -> dict[str, Any]:
        """What footage shows that is turned into noise: as it is said, or as it was made."""
        onto, large = self._options.onto, self._options.large
        if large.invert is None or onto is None:
            return {}
        if large.source_prompt is not None or onto == RENDERED:
            return {"source_prompt": large.source_prompt or ""}
        whole, cameras = (clip.whole, clip.whole.cameras) if isinstance(clip, ClipCanvas) else (clip, [camera])
        made = [footage_settings(whole.folder(name) / "generated" / onto).get("prompt") for name in cameras]
        return {"source_prompt": " ".join(dict.fromkeys(prompt for prompt in made if prompt))}

    def _settings(self, asked: dict[str, Any], weights: dict[str, float], clip: Clip, windows: Windows) -> dict[str, Any]:
        """What ``settings.json`` says: nothing that was asked for is left out."""
        large, known = self._options.large, estimate(self._family, self._options, ClipFacts(windows.length, clip.record.size))
        cut = {"window": windows.length, "overlap": windows.overlap, "first_frames": list(windows.first), "seams": large.seams}
        said = {
            "fps": clip.record.fps if self._family.frame_rate_of(self.pipeline) is not None else None,
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
            "scheduler": name_of(self.pipeline.scheduler),
            **({"draws": sum(self._counts)} if self._counts else {}),
            "controls": weights,
            "dtype": str(getattr(self.pipeline, self._family.denoisers[0]).dtype).removeprefix("torch."),
            **{name: value for name, value in said.items() if value not in (None, [], False, "none")},
            **({"windows": cut} if len(windows.first) > 1 else {}),
            **({} if known is None else {"estimated_bytes": known.together}),
        }

    def run(self, inputs: PipelineInputs | WindowedInputs, tell: Told) -> Frames:
        """Denoise all frames at once, or a window at a time: its frames are yielded before the next one is begun."""
        if isinstance(inputs, PipelineInputs):
            yield from self._made(inputs, tell).pictures
            return
        windows, given = inputs.windows, inputs.given

        def make(first: int, before: Film | None) -> Made:
            done, count = windows.first.index(first), len(windows.first)
            return self._made(given(first, before), lambda step, steps: tell(done * steps + step, count * steps))

        yield from joined(windows, make, matched=self._options.large.seams == "matched")

    def _made(self, inputs: PipelineInputs, tell: Told) -> Made:
        family, pipeline = self._family, self.pipeline
        noise = inputs.noise(slice(0, family.noise_latents(inputs.frames)))
        require_unit_variance(noise)
        require_grid(noise.shape, family.grid(pipeline, inputs.frames, inputs.size), family.name)
        if inputs.source is not None:
            pictures = self._from_source(inputs, noise, tell)
        else:
            arguments = family.arguments(pipeline, inputs, family.extended(pipeline, inputs, noise, 0))
            told = _told(pipeline, tell, arguments.get("num_inference_steps", self._steps))
            with drawing_from_the_clip(pipeline.scheduler, self._counts, lambda number: self._drawn(inputs, number)):
                pictures = family.footage(pipeline(**arguments, **told))
        require_lengths(pictures, inputs.frames, inputs.size, family.name)
        if inputs.kept is not None and inputs.rgb is not None:
            pictures = np.where(inputs.kept[..., None], inputs.rgb, pictures)
        return Made(pictures, inputs.kept)

    def _from_source(self, inputs: PipelineInputs, noise: Noise, tell: Told) -> Film:
        """Footage from a video that is turned into noise, with surface noise mixed in.

        Each way asks for its arguments just before it is gone: some families prepare the pipeline for its guidance there.
        """
        family, pipeline, steps = self._family, self.pipeline, self._steps
        assert inputs.source is not None and self._options.large.invert is not None
        ways, back = ways_of(pipeline.scheduler, steps), ROUNDS * steps
        said = {"prompt": inputs.asked["source_prompt"], "negative_prompt": None, "guidance": family.guidance_off}
        asked = family.arguments(pipeline, replace(inputs, asked={**inputs.asked, **said}), noise)
        surface = asked["latents"]
        clean = family.encode(pipeline, inputs.source).to(surface.dtype)
        asked |= _told(pipeline, lambda done, total: tell(done, back + steps), back)
        latents = mixed(inverted(pipeline, ways, asked, clean), surface, self._options.large.invert)
        arguments = family.arguments(pipeline, inputs, noise)
        told = _told(pipeline, lambda done, total: tell(back + done, back + steps), steps)
        with sampler(pipeline, FirstOrder(ways)):
            return family.footage(pipeline(**(arguments | {"latents": latents}), **told))

    def _drawn(self, inputs: PipelineInputs, number: int) -> Any:
        """A further draw of the clip's noise, as the pipeline's sampler steps."""
        family, pipeline = self._family, self.pipeline
        noise = inputs.draw(number)(slice(0, family.noise_latents(inputs.frames)))
        require_unit_variance(noise)
        return family.stepped(family.latents_tensor(pipeline, family.extended(pipeline, inputs, noise, number)))


def _footage(clip: Clip, camera: str, onto: str) -> FrameOf:
    """What is turned into noise; of a canvas, the footage of all cameras."""
    return clip.footage(onto) if isinstance(clip, ClipCanvas) else old_frames(clip, camera, onto)


def _frame_after(frames: FrameOf, first: int, frame: int) -> Picture:
    """A frame of a window that begins at ``first``."""
    return frames(first + frame)


def _only(noise: NoiseOf) -> Callable[[int], NoiseOf]:
    """Noise of which there is one draw."""

    def draw(number: int) -> NoiseOf:
        if number:
            raise BadValueError("the number of draws of the noise", 1, right=f"at least {number + 1} for this sampler")
        return noise

    return draw


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
