"""Footage for a clip folder: its noise, depth and edges go into a video model, pictures come back."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32, UInt8

from .. import __version__
from ..clip import Clip, VideoWriter, new_folder, read_clip, readable_write_errors
from ..clip.images import write_png
from ..errors import BadValueError, MissingFileError
from .families import FAMILIES, ModelFamily, family_of

ProgressCallback = Callable[[str, int, int], None]
NoiseKind = Literal["clip", "iid"]
Frames = UInt8[np.ndarray, "frames height width 3"]


def generate(
    clip: Path,
    *,
    model: str | Path | None = None,
    prompt: str | None = None,
    steps: int | None = None,
    seed: int = 0,
    noise: NoiseKind = "clip",
    camera: str | None = None,
    progress: ProgressCallback | None = None,
) -> Path:
    """Generate footage for the cameras of a clip, into ``<camera>/generated/<model>-<seed>``.

    Args:
        clip: the clip folder.
        model: None is the embedded model; a folder of ``sim2real train``; or a folder or hub id of Wan-VACE.
        prompt: for models that read text; the embedded model does not, its look follows ``seed``.
        steps: denoising steps; None is the model's own number.
        seed: chooses the look of the embedded model. The noise is the clip's and does not depend on it.
        noise: ``clip`` drives the model with the clip's noise; ``iid`` with independent noise in every frame, as a baseline.
        camera: one camera; None is all.
        progress: called with (what, done, total).

    Returns:
        The clip folder.

    Raises:
        MissingFileError: no clip, no noise in it, or no model.
        UnknownNameError: a model or camera that does not exist.
        BadValueError: the clip's noise is laid out for another model; the message has the command that renders the right one.
    """
    opened = read_clip(clip)
    family = family_of(model)
    if family.pipeline != "WanVACEPipeline":
        runs = ", ".join(sorted(name for name, f in FAMILIES.items() if f.pipeline == "WanVACEPipeline"))
        raise BadValueError("the model", f"{model} ({family.pipeline})", right=f"of a family that generate runs: {runs}")
    if noise not in ("clip", "iid"):
        raise BadValueError("noise", repr(noise), right="clip or iid")
    cameras = opened.cameras if camera is None else [camera]
    for name in cameras:
        _require_inputs(opened, name, family, noise)
    make = _embedded(model, prompt) if family.name == "embedded" else _wan_vace(str(model), family, prompt)
    for name in cameras:
        tell = _told(progress, f"generate {name}")
        start = time.monotonic()
        frames, settings = make(opened, name, _noise_of(opened, name, family, noise, seed), steps, seed, tell)
        settings |= {"noise": noise, "seed": seed, "seconds": round(time.monotonic() - start, 2), "sim2real": __version__}
        label = _label(model, noise)
        _write(opened, opened.folder(name) / "generated" / f"{label}-{seed}", frames, {"model": label, **settings})
    return opened.path


def _embedded(model: str | Path | None, prompt: str | None) -> Callable[..., tuple[Frames, dict[str, Any]]]:
    """A function that runs an embedded-type model on one camera."""
    from .control import control_video
    from .embedded import embedded_folder, load_model
    from .palette import choose_palette
    from .sampling import CONTROL_SCALE, OVERLAP, sample_embedded

    if prompt is not None:
        raise BadValueError(
            "the prompt", repr(prompt), right="absent: the embedded model reads no text", mend="choose a look with --seed"
        )
    named = str(model) in ("None", "embedded")
    transformer, palettes, info = load_model(embedded_folder() if named else Path(str(model)))

    def run(
        clip: Clip,
        camera: str,
        noise: Float32[np.ndarray, "..."],
        steps: int | None,
        seed: int,
        tell: Callable[[int, int], None],
    ) -> tuple[Frames, dict[str, Any]]:
        depth = np.stack([clip.depth(camera, i) for i in range(clip.frames)])
        edges = np.stack([clip.edges(camera, i) for i in range(clip.frames)])
        control = control_video(depth, edges, clip.camera(camera).intrinsics, lens=clip.camera(camera).lens)
        palette = choose_palette(palettes, seed)
        frames = sample_embedded(transformer, info, noise, control, palette, steps=steps, progress=tell)
        return frames, {
            "steps": steps or info.steps,
            "window": list(info.window),
            "overlap": list(OVERLAP),
            "control_scale": CONTROL_SCALE,
            "palette": [[round(float(v), 4) for v in colour] for colour in palette],
        }

    return run


def _wan_vace(model: str, family: ModelFamily, prompt: str | None) -> Callable[..., tuple[Frames, dict[str, Any]]]:
    """A function that runs Wan-VACE on one camera."""
    from .wan_vace import STEPS, depth_control, load_wan_vace, sample_wan_vace

    if model == family.name:
        model = family.hub_ids[0]
    pipeline = load_wan_vace(model, family)

    def run(
        clip: Clip,
        camera: str,
        noise: Float32[np.ndarray, "..."],
        steps: int | None,
        seed: int,
        tell: Callable[[int, int], None],
    ) -> tuple[Frames, dict[str, Any]]:
        control = depth_control(np.stack([clip.depth(camera, i) for i in range(clip.frames)]))
        frames = sample_wan_vace(pipeline, noise, control, prompt=prompt or "", steps=steps, seed=seed, progress=tell)
        return frames, {"prompt": prompt or "", "steps": steps or STEPS}

    return run


def _require_inputs(clip: Clip, camera: str, family: ModelFamily, noise: NoiseKind) -> None:
    """Refuse a clip that lacks what the model needs, before any model is loaded."""
    needed = ["depth", *(["edges"] if family.name == "embedded" else []), *(["noise"] if noise == "clip" else [])]
    for kind in needed:
        if not clip.has(camera, kind):
            raise MissingFileError(clip.folder(camera) / kind, what=kind, mend=f"make it with: {_command(clip, family, kind)}")
    if noise == "iid":
        return
    layout, record = family.layout, clip.noise_record()
    wanted = (layout.factor, layout.channels, layout.latent_frames(clip.frames))
    if (record.factor, record.channels) != wanted[:2] or len(record.latent_frames) != len(wanted[2]):
        received = f"{record.channels} channels at factor {record.factor}, {len(record.latent_frames)} latents"
        raise BadValueError(
            "the clip's noise",
            received,
            right=f"{layout.channels} channels at factor {layout.factor}, {len(wanted[2])} latents for {family.name}",
            mend=f"make the clip again with: {_command(clip, family)}",
            where=clip.path,
        )


def _command(clip: Clip, family: ModelFamily, kind: str = "") -> str:
    """The command that makes the clip with what a model needs."""
    scene = clip.record.scene
    if not clip.of_video:
        return f"sim2real render {scene.path} -o CLIP --for {family.name}"
    return f"sim2real warp {scene.path} -o CLIP --for {family.name}" + (" --depth DIR" if kind == "depth" else "")


def _noise_of(
    clip: Clip, camera: str, family: ModelFamily, kind: NoiseKind, seed: int
) -> Float32[np.ndarray, "latents channels h w"]:
    """The clip's noise, or independent noise of the same shape, keyed by seed and camera."""
    if kind == "clip":
        return np.asarray(clip.noise(camera), np.float32)
    height, width = clip.record.size
    f = family.layout.factor
    shape = (len(family.layout.latent_frames(clip.frames)), family.layout.channels, height // f, width // f)
    key = int.from_bytes(hashlib.blake2b(f"iid/{seed}/{camera}".encode(), digest_size=16).digest(), "little")
    return np.random.Generator(np.random.Philox(key=key)).standard_normal(shape, np.float32)


def _label(model: str | Path | None, noise: NoiseKind) -> str:
    """The model's name as a folder's name."""
    name = "embedded" if model is None else Path(str(model)).resolve().name if Path(str(model)).exists() else str(model)
    return name.replace("/", "--") + ("" if noise == "clip" else "-iid")


def _told(progress: ProgressCallback | None, what: str) -> Callable[[int, int], None]:
    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress(what, done, total)

    return tell


def _write(clip: Clip, folder: Path, frames: Frames, settings: dict[str, Any]) -> None:
    """Frames, video and settings, whole or absent; older footage of the same name is replaced."""
    with readable_write_errors(folder), new_folder(folder, overwrite=folder.exists()) as work:
        (work / "frames").mkdir()
        with VideoWriter(work / "video.mp4", clip.record.fps) as video:
            for index, frame in enumerate(frames):
                write_png(work / "frames" / f"{index:06d}.png", frame)
                video.write(frame)
        (work / "settings.json").write_text(json.dumps(settings, indent=2) + "\n")
