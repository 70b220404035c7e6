"""What a family of video models is: its facts, what it refuses, what it is given of a clip, how it makes footage of that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, UInt8

from ..clip import Clip, InstanceRecord
from ..errors import BadValueError
from ..noise.layout import NoiseLayout
from ..scene import Instance
from ..text_files import read_json
from .checkpoints import Checkpoint
from .options import GenerateOptions

Noise = Float32[np.ndarray, "n channels h w"]
NoiseOf = Callable[[slice], Noise]
"""Unit-variance noise by a slice of latents."""


class ClipNoise:
    """Noise of a camera by a slice of latents, and further draws of it: independent values with the same motion."""

    def __init__(self, of: Callable[[int], NoiseOf]) -> None:
        """``of``: makes the noise of a draw, by its number; it is asked for each once."""
        self._of = of
        self._draws: dict[int, NoiseOf] = {}

    def __call__(self, latents: slice) -> Noise:
        """The noise that footage begins from: draw 0."""
        return self.draw(0)(latents)

    def draw(self, number: int) -> NoiseOf:
        """A draw, counted from 0."""
        if number not in self._draws:
            self._draws[number] = self._of(number)
        return self._draws[number]


Frames = Iterator[UInt8[np.ndarray, "height width 3"]]
Told = Callable[[int, int], None]
"""Called with how much is done, and how much there is."""


@dataclass(frozen=True)
class ClipFacts:
    """What is known of a clip before there is one.

    - ``size``: (height, width) of its pictures.
    - ``instances``: of the scene, or of the clip's record.
    """

    frames: int
    size: tuple[int, int]
    instances: Sequence[Instance | InstanceRecord] = ()


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a model is given of one camera; families add what they need.

    - ``noise``: of the family's layout.
    - ``settings``: what ``settings.json`` says of the run, JSON types.
    """

    noise: NoiseOf
    settings: Mapping[str, Any]


@runtime_checkable
class Model(Protocol):
    """A model that is loaded, with what was asked of it."""

    def inputs(self, clip: Clip, camera: str, noise: NoiseOf) -> Any:
        """What the model is given of a camera: ``Inputs``, or a record that adds to them."""
        ...

    def run(self, inputs: Any, tell: Told) -> Frames:
        """The footage, frame by frame, from what ``inputs`` returned."""
        ...


@dataclass(frozen=True)
class ModelFamily:
    """One family of video diffusion models.

    As it is, it holds facts, for ``render --for`` and ``export``; a family that runs here overrides ``load``.

    - ``pipeline``: the class of diffusers that runs it.
    - ``layout``: pixels and frames per latent, and channels, in which the noise is rendered.
    - ``latent_axes``: order of the axes of ``latents=``, a letter each (B, C, T, H, W).
    - ``cast``: dtype that the pipeline casts latents to; "none" when the caller has to.
    - ``scaled_by``: who multiplies unit-variance noise by the first sigma: "nobody" or "pipeline".
    - ``control``: what the control video shows, and how it enters.
    - ``needs``: the kinds of pictures of a clip that footage is made from.
    - ``needs_of_videos``: the same of clips of real videos, where fewer will do; None: these need the same.
    - ``schedulers``: samplers that draw no noise of their own, so that the warp survives.
    - ``renoising``: samplers that add noise at every step; they are given further draws of the clip's.
    - ``checkpoints``: weights that belong to the family.
    - ``size_multiple``: what picture sizes must be a multiple of, in pixels.
    - ``frames_step``: numbers of frames are a multiple of it plus one; None: of the layout's frames per latent.
    - ``better_with``: further kinds of a scene's clip, rendered for it, and used where a clip has them.
    - ``camera_effects``: the camera that films its footage where none is asked for.
    - ``from_finer``: whether footage is made from the finer pictures of a clip that has them, and then reduced.
    """

    name: str
    pipeline: str
    layout: NoiseLayout
    latent_axes: str
    cast: str
    scaled_by: str
    control: str
    needs: tuple[str, ...]
    schedulers: tuple[str, ...]
    checkpoints: tuple[Checkpoint, ...] = ()
    size_multiple: int = 1
    frames_step: int | None = None
    camera_effects: str = "none"
    needs_of_videos: tuple[str, ...] | None = None
    renoising: tuple[str, ...] = ()
    better_with: tuple[str, ...] = ()
    from_finer: bool = False

    def needs_for(self, *, of_video: bool) -> tuple[str, ...]:
        """The kinds of pictures that footage is made from, of the clip of a real video or of a scene."""
        return self.needs if not of_video or self.needs_of_videos is None else self.needs_of_videos

    def needs_of(self, options: GenerateOptions, *, of_video: bool) -> tuple[str, ...]:
        """The kinds of pictures that footage is made from when this is asked for."""
        return self.needs_for(of_video=of_video)

    def rendered_for(self, options: GenerateOptions) -> tuple[str, ...]:
        """The kinds of pictures that a scene's clip is given for it."""
        return (*self.needs_of(options, of_video=False), *self.better_with)

    @property
    def hub_ids(self) -> tuple[str, ...]:
        """The names of its weights on the hub."""
        return tuple(one.hub_id for one in self.checkpoints)

    @property
    def streams(self) -> bool:
        """Whether its models make a frame of what came before it alone: ``model.stream`` then takes one frame at a time."""
        return False

    @property
    def runs(self) -> bool:
        """Whether footage can be generated with it here."""
        return type(self).load is not ModelFamily.load

    def recognizes(self, folder: Path) -> bool:
        """Whether a folder holds a model of the family."""
        return pipeline_class(folder) == self.pipeline

    def check(self, options: GenerateOptions, clip: ClipFacts | None = None) -> None:
        """Refuse what the family cannot do, before anything is rendered or loaded.

        Args:
            options: what is asked for.
            clip: what it is asked of; None where only the options are known.

        Raises:
            BadValueError: an option that the family does not have or take, another number of frames, or another size.
            UnknownNameError: the options name what does not exist, or what the clip does not have.
            MissingFileError: the model is not there.
            UnreadableFileError: it is not whole, or does not fit this version.
        """
        if clip is None:
            return
        if any(length % self.size_multiple for length in clip.size):
            right = f"multiples of {self.size_multiple} for {self.name}"
            raise BadValueError("the size", f"{clip.size[0]}x{clip.size[1]}", right=right, fix="render with another --size")
        time = self.frames_step or self.layout.temporal_factor
        if time > 1 and (clip.frames % time != 1 or clip.frames == 1):
            right = f"{time} n + 1 for {self.name}"
            raise BadValueError("the number of frames", clip.frames, right=right, fix=other_count(clip.frames, time))

    def check_footage(self, options: GenerateOptions, clip: ClipFacts) -> None:
        """Refuse what the family cannot do with a clip; where it makes long clips in parts, each part is checked.

        Raises:
            BadValueError, UnknownNameError, MissingFileError, UnreadableFileError: as ``check``.
        """
        self.check(options, clip)

    def expected(self, options: GenerateOptions, clip: ClipFacts) -> str | None:
        """What loading and running will take of memory and time, lines for people; None where it is little, or not known."""
        return None

    def draws_needed(self, options: GenerateOptions) -> int:
        """How many further draws of a clip's noise footage takes, where its sampler adds noise while it runs.

        Raises:
            UnreadableFileError, BadValueError: the model's sampler cannot be read, or is not known to keep the warp.
        """
        return 0

    def load(self, options: GenerateOptions) -> Model:
        """Load the model that ``check`` has passed.

        Raises:
            UnreadableFileError: it cannot be loaded.
            BadValueError: its sampler is not known to keep the warp, or there is no such device.
        """
        raise NotImplementedError(f"{self.name} is data only")

    def latents(self, noise: Float32[np.ndarray, "latents channels height width"]) -> Float32[np.ndarray, "..."]:
        """Noise as the family's pipeline takes it: a batch of one, axes in ``latent_axes``' order."""
        order = ["BTCHW".index(axis) for axis in self.latent_axes]
        return np.ascontiguousarray(noise[None].transpose(order))


def pipeline_class(folder: Path) -> str | None:
    """The pipeline that ``model_index.json`` of a folder names; None where there is no such file."""
    file = folder / "model_index.json"
    if not file.is_file():
        return None
    return str(read_json(file, what="the model's index", fix="fetch or copy the model again").get("_class_name"))


def other_count(frames: int, time: int) -> str:
    """Which counts are near: the clip surely has enough frames for the lower one; one frame is no video."""
    lower = (frames - 1) // time * time + 1
    longer = f"--frames {lower + time}, if the scene or video goes on for so long"
    return (
        f"make the clip again with {longer}" if lower == 1 else f"make the clip again with --frames {lower}, or with {longer}"
    )
