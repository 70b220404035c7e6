"""What the noise draws on the surfaces of a clip: textures and patterns of what is restyled, wear of what keeps its colors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from ....camera import camera_from_px
from ....clip import Clip
from ....scene.colors import lab_from_srgb
from .conditions import Surface, Wear, shaded
from .looks import Appearance
from .patterns import SurfacePoints, joined, pattern_of
from .surfaces import TextureLayer, layers_of, pattern_named, wear
from .textures import Grain, grain_of, laid_out, shade_of, shade_per_lightness

_BEND = TextureLayer(0.008, 8.0, 1.0)
"""Noise by which growth rings wander; its contrast is made 1."""
_STEEPEST = 0.12
"""Least cosine between the normal and the view: flatter surfaces are taken for such."""
_JOINT_ROUGHNESS = 0.9
_GRAY = 50.0
"""L* that wear is stated for; it looks alike on all (conditions.py)."""
_HUNDREDTH = 0.01

Channels = tuple[int, int, int]
"""Of the noise, in the order in which the layers of a texture take them."""
_IN_ORDER: Channels = (0, 1, 2)


@dataclass(frozen=True, eq=False)
class Stretch:
    """Frames of a clip that are worked on, and what is known of them.

    - ``noise``: unit variance at pixel resolution.
    - ``K``: pixels.
    """

    clip: Clip
    camera: str
    frames: slice
    ids: np.ndarray
    depth: Float[np.ndarray, "n height width"]
    normals: UInt8[np.ndarray, "n height width 3"]
    K: Float[np.ndarray, "n 3 3"]
    noise: Float32[np.ndarray, "n 3 height width"]

    def rotations(self) -> dict[int, Float[np.ndarray, "n 3 3"]]:
        """From each instance's frame to the camera's, by id; of what is no instance (0), from the world's."""
        camera_from_world = np.swapaxes(self._cameras()[:, :3, :3], 1, 2)
        instances = self.clip.record.instances
        return {0: camera_from_world} | {
            one.id: camera_from_world @ one.world_from_instance[self.frames, :3, :3] for one in instances
        }

    def shades(self, *grains: tuple[Grain, Channels]) -> tuple[Float32[np.ndarray, "n height width"], ...]:
        """See ``shade_of``; layers take channels of the noise in this order. The grains run along the same directions."""
        out = tuple(np.empty(self.ids.shape, np.float32) for _ in grains)
        for k, rows in enumerate(zip(self.ids, self.depth, self.normals, self.K, strict=True)):
            laid = laid_out(*rows, grains[0][0], k)
            for shades, (grain, channels) in zip(out, grains, strict=True):
                shades[k] = shade_of(laid, self.noise[k, channels], grain)
        return out

    def points(self, k: int, id_: int, here: Bool[np.ndarray, "height width"]) -> SurfacePoints:
        """Where the pixels of an instance lie on it, at the stretch's frame k."""
        record, (y, x) = self.clip.record, np.nonzero(here)
        depth, pixels = self.depth[k][here], np.stack([x + 0.5, y + 0.5], axis=-1)
        seen = camera_from_px(pixels, depth, self.K[k], record.cameras[self.camera].lens)
        instance = next(one for one in record.instances if one.id == id_)
        instance_from_world = np.linalg.inv(instance.world_from_instance[self.frames][k])
        instance_from_camera = instance_from_world @ self._cameras()[k]
        normals = self.normals[k][here].astype(np.float32) / 127.5 - 1
        toward = seen / np.maximum(np.linalg.norm(seen, axis=-1, keepdims=True), 1e-9)
        cosine = np.maximum(-(normals * toward).sum(-1), _STEEPEST)
        step = depth / float(self.K[k, 0, 0]) * (1 + 1 / cosine) / 2
        turned = instance_from_camera[:3, :3].T
        return SurfacePoints(
            points=(seen @ turned + instance_from_camera[:3, 3]).astype(np.float32),
            normals=(normals @ turned).astype(np.float32),
            step=step.astype(np.float32),
            up=instance_from_world[:3, 2],
        )

    def _cameras(self) -> Float[np.ndarray, "n 4 4"]:
        return self.clip.record.cameras[self.camera].world_from_camera[self.frames]


def textured(surface: Surface, appearances: Mapping[int, Appearance], at: Stretch) -> Surface:
    """Surfaces of new materials with the textures and patterns that the noise draws on them.

    Args:
        surface: even colors.
        appearances: what instances are made of, by id.
        at: the frames.
    """
    rotations, frames = at.rotations(), len(at.ids)
    made_of = {id_: one for id_, one in appearances.items() if id_ in rotations}
    lightness = {id_: float(lab_from_srgb(np.array(one.color) / 255)[0]) for id_, one in made_of.items()}
    layers = {id_: layers_of(one.material, one.kind, lightness[id_]) for id_, one in made_of.items()}
    (shades,) = at.shades((grain_of(layers, lightness, {id_: rotations[id_] for id_ in made_of}, frames), _IN_ORDER))
    found = {id_: pattern_named(one.material, one.kind) for id_, one in made_of.items()}
    patterns = {id_: pattern for id_, pattern in found.items() if pattern is not None}
    bends = _bends([id_ for id_, pattern in patterns.items() if pattern.rings], rotations, at)
    joints = []
    for k in range(frames):
        for id_, pattern in patterns.items():
            here = (at.ids[k] == id_) & (at.depth[k] > 0)
            if here.any():
                seed = at.clip.record.seed + id_
                drawn = pattern_of(pattern, at.points(k, id_, here), lightness[id_], seed, bends[k][here])
                shades[k][here] *= np.exp(drawn.shade)
                joints.append((k, here, pattern, drawn.line))
    base, roughness = shaded(surface.base_color, shades), surface.roughness.copy()
    for k, here, pattern, line in joints:
        base[k][here] = joined(base[k][here], pattern.color, line)
        roughness[k][here] = np.rint(roughness[k][here] + line * (_JOINT_ROUGHNESS * 255 - roughness[k][here]))
    return Surface(base, roughness, surface.metallic)


def _bends(
    ids: Sequence[int], rotations: Mapping[int, Float[np.ndarray, "n 3 3"]], at: Stretch
) -> Float32[np.ndarray, "n height width"]:
    """Noise of about unit variance on what has growth rings."""
    if not ids:
        return np.zeros(at.ids.shape, np.float32)
    bent = grain_of(dict.fromkeys(ids, (_BEND,)), dict.fromkeys(ids, _GRAY), {id_: rotations[id_] for id_ in ids}, len(at.ids))
    (drawn,) = at.shades((bent, (2, 0, 1)))
    return np.log(drawn) / np.float32(shade_per_lightness(_GRAY))


def worn(at: Stretch, amount: float) -> Wear:
    """What use leaves on surfaces that keep their colors: stains and dust, and prints that take the shine away.

    Args:
        at: the frames.
        amount: 1 is a household's; 0 is none.
    """
    rotations, frames = at.rotations(), len(at.ids)
    lightness = dict.fromkeys(rotations, _GRAY)
    color, rough = (
        grain_of(
            dict.fromkeys(rotations, tuple(replace(layer, contrast=amount * scale * layer.contrast) for layer in layers)),
            lightness,
            rotations,
            frames,
        )
        for layers, scale in ((wear()["color"], 1.0), (wear()["roughness"], _HUNDREDTH / shade_per_lightness(_GRAY)))
    )
    return Wear(amount, *at.shades((color, _IN_ORDER), (rough, (2, 1, 0))))
