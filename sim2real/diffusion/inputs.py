"""What models are given of a clip: what has to be there, and its noise or a baseline, a few latents at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from jaxtyping import Float32

from ..clip import Clip, command_for
from ..errors import BadValueError, MissingFileError
from ..kinds import names_of_videos
from ..noise.layout import NoiseLayout
from .families import families
from .family import ClipNoise, ModelFamily, NoiseOf
from .options import GenerateOptions


def require_inputs(clip: Clip, camera: str, family: ModelFamily, options: GenerateOptions) -> None:
    """Refuse a clip that lacks what a model needs, before any model is loaded.

    Args:
        clip: the clip folder.
        camera: one of its cameras.
        family: of the model.
        options: what is asked of it: its controls, and what drives it.

    Raises:
        MissingFileError: pictures or noise are missing; the message has the command that makes them.
        BadValueError: the noise is laid out for another model.
    """
    drives = {"clip": ["noise"], "iid": [], "flow": ["flow"]}[options.noise]
    needed = [*drives, *(kind for kind in family.needs_of(options, of_video=clip.of_video) if kind != "noise")]
    if lacking := [kind for kind in needed if not clip.has(camera, kind)]:
        draws = family.draws_needed(options) if "noise" in lacking else 0
        fix = f"make the clip with: {_command(clip, family, lacking, draws)}"
        of_videos = set(names_of_videos())
        if clip.of_video and not of_videos.issuperset(lacking):
            again = command_for(clip, ["--for", video_families()[0]])
            fix = f"videos do not have them, scenes do; make the clip for a model that needs none, such as: {again}"
        what = f"{', '.join(lacking)} ({'which' if len(lacking) == 1 else 'all of which'} {family.name} needs)"
        raise MissingFileError(clip.folder(camera), what=what, fix=fix)
    if options.noise != "clip":
        return
    _require_draws(clip, camera, family, options)
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


def _require_draws(clip: Clip, camera: str, family: ModelFamily, options: GenerateOptions) -> None:
    """Refuse a clip with fewer draws of its noise than the model's sampler takes."""
    needed, have = family.draws_needed(options), clip.noise_record().draws
    if have < needed:
        command = command_for(clip, ["--for", family.name, "--draws", needed])
        raise BadValueError(
            "the number of further draws of the clip's noise",
            have,
            right=f"at least {needed}, as the sampler adds noise {needed} time{'s' * (needed > 1)}",
            fix=f"render with --draws {needed}, or pass a sampler that adds none; the clip is made again with: {command}",
            where=clip.path,
        )
    for draw in range(1, needed + 1):
        clip.noise(camera, draw)


def video_families() -> list[str]:
    """The families that make footage of what every real video has: pictures, their edges, noise that goes with them."""
    enough = set(names_of_videos()) - {"depth"}
    return [name for name, family in families().items() if family.runs and enough.issuperset(family.needs_for(of_video=True))]


def _command(clip: Clip, family: ModelFamily, lacking: Iterable[str] = (), draws: int = 0) -> str:
    """The command that makes the clip with what a model needs."""
    last = ["--depth", "DIR"] if clip.of_video and "depth" in lacking else []
    if "flow" in lacking:
        last += ["--only", ",".join([*family.needs_for(of_video=clip.of_video), "flow"])]
    more = ["--draws", draws] if draws else []
    return command_for(clip, ["--for", family.name, *more], last=last)


def noise_source(clip: Clip, camera: str, layout: NoiseLayout, kind: str, seed: int) -> ClipNoise:
    """Noise by a slice of latents, and further draws of it.

    Args:
        clip: the clip folder.
        camera: one of its cameras.
        layout: of the model.
        kind: ``clip`` is the clip's own; ``iid`` is independent in every frame; ``flow`` moves by the clip's flow from frame
            to frame, and has to be asked for in order.
        seed: of the baselines.
    """

    def draw(number: int) -> NoiseOf:
        if kind == "clip":
            return lambda latents: clip.latents(camera, latents, number)
        name = f"{kind}/{seed}/{camera}" + (f"/{number}" if number else "")
        key = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
        if kind == "iid":
            shape = (layout.channels, *layout.latent_size(clip.record.size))
            return lambda latents: _independent(latents, shape, key)
        return _Flowing(clip, camera, layout, key).latents

    return ClipNoise(draw)


def _independent(latents: slice, shape: tuple[int, int, int], key: int) -> Float32[np.ndarray, "n channels h w"]:
    """Each latent from a generator of its own, so that a latent does not depend on how it is asked for."""
    generators = (np.random.Generator(np.random.Philox(key=key | k << 64)) for k in range(latents.start, latents.stop))
    return np.stack([generator.standard_normal(shape, np.float32) for generator in generators])


class _Flowing:
    """Noise on what the clip's ``flow`` says is the same place."""

    def __init__(self, clip: Clip, camera: str, layout: NoiseLayout, seed: int) -> None:
        from ..noise import ReferenceMap, VideoNoise

        self._clip, self._camera = clip, camera
        self._frames = layout.latent_frames(clip.frames)
        self._map = ReferenceMap(clip.record.size)
        self._noise = VideoNoise(layout, seed=seed)
        self._frame = 0

    def latents(self, latents: slice) -> Float32[np.ndarray, "n channels h w"]:
        """The next latents."""
        return np.stack([self._latent(frame) for frame in self._frames[latents]])

    def _latent(self, frame: int) -> Float32[np.ndarray, "channels h w"]:
        import torch

        from ..flow import Flow, inverted_flow, read_flow

        assert frame >= self._frame
        for before in range(self._frame, frame):
            forth, visible = read_flow(self._clip.frame_path(self._camera, "flow", before), self._clip.record.size)
            everywhere = torch.ones(forth.shape[:2], dtype=torch.bool)
            back = inverted_flow(Flow(forth, everywhere if visible is None else visible))
            self._map.advance(back.forward, back.visible)
        self._frame = frame
        return self._noise.frame(self._map.places).numpy()
