"""Footage for a clip folder: its noise and pictures go into a video model, footage comes back, a frame at a time."""

from __future__ import annotations

import hashlib
import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from .. import __version__
from ..clip import Clip, VideoWriter, command_for, new_folder, read_clip, readable_write_errors
from ..clip.images import write_png
from ..errors import BadValueError, MissingFileError
from .families import FAMILIES, ModelFamily, family_of
from .noise_source import NOISE_KINDS, NoiseOf, noise_source

ProgressCallback = Callable[[str, int, int], None]
Frames = Iterator[UInt8[np.ndarray, "height width 3"]]
Make = Callable[[str, NoiseOf, Callable[[int, int], None]], Frames]
"""Runs a model on a camera, with its noise."""
_OF_SCENES = frozenset({"albedo", "material", "light", "reflection", "normals", "instances"})
"""Kinds of pictures that real videos do not have."""
_FRAMES_AHEAD = 1
"""Frames that the network may be ahead of the camera that films them."""


@dataclass(frozen=True)
class Request:
    """What is asked of a model for every camera; see :func:`generate`."""

    use: str = "keep"
    look: str | None = None
    keep: tuple[str, ...] = ()
    prompt: str | None = None
    steps: int | None = None
    seed: int = 0
    device: str = "cpu"


def generate(
    clip: Path,
    *,
    model: str | Path | None = None,
    use: str = "keep",
    look: str | None = None,
    keep: Sequence[str] = (),
    camera_effects: str | None = None,
    prompt: str | None = None,
    steps: int | None = None,
    seed: int = 0,
    noise: str = "clip",
    camera: str | None = None,
    device: str = "cpu",
    progress: ProgressCallback | None = None,
) -> Path:
    """Generate footage for the cameras of a clip, into ``<camera>/generated/<model>-<seed>``.

    Frames are written as they come: with a model that works in order, as the embedded one does, memory does not grow.

    Args:
        clip: the clip folder.
        model: None is the embedded model; a folder of ``sim2real train``; or a folder or hub id of Wan-VACE.
        use: of the embedded model: ``keep`` keeps the simulator's colors and textures, ``restyle`` gives everything a new
            surface (the folder is then called ``<model>-restyle-<seed>``).
        look: for ``restyle``: a look, ``class=material,...``, or both; what it leaves open follows ``seed``.
        keep: for ``restyle``: classes or instances that keep their colors; ``*`` is anything.
        camera_effects: ``none``, ``phone``, ``webcam`` or ``realsense``; None is ``phone`` for the embedded model, ``none`` for
            others.
        prompt: for models that read text; the embedded model does not.
        steps: denoising steps; None is the model's own number.
        seed: chooses the look, and the grain of the camera. The noise is the clip's and does not depend on it.
        noise: ``clip`` drives the model with the clip's noise. Baselines: ``iid``, independent noise in every frame; ``flow``,
            noise that the clip's flow carries from frame to frame.
        camera: one camera; None is all.
        device: ``cpu`` or ``cuda``, for the embedded model. Wan-VACE runs on CUDA where there is one.
        progress: called with (what, done, total).

    Returns:
        The clip folder.

    Raises:
        MissingFileError: no clip, no model, or the clip lacks a kind of pictures that the model needs: the message has the
            command.
        UnknownNameError: a model, camera, look, material, class or effect that does not exist: the message lists the valid.
        BadValueError: options that do not fit each other, or noise laid out for another model.
    """
    opened = read_clip(clip)
    family = check_options(model, use=use, look=look, keep=keep, camera_effects=camera_effects, prompt=prompt)
    request = Request(use, look, tuple(keep), prompt, steps, seed, device)
    camera_effects = ("phone" if family.name == "embedded" else "none") if camera_effects is None else camera_effects
    if noise not in NOISE_KINDS:
        raise BadValueError("noise", repr(noise), right=", ".join(NOISE_KINDS))
    cameras = opened.cameras if camera is None else [opened.camera_name(camera)]
    family.check_clip(opened.frames, opened.record.size)
    for name in cameras:
        _require_inputs(opened, name, family, noise)
    make, settings = (_embedded if family.name == "embedded" else _wan_vace)(opened, model, family, request)
    label = _label(model, use, noise)
    settings |= {"camera_effects": camera_effects, "noise": noise, "seed": seed, "sim2real": __version__}
    for name in cameras:
        tell = _reporter(progress, f"generate {name}")
        frames = make(name, noise_source(opened, name, family.layout, noise, seed), tell)
        frames = _filmed(opened, name, frames, camera_effects, seed)
        _write(opened, opened.folder(name) / "generated" / f"{label}-{seed}", frames, {"model": label, **settings})
    return opened.path


def check_options(
    model: str | Path | None,
    *,
    use: str = "keep",
    look: str | None = None,
    keep: Sequence[str] = (),
    camera_effects: str | None = None,
    prompt: str | None = None,
) -> ModelFamily:
    """Refuse what :func:`generate` would refuse of its options whatever the clip; returns the model's family.

    Raises:
        UnknownNameError: a model, look, material or effect that does not exist.
        BadValueError: options that the model does not have, or that do not fit each other.
        MissingFileError: an embedded-type model that is not there.
        UnreadableFileError: one that does not fit this version.
    """
    from ..camera_effects import effects
    from .families.embedded.folder import model_folder, read_info
    from .families.embedded.footage import check_use

    family = family_of(model)
    if family.pipeline != "WanVACEPipeline":
        runs = ", ".join(sorted(name for name, f in FAMILIES.items() if f.pipeline == "WanVACEPipeline"))
        raise BadValueError("the model", f"{model} ({family.pipeline})", right=f"of a family that generate runs: {runs}")
    if camera_effects is not None:
        effects(camera_effects)
    if family.name == "embedded":
        check_use(use, look, keep)
        if prompt is not None:
            fix = "say what things are made of with: --use restyle --look NAME"
            raise BadValueError("the prompt", repr(prompt), right="absent: the embedded model reads no text", fix=fix)
        read_info(model_folder(model))
        return family
    for option, value in (("--use", use), ("--look", look), ("--keep", ",".join(keep) or None)):
        if value not in (None, "keep"):
            right = "left out: it belongs to the embedded model"
            raise BadValueError(option, value, right=right, fix=f"tell {family.name} with --prompt")
    from .wan_vace import require_weights

    require_weights(weights_of(model, family))
    return family


def weights_of(model: str | Path | None, family: ModelFamily) -> str:
    """The hub id or folder of a model; a family's name stands for its first."""
    return family.hub_ids[0] if str(model) == family.name else str(model)


def _embedded(clip: Clip, model: str | Path | None, family: ModelFamily, request: Request) -> tuple[Make, dict[str, Any]]:
    """A function that runs an embedded-type model on one camera, and the settings that all cameras share."""
    from ..devices import checked_device
    from .families.embedded.folder import load_model, model_folder
    from .families.embedded.footage import clip_conditions, restyle_of, settings_of
    from .families.embedded.sample import sample

    restyle = restyle_of(clip.record, request.use, request.look, request.keep, request.seed)
    denoiser, info = load_model(model_folder(model))
    device: Any = checked_device(request.device)
    denoiser = denoiser.to(device)

    def run(camera: str, noise_of: NoiseOf, tell: Callable[[int, int], None]) -> Frames:
        def conditions_of(frames: slice, noise: np.ndarray) -> np.ndarray:
            return clip_conditions(clip, camera, frames, restyle, noise)

        return sample(denoiser, info, noise_of, conditions_of, clip.frames, steps=request.steps, progress=tell)

    return run, {"steps": request.steps or info.steps, **settings_of(restyle, clip.record, request.keep)}


def _wan_vace(clip: Clip, model: str | Path | None, family: ModelFamily, request: Request) -> tuple[Make, dict[str, Any]]:
    """A function that runs Wan-VACE on one camera, and the settings that all cameras share."""
    from .wan_vace import STEPS, depth_control, load_wan_vace, sample_wan_vace

    prompt, steps = request.prompt or "", STEPS if request.steps is None else request.steps
    pipeline = load_wan_vace(weights_of(model, family), family)
    latents = slice(0, len(family.layout.latent_frames(clip.frames)))

    def run(camera: str, noise_of: NoiseOf, tell: Callable[[int, int], None]) -> Frames:
        control = depth_control(np.stack([clip.depth(camera, i) for i in range(clip.frames)]))
        noise = noise_of(latents)
        yield from sample_wan_vace(pipeline, noise, control, prompt=prompt, steps=steps, seed=request.seed, progress=tell)

    return run, {"prompt": prompt, "steps": steps}


def _require_inputs(clip: Clip, camera: str, family: ModelFamily, noise: str) -> None:
    """Refuse a clip that lacks what the model needs, before any model is loaded."""
    drives = {"clip": ["noise"], "iid": [], "flow": ["flow"]}[noise]
    needed = [*drives, *(kind for kind in family.needs if kind != "noise")]
    if lacking := [kind for kind in needed if not clip.has(camera, kind)]:
        fix = f"make the clip with: {_command(clip, family, lacking)}"
        if clip.of_video and _OF_SCENES & set(lacking):
            fix = "videos do not have them, scenes do: use a model that needs none, such as --model wan-vace"
        what = f"{', '.join(lacking)} ({'which' if len(lacking) == 1 else 'all of which'} {family.name} needs)"
        raise MissingFileError(clip.folder(camera), what=what, fix=fix)
    if noise != "clip":
        return
    layout, record = family.layout, clip.noise_record()
    wanted = (layout.factor, layout.channels, layout.latent_frames(clip.frames))
    if (record.factor, record.channels) != wanted[:2] or len(record.latent_frames) != len(wanted[2]):
        received = f"{record.channels} channels at factor {record.factor}, {len(record.latent_frames)} latents"
        raise BadValueError(
            "the clip's noise",
            received,
            right=f"{layout.channels} channels at factor {layout.factor}, {len(wanted[2])} latents for {family.name}",
            fix=f"make the clip again with: {_command(clip, family)}",
            where=clip.path,
        )


def _command(clip: Clip, family: ModelFamily, lacking: Iterable[str] = ()) -> str:
    """The command that makes the clip with what a model needs."""
    last = ["--depth", "DIR"] if clip.of_video and "depth" in lacking else []
    if "flow" in lacking:
        last += ["--only", ",".join([*family.needs, "flow"])]
    return command_for(clip, ["--for", family.name], last=last)


def _label(model: str | Path | None, use: str, noise: str) -> str:
    """The model's name as a folder's name, with what is not the usual."""
    name = "embedded" if model is None else Path(str(model)).resolve().name if Path(str(model)).exists() else str(model)
    unusual = [word for word, usual in ((use, "keep"), (noise, "clip")) if word != usual]
    return "-".join([name.replace("/", "--"), *unusual])


def _reporter(progress: ProgressCallback | None, what: str) -> Callable[[int, int], None]:
    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress(what, done, total)

    return tell


def _filmed(clip: Clip, camera: str, frames: Frames, effects_name: str, seed: int) -> Frames:
    """Frames as a camera takes them, in a thread beside the network; its grain is keyed by seed, camera and frame."""
    from ..camera_effects import apply_frame, effects
    from ..clip.motion import pixel_motion

    chosen = effects(effects_name)
    if chosen.nothing:
        yield from frames
        return
    key = int.from_bytes(hashlib.blake2b(f"camera effects/{seed}/{camera}".encode(), digest_size=7).digest(), "little")

    def filmed(index: int, frame: UInt8[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "height width 3"]:
        known = {"depth": clip.depth(camera, index) if clip.has(camera, "depth") else None}
        if chosen.shutter and clip.has(camera, "instances") and not clip.of_video:
            known["motion"] = pixel_motion(clip, camera, index)
        return apply_frame(frame, chosen, seed=key, frame=index, **known)

    waiting: deque[Future] = deque()
    with ThreadPoolExecutor(1, "camera") as pool:
        for index, frame in enumerate(frames):
            waiting.append(pool.submit(filmed, index, frame))
            if len(waiting) > _FRAMES_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _write(clip: Clip, folder: Path, frames: Frames, settings: dict[str, Any]) -> None:
    """Frames, video and settings, whole or absent; older footage of the same name is replaced."""
    start = time.monotonic()
    with readable_write_errors(folder), new_folder(folder, overwrite=folder.exists()) as work:
        (work / "frames").mkdir()
        with VideoWriter(work / "video.mp4", clip.record.fps) as video:
            for index, frame in enumerate(frames):
                write_png(work / "frames" / f"{index:06d}.png", frame)
                video.write(frame)
        seconds = time.monotonic() - start
        settings = {**settings, "seconds": round(seconds, 2), "seconds_per_frame": round(seconds / clip.frames, 3)}
        (work / "settings.json").write_text(json.dumps(settings, indent=2) + "\n")
