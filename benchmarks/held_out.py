"""Training clips that no training saw, with all that footage of them is measured by: the truth, exact motion, noise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, UInt8

from sim2real.diffusion.families.embedded.conditions import PICTURE, SHARES, KnownPictures, picture_conditions
from sim2real.diffusion.families.embedded.denoiser import SCALE, mixed
from sim2real.diffusion.families.embedded.lines import lines_if_beaded
from sim2real.flow import Flow, exact_flow, inverted_flow
from sim2real.metrics.labels import instance_borders, near
from sim2real.metrics.motion import sampled
from sim2real.noise import NoiseLayout, ReferenceMap, VideoNoise
from sim2real.prepare import Recipe
from sim2real.prepare.clips import clip_path
from sim2real.prepare.noise_fields import NoiseDraws, noise_path
from sim2real.raster import rasterizer, view_of
from sim2real.scene import triangles_of
from sim2real.training.packed import photograph_of

Pictures = UInt8[np.ndarray, "frames height width 3"]
NOISES = ("surface", "flow", "iid")
"""On surfaces; carried from frame to frame by exact flow; independent in every frame."""


def held_out_numbers(folder: Path, hold_out: int, most: int | None) -> list[int]:
    """Numbers of the finished clips of which every ``hold_out``-th is held out, as training recipes have it."""
    every = sorted(int(path.stem) for path in folder.glob("[0-9]*.npz"))
    return [number for number in every if number % hold_out == hold_out - 1][:most]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """One clip; ``folder`` is that of the training clips, with their recipe."""

    folder: Path
    number: int

    @cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """As ``prepare`` wrote them."""
        with np.load(clip_path(self.folder, self.number)) as stored:
            return {name: stored[name] for name in stored.files}

    @cached_property
    def truth(self) -> Pictures:
        """The path-traced light as a camera shows it."""
        return photograph_of(self.arrays)

    @property
    def render(self) -> Pictures:
        """The simulator's picture: the zero line."""
        return self.arrays["rgb"]

    @property
    def instances(self) -> np.ndarray:
        """Ids of every frame."""
        return self.arrays["instances"].astype(np.int64)

    @cached_property
    def conditions(self) -> Float32[np.ndarray, "frames channels height width"]:
        """What the network is given."""
        names = ("rgb", "albedo", "material", "normals", "depth", "edges", "coverage", "K")
        known = {name: self.arrays[name] for name in names}
        lit = {name: self.arrays[f"known_{name}"] for name in ("light", "reflection")}
        along = lines_if_beaded(*(self.arrays[name] for name in ("instances", "depth", "normals")))
        return picture_conditions(KnownPictures(**known, **lit, along=along))

    @cached_property
    def lit(self) -> Pictures:
        """The picture that the network is given: surfaces in the light that our few rays find."""
        given = torch.from_numpy(self.conditions)
        shown = mixed(SCALE * given[:, PICTURE], given[:, SHARES]) / SCALE
        return np.round((np.moveaxis(shown.numpy(), 1, -1) + 1) * 127.5).astype(np.uint8)

    def noise(self, kind: str) -> Float32[np.ndarray, "frames 3 height width"]:
        """One of ``NOISES`` at pixel resolution."""
        frames, height, width = self.render.shape[:3]
        if kind == "iid":
            return np.random.default_rng([self.number, 1]).standard_normal((frames, 3, height, width), np.float32)
        if kind == "surface":
            every = slice(None)
            return NoiseDraws([noise_path(self.folder, self.number)], seed=1).noise(0, 0, every, every, every)
        places = ReferenceMap((height, width))
        made = VideoNoise(NoiseLayout(factor=1, channels=3), seed=self.number)
        out = []
        for frame in range(frames):
            if frame:
                back = inverted_flow(self.motion[frame - 1])
                places.advance(back.forward, back.visible)
            out.append(made.frame(places.places).numpy())
        return np.stack(out)

    @cached_property
    def motion(self) -> list[Flow]:
        """From every frame to the next; the scene is built anew for it."""
        recipe = json.loads((self.folder / "recipe.json").read_text())
        scene = Recipe(**{**recipe, "size": tuple(recipe["size"]), "clips": self.number + 1}).scene(self.number)
        camera, triangles = scene.cameras[0], triangles_of(scene)
        views = rasterizer(triangles)
        seen = [views.fragments(view_of(scene, camera, k)) for k in range(scene.frames)]
        faces = torch.from_numpy(np.ascontiguousarray(triangles.faces, np.int32))
        pose = camera.world_from_camera
        return [exact_flow(seen[k], seen[k + 1], faces, pose[k], pose[k + 1]) for k in range(scene.frames - 1)]

    def cross_frame_errors(self, footage: Pictures) -> list[float]:
        """Squared errors, 0 to 1, of every frame against the next, fetched along the exact motion; not at borders."""
        found = []
        for k, (there, fair) in enumerate(self._places()):
            a, b = (picture.astype(np.float64) / 255 for picture in footage[k : k + 2])
            found.append(float(((a[fair] - sampled(b, there[fair])) ** 2).mean()))
        return found

    def _places(self) -> Iterator[tuple[Float[np.ndarray, "height width 2"], Bool[np.ndarray, "height width"]]]:
        """Per frame but the last: where its pixels are in the next, and which can be compared."""
        height, width = self.render.shape[1:3]
        here = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), axis=-1)
        for k, flow in enumerate(self.motion):
            there = here + flow.forward.numpy()
            inside = (there >= 1).all(-1) & (there[..., 0] < width - 1) & (there[..., 1] < height - 1)
            calm = [~near(instance_borders(ids)) for ids in self.instances[k : k + 2]]
            column, row = (np.clip(there[..., i], 0, n - 1).astype(int) for i, n in ((0, width), (1, height)))
            yield there, flow.visible.numpy() & inside & calm[0] & calm[1][row, column]
