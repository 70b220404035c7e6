"""A clip's surfaces as the pictures that Cosmos DiffusionRenderer's forward renderer reads.

::

  FOLDER/gbuffers.json          what it was made of, and which depth is black and white
  FOLDER/<camera>/
    0000.0000.basecolor.png     chunk and frame within it; sRGB, unlit
    0000.0000.normal.png        (n + 1) / 2 in 8 bits; x is right, y up, z towards the viewer; background (0, 0, 1)
    0000.0000.depth.png         linear depth along z, near black, far white, one range for the clip; background white
    0000.0000.roughness.png     background 0.5
    0000.0000.metallic.png      background 0
    ...
    0001.0000.basecolor.png     the next 57 frames

Sources: names, chunks and sizes: ``dataset_inference.py`` of NVIDIA's cosmos1-diffusion-renderer. Axes of normals, sRGB and
backgrounds: its authors' data generator (composition_rendering). Depth: ``normalize_depth`` and ``ScaleShiftDepthNormalizer``
of the former, which map quantiles 0.02 and 0.98 to the ends, far to the largest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from ...clip import Clip, command_for, new_folder, read_clip
from ...clip.images import PictureWriter
from ...errors import BadValueError, MissingFileError

CHUNK = 57
"""Frames that the model renders at once."""
PASSES = ("basecolor", "normal", "depth", "roughness", "metallic")
_KINDS = ("albedo", "normals", "depth", "material")
_ENDS = (0.02, 0.98)
_SAMPLED_FRAMES = 49


def export_gbuffers(
    clip: Path | str, output: Path | str, *, camera: str | None = None, overwrite: bool = False
) -> dict[str, int]:
    """Write the pictures of all cameras, or of one.

    Args:
        clip: the clip folder, rendered with ``--for cosmos-diffusion-renderer``.
        output: the folder to make.
        camera: one of the clip's.
        overwrite: replace an older folder of the same kind.

    Returns:
        Frames by camera.

    Raises:
        MissingFileError: the clip lacks a kind of pictures; the message has the command.
        UnknownNameError: no such camera.
        OutputExistsError: the folder exists, and ``overwrite`` is false.
        BadValueError: the folder is the clip's.
    """
    opened = read_clip(Path(clip))
    if Path(output).resolve() == opened.path.resolve():
        raise BadValueError("the output", output, right="another folder than the clip's", fix="choose another with -o")
    cameras = opened.cameras if camera is None else [opened.camera_name(camera)]
    for name in cameras:
        if lacking := [kind for kind in _KINDS if not opened.has(name, kind)]:
            command = command_for(opened, ["--for", "cosmos-diffusion-renderer"])
            fix = "videos do not have them, scenes do" if opened.of_video else f"make the clip with: {command}"
            raise MissingFileError(opened.folder(name), what=", ".join(lacking), fix=fix)
    with new_folder(Path(output), overwrite=overwrite) as work, PictureWriter() as pictures:
        ranges = {name: depth_ends(opened, name) for name in cameras}
        told = {"clip": str(opened.path), "frames": opened.frames, "depth_black_white_m": ranges}
        (work / "gbuffers.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
        for name, ends in ranges.items():
            (work / name).mkdir()
            for frame in range(opened.frames):
                chunk, place = divmod(frame, CHUNK)
                for kind, picture in gbuffers_of(opened, name, frame, ends).items():
                    pictures.write(work / name / f"{chunk:04d}.{place:04d}.{kind}.png", picture)
    return dict.fromkeys(cameras, opened.frames)


def gbuffers_of(clip: Clip, camera: str, frame: int, ends: tuple[float, float]) -> Mapping[str, UInt8[np.ndarray, "..."]]:
    """The pictures of one frame, by pass.

    Args:
        clip: the clip folder.
        camera: one of its cameras.
        frame: its number.
        ends: depth that is black, and depth that is white, metres.
    """
    depth, normals, material = clip.depth(camera, frame), clip.normals(camera, frame), clip.material(camera, frame)
    nothing = depth <= 0
    towards = np.stack([normals[..., 0], 255 - normals[..., 1], 255 - normals[..., 2]], axis=-1)
    towards[nothing] = (128, 128, 255)
    far = np.clip((depth - ends[0]) / max(ends[1] - ends[0], 1e-6), 0, 1)
    return {
        "basecolor": clip.albedo(camera, frame),
        "normal": towards,
        "depth": np.where(nothing, 255, np.rint(255 * far)).astype(np.uint8),
        "roughness": np.where(nothing, 128, material[..., 0]).astype(np.uint8),
        "metallic": np.where(nothing, 0, material[..., 1]).astype(np.uint8),
    }


def depth_ends(clip: Clip, camera: str) -> tuple[float, float]:
    """Quantiles of the depth of all surfaces, metres, from frames spread over the clip; 0 and 1 where there are none."""
    chosen = np.unique(np.linspace(0, clip.frames - 1, _SAMPLED_FRAMES).round().astype(int))
    seen: list[Float[np.ndarray, "pixels"]] = []
    for frame in chosen:
        depth = clip.depth(camera, int(frame)).ravel()[::7]  # odd, so that it meets all columns
        seen.append(depth[depth > 0])
    pixels = np.concatenate(seen)
    if not len(pixels):
        return 0.0, 1.0
    near, far = np.quantile(pixels, _ENDS)
    return float(near), float(far)
