"""The shading kernels in plain torch (float64, whole pictures at once): slow and simple; the kernels are tested against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
import warp as wp
from jaxtyping import Float, Int
from torch import Tensor

from ....raster.kernels import BENT, PARALLEL
from .shader import Shading


def reference_colour(shading: Shading) -> Float[np.ndarray, "height width 3"]:
    """Display-linear colours of ``shading`` (or radiance where its exposure is 0): what ``shade_kernel`` computes."""
    scene = _Inputs.of(shading)
    side = shading.side
    height, width = shading.size
    face = scene.face.reshape(height, side, width, side).permute(0, 2, 1, 3).reshape(-1, side * side)
    y, x = (g.reshape(-1).double() for g in torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"))
    total = torch.zeros(len(face), 3, dtype=torch.float64)
    done = torch.zeros_like(face, dtype=torch.bool)
    offsets = [((k % side + 0.5) / side, (k // side + 0.5) / side) for k in range(side * side)]
    middle = scene.rays(x + 0.5, y + 0.5)
    for i in range(side * side):
        open_ = ~done[:, i]
        f = face[:, i]
        same = (face == f[:, None]) & ~done & open_[:, None]
        joins = same.clone()
        for j in range(i + 1, side * side):
            joins[:, j] |= open_ & ~done[:, j] & _continues(scene, f, face[:, j], middle)
        count = same.sum(1).clamp(min=1)
        px = x + sum(same[:, k] * offsets[k][0] for k in range(side * side)) / count
        py = y + sum(same[:, k] * offsets[k][1] for k in range(side * side)) / count
        colour = torch.zeros(len(face), 3, dtype=torch.float64)
        colour[open_] = _seen(scene, f[open_], px[open_], py[open_])
        total += joins.sum(1, keepdim=True) * colour
        done |= joins
    return (total / side**2).reshape(height, width, 3).numpy()


@dataclass(frozen=True, eq=False)
class _Inputs:
    """The Warp inputs as float64 tensors."""

    face: Int[Tensor, "rows columns"]
    s: dict[str, Tensor]
    view: dict[str, Any]
    light: dict[str, Any]
    occlusion: Float[Tensor, "h w 2"]

    @staticmethod
    def of(shading: Shading) -> _Inputs:
        def values(struct: Any) -> dict[str, Any]:
            found = {name: getattr(struct, name) for name in struct._cls.vars}
            return {name: _tensor(v) for name, v in found.items()}

        return _Inputs(
            _tensor(shading.face).long(),
            values(shading.materials),
            values(shading.view),
            values(shading.light),
            _tensor(shading.occlusion),
        )

    def rays(self, x: Tensor, y: Tensor) -> Tensor:
        eye = self.view["eye"]
        if eye.kind == BENT:
            return self._bent_rays(x, y)
        k = _tensor(eye.pinhole)
        v = (y - k[3]) * k[1]
        return torch.stack([(x - k[2]) * k[0] - k[4] * v, v, torch.ones_like(v)], -1)

    def _bent_rays(self, x: Tensor, y: Tensor) -> Tensor:
        """Bilinear between pixel centres, and beyond the outermost ones."""
        table = _tensor(self.view["eye"].rays)
        i = torch.floor(x - 0.5).long().clamp(0, table.shape[1] - 2)
        j = torch.floor(y - 0.5).long().clamp(0, table.shape[0] - 2)
        a, b = (x - 0.5 - i)[..., None], (y - 0.5 - j)[..., None]
        upper = (1 - a) * table[j, i] + a * table[j, i + 1]
        lower = (1 - a) * table[j + 1, i] + a * table[j + 1, i + 1]
        xy = (1 - b) * upper + b * lower
        return torch.cat([xy, torch.ones_like(xy[..., :1])], -1)

    @property
    def parallel(self) -> bool:
        return self.view["eye"].kind == PARALLEL

    def directions(self, rays: Tensor) -> Tensor:
        return torch.tensor([0.0, 0, 1], dtype=torch.float64).expand_as(rays) if self.parallel else rays

    def feet(self, *points: Tensor) -> tuple[Tensor, ...]:
        """Vertices as rays see them."""
        return tuple(torch.cat([p[..., :2], torch.ones_like(p[..., 2:])], -1) if self.parallel else p for p in points)

    def corners(self, f: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        a, b, c = self.view["vertices"][self.s["faces"][f].long()].unbind(1)
        return a, b, c


def _tensor(value: Any) -> Any:
    if isinstance(value, (int, float)) or hasattr(value, "_cls"):  # a struct within a struct stays one
        return value
    array = value.numpy() if isinstance(value, wp.array) else np.array(value)
    array = array.reshape(3, 3) if array.shape == (9,) else array
    return torch.from_numpy(array.astype(np.int64 if array.dtype.kind in "iu" else np.float64))


def _continues(scene: _Inputs, f: Tensor, g: Tensor, ray: Tensor) -> Tensor:
    ok = (f >= 0) & (g >= 0) & (f != g)
    f, g = f.clamp(min=0), g.clamp(min=0)
    planes = []
    for face in (f, g):
        a, b, c = scene.corners(face)
        n = F.normalize(torch.linalg.cross(b - a, c - a), dim=-1)
        if scene.parallel:
            planes.append((n, n[..., 2] / ((n * a).sum(-1) - (n[..., :2] * ray[..., :2]).sum(-1))))
        else:
            planes.append((n, (n * ray).sum(-1) / (n * a).sum(-1)))
    (na, wa), (nb, wb) = planes
    part = scene.s["face_part"]
    return ok & (part[f] == part[g]) & ((na * nb).sum(-1).abs() >= 0.97) & ((wa - wb).abs() <= 0.01 * wa.abs())


def _seen(scene: _Inputs, f: Tensor, x: Tensor, y: Tensor) -> Tensor:
    out = _sky(F.normalize(scene.directions(scene.rays(x, y)), dim=-1), torch.full_like(x, 0.35), scene.light)
    hit = f >= 0
    if hit.any():
        out[hit] = _surface(scene, f[hit], x[hit], y[hit])
    if scene.light["exposure"] > 0:
        c = scene.light["exposure"] * out.clamp(min=0)
        out = (c * (2.51 * c + 0.03) / (c * (2.43 * c + 0.59) + 0.14)).clamp(max=1)
    return out


def _surface(scene: _Inputs, f: Tensor, x: Tensor, y: Tensor) -> Tensor:
    s, view, light = scene.s, scene.view, scene.light
    ray = scene.rays(x, y)
    corners = scene.corners(f)
    a, b, c = scene.feet(*corners)
    n = torch.linalg.cross(b - a, c - a)

    def weights(at: Tensor) -> Tensor:
        w = torch.stack([torch.linalg.cross(p, q - p) for p, q in ((b, c), (c, a), (a, b))], 1)
        return (w * at[:, None]).sum(-1) / (n * at).sum(-1, keepdim=True)

    k = weights(ray)
    ka = k[:, :1].clamp(0, 1)
    kb = torch.minimum(k[:, 1:2].clamp(min=0), 1 - ka)
    k = torch.cat([ka, kb, 1 - ka - kb], 1)
    p = (k[..., None] * torch.stack(corners, 1)).sum(1)
    eye = -F.normalize(scene.directions(ray), dim=-1)
    part = s["face_part"][f]
    g = F.normalize(torch.linalg.cross(corners[1] - corners[0], corners[2] - corners[0]), dim=-1)
    g = torch.where((g * eye).sum(-1, keepdim=True) < 0, -g, g)
    m = (k[..., None] * view["corner_normals"][f]).sum(1)
    m = F.normalize((view["normal_from_part"][part] @ m[..., None])[..., 0], dim=-1)
    m = torch.where((m * m).sum(-1, keepdim=True) < 0.5, g, m)
    m = torch.where((m * g).sum(-1, keepdim=True) < 0, -m, m)
    base = s["base"][part].clone()
    for texture in torch.unique(s["texture"][part]).tolist():
        of = s["texture"][part] == texture
        if texture < 0 or not of.any():
            continue
        # Derivatives over one pixel by differences: barycentrics are smooth, half a thousandth of a pixel is small enough.
        h = 5e-4
        uv = s["corner_uv"][f[of]]
        along = [
            ((weights(scene.rays(x + dx, y + dy)) - weights(scene.rays(x - dx, y - dy)))[of][..., None] * uv).sum(1) / (2 * h)
            for dx, dy in ((h, 0.0), (0.0, h))
        ]
        base[of] *= _textured(s, texture, (k[of][..., None] * uv).sum(1), along[0], along[1])
    sun = light["sun_direction"]
    faces_sun = ((g * sun).sum(-1) > 0) & ((m * sun).sum(-1) > 0)
    lit = torch.where(faces_sun, _sun_share(p, g, light), 0.0)
    ambient = _open_sky(scene.occlusion, x, y, 1 / p[:, 2])
    return _outgoing(m, eye, base, s["metallic"][part], s["roughness"][part], lit, ambient, light) + s["emission"][part]


def _sky(direction: Tensor, blur: Tensor, light: dict[str, Any]) -> Tensor:
    t = (0.5 + 0.5 * (direction * light["up"]).sum(-1) / blur).clamp(0, 1)
    t = (t * t * (3 - 2 * t))[..., None]
    return light["ground"] + t * (light["sky"] - light["ground"])


def _sun_share(p: Tensor, normal: Tensor, light: dict[str, Any]) -> Tensor:
    side, shadow, k = light["shadow_side"], light["shadow"], light["pinhole"]
    if side == 0:
        return torch.ones(len(p), dtype=torch.float64)
    q = p @ light["rotation"].T + light["translation"]
    m = normal @ light["rotation"].T
    d = (m * q).sum(-1)
    w = 1 / q[:, 2]
    x, y = q[:, 0] * w / k[0] + k[2], q[:, 1] * w / k[1] + k[3]
    inside = (x >= 2) & (y >= 2) & (x <= side - 2) & (y <= side - 2) & (q[:, 2] > 0)
    steepest = 20 * light["bias"] * w
    gx, gy = (torch.clamp(m[:, i] * k[i] / d, -steepest, steepest) for i in range(2))
    ix, iy = torch.floor(x - 0.5), torch.floor(y - 0.5)
    fx, fy = x - 0.5 - ix, y - 0.5 - iy
    lit = torch.zeros_like(w)
    for j in range(-1, 3):
        for i in range(-1, 3):
            weight = {-1: 1 - fx, 2: fx}.get(i, torch.ones_like(fx)) * {-1: 1 - fy, 2: fy}.get(j, torch.ones_like(fy))
            texel = shadow[(iy + j).long().clamp(0, side - 1), (ix + i).long().clamp(0, side - 1)]
            lit += weight * (texel <= (w + gx * (i - fx) + gy * (j - fy)) * (1 + light["bias"]))
    return torch.where(inside, lit / 9, 1.0)


def _open_sky(occlusion: Tensor, x: Tensor, y: Tensor, w: Tensor) -> Tensor:
    height, width, _ = occlusion.shape
    u, v = 0.5 * x - 0.5, 0.5 * y - 0.5
    i, j = torch.floor(u), torch.floor(v)
    total, weights = torch.full_like(w, 1e-6), torch.full_like(w, 1e-6)
    for b in range(2):
        for a in range(2):
            o = occlusion[(j + b).long().clamp(0, height - 1), (i + a).long().clamp(0, width - 1)]
            miss = (o[:, 1] - w).abs() / w.clamp(min=1e-9)
            k = (1 - (a - u + i).abs()) * (1 - (b - v + j).abs()) / (1e-3 + miss * miss * 1e3) + 1e-6
            total += k * o[:, 0]
            weights += k
    return total / weights


def _outgoing(
    n: Tensor, v: Tensor, base: Tensor, metallic: Tensor, roughness: Tensor, lit: Tensor, sky: Tensor, light: dict[str, Any]
) -> Tensor:
    def dot(a: Tensor, b: Tensor) -> Tensor:
        return (a * b).sum(-1, keepdim=True)

    metallic, roughness, lit, sky = (t[:, None] for t in (metallic, roughness, lit, sky))
    nv = dot(n, v).clamp(min=1e-3)
    f0 = 0.04 * (1 - metallic) + metallic * base
    diffuse = (1 - metallic) * base
    rough = roughness.clamp(0.08, 1)
    rx, ry, rz, rw = 1 - rough, 0.0425 - 0.0275 * rough, 1.04 - 0.572 * rough, 0.022 * rough - 0.04
    a004 = torch.minimum(rx * rx, torch.exp(-6.4324 * nv)) * rx + ry
    fa, fb = rz - 1.04 * a004, rw + 1.04 * a004
    single = fa * f0 + fb
    mirror = single + (1 / (fa + fb).clamp(min=1e-3) - 1) * f0 * single
    ambient = light["ground"] + (0.5 + 0.5 * dot(n, light["up"])) * (light["sky"] - light["ground"])
    reflected = _sky(2 * dot(n, v) * n - v, (0.15 + 0.85 * rough)[:, 0], light)
    out = sky * (diffuse * (1 - mirror) * ambient + mirror * reflected)
    sun = light["sun_direction"].expand_as(n)
    nl = dot(n, sun).clamp(min=0)
    h = F.normalize(sun + v, dim=-1)
    nh, vh = dot(n, h), dot(v, h).clamp(min=0)
    a2 = (rough**2 + 0.01).clamp(max=1) ** 2
    distribution = a2 / (np.pi * (nh * nh * (a2 - 1) + 1) ** 2)
    smith = 0.5 / (nl * (nv * nv * (1 - a2) + a2).sqrt() + nv * (nl * nl * (1 - a2) + a2).sqrt())
    fresnel = f0 + (1 - vh) ** 5 * (1 - f0)
    return out + lit * nl * (distribution * smith * fresnel + (1 - fresnel) * diffuse / np.pi) * light["sun"]


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
    colour = torch.zeros(len(uv), 3, dtype=torch.float64)
    for k in range(4):
        at = uv + along * ((k + 0.5) / taps - 0.5)[:, None]
        tap = (1 - mix) * _bilinear(s, levels[low], at) + mix * _bilinear(s, levels[(low + 1).clamp(max=count - 1)], at)
        colour += tap * (k < taps)[:, None]
    return colour / taps[:, None]


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
