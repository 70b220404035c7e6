"""The surface kernels in plain torch (float64, whole pictures at once): slow and simple; the kernels are tested against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
import warp as wp
from jaxtyping import Float, Int
from torch import Tensor

from ..camera.kernels import BENT, PARALLEL
from ..camera.reference import straight_rays, table_rays
from .samples import Samples


def reference_surface(samples: Samples) -> Float[np.ndarray, "height width 6"]:
    """Linear base color, roughness, metallic, emissive strength: what ``surface_kernel`` computes."""
    seen = Seen.of(samples)
    total = torch.zeros(samples.size[0] * samples.size[1], 6, dtype=torch.float64)
    for pixels, f, x, y, weight in groups_of(seen, samples):
        hit = f >= 0
        total[pixels[hit]] += weight[hit, None] * _surface(seen, f[hit], x[hit], y[hit])
    return (total / samples.side**2).reshape(*samples.size, 6).numpy()


def _surface(seen: Seen, f: Tensor, x: Tensor, y: Tensor) -> Tensor:
    s = seen.s
    part = s["face_part"][f]
    texture = seen.textures(f, x, y)
    glow = (s["emission"][part] * texture).max(dim=-1).values.clamp(max=1)
    return torch.cat([s["base"][part] * texture, torch.stack([s["roughness"][part], s["metallic"][part], glow], -1)], -1)


def groups_of(seen: Seen, samples: Samples) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor, Tensor]]:
    """Groups of samples that are painted as one, at most one per pixel at a time.

    Yields:
        Pixels, the face (-1: none) that paints the group, the place in the picture (x, y) where, and the number of samples.
    """
    (height, width), side = samples.size, samples.side
    face = seen.face.reshape(height, side, width, side).permute(0, 2, 1, 3).reshape(-1, side * side)
    y, x = (g.reshape(-1).double() for g in torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"))
    k = torch.arange(side * side)
    across, down = (k % side + 0.5) / side, (k // side + 0.5) / side
    middle = seen.rays(x + 0.5, y + 0.5)
    done = torch.zeros_like(face, dtype=torch.bool)
    for i in range(side * side):
        new, f = ~done[:, i], face[:, i]
        same = (face == f[:, None]) & ~done & new[:, None]
        joins = same.clone()
        for j in range(i + 1, side * side):
            joins[:, j] |= new & ~done[:, j] & seen.continues(f, face[:, j], middle)
        done |= joins
        px, py = (at + (same * offset).sum(1) / same.sum(1).clamp(min=1) for at, offset in ((x, across), (y, down)))
        yield new.nonzero()[:, 0], f[new], px[new], py[new], joins.sum(1)[new]


def tensors_of(struct: Any) -> dict[str, Any]:
    """The fields of a Warp struct as tensors of float64 or int64."""
    return {name: tensor_of(getattr(struct, name)) for name in struct._cls.vars}


@dataclass(frozen=True, eq=False)
class Seen:
    """The Warp inputs as float64 tensors, and the geometry that follows from them."""

    face: Int[Tensor, "rows columns"]
    s: dict[str, Tensor]
    view: dict[str, Any]

    @staticmethod
    def of(samples: Samples) -> Seen:
        """Take over what kernels are given."""
        return Seen(tensor_of(samples.face).long(), tensors_of(samples.materials), tensors_of(samples.view))

    def rays(self, x: Tensor, y: Tensor) -> Tensor:
        """Lines of sight (z = 1) through points of the picture, px."""
        camera = self.view["camera"]
        if camera.kind == BENT:
            xy = table_rays(x, y, tensor_of(camera.rays))
        else:
            k = [[camera.fx, camera.shear * camera.fx, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]]
            xy = straight_rays(x, y, torch.tensor(k, dtype=torch.float64))
        return torch.cat([xy, torch.ones_like(xy[..., :1])], -1)

    @property
    def parallel(self) -> bool:
        """Whether lines of sight are parallel."""
        return self.view["camera"].kind == PARALLEL

    def directions(self, rays: Tensor) -> Tensor:
        """Where rays go, z = 1."""
        return torch.tensor([0.0, 0, 1], dtype=torch.float64).expand_as(rays) if self.parallel else rays

    def feet(self, *points: Tensor) -> tuple[Tensor, ...]:
        """Vertices as rays see them."""
        return tuple(torch.cat([p[..., :2], torch.ones_like(p[..., 2:])], -1) if self.parallel else p for p in points)

    def corners(self, f: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The three vertices of faces, camera frame."""
        a, b, c = self.view["vertices"][self.s["faces"][f].long()].unbind(1)
        return a, b, c

    def weights(self, f: Tensor, rays: Tensor) -> Tensor:
        """Weights of the corners where rays meet the faces' planes."""
        a, b, c = self.feet(*self.corners(f))
        n = torch.linalg.cross(b - a, c - a)
        w = torch.stack([torch.linalg.cross(p, q - p) for p, q in ((b, c), (c, a), (a, b))], 1)
        return (w * rays[:, None]).sum(-1) / (n * rays).sum(-1, keepdim=True)

    def inner_weights(self, f: Tensor, rays: Tensor) -> Tensor:
        """The same, clamped to the faces."""
        k = self.weights(f, rays)
        ka = k[:, :1].clamp(0, 1)
        kb = torch.minimum(k[:, 1:2].clamp(min=0), 1 - ka)
        return torch.cat([ka, kb, 1 - ka - kb], 1)

    def continues(self, f: Tensor, g: Tensor, ray: Tensor) -> Tensor:
        """Whether two faces are one smooth surface at rays, so that one lookup serves both."""
        ok = (f >= 0) & (g >= 0) & (f != g)
        f, g = f.clamp(min=0), g.clamp(min=0)
        planes = []
        for face in (f, g):
            a, b, c = self.corners(face)
            n = F.normalize(torch.linalg.cross(b - a, c - a), dim=-1)
            if self.parallel:
                planes.append((n, n[..., 2] / ((n * a).sum(-1) - (n[..., :2] * ray[..., :2]).sum(-1))))
            else:
                planes.append((n, (n * ray).sum(-1) / (n * a).sum(-1)))
        (na, wa), (nb, wb) = planes
        part = self.s["face_part"]
        return ok & (part[f] == part[g]) & ((na * nb).sum(-1).abs() >= 0.97) & ((wa - wb).abs() <= 0.01 * wa.abs())

    def textures(self, f: Tensor, x: Tensor, y: Tensor, of_part: Tensor | None = None, table: int = 0) -> Tensor:
        """Linear values of the faces' textures over the pixels around points; 1 without a texture. Base colors with corners'.

        ``of_part``: textures of parts, -1: none; by default those of base colors. ``table``: where ``linear`` has their values.

        Derivatives over one pixel are differences: weights are smooth, half a thousandth of a pixel is small enough.
        """
        s, h = self.s, 5e-4
        of_face = (s["texture"] if of_part is None else of_part)[s["face_part"][f]]
        out = torch.ones(len(f), 3, dtype=torch.float64)
        for texture in torch.unique(of_face[of_face >= 0]).tolist():
            of = of_face == texture
            g, u, v = f[of], x[of], y[of]
            uv = s["corner_uv"][g]
            at = (self.inner_weights(g, self.rays(u, v))[..., None] * uv).sum(1)
            along = [
                ((self.weights(g, self.rays(u + dx, v + dy)) - self.weights(g, self.rays(u - dx, v - dy)))[..., None] * uv).sum(
                    1
                )
                / (2 * h)
                for dx, dy in ((h, 0.0), (0.0, h))
            ]
            out[of] = _textured({**s, "linear": s["linear"][table : table + 256]}, texture, at, along[0], along[1])
        kind = self.view["tinted"][s["face_part"][f]]
        tinted = kind != 0
        if of_part is None and tinted.any():
            g = f[tinted]
            packed = self.view["corner_color"][g].long()
            colors = torch.stack([s["linear"][(packed >> shift) & 255] for shift in (0, 8, 16)], -1)
            tint = (self.inner_weights(g, self.rays(x[tinted], y[tinted]))[..., None] * colors).sum(1)
            out[tinted] = torch.where((kind[tinted] == 1)[:, None], out[tinted] * tint, tint)
        return out


def tensor_of(value: Any) -> Any:
    """A Warp array, vector or matrix as a tensor of float64 or int64; numbers and structs stay."""
    if isinstance(value, (int, float)) or hasattr(value, "_cls"):  # a struct within a struct stays one
        return value
    array = value.numpy() if isinstance(value, wp.array) else np.array(value)
    array = array.reshape(3, 3) if array.shape == (9,) else array
    return torch.from_numpy(array.astype(np.int64 if array.dtype.kind in "iu" else np.float64))


def _textured(s: dict[str, Tensor], texture: int, uv: Tensor, uv_x: Tensor, uv_y: Tensor) -> Tensor:
    first, count = int(s["first_level"][texture]), int(s["level_count"][texture])
    levels = s["levels"][first : first + count]
    size = torch.stack([levels[0, 2], levels[0, 1]]).double()
    along_x, along_y = (uv_x * size).norm(dim=-1), (uv_y * size).norm(dim=-1)
    long, short = torch.maximum(along_x, along_y), torch.minimum(along_x, along_y)
    along = torch.where((along_y > along_x)[:, None], uv_y, uv_x)
    taps = torch.ceil(long / short.clamp(min=1e-6) - 0.25).clamp(1, 4)
    lod = torch.log2(torch.maximum((long / taps).clamp(min=1e-6), 0.5 * short)).clamp(0, count - 1)
    low = torch.floor(lod).long()
    mix = torch.where(lod - low > 0.02, lod - low, 0.0)[:, None]
    color = torch.zeros(len(uv), 3, dtype=torch.float64)
    for k in range(4):
        at = uv + along * ((k + 0.5) / taps - 0.5)[:, None]
        tap = (1 - mix) * _bilinear(s, levels[low], at) + mix * _bilinear(s, levels[(low + 1).clamp(max=count - 1)], at)
        color += tap * (k < taps)[:, None]
    return color / taps[:, None]


def _bilinear(s: dict[str, Tensor], level: Tensor, uv: Tensor) -> Tensor:
    offset, height, width = level.unbind(1)
    x = (uv[:, 0] - torch.floor(uv[:, 0])) * width - 0.5
    y = (1 - uv[:, 1] + torch.floor(uv[:, 1])) * height - 0.5
    i, j = torch.floor(x), torch.floor(y)
    out = torch.zeros(len(uv), 3, dtype=torch.float64)
    for b in range(2):
        for a in range(2):
            at = offset + (j.long() + b) % height * width + (i.long() + a) % width
            rgb = torch.stack([s["linear"][(s["texels"][at] >> shift) & 255] for shift in (0, 8, 16)], -1)
            out += (1 - (a - x + i).abs())[:, None] * (1 - (b - y + j).abs())[:, None] * rgb
    return out
