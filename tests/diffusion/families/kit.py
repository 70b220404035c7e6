"""How a family is tried: its tiny pipeline runs on a clip, and what reaches its networks is written down."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diffusers import CogVideoXDDIMScheduler, DDIMScheduler, UniPCMultistepScheduler
from PIL import Image
from torch.overrides import TorchFunctionMode

from sim2real.clip import Clip, read_clip
from sim2real.diffusion import GenerateOptions, LargeModelOptions, families, generate
from sim2real.diffusion.family import ModelFamily
from sim2real.diffusion.inputs import noise_source
from sim2real.diffusion.pipelines import PipelineFamily
from sim2real.diffusion.pipelines.loading import loaded_pipeline
from sim2real.render import RenderOptions, render_clip
from sim2real.scene import LoadOptions, load
from tests.diffusion.families.tiny import Tiny, tiny_families

ROOT = Path(__file__).parents[3]
OWN_SAMPLERS = {
    "flow": UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0),
    "ddpm": DDIMScheduler(beta_schedule="linear", clip_sample=False),
    "cogvideox": CogVideoXDDIMScheduler(prediction_type="v_prediction", rescale_betas_zero_snr=True, clip_sample=False),
}
"""Samplers that models come with, by kind."""
_DRAWN = ("randn", "randn_like", "normal", "normal_", "rand", "rand_like")


@dataclass
class Heard:
    """What reached the networks, call by call: tensors as arrays."""

    denoiser: list[np.ndarray] = field(default_factory=list)
    control: list[np.ndarray] = field(default_factory=list)
    drawn: list[str] = field(default_factory=list)


class _Draws(TorchFunctionMode):
    """Notes every call that draws random numbers."""

    def __init__(self, drawn: list[str]) -> None:
        super().__init__()
        self._drawn = drawn

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", "") in _DRAWN:
            self._drawn.append(func.__name__)
        return func(*args, **(kwargs or {}))


@contextmanager
def heard(pipeline: Any, family: PipelineFamily, tiny: Tiny) -> Iterator[Heard]:
    """Listen to a pipeline's denoisers, to where its control enters, and to all draws."""
    found, ears = Heard(), []

    def on_denoiser(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        found.denoiser.append(tiny.seen(args, kwargs).detach().float().numpy().copy())

    def on_controlnet(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        found.control.append(kwargs["controlnet_cond"].detach().float().numpy().copy())

    for name in family.denoisers:
        if getattr(pipeline, name, None) is not None:
            ears.append(getattr(pipeline, name).register_forward_pre_hook(on_denoiser, with_kwargs=True))
    if tiny.control == "controlnet":
        nets = getattr(pipeline.controlnet, "nets", [pipeline.controlnet])
        ears += [net.register_forward_pre_hook(on_controlnet, with_kwargs=True) for net in nets]
    encode = pipeline.vae.encode

    def on_encode(video: Any, *args: Any, **kwargs: Any) -> Any:
        found.control.append(video.detach().float().numpy().copy())
        return encode(video, *args, **kwargs)

    if tiny.control == "vae":
        pipeline.vae.encode = on_encode
    try:
        with _Draws(found.drawn):
            yield found
    finally:
        if tiny.control == "vae":
            del pipeline.vae.encode
        for ear in ears:
            ear.remove()


def family_called(name: str) -> PipelineFamily:
    """A family that runs through diffusers."""
    family: ModelFamily = families()[name]
    assert isinstance(family, PipelineFamily)
    return family


def rendered(folder: Path, family: ModelFamily, tiny: Tiny, draws: int = 0) -> Clip:
    """The tabletop, seen by its two cameras, for a family."""
    between = 1 if tiny.frames <= 16 else 2  # it has 16 frames
    scene = load(ROOT / "scenes/tabletop.yaml", LoadOptions(frames=tiny.frames, size=tiny.size, interpolate=between))
    kinds = frozenset({"noise", "rgb", "depth", "edges", "instances"})
    options = RenderOptions(layout=family.layout, only=kinds, threads=1, pages=False, draws=draws)
    return render_clip(scene, folder, options)


def saved_with_clips(
    temporary: pytest.TempPathFactory, draws: int = 0
) -> Callable[[str], tuple[PipelineFamily, Tiny, Path, Clip]]:
    """By a family's name: the family, its tiny pipeline, the folder of that, and a clip for it; each is made once."""

    @functools.cache
    def of(name: str) -> tuple[PipelineFamily, Tiny, Path, Clip]:
        family, tiny, folder = family_called(name), tiny_families()[name], temporary.mktemp(name)
        tiny.save(folder / "model")
        return family, tiny, folder / "model", rendered(folder / "clip", family, tiny, draws)

    return of


def options_for(model: Path, tiny: Tiny, **changed: Any) -> GenerateOptions:
    """What a tiny pipeline is asked for."""
    large = LargeModelOptions(**{**tiny.large(model), **changed.pop("large", {})})
    return GenerateOptions(model=model, prompt=tiny.prompt, steps=tiny.steps, large=large, **changed)


def listened(clip: Clip, options: GenerateOptions, family: PipelineFamily, tiny: Tiny) -> Heard:
    """``sim2real generate``, and what reached the networks."""
    with heard(loaded_pipeline(family, options), family, tiny) as found:
        generate(clip.path, options)
    return found


def footage(clip: Clip, camera: str) -> np.ndarray:
    """The newest footage of a camera."""
    frames = sorted((clip.generated(camera)[-1] / "frames").iterdir())
    return np.stack([np.asarray(Image.open(frame)) for frame in frames])


def with_other_noise(clip: Clip, folder: Path) -> Clip:
    """A copy whose noise is upside down."""
    shutil.copytree(clip.path, folder)
    for camera in clip.cameras:
        file = folder / camera / "noise.npy"
        np.save(file, np.ascontiguousarray(np.load(file)[:, :, ::-1]))
    return read_clip(folder)


def run_with_controls(
    clip: Clip, options: GenerateOptions, family: PipelineFamily, tiny: Tiny, controls: Sequence[np.ndarray]
) -> list[Heard]:
    """Runs of one camera with control videos of our own; what reached the networks of each."""
    model, camera, heards = family.load(options), clip.cameras[0], []
    inputs = model.inputs(clip, camera, noise_source(clip, camera, family.layout, "clip", 0))
    for control in controls:
        given = replace(inputs, controls=dict.fromkeys(inputs.controls, control))
        with heard(model.pipeline, family, tiny) as found:
            assert len(list(model.run(given, lambda done, total: None))) == clip.frames
        heards.append(found)
    return heards
