"""Judges any noise video against the geometry of a clip: is every frame white, and how much of the motion does it carry?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.stats import kstest, norm

from ..arrays import first_broken_row
from ..clip import Clip
from ..clip.images import open_noise
from ..errors import BadValueError, MissingFileError
from ..noise.beta import Beta, beta_of_ids
from ..scene.records import Instance
from .geometry import Wish, geometry_of
from .transport import Transport, transport
from .whiteness import estimates, normal_score

Progress = Callable[[str, int, int], None]
FIGURES = 13
"""Standard scores per frame."""
FAILS_AT = 5.0
"""Standard scores beyond this are no chance."""


@dataclass(frozen=True, eq=False)
class NoiseVideo:
    """Noise of one camera of a clip.

    - ``factor``: pixels per latent; ``latent_frames``: the frame of the clip that each latent stands for.
    - ``beta``: the share of surface noise that the clip's record promises, squared it is the most efficiency there can be; 1
      for other files.
    """

    path: Path
    values: Float[np.ndarray, "latents channels height width"]
    factor: int
    latent_frames: list[int]
    beta: Beta


def noise_video(clip: Clip, camera: str, file: Path | None = None) -> NoiseVideo:
    """Open a camera's ``noise.npy``, or somebody else's file for the same clip.

    Args:
        clip: the clip whose frames the noise is for.
        camera: one of its cameras.
        file: an array (latents, channels, h, w) or, as Go-with-the-Flow writes it, (latents, h, w, channels); any float
            type, h and w the picture's size over one whole factor.

    Raises:
        MissingFileError: there is no such file.
        UnreadableFileError: it is no array of numbers.
        BadValueError: its shape fits neither the clip's pictures nor its number of frames.
    """
    path = file or clip.folder(camera) / "noise.npy"
    if not path.is_file():
        raise MissingFileError(path, what="noise", fix="render it, or name a file with --noise-file")
    values = open_noise(path, fix="write one float array (latents, channels, h, w) with numpy.save")
    factor = _factor(values.shape, clip.record.size)
    if factor is None and values.ndim == 4 and (last := _factor((0, 0, *values.shape[1:3]), clip.record.size)):
        values, factor = np.moveaxis(values, -1, 1), last
    if factor is None:
        height, width = clip.record.size
        right = f"(latents, channels, h, w) with h and w a whole fraction of {height}x{width}"
        raise BadValueError("the noise's shape", tuple(values.shape), right=right, where=path)
    record = clip.record.noise
    if file is None and record is not None and len(record.latent_frames) == len(values):
        return NoiseVideo(path, values, factor, list(record.latent_frames), record.beta)
    return NoiseVideo(path, values, factor, _latent_frames(len(values), clip, path), 1.0)


def check_finite(noise: Float[np.ndarray, "latents channels height width"], numbers: Sequence[int], where: Path) -> None:
    """Refuse noise that no figure could judge.

    Args:
        noise: may be a memory map.
        numbers: what the latents are called.
        where: the file.

    Raises:
        BadValueError: a value is not finite, or huge; names the first frame that has one.
    """
    for number, frame in zip(numbers, noise, strict=True):
        if first_broken_row(np.asarray(frame, np.float64)[None]) is not None:
            right = "finite numbers up to 1e30"
            raise BadValueError(f"the noise of frame {number}", "not finite everywhere, or huge", right=right, where=where)


def _factor(shape: tuple[int, ...], size: tuple[int, int]) -> int | None:
    if len(shape) != 4 or min(shape[2:]) < 1 or size[0] % shape[2] or size[1] % shape[3]:
        return None
    down, right = size[0] // shape[2], size[1] // shape[3]
    return down if down == right else None


def _latent_frames(latents: int, clip: Clip, path: Path) -> list[int]:
    """Which frames a file of so many latents stands for: the record's, all of them, or every n-th."""
    record = clip.record.noise
    if record is not None and len(record.latent_frames) == latents:
        return list(record.latent_frames)
    if latents == clip.frames:
        return list(range(latents))
    if latents > 1 and (clip.frames - 1) % (latents - 1) == 0:
        return list(range(0, clip.frames, (clip.frames - 1) // (latents - 1)))
    right = f"{clip.frames} (one per frame), or one for every n-th frame from the first to the last"
    raise BadValueError("the number of noise frames", latents, right=right, where=path)


def judge(
    clip: Clip,
    camera: str,
    *,
    file: Path | None = None,
    geometry: Wish = "auto",
    pairs: int = 4,
    stride: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Everything that can be said about a noise video.

    Args:
        clip: the clip folder.
        camera: whose noise.
        file: another noise video for this camera.
        geometry: ``labels``, ``rays``, or ``auto``.
        pairs: pairs of frames per distance.
        stride: test every so many frames for whiteness.
        progress: called with (what, done, total).

    Returns:
        Plain numbers: ``statistics`` (name -> value, averaged over frames, and its worst standard score with the frame),
        ``worst_score``, ``expected_below``, ``white``, ``transport`` (one entry per distance, with its own ``ceiling``),
        ``ceiling`` (the mean of these), ``geometry``.

    Raises:
        BadValueError: a frame has values that are not finite, or the noise is not of this clip's size or length.
    """
    video = noise_video(clip, camera, file)
    check_finite(video.values, video.latent_frames, video.path)
    told = progress or (lambda what, done, total: None)
    source = geometry_of(clip, camera, geometry)
    found = transport(
        video.values,
        video.latent_frames,
        lambda a, b, seed: source.overlap(camera, a, b, factor=video.factor, seed=seed),
        beta=lambda frame: beta_of_latents(clip, camera, frame, video.factor, video.beta),
        pairs=pairs,
        progress=lambda done, total: told(f"transport of {camera}", done, total),
    )
    statistics = frame_statistics(
        video.values[::stride],
        video.latent_frames[::stride],
        progress=lambda done, total: told(f"statistics of {camera}", done, total),
    )
    worst = max(figure["worst_score"] for figure in statistics.values())
    return {
        "noise": str(video.path),
        "shape": list(video.values.shape),
        "factor": video.factor,
        "frames": len(video.values[::stride]),
        "statistics": statistics,
        "worst_score": worst,
        "expected_below": expected_below(len(video.values[::stride])),
        "white": worst < FAILS_AT,
        "geometry": source.what,
        "ceiling": round(float(np.mean([result.ceiling for result in found])), 4) if found else 1.0,
        "transport": [_plain(result) for result in found],
    }


def beta_of_latents(clip: Clip, camera: str, frame: int, factor: int, beta: Beta) -> Float[np.ndarray, "height width"]:
    """The share of surface noise of every latent of a frame: the mean over its pixels, as the noise was mixed."""
    height, width = (side // factor for side in clip.record.size)
    if isinstance(beta, float):
        return np.full((height, width), beta)
    instances = [Instance(instance.name, instance.class_name) for instance in clip.record.instances]
    by_place = beta_of_ids(beta, instances)
    by_id = np.ones(max((instance.id for instance in clip.record.instances), default=0) + 1)
    by_id[[0, *(instance.id for instance in clip.record.instances)]] = by_place
    pixels = by_id[clip.instances(camera, frame).astype(np.int64)]
    return pixels.reshape(height, factor, width, factor).mean(axis=(1, 3))


def frame_statistics(
    frames: Float[np.ndarray, "latents channels height width"],
    numbers: list[int],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, dict[str, float | int]]:
    """Whiteness frame by frame; frames of one clip share their noise, so scores are not pooled.

    Args:
        frames: noise.
        numbers: what the frames are called.
        progress: called with (done, total).

    Returns:
        By figure: ``value`` averaged over frames, the largest absolute standard score, and the frame that has it. The value
        of ``ks`` is the distance of the distribution functions.
    """
    rows = []
    for k, frame in enumerate(frames):
        x = np.asarray(frame, np.float64)[None]
        found = estimates(x)
        ks = kstest(x.ravel(), "norm")
        values = {name: estimate.value for name, estimate in found.items()} | {"ks": float(ks.statistic)}
        scores = {name: estimate.score for name, estimate in found.items()} | {"ks": normal_score(float(ks.pvalue))}
        rows.append((values, scores))
        if progress:
            progress(k + 1, len(frames))
    statistics = {}
    for name in rows[0][0]:
        scores = np.abs([score[name] for _, score in rows])
        statistics[name] = {
            "value": round(float(np.mean([value[name] for value, _ in rows])), 5),
            "worst_score": round(float(scores.max()), 2),
            "frame": numbers[int(scores.argmax())],
        }
    return statistics


def expected_below(frames: int) -> float:
    """What the scores of so many white frames all stay below, 99 times in 100."""
    return round(float(norm.isf((1 - 0.99 ** (1 / (frames * FIGURES))) / 2)), 2)


def _plain(result: Transport) -> dict[str, float | int]:
    return {
        "distance": result.distance,
        "efficiency": round(result.efficiency, 4),
        "standard_error": round(result.error, 4),
        "overlap": round(result.overlap, 4),
        "ceiling": round(result.ceiling, 4),
        "pairs": result.pairs,
    }
