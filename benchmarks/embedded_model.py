"""Figures of an embedded-type model on clips it never saw: ``python -m benchmarks.embedded_model RECIPE CLIPS [MODEL]``.

The held-out clips of a training recipe (path-traced 64x64, 16 frames, made by ``sim2real train``) are generated again from
their depth and edges, with their own palette, driven by surface noise and by i.i.d. noise. Medians over clips:

- PSNR against the path-traced picture;
- consistency: PSNR between frame a and frame a + d fetched along the exact motion, over pixels that both see; of the
  path-traced pictures themselves, too, as what is to be reached;
- sharpness: mean gradient magnitude over that of the path-traced picture.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage

from sim2real.cli.training import RecipeEntry
from sim2real.diffusion.control import control_video
from sim2real.diffusion.embedded import embedded_folder, load_model
from sim2real.diffusion.palette import palette_of
from sim2real.diffusion.sampling import sample_embedded
from sim2real.flow import exact_flow
from sim2real.prepare import Recipe
from sim2real.prepare.clips import clip_path
from sim2real.prepare.noise_fields import clip_noise
from sim2real.raster import rasterizer, view_of
from sim2real.scene import Scene, triangles_of
from sim2real.scene.yaml_file import read_yaml

STEPS = (1, 4, 8)
DISTANCES = (1, 4)


def psnr(squared_error: float) -> float:
    """Of values in 0 to 1."""
    return -10 * float(np.log10(max(squared_error, 1e-12)))


def motions(scene: Scene) -> dict[tuple[int, int], tuple[np.ndarray, np.ndarray]]:
    """Where the pixels of a frame lie in a later one (row, column coordinates), and which are seen there."""
    camera, triangles = scene.cameras[0], triangles_of(scene)
    views = rasterizer(triangles)
    fragments = [views.fragments(**view_of(scene, camera, k)) for k in range(scene.frames)]
    faces = torch.from_numpy(np.ascontiguousarray(triangles.faces, np.int32))
    rows, columns = np.mgrid[: camera.size[0], : camera.size[1]]
    found = {}
    for distance in DISTANCES:
        for a in range(0, scene.frames - distance, 2):
            b = a + distance
            world = camera.world_from_camera
            flow = exact_flow(fragments[a], fragments[b], faces, world[a], world[b])
            x, y = np.moveaxis(flow.forward.numpy(), -1, 0)
            found[a, b] = np.stack([rows + y, columns + x]), flow.visible.numpy()
    return found


def consistency(frames: np.ndarray, moved: dict, distance: int) -> float:
    """Cross-frame PSNR along exact motion."""
    errors = []
    for (a, b), (there, visible) in moved.items():
        if b - a == distance and visible.any():
            fetched = np.stack(
                [ndimage.map_coordinates(frames[b, ..., c], there, order=1, mode="nearest") for c in range(3)], -1
            )
            errors.append(((fetched - frames[a])[visible] ** 2).mean())
    return psnr(float(np.mean(errors)))


def sharpness(frames: np.ndarray) -> float:
    """Mean gradient magnitude of the grey picture."""
    grey = frames.mean(-1)
    return float(np.hypot(np.diff(grey, axis=1)[:, :, 1:], np.diff(grey, axis=2)[:, 1:]).mean())


def main(recipe_file: Path, clips: Path, model: Path | None = None) -> None:
    """Print the table."""
    entry = read_yaml(recipe_file, RecipeEntry)
    recipe = Recipe(seed=entry.clips.seed, clips=entry.clips.clips, frames=entry.clips.frames, size=entry.clips.size)
    transformer, _, info = load_model(model or embedded_folder())
    figures: dict[tuple[str, int], list[list[float]]] = defaultdict(list)
    for number in range(entry.clips.clips - entry.held_out, entry.clips.clips):
        with np.load(clip_path(clips, number)) as arrays:
            rgb, control = arrays["rgb"], control_video(arrays["depth"], arrays["edges"], arrays["K"])
        truth, scene = rgb / 255.0, recipe.scene(number)
        moved, palette = motions(scene), palette_of(rgb)
        fresh = np.random.default_rng(number).standard_normal((*rgb.shape[:1], 3, *rgb.shape[1:3]), np.float32)
        kinds = {"surface": clip_noise(scene, channels=3, seed=number).astype(np.float32), "i.i.d.": fresh}
        for kind, noise in kinds.items():
            for steps in STEPS:
                start = time.perf_counter()
                made = sample_embedded(transformer, info, noise, control, palette, steps=steps) / 255.0
                seconds = time.perf_counter() - start
                row = [psnr(((made - truth) ** 2).mean()), *(consistency(made, moved, d) for d in DISTANCES)]
                figures[kind, steps].append([*row, sharpness(made) / sharpness(truth), seconds])
        row = [float("nan"), *(consistency(truth, moved, d) for d in DISTANCES), 1.0, float("nan")]
        figures["path-traced", 0].append(row)
        print(f"clip {number}", file=sys.stderr)
    print("| noise | steps | PSNR, dB | consistency 1 frame on, dB | 4 frames on, dB | sharpness | seconds |")
    print("|---" * 7 + "|")
    for (kind, steps), rows in figures.items():
        middle = ["" if np.isnan(v) else f"{v:.2f}" for v in np.median(np.array(rows), axis=0)]
        print(f"| {kind} | {steps or ''} | " + " | ".join(middle) + " |")


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
