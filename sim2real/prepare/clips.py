"""The clips that the embedded model learns from: random scenes, path-traced, with conditions, labels and noise.

``NNNNNN.npz`` is a clip, ``NNNNNN.noise.npy`` its noise. Files are written whole or not at all, and never twice, so that a
stopped run goes on where it stopped, and several runs can share a folder.
"""

from __future__ import annotations

import functools
import json
import multiprocessing
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ..conditions.rgb.mitsuba.trace import mitsuba
from ..errors import BadValueError, IncompleteClipsError, Sim2RealError
from ..fetch import PACKAGES, fetched
from ..scene.records import Scene
from .assets import Assets, open_assets
from .noise_fields import CHANNELS, noise_path, write_clip_noise
from .random_scenes import RandomScene, random_scene

FRAMES = range(2, 9)
_PACKAGES = ("oidn", "pmndrs-assets", "blender-data", "sweethome3d-furniture")


@dataclass(frozen=True)
class Recipe:
    """All that the training set depends on. The defaults are the set that the shipped model was trained on.

    - ``clips`` pictures of ``size`` (height, width); clip ``n`` depends on ``seed`` and ``n`` only.
    - Of every ``moving_every`` clips the last moves for ``frames`` frames; the others are one picture each, because other
      scenes teach more than other moments of the same one.
    - ``spp`` paths of at most ``max_depth`` segments per pixel and frame.
    - ``assets``: photographed light, textures and models of the packages of ``sim2real.fetch``, and Open Image Denoise; without
      them scenes are made of our procedural things alone.
    """

    seed: int = 2026
    clips: int = 1600
    frames: int = 2
    moving_every: int = 4
    size: tuple[int, int] = (192, 256)
    spp: int = 8
    max_depth: int = 6
    assets: bool = True

    def __post_init__(self) -> None:
        if self.frames not in FRAMES:
            raise BadValueError("frames of a training clip", self.frames, right=f"{FRAMES[0]} to {FRAMES[-1]}")
        if self.moving_every < 1:
            raise BadValueError("moving_every", self.moving_every, right="at least 1, which moves every clip")

    def frames_of(self, clip: int) -> int:
        """Frames of a clip."""
        return self.frames if clip % self.moving_every == self.moving_every - 1 else 1

    def scene_seed(self, clip: int) -> int:
        """The seed of a clip's random scene."""
        return self.seed * 1_000_000 + clip

    def made(self, clip: int) -> RandomScene:
        """A clip's scene and what lights it, made anew."""
        assets = _assets() if self.assets else None
        return random_scene(self.scene_seed(clip), size=self.size, frames=self.frames_of(clip), assets=assets)

    def scene(self, clip: int) -> Scene:
        """A clip's scene, made anew."""
        return self.made(clip).scene


@functools.cache
def _assets() -> Assets:
    """Read once per process."""
    return open_assets()


def clip_path(output: Path, clip: int) -> Path:
    """Where a finished clip is."""
    return output / f"{clip:06d}.npz"


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write an npz whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def make_clip(recipe: Recipe, output: Path, clip: int) -> None:
    """One clip and its noise, as far as they are missing; the clip last, so that where it is, the noise is."""
    from .finished_clip import finished_clip

    if clip_path(output, clip).is_file():
        return
    made, seed = recipe.made(clip), recipe.scene_seed(clip)
    write_clip_noise(noise_path(output, clip), made.scene, channels=CHANNELS, seed=seed)
    arrays = finished_clip(made.scene, made.environment, spp=recipe.spp, max_depth=recipe.max_depth, seed=seed)
    write_npz(clip_path(output, clip), arrays)


def bytes_of(output: Path, clip: int) -> int:
    """What a finished clip takes on the disk."""
    return clip_path(output, clip).stat().st_size + noise_path(output, clip).stat().st_size


def claim(recipe: Recipe, output: Path) -> None:
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
            fix="choose another folder",
            where=output,
        )


def make_training_clips(
    recipe: Recipe,
    output: Path,
    *,
    numbers: Sequence[int] | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
    tell: Callable[[str], None] | None = None,
) -> None:
    """Make the clips of a recipe that are not there yet.

    Each clip is an npz of F frames (``Recipe.frames_of``) of H x W pixels:

    - ``light`` float16 (F, H, W, 3): linear radiance, path-traced and denoised, before any camera.
    - ``known_light`` and ``known_reflection`` float16 (F, H, W, 3): ``LightPictures`` of the same light.
    - ``rgb`` uint8 (F, H, W, 3): our own plain render; ``albedo``, ``material``, ``normals`` uint8 (F, H, W, 3), ``depth``
      float32 in metres along z (0: no surface), ``edges`` uint8 and ``instances`` uint16 (F, H, W): as clip folders have them.
    - ``kinds`` uint8 (F, H, W): places in ``MATERIAL_KINDS``; ``class_names``: of instance ids 1, 2, ...
    - ``K`` (F, 3, 3) and ``world_from_camera`` (F, 4, 4), float64.

    Args:
        recipe: what to make.
        output: folder; may hold some of the clips already.
        numbers: of the clips; by default all of the recipe.
        workers: processes of one thread each; the result does not depend on their number.
        progress: told (clips done, clips).
        tell: told in one line how long it will take and how many gigabytes, once the first clip is done.

    Raises:
        MissingPackageError: Mitsuba is not installed.
        UnfetchedPackageError: assets cannot be had.
        BadValueError: the folder holds clips of another recipe.
        IncompleteClipsError: some clips could not be made; the others have been.
    """
    mitsuba()
    claim(recipe, output)
    if recipe.assets:
        _fetch_all(tell)
    wanted = range(recipe.clips) if numbers is None else numbers
    missing = [clip for clip in wanted if not clip_path(output, clip).is_file()]
    done, errors = len(wanted) - len(missing), {}
    if progress is not None:
        progress(done, len(wanted))
    with ProcessPoolExecutor(max_workers=workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        began = time.monotonic()
        waiting: dict[Future[None], int] = {pool.submit(make_clip, recipe, output, clip): clip for clip in missing}
        try:
            for count, future in enumerate(as_completed(waiting)):
                error = future.exception()
                if error is not None:
                    errors[waiting[future]] = error
                    _stop_if_hopeless(error, errors, count)
                elif tell is not None and count == len(errors):
                    each = bytes_of(output, waiting[future])
                    tell(_estimate(len(missing), time.monotonic() - began, each, min(workers, len(missing))))
                done += 1
                if progress is not None:
                    progress(done, len(wanted))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if errors:
        clip, error = next(iter(errors.items()))
        raise IncompleteClipsError(
            output, len(errors), len(missing), clip=clip, why=f"{type(error).__name__}: {error}"
        ) from error


def _stop_if_hopeless(error: BaseException, errors: Mapping[int, BaseException], count: int) -> None:
    """One odd scene among hundreds does not stop a night's work; what the user must fix, or fails from the start, does."""
    if isinstance(error, (Sim2RealError, OSError, ImportError, MemoryError)) or not isinstance(error, Exception):
        raise error
    if len(errors) > 5 and len(errors) > 0.05 * count:
        raise error


def _fetch_all(tell: Callable[[str], None] | None) -> None:
    """Fetch here what workers would otherwise fetch side by side."""
    for name in _PACKAGES:
        if tell is not None:
            tell(f"assets: {name}, {PACKAGES[name].about}, {PACKAGES[name].megabytes} MB")
        fetched(name)


def _estimate(clips: int, seconds: float, each: int, workers: int) -> str:
    """How long it takes and how much it holds, from the first clip of every worker."""
    hours = clips * seconds / workers / 3600
    return (
        f"{clips} clips: about {hours:.1f} h and {clips * each / 1e9:.1f} GB ({seconds:.0f} s and {each / 1e6:.1f} MB a clip)"
    )
