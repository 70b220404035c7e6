"""Footage in more pixels: what a small clip's footage made of its surfaces, on the sharp surfaces of a large clip.

Depth, normals, base colors and light are known at any size; footage of a large model is not. Per channel and locally, footage
is taken for a gain of the picture that the light makes of known surfaces, plus what that does not explain (He, Sun and Tang
2010). Both are spread to all pixels along surfaces (joint bilateral upsampling, Kopf, Cohen, Lischinski and Uyttendaele 2007).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor
from torch.nn import functional

from ...clip import Clip, command_for, read_clip
from ...clip.footage import generated_frames, write_footage
from ...errors import BadValueError, MissingFileError, UnknownNameError
from ..families import family_of
from ..families.embedded.conditions import BASE, LIGHT, NORMALS, PICTURE, SHARES
from ..families.embedded.denoiser import SCALE, mixed
from ..families.embedded.footage import Restyle, clip_conditions, restyle_of
from ..family import Frames, Told
from .finishing import FINISHERS, Finisher

_KINDS = ("rgb", "albedo", "material", "light", "reflection", "normals", "depth", "edges")
_WINDOW = 2.0
"""Standard deviation, pixels of the small footage, of the window in which a gain is found."""
_LEAST = 0.02**2
"""Variance below which the known picture explains nothing."""
_STRONGEST = 3.0
_ALIKE = 0.15
"""How far guides of the same surface lie apart, about."""
_NEAR, _BLUR = 2, 0.6
"""How many of the small pixels on either side are looked at, and the standard deviation of how they count."""
_ROUNDS = 2
"""How often the large picture is averaged, compared with the small one, and corrected."""


def upsample(
    large: Path,
    small: Path,
    footage: str,
    *,
    camera: str | None = None,
    finisher: str | None = None,
    weights: Path | None = None,
    device: str = "cpu",
    progress: Any = None,
) -> Path:
    """Write the footage of a small clip at the size of a large one, into ``<camera>/generated/<footage>-upsampled``.

    With a finisher it is ``<footage>-realesrgan``.

    Args:
        large: a clip folder of the same scene, frames and cameras, with what the embedded model needs; a finisher needs none of
            it.
        small: the clip folder that has the footage; its sides go evenly into the large one's.
        footage: its name, such as ``embedded-0``.
        camera: one camera; None is all that the small clip has this footage of.
        finisher: ``realesrgan`` draws the details instead, as a network knows them from photographs.
        weights: of the finisher; None are those of an installed package.
        device: where the finisher runs, ``cpu`` or ``cuda``.
        progress: called with (what, done, total).

    Returns:
        The large clip's folder.

    Raises:
        BadValueError: the clips do not show the same, or the sizes do not fit.
        UnknownNameError: no such footage or camera.
        MissingFileError: one of the clips, kinds of pictures of the large one, or the weights are not there.
        MissingPackageError: the finisher has no weights.
        UnreadableFileError: its weights are damaged.
    """
    if weights is not None and finisher is None:
        raise BadValueError("--weights", weights, right="left out without --finisher")
    if finisher is not None and finisher not in FINISHERS:
        raise UnknownNameError(finisher, FINISHERS, what="finisher")
    big, little = read_clip(large), read_clip(small)
    by, folders = times(big, little), _footage_of(big, little, footage, camera)
    for name in folders:
        require_same_views(big, little, name)
        if finisher is None:
            require_pictures(big, name)
    finish = None if finisher is None else Finisher(weights, by, device)
    for name, folder in folders.items():

        def tell(done: int, total: int, name: str = name) -> None:
            if progress is not None:
                progress(f"upsample {name}", done, total)

        settings: dict[str, Any] = {"upsampled": str(little.path), "footage": footage, "times": by}
        place = big.folder(name) / "generated"
        if finish is None:
            frames = _frames(big, name, _surfaces(big, folder), folder, by, tell)
            write_footage(big, place / f"{footage}-upsampled", frames, settings)
        else:
            settings |= {"finisher": finisher, "weights": finish.path.name}
            write_footage(big, place / f"{footage}-{finisher}", _finished(finish, folder, big.frames, tell), settings)
    return big.path


def _footage_of(big: Clip, little: Clip, footage: str, camera: str | None) -> dict[str, Path]:
    """The folders of the footage, by the cameras that have it, or of one camera.

    Raises:
        UnknownNameError: there is none.
    """
    cameras = [big.camera_name(camera)] if camera else [name for name in big.cameras if name in little.cameras]
    found = {name: {folder.name: folder for folder in little.generated(name)} for name in cameras}
    if camera is None:
        cameras = [name for name in cameras if footage in found[name]] or cameras[:1]
    for name in cameras:
        if footage not in found[name]:
            raise UnknownNameError(footage, list(found[name]), what=f"footage of camera {name}", where=little.path)
    return {name: found[name][footage] for name in cameras}


def _finished(finish: Finisher, footage: Path, frames: int, tell: Told) -> Frames:
    small = generated_frames(footage)
    for frame in range(frames):
        yield finish(small(frame))
        tell(frame + 1, frames)


def _frames(clip: Clip, camera: str, surfaces: tuple[Restyle | None, float], footage: Path, by: int, tell: Told) -> Frames:
    small, (restyle, worn_by) = generated_frames(footage), surfaces
    for frame in range(clip.frames):
        noise = np.array(clip.latents(camera, slice(frame, frame + 1))) if (restyle or worn_by) and _noise_fits(clip) else None
        known = clip_conditions(clip, camera, slice(frame, frame + 1), restyle, noise, worn_by=worn_by)
        yield upsampled(small(frame), known, by)
        tell(frame + 1, clip.frames)


def upsampled(
    small: UInt8[np.ndarray, "h w 3"], known: Float32[np.ndarray, "1 channels height width"], by: int
) -> UInt8[np.ndarray, "height width 3"]:
    """One frame.

    Args:
        small: the footage.
        known: of the large clip, from ``picture_conditions``.
        by: how many pixels along each axis become one.
    """
    given = torch.from_numpy(known)
    coarse = functional.avg_pool2d(given, by)
    shown, wanted = coarse[:, PICTURE], torch.from_numpy(small).permute(2, 0, 1)[None].float() / 127.5 - 1
    gain = _local_gain(shown, wanted)
    spread = _Spread(_guide(given), by)
    said = spread(torch.cat([gain, wanted - gain * shown], dim=1))
    large = said[:, :3] * given[:, PICTURE] + said[:, 3:]

    def finished() -> Float[Tensor, "1 3 height width"]:
        return mixed(SCALE * large, given[:, SHARES]) / SCALE

    for _ in range(_ROUNDS):
        large = large + spread((wanted - functional.avg_pool2d(finished(), by)) * spread.whole)
    pixels = ((finished()[0] + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return pixels.permute(1, 2, 0).numpy()


def _guide(known: Float[Tensor, "1 d height width"]) -> Float[Tensor, "1 9 height width"]:
    """What tells one surface from another: base color, light and normal."""
    return torch.cat([known[:, BASE], known[:, LIGHT], known[:, NORMALS]], dim=1)


class _Spread:
    """What is said of few pixels, for all: of those around, those count that show the same surface, and nothing but it.

    Args:
        guide: of all pixels, about in [-1, 1].
        by: how many of them along each axis are one of the few.
    """

    def __init__(self, guide: Float[Tensor, "1 d height width"], by: int) -> None:
        self._by, (height, width) = by, guide.shape[-2:]
        coarse = functional.avg_pool2d(guide, by)
        varied = (functional.avg_pool2d(guide.square(), by) - coarse.square()).clamp(min=0).sum(1, keepdim=True)
        self.whole = torch.exp(-varied / _ALIKE**2)
        self._weights: list[tuple[Tensor, Tensor, Tensor]] = []
        (rows, columns), total = (self._around(length, by) for length in (height, width)), 0
        for row, vertical in rows:
            for column, horizontal in columns:
                there = coarse[:, :, row][..., column]
                alike = torch.exp(-(there - guide).square().sum(1, keepdim=True) / _ALIKE**2)
                weight = vertical[:, None] * horizontal * (alike * self.whole[:, :, row][..., column] + 1e-5)
                self._weights.append((row, column, weight))
                total = total + weight
        self._total = total

    @staticmethod
    def _around(length: int, by: int) -> list[tuple[Tensor, Tensor]]:
        """Of every pixel the few around it along one axis, and how much each counts for its distance."""
        place = (torch.arange(length) + 0.5) / by - 0.5
        first, count = place.floor().long(), length // by
        near = [first + k for k in range(-_NEAR + 1, _NEAR + 1)]
        return [(index.clamp(0, count - 1), torch.exp(-0.5 * ((index - place) / _BLUR) ** 2)) for index in near]

    def __call__(self, said: Float[Tensor, "1 c h w"]) -> Float[Tensor, "1 c height width"]:
        """Means over those around, by their weights."""
        return sum(weight * said[:, :, row][..., column] for row, column, weight in self._weights) / self._total  # pyright: ignore


def _local_gain(known: Float[Tensor, "1 3 h w"], wanted: Float[Tensor, "1 3 h w"]) -> Float[Tensor, "1 3 h w"]:
    """Least squares of the one by the other, within a window around every pixel."""

    def mean(values: Tensor) -> Tensor:
        reach = int(2 * _WINDOW)
        place = torch.arange(-reach, reach + 1, dtype=values.dtype)
        weights = torch.exp(-0.5 * (place / _WINDOW) ** 2)
        weights = (weights / weights.sum()).repeat(values.shape[1], 1)
        padded = functional.pad(values, (reach, reach, reach, reach), mode="replicate")
        rows = functional.conv2d(padded, weights[:, None, :, None], groups=values.shape[1])
        return functional.conv2d(rows, weights[:, None, None, :], groups=values.shape[1])

    x, y = mean(known), mean(wanted)
    covariance, variance = mean(known * wanted) - x * y, mean(known * known) - x * x
    return (covariance / (variance + _LEAST)).clamp(0, _STRONGEST)


def times(large: Clip, small: Clip) -> int:
    """How many times as large.

    Raises:
        BadValueError: not a whole number of times, or not the same one for both sides.
    """
    by = large.record.size[0] // max(small.record.size[0], 1)
    if by < 2 or large.record.size != (by * small.record.size[0], by * small.record.size[1]):
        height, width = small.record.size
        right = f"a multiple of the small clip's {height}x{width}, such as {4 * height}x{4 * width}"
        received = f"{large.record.size[0]}x{large.record.size[1]}"
        raise BadValueError("the size of the large clip", received, right=right, where=large.path, fix="render with --size")
    return by


def require_same_views(large: Clip, small: Clip, camera: str) -> None:
    """Refuse clips that show other moments, or through another camera.

    Raises:
        BadValueError: what differs.
    """
    if large.frames != small.frames:
        right = f"{small.frames}, as the small clip has"
        raise BadValueError("the number of frames", large.frames, right=right, where=large.path)
    one, other = large.record.cameras[camera], small.record.cameras[camera]
    if not np.allclose(one.world_from_camera, other.world_from_camera, atol=1e-6):
        right = f"where it is in {small.path}"
        raise BadValueError(f"where camera {camera} is", "elsewhere", right=right, where=large.path, fix="render both alike")
    by = times(large, small)
    scaled = np.asarray(other.intrinsics) * np.array([by, by, 1.0])[:, None]
    if not np.allclose(one.intrinsics, scaled, rtol=1e-4, atol=1e-3 * by):
        right = f"those of {small.path}, {by} times"
        raise BadValueError(f"the intrinsics of camera {camera}", "others", right=right, where=large.path, fix="pass --size")


def require_pictures(large: Clip, camera: str) -> None:
    """Refuse a clip without the pictures that tell of surfaces and light.

    Raises:
        MissingFileError: with the command that makes them.
    """
    if lacking := [kind for kind in _KINDS if not large.has(camera, kind)]:
        fix = f"make the clip with: {command_for(large, ['--for', 'embedded'])}"
        raise MissingFileError(large.folder(camera), what=", ".join(lacking), fix=fix)


def _surfaces(large: Clip, footage: Path) -> tuple[Restyle | None, float]:
    """The surfaces that the footage was given and their wear, where its settings tell: those of the embedded model."""
    file = footage / "settings.json"
    said = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    worn_by = float(said.get("wear", 0))
    if said.get("use") != "restyle":
        return None, worn_by
    look, keep, strength = said.get("look"), said.get("keep") or (), said.get("strength", 1.0)
    return restyle_of(large.record, "restyle", look, keep, int(said["seed"]), strength), worn_by


def _noise_fits(large: Clip) -> bool:
    """Whether the clip's noise can draw the textures of new surfaces."""
    noise, layout = large.record.noise, family_of(None).layout
    return noise is not None and (noise.factor, noise.channels) == (layout.factor, layout.channels)
