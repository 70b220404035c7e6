"""What models are given of a clip: its noise or a baseline, a few latents at a time, and depth as control videos show it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from jaxtyping import Float, Float32, UInt8

from ..clip import Clip, command_for
from ..errors import BadValueError, MissingFileError
from ..kinds import names_of_videos
from ..noise.layout import NoiseLayout
from .families import families
from .family import ModelFamily, NoiseOf


def require_inputs(clip: Clip, camera: str, family: ModelFamily, noise: str) -> None:
    """Refuse a clip that lacks what a model needs, before any model is loaded.

    Args:
        clip: the clip folder.
        camera: one of its cameras.
        family: of the model.
        noise: what drives it, one of ``NOISE_KINDS``.

    Raises:
        MissingFileError: pictures or noise are missing; the message has the command that makes them.
        BadValueError: the noise is laid out for another model.
    """
    drives = {"clip": ["noise"], "iid": [], "flow": ["flow"]}[noise]
    needed = [*drives, *(kind for kind in family.needs_for(of_video=clip.of_video) if kind != "noise")]
    if lacking := [kind for kind in needed if not clip.has(camera, kind)]:
        fix = f"make the clip with: {_command(clip, family, lacking)}"
        of_videos = set(names_of_videos())
        if clip.of_video and not of_videos.issuperset(lacking):
            fix = f"videos do not have them, scenes do: use a model that needs none, such as --model {video_families()[0]}"
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


def video_families() -> list[str]:
    """The families that make footage of what every real video has: pictures, their edges, noise that goes with them."""
    enough = set(names_of_videos()) - {"depth"}
    return [name for name, family in families().items() if family.runs and enough.issuperset(family.needs_for(of_video=True))]


def _command(clip: Clip, family: ModelFamily, lacking: Iterable[str] = ()) -> str:
    """The command that makes the clip with what a model needs."""
    last = ["--depth", "DIR"] if clip.of_video and "depth" in lacking else []
    if "flow" in lacking:
        last += ["--only", ",".join([*family.needs_for(of_video=clip.of_video), "flow"])]
    return command_for(clip, ["--for", family.name], last=last)


def inverse_depth_control(depth: Float[np.ndarray, "frames height width"]) -> Float32[np.ndarray, "frames 3 height width"]:
    """Gray inverse depth in [0, 1], near is bright, black where there is no surface: what control models were trained on."""
    far, near = inverse_depth_range(depth)
    inverse = np.divide(1.0, depth, out=np.zeros(depth.shape, np.float64), where=depth > 0)
    gray = np.where(depth > 0, np.clip((inverse - far) / (near - far), 0, 1), 0).astype(np.float32)
    return np.repeat(gray[:, None], 3, axis=1)


def edge_control(edges: UInt8[np.ndarray, "frames height width"]) -> Float32[np.ndarray, "frames 3 height width"]:
    """Edges, white on black, in [0, 1]."""
    return np.repeat((edges / np.float32(255))[:, None], 3, axis=1)


def inverse_depth_range(depth: Float[np.ndarray, "frames height width"]) -> tuple[float, float]:
    """The far and near ends of a clip's inverse depth (1/m): 1st and 99th percentile of what has a surface.

    Fixed over the clip, so that brightness does not flicker; percentiles, so that one stray pixel does not flatten the rest.
    """
    surface = depth > 0
    if not surface.any():
        return 0.0, 1.0
    inverse = 1.0 / depth[surface]
    far, near = np.percentile(inverse, [1, 99])
    return float(far), float(max(near, far * (1 + 1e-3)))


def noise_source(clip: Clip, camera: str, layout: NoiseLayout, kind: str, seed: int) -> NoiseOf:
    """Noise by a slice of latents.

    Args:
        clip: the clip folder.
        camera: one of its cameras.
        layout: of the model.
        kind: ``clip`` is the clip's own; ``iid`` is independent in every frame; ``flow`` moves by the clip's flow from frame
            to frame, and has to be asked for in order.
        seed: of the baselines.
    """
    key = int.from_bytes(hashlib.blake2b(f"{kind}/{seed}/{camera}".encode(), digest_size=8).digest(), "little")
    if kind == "clip":
        return lambda latents: clip.latents(camera, latents)
    if kind == "iid":
        shape = (layout.channels, *layout.latent_size(clip.record.size))
        return lambda latents: _independent(latents, shape, key)
    return _Flowing(clip, camera, layout, key).latents


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
