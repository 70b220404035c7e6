"""A family that runs through a pipeline of diffusers: facts, and a few methods to override."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Float, UInt8

from ...errors import BadValueError
from ..controls import CONTROLS
from ..family import ClipFacts, ModelFamily, other_count
from ..options import GenerateOptions
from .asked import check_asked, guidance_of
from .files import require_weights
from .files import where_weights_are as where_weights_are
from .given import PipelineInputs
from .tensors import eight_bits, pil_pictures
from .windows import windows_of

if TYPE_CHECKING:
    from .model import PipelineModel


@dataclass(frozen=True)
class PipelineFamily(ModelFamily):
    """What a pipeline takes, and how it is called; the generic part does the rest.

    - ``controls``: names in ``controls.CONTROLS`` that it was trained on; the first that a clip has is the usual one.
    - ``joined``: several controls are ``blended`` into the one video that it takes, or it takes ``each`` by itself, or
      just ``one``.
    - ``control_strength``: whether it can be told how strongly a control counts.
    - ``first_frame``: whether it ``must``, ``may`` or may ``not`` be given one.
    - ``pictured_by``: the pipeline that runs the same weights where a first frame is given, if it is another one.
    - ``references``: how many reference pictures it takes.
    - ``keeps``: whether ``--keep`` can hold pixels of the render.
    - ``strength``: of video to video where nothing is asked; None: it does not start from a video.
    - ``steps``, ``guidance``: where nothing is asked.
    - ``guidance_off``: at or below it there is no guidance, and no negative prompt.
    - ``text``, ``loras``: whether it reads text, takes LoRA files.
    - ``most_frames``: that it can make at once.
    - ``made_for``: frames and size (height, width) that it was trained on.
    - ``denoisers``: names of the parts that our noise goes through.
    - ``wide``: names of parts that stay in float32, as they lose too much otherwise.
    - ``inverts``: whether a video can be turned into noise (``inversion.py``).
    - ``own_sigmas``: the pipeline hands its own list of sigmas to the scheduler.
    - ``remarks``: what a user has to know, a sentence or two.
    """

    controls: tuple[str, ...] = ()
    joined: Literal["blended", "each", "one"] = "blended"
    control_strength: bool = False
    first_frame: Literal["must", "may", "not"] = "not"
    pictured_by: str | None = None
    references: int = 0
    keeps: bool = False
    strength: float | None = None
    steps: int = 50
    guidance: float = 5.0
    guidance_off: float = 1.0
    text: bool = True
    loras: bool = False
    most_frames: int | None = None
    made_for: tuple[int, tuple[int, int]] = (81, (480, 832))
    denoisers: tuple[str, ...] = ("transformer",)
    wide: tuple[str, ...] = ()
    inverts: bool = False
    own_sigmas: bool = False
    remarks: str = ""

    # What families override

    def pipeline_class(self) -> Any:
        """The class that is loaded and called: the one of diffusers, or a subclass of it that takes noise."""
        import diffusers

        return getattr(diffusers, self.pipeline)

    def extra_parts(self, options: GenerateOptions, dtypes: Any) -> dict[str, Any]:
        """Parts of the pipeline that lie elsewhere than its weights, loaded: ControlNets, motion adapters."""
        return {}

    def arguments(
        self, pipeline: Any, given: PipelineInputs, noise: Float[np.ndarray, "latents channels h w"]
    ) -> dict[str, Any]:
        """What the pipeline is called with; ``noise`` has unit variance, is ``extended``, and becomes ``latents``.

        Families add to what this returns: ``super().arguments(...) | {"video": ...}``.
        """
        import torch

        said = given.asked
        guided = {"negative_prompt": said["negative_prompt"]} if said["negative_prompt"] is not None else {}
        texts = {"prompt": said["prompt"], **guided} if self.text else {}
        shape = {"height": given.size[0], "width": given.size[1], "num_frames": given.frames}
        taken = inspect.signature(type(pipeline).__call__).parameters
        rate = self.frame_rate_of(pipeline)
        first = given.first_frame if self.pictured_by is not None and "image" in taken else None
        eta = {} if given.asked.get("eta") is None else {"eta": given.asked["eta"]}
        return {
            **texts,
            **eta,
            **({} if first is None else {"image": pil_pictures([first])[0]}),
            **{name: value for name, value in shape.items() if name in taken},
            **({} if rate is None else {rate: int(given.fps) if given.fps == int(given.fps) else given.fps}),
            "num_inference_steps": said["steps"],
            "guidance_scale": said["guidance"],
            "latents": self.latents_tensor(pipeline, noise),
            "generator": torch.Generator("cpu").manual_seed(said["seed"]),
            "output_type": "np",
        }

    def frame_rate_of(self, pipeline: Any) -> str | None:
        """What the pipeline calls the footage's frames per second, where its model is told."""
        taken = inspect.signature(type(pipeline).__call__).parameters
        return next((name for name in ("fps", "frame_rate") if name in taken), None)

    def extended(
        self, pipeline: Any, given: PipelineInputs, noise: Float[np.ndarray, "latents channels h w"], draw: int
    ) -> Float[np.ndarray, "more channels h w"]:
        """A draw of the clip's noise, with what the pipeline wants beside it: latents that no frame of the clip stands for."""
        return noise

    def stepped(self, latents: Any) -> Any:
        """Latents in the axes in which the pipeline hands them to its sampler, where those are others than its ``latents=``."""
        return latents

    def own_sampler(self, model: str) -> Any:
        """The sampler that footage is made with where none is asked for, without the model's weights."""
        from .sampler import own_sampler

        return own_sampler(self, model)

    def encode(self, pipeline: Any, film: UInt8[np.ndarray, "frames height width 3"]) -> Any:
        """Latents of a video, scaled as the denoiser knows them, in the axes of ``latents=``; where the family ``inverts``."""
        raise NotImplementedError(f"nothing encodes a video for {self.name}")

    def noise_latents(self, frames: int) -> int:
        """How many latents of our noise footage takes."""
        return len(self.layout.latent_frames(frames))

    def grid(self, pipeline: Any, frames: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """The (latents, channels, h, w) of noise that the loaded pipeline wants, by its own configuration."""
        space = pipeline.vae_scale_factor_spatial
        time = getattr(pipeline, "vae_scale_factor_temporal", 1)
        denoiser = getattr(pipeline, self.denoisers[0])
        return (frames - 1) // time + 1, denoiser.config.in_channels, size[0] // space, size[1] // space

    def passes(self, guidance: float) -> int:
        """How often the denoiser is called in a step."""
        return 2 if guidance > self.guidance_off else 1

    def footage(self, result: Any) -> UInt8[np.ndarray, "frames height width 3"]:
        """Pictures of what the pipeline returned."""
        return eight_bits(np.asarray(result.frames[0]))

    # What they share

    def latents_tensor(self, pipeline: Any, noise: Float[np.ndarray, "latents channels h w"]) -> Any:
        """Noise in the axes of the pipeline, in the dtype that it would not cast to by itself."""
        import torch

        latents = torch.from_numpy(np.array(self.latents(noise), np.float32))  # a copy: noise may be a file that is mapped
        return latents.to(getattr(pipeline, self.denoisers[0]).dtype) if self.cast == "none" else latents

    def weights(self, options: GenerateOptions, have: Mapping[str, bool] | None = None) -> dict[str, float]:
        """Names and weights of the controls: those asked for, else the first that is there, with weight 1."""
        if options.large.controls:
            return dict(options.large.controls)
        there = [name for name in self.controls if have is None or have.get(CONTROLS[name].kind, False)]
        return dict.fromkeys(there[:1], 1.0)

    def needs_of(self, options: GenerateOptions, *, of_video: bool) -> tuple[str, ...]:
        """The noise, what its controls are made from, and the render where footage starts from it or keeps parts of it.

        Also what ``--prompt auto`` is written from.
        """
        asked = options.large
        if not asked.controls:
            kinds = list(self.needs_for(of_video=of_video))
            if self.controls and not of_video:  # the usual control alone, not all that it could follow
                kinds = ["noise", *(kind for kind in kinds if kind == CONTROLS[self.controls[0]].kind)]
        else:
            kinds = ["noise", *(CONTROLS[name].kind for name in asked.controls)]
        begins = self.strength is not None or (asked.invert is not None and options.onto == "rgb")
        rendered = begins or str(asked.first_frame) == "rgb" or bool(options.keep)
        told = options.prompt == "auto" and not of_video
        kinds += ["rgb"] * (rendered or told) + ["instances"] * (bool(options.keep) or told)
        return tuple(dict.fromkeys(kinds))

    def check(self, options: GenerateOptions, clip: ClipFacts | None = None) -> None:
        """Refuse options that it does not take, weights that are not whole, sizes and lengths that it does not make."""
        check_asked(self, options)
        require_weights(self, options)
        super().check(options, clip)
        if clip is None:
            return
        if options.keep:
            from ..families.embedded.surfaces import check_called

            check_called(options.keep, clip.instances)
        if self.most_frames is not None and clip.frames > self.most_frames:
            right = f"at most {self.most_frames} at once for {self.name}"
            raise BadValueError("the number of frames", clip.frames, right=right, fix="pass a shorter --window, or none")

    def check_footage(self, options: GenerateOptions, clip: ClipFacts) -> None:
        """Of a clip that is made in windows, each has to be of a length that the family makes."""
        windows, step = windows_of(self, options, clip.frames), self.layout.temporal_factor
        if len(windows.first) > 1 and clip.frames % step != 1 % step:
            right, fix = f"{step} n + 1 for {self.name}", other_count(clip.frames, step)
            raise BadValueError("the number of frames", clip.frames, right=right, fix=fix)
        self.check(options, replace(clip, frames=windows.length))

    def expected(self, options: GenerateOptions, clip: ClipFacts) -> str | None:
        """By the folder's files, or the published configuration; a line for memory and one for time."""
        from .memory import estimate
        from .work import rate_of, work_of

        windows = windows_of(self, options, clip.frames)
        window, count = replace(clip, frames=windows.length), len(windows.first)
        known, work = estimate(self, options, window), work_of(self, options, window)
        said = [] if known is None else [known.sentence(options.large.offload)]
        if work is not None:
            said.append(replace(work, passes=count * work.passes).sentence(*rate_of(options.large.dtype)))
        said += [windows.sentence()] if count > 1 else []
        if options.large.invert is not None and (guidance := guidance_of(self, options)) > self.guidance_off:
            said.append(f"with --guidance {guidance:g} footage goes elsewhere than back, also with the same prompt")
        return "\n".join(said) or None

    def draws_needed(self, options: GenerateOptions) -> int:
        """By running its sampler without the model."""
        from .sampler import draws_of

        return sum(draws_of(self, options))

    def load(self, options: GenerateOptions) -> PipelineModel:
        """Load the pipeline, or take the one that is loaded already."""
        from .model import PipelineModel

        return PipelineModel(self if options.large.first_frame is None else self.with_picture(), options)

    def with_picture(self) -> PipelineFamily:
        """The family as it runs where a first frame is given."""
        return self if self.pictured_by is None else replace(self, pipeline=self.pictured_by)
