"""The clips that the embedded model learns from: random scenes, path-traced, with conditions and labels.

Two passes, because the first is slow and the second is not: ``NNNNNN.light.npz`` holds the radiance that the paths found;
``NNNNNN.npz`` is the finished clip. Files are written whole or not at all, and never twice.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float16

from ..conditions.rgb.mitsuba.trace import PathTracer, mitsuba
from ..errors import BadValueError
from ..scene.records import Scene
from .random_scenes.scene import random_scene


@dataclass(frozen=True)
class Recipe:
    """All that the training set depends on. The defaults are the set that the shipped model was trained on.

    - ``clips`` of ``frames`` pictures of ``size`` (height, width); clip ``n`` depends on ``seed`` and ``n`` only.
    - ``spp`` paths of at most ``max_depth`` segments per pixel and frame; the frames of a clip share what they found.
    """

    seed: int = 2026
    clips: int = 600
    frames: int = 16
    size: tuple[int, int] = (64, 64)
    spp: int = 4
    max_depth: int = 4

    def scene_seed(self, clip: int) -> int:
        """The seed of a clip's random scene."""
        return self.seed * 1_000_000 + clip

    def scene(self, clip: int) -> Scene:
        """A clip's scene, made anew."""
        return random_scene(self.scene_seed(clip), size=self.size, frames=self.frames)

    def sun_radius_deg(self, clip: int) -> float:
        """How soft a clip's sun is: from a clear day to a large window."""
        return float(np.random.default_rng([self.scene_seed(clip), 0x50F7]).uniform(2.0, 9.0))


def light_path(output: Path, clip: int) -> Path:
    """Where a clip's radiance is."""
    return output / f"{clip:06d}.light.npz"


def clip_path(output: Path, clip: int) -> Path:
    """Where a finished clip is."""
    return output / f"{clip:06d}.npz"


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write an npz whole or not at all."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def trace_clip(recipe: Recipe, clip: int) -> Float16[np.ndarray, "frames height width 3"]:
    """First pass: the radiance of all frames, noisy."""
    scene = recipe.scene(clip)
    tracer = PathTracer(
        scene,
        spp=recipe.spp,
        seed=recipe.scene_seed(clip),
        max_depth=recipe.max_depth,
        sun_radius_deg=recipe.sun_radius_deg(clip),
        threads=1,
    )
    light = np.stack([tracer.radiance(scene.cameras[0], frame) for frame in range(scene.frames)])
    return np.minimum(light, 6e4).astype(np.float16)


def read_light(path: Path) -> Float16[np.ndarray, "frames height width 3"] | None:
    """What the first pass left, if it did."""
    if not path.is_file():
        return None
    with np.load(path) as arrays:
        return arrays["light"]


def make_clip(recipe: Recipe, output: Path, clip: int) -> None:
    """Both passes of one clip, as far as they are missing."""
    from .finished_clip import finished_clip

    if clip_path(output, clip).is_file():
        return
    light = read_light(light_path(output, clip))
    if light is None:
        light = trace_clip(recipe, clip)
        write_npz(light_path(output, clip), {"light": light})
    write_npz(clip_path(output, clip), finished_clip(recipe.scene(clip), light.astype(np.float32)))


def _claim(recipe: Recipe, output: Path) -> None:
    """Note the recipe in the folder, all but the number of clips, which may grow.

    Raises:
        BadValueError: the folder holds clips of another recipe.
    """
    output.mkdir(parents=True, exist_ok=True)
    path = output / "recipe.json"
    mine = json.dumps({name: value for name, value in asdict(recipe).items() if name != "clips"}, indent=1) + "\n"
    if not path.is_file():
        path.write_text(mine)
    elif path.read_text() != mine:
        theirs = " ".join(path.read_text().split())
        raise BadValueError(
            "the recipe of the clips in this folder",
            theirs,
            right=" ".join(mine.split()),
            mend="choose another folder",
            where=output,
        )


def make_training_clips(
    recipe: Recipe, output: Path, *, workers: int = 2, progress: Callable[[int, int], None] | None = None
) -> None:
    """Make the clips of a recipe that are not there yet.

    Each clip is an npz: ``rgb`` uint8 (frames, height, width, 3), ``depth`` float32 in metres along z (0: no surface),
    ``edges`` uint8, ``instances`` uint16, ``K`` (frames, 3, 3) and ``world_from_camera`` (frames, 4, 4). Noise is not in it:
    ``recipe.scene(clip)`` is the geometry, from which fresh noise is drawn.

    Args:
        recipe: what to make.
        output: folder; may hold some of the clips already.
        workers: processes; the result does not depend on their number.
        progress: told (clips done, clips).

    Raises:
        MissingPackageError: Mitsuba is not installed.
        BadValueError: the folder holds clips of another recipe.
    """
    mitsuba()
    _claim(recipe, output)
    missing = [clip for clip in range(recipe.clips) if not clip_path(output, clip).is_file()]
    done = recipe.clips - len(missing)
    if progress is not None:
        progress(done, recipe.clips)
    with ProcessPoolExecutor(max_workers=workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = [pool.submit(make_clip, recipe, output, clip) for clip in missing]
        try:
            for future in as_completed(waiting):
                future.result()
                done += 1
                if progress is not None:
                    progress(done, recipe.clips)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
