"""What does everything around a large model cost? ``python -m benchmarks.large_overhead``.

The kitchen's counter, 81 frames of 480x832 for Wan-VACE, goes through ``sim2real generate`` with a pipeline of diffusers whose
denoiser and VAE are stand-ins that return at once, and whose text encoder is tiny: reading the clip, control video, noise,
guards, pictures, video and settings are real and of full size. Their processor time stands beside what the published networks
would take: their floating point operations, counted on the meta device, over an assumed rate.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.machine import machine
from sim2real.clip import Clip, read_clip, write_pages
from sim2real.diffusion import GenerateOptions, family_of
from sim2real.diffusion.checkpoints import published
from sim2real.diffusion.controls import stacked
from sim2real.diffusion.pipelines import PipelineFamily, model
from sim2real.diffusion.pipelines.loading import loaded_pipeline
from sim2real.diffusion.pipelines.work import built, operations
from sim2real.render import RenderOptions, render_clip
from sim2real.scene import LoadOptions, load

KITCHEN = Path(__file__).parent.parent / "scenes" / "kitchen.yaml"
FRAMES, SIZE = 81, (480, 832)
GRID = (21, 60, 104)
PUBLISHED = "wan2.1-vace-1.3b"
RATE = 400e12
"""Operations per second that the denoiser is taken to reach: an H100 in bfloat16 has 989e12 at its peak."""
RATE_OF_VAE = 100e12
"""The VAE stays in float32; an H100 has 67e12, and 495e12 with TF32."""


CORES = 4
"""That a machine with such a GPU has free at least; as many threads read and write pictures."""
Seconds = np.ndarray
"""Processor seconds of all threads, and of the main thread, or what these come to on several cores."""


def on_cores(seconds: Seconds) -> Seconds:
    """Of all threads; and the main thread with its share of the others, as if it waited for all that they do."""
    every, main = seconds
    return np.array([every, main + (every - main) / CORES])


def now() -> Seconds:
    """Of this process and of this thread."""
    return np.array([time.process_time(), time.thread_time()])


class Watch:
    """Processor time by stage, each without the stages within it."""

    def __init__(self) -> None:
        self.seconds: dict[str, Seconds] = {}
        self._running: list[list[Any]] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what happens within."""
        self._running.append([name, np.zeros(2)])
        begun = now()
        try:
            yield
        finally:
            took, (_, inner) = now() - begun, self._running.pop()
            self.seconds[name] = self.seconds.get(name, np.zeros(2)) + took - inner
            if self._running:
                self._running[-1][1] += took

    def watched(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, counted."""

        @functools.wraps(function)
        def counted(*args: Any, **kwargs: Any) -> Any:
            with self.stage(name):
                return function(*args, **kwargs)

        return counted


def rendered(folder: Path) -> Clip:
    """The clip, one camera."""
    family = family_of("wan-vace")
    scene = load(KITCHEN, LoadOptions(frames=FRAMES, size=SIZE, interpolate=2))
    only = frozenset({"noise", "depth", "edges", "rgb"})  # rgb stands for what a VAE decodes
    cameras = (scene.cameras[0].name,)
    return render_clip(scene, folder, RenderOptions(layout=family.layout, only=only, pages=False, cameras=cameras))


def stand_ins(pipeline: Any, clip: Clip, stack: ExitStack) -> None:
    """Networks that return at once; what the VAE decodes is the render, so that pictures are as hard to compress as footage."""
    import torch

    def encoded(video: Any) -> Any:
        count = (video.shape[2] - 1) // 4 + 1
        latents = torch.zeros(len(video), 16, count, video.shape[3] // 8, video.shape[4] // 8)
        return SimpleNamespace(latent_dist=SimpleNamespace(mode=lambda: latents))

    video = torch.from_numpy(stacked(clip, clip.cameras[0], "rgb").transpose(3, 0, 1, 2)[None] / np.float32(127.5) - 1)
    for owner, name, answer in (
        (pipeline.transformer, "forward", lambda hidden_states, **_: (torch.zeros_like(hidden_states),)),
        (pipeline.vae, "encode", encoded),
        (pipeline.vae, "decode", lambda latents, **_: (video,)),
    ):
        stack.enter_context(mock.patch.object(owner, name, answer))


def around(clip: Clip, folder: Path, steps: int) -> Mapping[str, Seconds]:
    """Processor seconds of each stage of ``generate``."""
    from tests.diffusion.families.tiny.wan import save_wan

    options = GenerateOptions(model=save_wan(folder / "tiny", "WanVACEPipeline"), prompt="a kitchen", steps=steps)
    family, watch, generating = family_of(options.model), Watch(), importlib.import_module("sim2real.diffusion.generate")
    assert isinstance(family, PipelineFamily)
    pipeline = loaded_pipeline(family, options)
    with ExitStack() as stack:
        stand_ins(pipeline, clip, stack)
        for owner, name, stage in (
            (model, "controls_of", "clip and control video"),
            (type(family), "arguments", "what the pipeline is called with"),
            (model, "require_unit_variance", "guards"),
            (type(pipeline), "__call__", "diffusers around its networks"),
            (type(family), "footage", "pictures of 8 bits"),
            (generating, "write_footage", "frames, video, settings"),
        ):
            stack.enter_context(mock.patch.object(owner, name, watch.watched(stage, getattr(owner, name))))
        with watch.stage("the rest of generate"):
            generating.generate(clip.path, options)
        with watch.stage("contact sheet and report"):
            write_pages(clip)
    return watch.seconds


def of_networks() -> dict[str, float]:
    """Floating point operations: one pass of the denoiser; what the VAE does for a clip; the text encoder for two prompts."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    parts = published(PUBLISHED)["parts"]
    vae, counter = built(parts["vae"]), FlopCounterMode(display=False)
    video = torch.empty(1, 3, FRAMES, *SIZE, device="meta")
    with torch.no_grad(), counter:
        vae.encode(video)
        vae.encode(video)
        vae.decode(torch.empty(1, 16, *GRID, device="meta"))
    text = 2 * published(PUBLISHED)["parameters"]["text_encoder"] * 512 * 2
    return {"denoiser": operations(parts["transformer"], GRID, 16), "vae": counter.get_total_flops(), "text": text}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", type=Path, help="where the clip is kept, or is already")
    parser.add_argument("--runs", type=int, default=3, help="the least of so many runs counts, stage by stage")
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        place = options.clip or folder / "clip"
        clip = read_clip(place) if place.exists() else rendered(place)
        runs = [around(clip, folder / str(run), steps=2) for run in range(options.runs)]
    seconds = {name: on_cores(np.min([run[name] for run in runs], axis=0)) for name in runs[0]}
    counted = of_networks()
    print(f"\n| {FRAMES} frames of {SIZE[0]}x{SIZE[1]}, Wan-VACE | s, all threads | s, on {CORES} cores |\n|---|---|---|")
    for name, (every, elapsed) in seconds.items():
        print(f"| {name} | {every:.2f} | {elapsed:.2f} |")
    ours = sum((took for name, took in seconds.items() if not name.startswith("diffusers")), np.zeros(2))
    print(f"| **ours together** | **{ours[0]:.2f}** | **{ours[1]:.2f}** |")
    print(
        f"\nDenoiser {counted['denoiser'] / 1e12:.0f} TFLOP a pass, VAE {counted['vae'] / 1e12:.0f} TFLOP a clip, "
        f"text encoder {counted['text'] / 1e12:.1f} TFLOP."
    )
    print(f"\n| steps | passes | denoiser, s | with VAE and text, s | ours, all threads | ours, {CORES} cores |")
    print("|---|---|---|---|---|---|")
    once = counted["vae"] / RATE_OF_VAE + counted["text"] / RATE
    for steps, passes in ((50, 100), (30, 60), (1, 1)):
        denoiser = passes * counted["denoiser"] / RATE
        every, elapsed = 100 * ours / (denoiser + once + ours)
        print(f"| {steps} | {passes} | {denoiser:.1f} | {denoiser + once:.1f} | {every:.1f} % | {elapsed:.1f} % |")


if __name__ == "__main__":
    main()
