"""How fast the embedded model trains and runs here: .venv/bin/python -m benchmarks.training_speed [--threads N].

Made-up clips, the recipe's network. Rows: memory as contiguous channels or channels last, float32 or bfloat16 autocast; then
one step of generation at 480x640.
"""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Callable

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from sim2real.diffusion.families.embedded.conditions import CHANNELS
from sim2real.diffusion.families.embedded.denoiser import PictureDenoiser, build_denoiser
from sim2real.diffusion.families.embedded.precision import autocast_for, fast_bf16
from sim2real.training.data import Batch
from sim2real.training.losses import training_loss
from sim2real.training.recipe import Losses

from .machine import machine

SIZE = (192, 256)
FOOTAGE = (480, 640)


def made_up(samples: int, size: tuple[int, int], device: torch.device) -> Batch:
    """A batch of nothing in particular."""
    rng = np.random.default_rng(0)
    clean, noise = (torch.from_numpy(rng.standard_normal((samples, 1, 3, *size), np.float32)) for _ in range(2))
    conditions = torch.from_numpy(rng.uniform(-1, 1, (samples, 1, CHANNELS, *size)).astype(np.float32))
    own = torch.zeros(samples, dtype=torch.bool)
    batch = Batch(clean, conditions, torch.ones(samples), noise, own, tuple(range(samples)))
    return batch.to(device)


def seconds(run: Callable[[], object], device: torch.device, times: int) -> float:
    """Of one call, the first not counted."""
    run()
    if device.type == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(times):
        run()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - start) / times


def training_step(model: PictureDenoiser, batch: Batch, half: bool) -> None:
    """Forward and backward."""
    with autocast_for(batch.clean.device) if half else contextlib.nullcontext():
        loss = training_loss(model.predict, batch, Losses(perceptual=0), perceptual=None)
    loss.backward()
    model.zero_grad(set_to_none=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--samples", type=int, default=2)
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = torch.device(options.device)
    model = build_denoiser().to(device)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    one = made_up(1, SIZE, device)
    with FlopCounterMode(display=False) as flops, torch.inference_mode():
        model.eval().predict(one.noise, one.sigma, one.conditions)
    per_pixel = flops.get_total_flops() / SIZE[0] / SIZE[1]
    print(f"{machine()}, {options.threads} threads, {device.type}; bfloat16 {'fast' if fast_bf16(device) else 'not fast'} here")
    print(f"{parameters / 1e6:.1f} M parameters, {per_pixel / 1e3:.0f} kFLOP a pixel forward")
    print(f"\n| training, {SIZE[0]}x{SIZE[1]} | samples per second | GFLOP/s |\n|---|---|---|")
    batch = made_up(options.samples, SIZE, device)
    formats = {"contiguous": torch.contiguous_format, "channels last": torch.channels_last}
    for name, layout in formats.items():
        for half in (False, True) if fast_bf16(device) else (False,):
            shaped = build_denoiser().to(device).to(memory_format=layout).train()  # pyright: ignore[reportCallIssue]
            rate = options.samples / seconds(lambda m=shaped, h=half: training_step(m, batch, h), device, options.times)
            work = 3 * rate * flops.get_total_flops() / 1e9
            print(f"| {name}, {'bfloat16' if half else 'float32'} | {rate:.2f} | {work:.0f} |")
    large = made_up(1, FOOTAGE, device)
    with torch.inference_mode(), autocast_for(device):
        taken = seconds(lambda: model.predict(large.noise, large.sigma, large.conditions), device, options.times)
    print(f"\nOne step at {FOOTAGE[0]}x{FOOTAGE[1]}: {taken:.2f} s a frame (the network alone)")


if __name__ == "__main__":
    main()
