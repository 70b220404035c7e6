"""The embedded model as a family: what it refuses, what it is given of a clip, how it makes footage of that."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32

from ....clip import Clip
from ....errors import BadValueError
from ....noise.layout import NoiseLayout
from ...family import ClipFacts, Frames, Inputs, ModelFamily, NoiseOf, Told
from ...options import GenerateOptions
from . import INFO_FILE

if TYPE_CHECKING:
    from .denoiser import PictureDenoiser
    from .folder import Info


@dataclass(frozen=True, eq=False)
class PictureInputs(Inputs):
    """Also the network's conditions, by a slice of frames and their noise, and how many frames there are."""

    conditions: Callable[[slice, np.ndarray], np.ndarray]
    frames: int


class PictureModel:
    """A denoiser that is loaded."""

    def __init__(self, options: GenerateOptions) -> None:
        from ....devices import checked_device
        from .folder import model_folder, weights_written

        folder = model_folder(options.model).resolve()
        self._options = options
        self._denoiser, self._info = _loaded(folder, weights_written(folder), checked_device(options.device))

    def inputs(self, clip: Clip, camera: str, noise: NoiseOf) -> PictureInputs:
        """A camera's conditions, as they are or with new surfaces.

        Raises:
            BadValueError: another renderer than ours made the pictures ``rgb``.
        """
        if clip.record.rgb is not None:
            fix = "make the clip again without --rgb, or use its rgb as it is"
            raise BadValueError(
                "rgb", f"by {clip.record.rgb.renderer}", right="by our renderer, which the model knows", fix=fix
            )
        from .footage import clip_conditions, restyle_of, settings_of

        asked = self._options
        strength = 1.0 if asked.large.strength is None else asked.large.strength
        restyle = restyle_of(clip.record, asked.use, asked.look, asked.keep, asked.seed, strength)

        def conditions(frames: slice, drawn: np.ndarray) -> np.ndarray:
            return clip_conditions(clip, camera, frames, restyle, drawn, worn_by=asked.wear, quick=asked.quick)

        settings = {
            "steps": asked.steps or self._info.steps,
            "wear": asked.wear,
            **({"quick": True} if asked.quick else {}),
            **settings_of(restyle, clip.record, asked.keep, clip.has(camera, "behind")),
        }
        return PictureInputs(noise, settings, conditions, clip.frames)

    def run(self, inputs: PictureInputs, tell: Told) -> Frames:
        """Denoise the frames in order."""
        return self._sampled(inputs, progress=tell)

    def stream(self, inputs: PictureInputs) -> Frames:
        """Denoise a frame whenever one is asked for; its noise and conditions are asked for then, and not before."""
        return self._sampled(inputs, chunk=1)

    def _sampled(self, inputs: PictureInputs, **how: Any) -> Frames:
        from .sample import sample

        asked = {"steps": self._options.steps or self._info.steps, "quick": self._options.quick}
        return sample(self._denoiser, inputs.noise, inputs.conditions, inputs.frames, **asked, **how)


@functools.lru_cache(maxsize=1)
def _loaded(folder: Path, written: tuple[int, int] | None, device: str) -> tuple[PictureDenoiser, Info]:
    """The network on a device, and what it says about itself; kept for the next clip as long as its file stays as it is."""
    from .folder import load_model

    denoiser, info = load_model(folder)
    place: Any = device
    return denoiser.to(place), info


class Embedded(ModelFamily):
    """Keeps or restyles; reads no text."""

    @property
    def streams(self) -> bool:
        """Its network is causal."""
        return True

    def recognizes(self, folder: Path) -> bool:
        """A folder that ``sim2real train`` wrote."""
        return (folder / INFO_FILE).is_file()

    def check(self, options: GenerateOptions, clip: ClipFacts | None = None) -> None:
        """Uses and looks that go together, names that the clip has, a model that fits this version."""
        from .folder import model_folder, read_info
        from .footage import check_use
        from .looks import parse_look
        from .surfaces import check_called

        for option, value in options.large.given().items():
            if option == "--strength" and options.use == "restyle":
                continue
            right = "left out: it belongs to large models (--model; sim2real families)"
            if option == "--invert":
                right = "left out: the embedded model makes footage in one step, through which no way leads back"
            raise BadValueError(option, value, right=right)
        check_use(options.use, options.look, options.keep)
        if options.prompt is not None:
            fix = "say what things are made of with: --use restyle --look NAME"
            raise BadValueError("the prompt", repr(options.prompt), right="absent: the embedded model reads no text", fix=fix)
        read_info(model_folder(options.model))
        super().check(options, clip)
        if clip is not None:
            check_called([*parse_look(options.look).materials, *options.keep], clip.instances)

    def load(self, options: GenerateOptions) -> PictureModel:
        """Load the one that ships, or a folder."""
        return PictureModel(options)

    def latents(self, noise: Float32[np.ndarray, "latents channels height width"]) -> Float32[np.ndarray, "..."]:
        """Folded as the model's pictures are."""
        import torch

        from ...folding import FOLD, fold_pixels

        for axis, length in zip(("height", "width"), noise.shape[2:], strict=True):
            if length % FOLD:
                right = f"a multiple of {FOLD}, which the model folds"
                raise BadValueError(f"the {axis}", length, right=right, fix="pass --size")
        folded = fold_pixels(torch.from_numpy(noise.transpose(1, 0, 2, 3))).numpy()
        return super().latents(folded.transpose(1, 0, 2, 3))


FAMILIES = (
    Embedded(
        name="embedded",
        pipeline="WanVACEPipeline",
        layout=NoiseLayout(factor=1, channels=3, temporal_factor=1),
        latent_axes="BCTHW",
        cast="float32",
        scaled_by="nobody",
        control="all conditions at pixel resolution, as attention_kwargs",
        needs=("noise", "rgb", "albedo", "material", "light", "reflection", "normals", "depth", "edges", "instances"),
        schedulers=("UniPCMultistepScheduler",),
        camera_effects="phone",
        better_with=("gloss", "coverage", "behind"),
        from_finer=True,
    ),
)
