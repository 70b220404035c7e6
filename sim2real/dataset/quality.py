"""Figures by which a clip is judged without looking at it: does the footage follow geometry, labels and colors?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Integer, UInt8
from scipy import ndimage

from ..clip import Clip
from ..clip.footage import FrameOf, generated_frames
from ..metrics.evaluate import noise_figures
from ..metrics.footage import gradient_ridges
from ..metrics.labels import BorderCounts, border_counts, color_errors, instance_borders
from ..metrics.motion import labeled_motion, sampled
from ..metrics.response import interior, noise_response
from ..text_files import read_json

MOST = 8
"""Frames of a camera that are measured: neighbors look alike."""
REACH = 8
"""Pixels by which labels are shifted at most to see where they fit best."""
_WORTH = 1.08
"""Edges must be so many times as strong under borders moved by more than a pixel: 1.12 to 1.44 where masks are 5 px off."""
_BAND = (0.8, 3.0)
"""Standard deviations, pixels, between which detail lies: finer is the camera's grain, coarser is light."""


def clip_figures(clip: Clip) -> dict[str, float]:
    """Figures of a clip, the worst camera's each; names are those of :mod:`.gate`.

    Those of footage are left out where there is none, ``color`` where the footage gives things new surfaces; those of motion
    where there is no depth, and those of things where there are no instances, as in clips of real videos.
    """
    found: dict[str, list[float]] = {"labels": [label_agreement(clip)]}
    for camera in clip.cameras:
        if clip.has(camera, "noise"):
            found.setdefault("noise", []).append(float(noise_figures(clip, camera, stride=stride_of(clip))["worst_score"]))
        for folder in clip.generated(camera):
            said = _said_of(folder)
            told = {"restyled": said.get("use") == "restyle", "driven": said.get("use") != "keep" or said.get("wear", 0) > 0}
            for name, value in footage_figures(clip, camera, generated_frames(folder), **told).items():
                found.setdefault(name, []).append(value)
    worst = {"labels": min, "detail": min, "driven": min, "borders": min}
    return {name: round(worst.get(name, max)(values), 4) for name, values in found.items()}


def _said_of(footage: Path) -> dict[str, Any]:
    """What ``generate`` was asked for; nothing of footage that others made."""
    file = footage / "settings.json"
    return read_json(file, what="the footage's settings", fix="generate it again") if file.is_file() else {}


def stride_of(clip: Clip) -> int:
    """So many frames apart that at most ``MOST`` are measured."""
    return max(1, -(-clip.frames // MOST))


def footage_figures(clip: Clip, camera: str, frames: FrameOf, *, restyled: bool, driven: bool = True) -> dict[str, float]:
    """``detail``, ``flicker``, ``driven``, ``borders``, ``shift_px`` and ``color`` of one camera's footage.

    Args:
        clip: the clip folder; what it has no depth or instances for is left out.
        camera: its name.
        frames: the footage.
        restyled: whether colors are new on purpose.
        driven: whether noise can be told from it: not where the embedded model keeps all colors and nothing is worn.
    """
    measured = range(0, clip.frames, stride_of(clip))
    labeled = clip.has(camera, "instances")
    known = labeled and clip.has(camera, "depth") and not clip.of_video
    found = temporal_figures(clip, camera, frames) if known else {}
    if driven and clip.has(camera, "noise"):
        latents = len(clip.noise_record().latent_frames)
        found["driven"] = noise_response(clip, camera, frames, range(0, latents, max(1, -(-latents // MOST))))
    if not labeled:
        return found
    if clip.has(camera, "rgb"):
        counts = [border_counts(frames(k), clip.rgb(camera, k), clip.instances(camera, k)) for k in measured]
        found["borders"] = sum(counts, BorderCounts()).share_kept
    found["shift_px"] = label_shift((frames(k), clip.instances(camera, k)) for k in measured)
    if not restyled and clip.has(camera, "rgb"):
        errors = [e for k in measured for e in color_errors(frames(k), clip.rgb(camera, k), clip.instances(camera, k)).values()]
        found["color"] = float(np.mean(errors)) if errors else 0.0
    return found


def temporal_figures(clip: Clip, camera: str, frames: FrameOf) -> dict[str, float]:
    """How well the detail of surfaces moves with them, from frame to frame along exact motion.

    ``detail`` is its correlation, 1 for textures that stick; ``flicker`` the spread of what changes, in steps of 8 bits.
    """
    products, first, second, changes, count = 0.0, 0.0, 0.0, 0.0, 0
    for k in range(0, clip.frames - 1, stride_of(clip)):
        there, visible = labeled_motion(clip, camera, k, k + 1)
        inside = visible & interior(clip.instances(camera, k))
        a = detail_of(frames(k))[inside]
        b = sampled(detail_of(frames(k + 1))[..., None], there[inside])[..., 0]
        products, first, second = products + float(a @ b), first + float(a @ a), second + float(b @ b)
        changes, count = changes + float(((a - b) ** 2).sum()), count + len(a)
    correlation = products / max(np.sqrt(first * second), 1e-9)
    return {"detail": float(correlation), "flicker": float(np.sqrt(changes / max(count, 1)))}


def detail_of(picture: UInt8[np.ndarray, "height width 3"]) -> Float[np.ndarray, "height width"]:
    """What is finer than light and coarser than grain, of the luminance."""
    luminance = picture.astype(np.float64) @ [0.299, 0.587, 0.114]
    fine, coarse = (ndimage.gaussian_filter(luminance, sigma) for sigma in _BAND)
    return fine - coarse


def label_shift(
    frames: Iterator[tuple[UInt8[np.ndarray, "height width 3"], Integer[np.ndarray, "height width"]]],
) -> float:
    """By how many pixels labels would have to be moved for their borders to lie on the strongest edges; 0 if they fit.

    A move by more than a pixel has to be worth it: edges of textures and shadows are as strong as borders by chance.

    Args:
        frames: pictures with the labels that are said to be theirs; one shift is found for all.
    """
    total = np.zeros((2 * REACH + 1, 2 * REACH + 1))
    for picture, instances in frames:
        total += _fit(np.minimum(gradient_ridges(picture), 40.0), borders_of(instances))
    if not total.any():
        return 0.0
    near = np.zeros_like(total)
    near[REACH - 1 : REACH + 2, REACH - 1 : REACH + 2] = total[REACH - 1 : REACH + 2, REACH - 1 : REACH + 2]
    fits = near if total.max() < _WORTH * near.max() else total
    y, x = np.unravel_index(int(fits.argmax()), fits.shape)
    return float(np.hypot(y - REACH, x - REACH))


def borders_of(instances: Integer[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """Borders of instances that are at least ``REACH`` pixels from the picture's rim."""
    border = instance_borders(instances)
    border[:REACH], border[-REACH:], border[:, :REACH], border[:, -REACH:] = False, False, False, False
    return border


def _fit(strength: Float[np.ndarray, "height width"], border: Bool[np.ndarray, "height width"]) -> Float[np.ndarray, "n n"]:
    """Mean strength of edges below the borders, moved by every shift up to ``REACH``."""
    rows, columns = np.nonzero(border)
    found = np.zeros((2 * REACH + 1, 2 * REACH + 1))
    for dy in range(-REACH, REACH + 1):
        for dx in range(-REACH, REACH + 1):
            found[dy + REACH, dx + REACH] = strength[rows + dy, columns + dx].sum()
    return found


def label_agreement(clip: Clip) -> float:
    """Share of frames whose labels agree: ids that the clip lists and, where there is depth, it is finite and all have it.

    1 where there are no labels.
    """
    known = {0, *(instance.id for instance in clip.record.instances)}
    good, frames = 0, 0
    for camera in clip.cameras:
        if not clip.has(camera, "instances"):
            continue
        for k in range(clip.frames):
            ids = clip.instances(camera, k)
            agree = set(np.unique(ids).tolist()) <= known
            if clip.has(camera, "depth"):
                depth = clip.depth(camera, k)
                agree = agree and bool(np.isfinite(depth).all()) and bool((depth[ids > 0] > 0).all())
            good += agree
            frames += 1
    return good / frames if frames else 1.0
