"""The shading kernels in plain torch (float64, whole pictures at once): slow and simple; the kernels are tested against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ...surface_reference import Seen, groups_of, tensor_of, tensors_of
from .shader import Shading


def reference_color(shading: Shading) -> Float[np.ndarray, "height width 3"]:
    """Display-linear colors of ``shading`` (or radiance where its exposure is 0): what ``shade_kernel`` computes."""
    samples = shading.samples
    scene = _Inputs(Seen.of(samples), tensors_of(shading.light), tensor_of(shading.occlusion))
    total = torch.zeros(samples.size[0] * samples.size[1], 3, dtype=torch.float64)
    for pixels, f, x, y, count in groups_of(scene.seen, samples):
        total[pixels] += count[:, None] * _seen(scene, f, x, y)
    return (total / samples.side**2).reshape(*samples.size, 3).numpy()


@dataclass(frozen=True, eq=False)
class _Inputs:
    """The Warp inputs as float64 tensors."""

    seen: Seen
    light: dict[str, Any]
    occlusion: Float[Tensor, "h w 2"]


def _seen(scene: _Inputs, f: Tensor, x: Tensor, y: Tensor) -> Tensor:
    out = _sky(
        F.normalize(scene.seen.directions(scene.seen.rays(x, y)), dim=-1),
        torch.full_like(x, 0.35),
        scene.light,
        "above",
        "below",
    )
    hit = f >= 0
    if hit.any():
        out[hit] = _surface(scene, f[hit], x[hit], y[hit])
    if scene.light["exposure"] > 0:
        c = scene.light["exposure"] * out.clamp(min=0)
        out = (c * (2.51 * c + 0.03) / (c * (2.43 * c + 0.59) + 0.14)).clamp(max=1)
    return out


def _surface(scene: _Inputs, f: Tensor, x: Tensor, y: Tensor) -> Tensor:
    seen, light = scene.seen, scene.light
    s, view = seen.s, seen.view
    ray, corners = seen.rays(x, y), seen.corners(f)
    k = seen.inner_weights(f, ray)
    p = (k[..., None] * torch.stack(corners, 1)).sum(1)
    eye = -F.normalize(seen.directions(ray), dim=-1)
    part = s["face_part"][f]
    g = F.normalize(torch.linalg.cross(corners[1] - corners[0], corners[2] - corners[0]), dim=-1)
    g = torch.where((g * eye).sum(-1, keepdim=True) < 0, -g, g)
    m = (k[..., None] * view["corner_normals"][f]).sum(1)
    m = F.normalize((view["normal_from_part"][part] @ m[..., None])[..., 0], dim=-1)
    m = torch.where((m * m).sum(-1, keepdim=True) < 0.5, g, m)
    m = torch.where((m * g).sum(-1, keepdim=True) < 0, -m, m)
    texture = seen.textures(f, x, y)
    base, glow = s["base"][part] * texture, s["emission"][part] * texture
    sun = light["sun_direction"]
    faces_sun = ((g * sun).sum(-1) > 0) & ((m * sun).sum(-1) > 0)
    lit = torch.where(faces_sun, _sun_share(p, g, light), 0.0)
    ambient = _open_sky(scene.occlusion, x, y, 1 / p[:, 2])
    return _outgoing(m, eye, base, s["metallic"][part], s["roughness"][part], lit, ambient, light) + glow


def _sky(direction: Tensor, blur: Tensor, light: dict[str, Any], above: str = "sky", below: str = "ground") -> Tensor:
    t = (0.5 + 0.5 * (direction * light["up"]).sum(-1) / blur).clamp(0, 1)
    t = (t * t * (3 - 2 * t))[..., None]
    return light[below] + t * (light[above] - light[below])


def _sun_share(p: Tensor, normal: Tensor, light: dict[str, Any]) -> Tensor:
    side, shadow, sun = light["shadow_side"], light["shadow"], light["sun_camera"]
    if side == 0:
        return torch.ones(len(p), dtype=torch.float64)
    q = p @ light["rotation"].T + light["translation"]
    m = normal @ light["rotation"].T
    d = (m * q).sum(-1)
    w = 1 / q[:, 2]
    x, y = q[:, 0] * w * sun.fx + sun.cx, q[:, 1] * w * sun.fy + sun.cy
    inside = (x >= 2) & (y >= 2) & (x <= side - 2) & (y <= side - 2) & (q[:, 2] > 0)
    steepest = 20 * light["bias"] * w
    gx, gy = (torch.clamp(m[:, i] / (focal * d), -steepest, steepest) for i, focal in enumerate((sun.fx, sun.fy)))
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
