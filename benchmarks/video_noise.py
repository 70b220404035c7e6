"""Noise of videos without meshes: how well it follows exact motion, and what it costs: ``python -m benchmarks.video_noise``.

480x720 pixels. ``T(k)`` is the correlation, over latents of 8x8 pixels that frame 0 shows whole, between frame k's noise and
frame 0's noise carried along by areas (each latent takes from frame 0's pixels the parts that it covers, normalized). The
ceiling is what the exact integral of white noise over the latents' footprints reaches; it follows from the areas alone. Noise
of cells instead of points may exceed it by a hundredth where cells and frame 0's pixels happen to align. Motion is supplied
exactly, frame by frame. Times are of one core.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch

from benchmarks.machine import machine
from sim2real.metrics.whiteness import estimates
from sim2real.noise import NoiseLayout, ReferenceMap, VideoNoise

SIZE, LATENT_PX, AT = (480, 720), 8, (1, 4, 16)
MOTIONS = {
    "zoom 1.003, (0.7, 0.3) px": (1.003, (0.7, 0.3)),
    "static": (1.0, (0.0, 0.0)),
    "(0.1, 0) px": (1.0, (0.1, 0.0)),
    "zoom 1.02": (1.02, (0.0, 0.0)),
    "zoom 0.98": (0.98, (0.0, 0.0)),
    "(9.3, -4.1) px": (1.0, (9.3, -4.1)),
}
"""Per frame: zoom about the center, then motion to the right and down."""


@dataclass(frozen=True)
class Row:
    """What one motion gave: correlation and ceiling by frame, figures of the last frame, processor time per frame."""

    transport: dict[int, float]
    ceiling: dict[int, float]
    variance: float
    neighbors: float
    map_ms: float
    noise_ms: float


def motion_back(size: tuple[int, int], zoom: float, shift: tuple[float, float]) -> tuple[torch.Tensor, torch.Tensor]:
    """Exact motion from every pixel of a frame to the frame before, and whether it ends inside."""
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    here, center = np.stack([x, y], -1), np.array([size[1], size[0]]) / 2
    there = (here - center - shift) / zoom + center
    inside = ((there >= 0) & (there <= [size[1], size[0]])).all(-1)
    return torch.from_numpy((there - here).astype(np.float32)), torch.from_numpy(inside)


def shares(length: int, frame: int, zoom: float, shift: float, cell: float = 1.0) -> np.ndarray:
    """Along one axis: the length of every pixel of frame 0 (column) that every latent of a frame (row) covers."""
    edge = np.arange(0, length + 1, LATENT_PX, dtype=np.float64)
    for _ in range(frame):
        edge = (edge - length / 2 - shift) / zoom + length / 2
    pixel = np.arange(0, length, cell)
    low = np.maximum(edge[:-1, None], pixel)
    return np.clip(np.minimum(edge[1:, None], pixel + cell) - low, 0, None)


def transport(
    first: np.ndarray, later: np.ndarray, size: tuple[int, int], frame: int, zoom: float, shift: tuple[float, float]
) -> tuple[float, float]:
    """Correlation of a frame's latents with frame 0's pixels carried along, and the ceiling of that correlation."""
    rows, columns = (shares(n, frame, zoom, s) for n, s in ((size[0], shift[1]), (size[1], shift[0])))
    side = LATENT_PX / zoom**frame
    whole = np.outer(rows.sum(1) > side * 0.9999, columns.sum(1) > side * 0.9999)
    norm = np.outer(np.linalg.norm(rows, axis=1), np.linalg.norm(columns, axis=1))
    carried = np.einsum("yi,cij,xj->cyx", rows, first, columns) / np.where(norm > 0, norm, 1)
    channels = len(later)
    blocks = later.reshape(channels, size[0] // LATENT_PX, LATENT_PX, size[1] // LATENT_PX, LATENT_PX)
    seen = blocks.sum((2, 4)) / LATENT_PX
    a, b = carried[:, whole], seen[:, whole]
    ceiling = float(np.sqrt((norm[whole] / side) ** 2).mean())
    return float((a * b).mean() / np.sqrt((a * a).mean() * (b * b).mean())), ceiling


def measured(
    zoom: float, shift: tuple[float, float], *, size: tuple[int, int] = SIZE, channels: int = 4, seed: int = 0, frames: int = 16
) -> Row:
    """Carry a map along a motion, and measure the noise of pixels at the scale of latents."""
    back, inside = motion_back(size, zoom, shift)
    reference, noise = ReferenceMap(size), VideoNoise(NoiseLayout(factor=1, channels=channels), seed=seed)
    first = noise.frame(reference.places).numpy()
    correlation, ceiling, map_s, noise_s = {}, {}, [], []
    later = first
    for frame in range(1, frames + 1):
        start = time.process_time()
        places = reference.advance(back, inside)
        map_s.append(time.process_time() - start)
        if frame in AT:
            start = time.process_time()
            later = noise.frame(places).numpy()
            noise_s.append(time.process_time() - start)
            correlation[frame], ceiling[frame] = transport(first, later, size, frame, zoom, shift)
    figures = estimates(later[None])
    neighbors = (figures["neighbor_right"].value + figures["neighbor_below"].value) / 2
    return Row(
        correlation,
        ceiling,
        figures["variance"].value,
        neighbors,
        float(np.median(map_s)) * 1e3,
        float(np.median(noise_s)) * 1e3,
    )


def latent_ms(size: tuple[int, int] = SIZE, channels: int = 16, repeats: int = 5) -> float:
    """Processor time per frame of 1/8 latents, milliseconds."""
    back, inside = motion_back(size, *MOTIONS["zoom 1.003, (0.7, 0.3) px"])
    reference, noise = ReferenceMap(size), VideoNoise(NoiseLayout(factor=8, channels=channels))
    times = []
    for _ in range(repeats + 1):
        places = reference.advance(back, inside)
        start = time.process_time()
        noise.frame(places)
        times.append(time.process_time() - start)
    return float(np.median(times[1:])) * 1e3


def main() -> None:
    """Print a table."""
    print(machine() + f", torch threads {torch.get_num_threads()}\n")
    measured(*MOTIONS["static"], size=(64, 64), frames=1)  # compiles
    heads = [*(f"T({k})" for k in AT), *(f"T({k}) / ceiling" for k in AT), "variance", "nb4", "map", "480x720x4 noise"]
    print(f"| motion per frame | {' | '.join(heads)} |\n|{'---|' * (len(heads) + 1)}")
    for name, (zoom, shift) in MOTIONS.items():
        row = measured(zoom, shift)
        cells = [f"{row.transport[k]:.3f}" for k in AT] + [f"{row.transport[k] / row.ceiling[k]:.3f}" for k in AT]
        cells += [f"{row.variance:.4f}", f"{row.neighbors:+.4f}", f"{row.map_ms:.0f} ms", f"{row.noise_ms:.0f} ms"]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    print(f"\n60x90x16 latents of the same video: {latent_ms():.0f} ms a frame")


if __name__ == "__main__":
    main()
