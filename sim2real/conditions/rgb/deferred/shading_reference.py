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
from .light_kernels import DIRECTIONAL, SPOT
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
    out = _backdrop(F.normalize(scene.seen.directions(scene.seen.rays(x, y)), dim=-1), scene.light)
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
    metallic, roughness, ambient = s["metallic"][part], s["roughness"][part], _open_sky(scene.occlusion, x, y, 1 / p[:, 2])
    bent, surface, glowing = s["map_texture"].unbind(1)
    if (s["map_texture"] >= 0).any():
        m = torch.where((bent[part] >= 0)[:, None], _bent_normal(seen, f, m, eye, seen.textures(f, x, y, bent, 256)), m)
        value, factors = seen.textures(f, x, y, surface, 256), s["map_factors"][part]
        has = surface[part] >= 0
        ambient = torch.where(has, ambient * (1 + factors[:, 0] * (value[:, 0] - 1)), ambient)
        roughness = torch.where(has, factors[:, 1] * value[:, 1], roughness)
        metallic = torch.where(has, factors[:, 2] * value[:, 2], metallic)
        shine = s["map_glow"][part] * seen.textures(f, x, y, glowing)
        glow = torch.where((glowing[part] >= 0)[:, None], shine, glow)
    out = _from_around(m, eye, base, metallic, roughness, ambient, light)
    lamps = tensors_of(light["lamps"])
    for lamp in range(light["lamp_count"]):
        toward, color = _arriving(lamps, lamp, p)
        nl = (m * toward).sum(-1)
        share = torch.where((nl > 0) & ((g * toward).sum(-1) > 0), nl, 0.0)
        number = int(lamps["map"][lamp])
        if number >= 0:
            share = share * _lamp_share(p, g, number, tensors_of(light["shadows"]))
        beam = _lobe(m, eye, toward, base, metallic, roughness) * color
        out = out + torch.where(share[:, None] > 0, share[:, None] * beam, 0.0)
    return out + glow


def _bent_normal(seen: Seen, f: Tensor, m: Tensor, eye: Tensor, value: Tensor) -> Tensor:
    """Normals bent by texels of normal maps, never away from the eye."""
    a, b, c = seen.corners(f)
    uv = seen.s["corner_uv"][f]
    u, v = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    area = u[:, :1] * v[:, 1:] - u[:, 1:] * v[:, :1]
    across = (v[:, 1:] * (b - a) - u[:, 1:] * (c - a)) / area
    up = (u[:, :1] * (c - a) - v[:, :1] * (b - a)) / area
    across, up = (F.normalize(axis - _dot(axis, m) * m, dim=-1) for axis in (across, up))
    x, y = (seen.s["map_bend"][seen.s["face_part"][f]] * (2 * value[:, k] - 1) for k in range(2))
    bent = F.normalize(x[:, None] * across + y[:, None] * up + (2 * value[:, 2:] - 1).clamp(min=1e-3) * m, dim=-1)
    bent = torch.where(area == 0, m, bent)
    away = _dot(bent, eye)
    return torch.where(away < 0, F.normalize(bent - (away - 1e-3) * eye, dim=-1), bent)


def _arriving(lamps: dict[str, Tensor], k: int, p: Tensor) -> tuple[Tensor, Tensor]:
    """The unit vectors from points to a lamp, and the irradiance that it sends them."""
    kind, toward, color = int(lamps["kind"][k]), lamps["toward"][k].expand_as(p), lamps["color"][k].expand_as(p)
    if kind == DIRECTIONAL:
        return toward, color
    away = lamps["place"][k] - p
    distance = away.norm(dim=-1)
    a, b, c, reach = lamps["fade"][k]
    share = torch.where(distance > reach, 0.0, 1 / (a + distance * (b + distance * c)).clamp(min=1e-6))
    axis, toward = toward, away / distance.clamp(min=1e-9)[:, None]
    if kind == SPOT:
        whole, dark, exponent = lamps["cone"][k]
        cosine = -(toward * axis).sum(-1)
        fade = ((cosine - dark) / (whole - dark).clamp(min=1e-4)).clamp(0, 1)
        share = share * fade**2 * cosine.clamp(min=0) ** exponent
    return toward, share[:, None] * color


def _backdrop(direction: Tensor, light: dict[str, Any]) -> Tensor:
    """What is seen where nothing is: sky and ground, or the side of a box that OpenGL's rules choose."""
    n = light["box_side"]
    if not n:
        return _sky(direction, torch.full_like(direction[:, 0], 0.35), light, "above", "below")
    d = direction @ light["box_from_camera"].T
    x, y, z = d.unbind(-1)
    size = d.abs()
    axis = torch.where((size[:, 1] > size[:, 0]) & (size[:, 1] >= size[:, 2]), 1, torch.where(size[:, 2] > size[:, 0], 2, 0))
    side = 2 * axis + (d.gather(1, axis[:, None])[:, 0] < 0)
    across = torch.stack([-z, z, x, x, x, -x], -1).gather(1, side[:, None])
    down = torch.stack([-y, -y, z, -z, -y, -y], -1).gather(1, side[:, None])
    major = size.gather(1, axis[:, None])
    u, v = ((0.5 + 0.5 * at / major) * n - 0.5 for at in (across, down))
    i, j = torch.floor(u), torch.floor(v)
    out = torch.zeros_like(d)
    for b in range(2):
        for a in range(2):
            column, row = ((at + step).clamp(0, n - 1).long()[:, 0] for at, step in ((i, a), (j, b)))
            out += (1 - (a - u + i).abs()) * (1 - (b - v + j).abs()) * light["box"][(side * n + row) * n + column]
    return out


def _sky(direction: Tensor, blur: Tensor, light: dict[str, Any], above: str = "sky", below: str = "ground") -> Tensor:
    t = (0.5 + 0.5 * (direction * light["up"]).sum(-1) / blur).clamp(0, 1)
    t = (t * t * (3 - 2 * t))[..., None]
    return light[below] + t * (light[above] - light[below])


def _lamp_share(p: Tensor, normal: Tensor, number: int, shadows: dict[str, Any]) -> Tensor:
    side, shadow, bias = shadows["side"], shadows["depth"][number], shadows["bias"][number]
    turn, (per_f, cx, cy) = shadows["rotation"][number], shadows["lens"][number]
    q = p @ turn.T + shadows["translation"][number]
    m = normal @ turn.T
    d = (m * q).sum(-1)
    w = 1 / q[:, 2]
    x, y = q[:, 0] * w / per_f + cx, q[:, 1] * w / per_f + cy
    inside = (x >= 2) & (y >= 2) & (x <= side - 2) & (y <= side - 2) & (q[:, 2] > 0)
    steepest = 20 * bias * w
    gx, gy = (torch.clamp(m[:, i] * per_f / d, -steepest, steepest) for i in range(2))
    ix, iy = torch.floor(x - 0.5), torch.floor(y - 0.5)
    fx, fy = x - 0.5 - ix, y - 0.5 - iy
    lit = torch.zeros_like(w)
    for j in range(-1, 3):
        for i in range(-1, 3):
            weight = {-1: 1 - fx, 2: fx}.get(i, torch.ones_like(fx)) * {-1: 1 - fy, 2: fy}.get(j, torch.ones_like(fy))
            texel = shadow[(iy + j).nan_to_num(0).clamp(0, side - 1).long(), (ix + i).nan_to_num(0).clamp(0, side - 1).long()]
            lit += weight * (texel <= (w + gx * (i - fx) + gy * (j - fy)) * (1 + bias))
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


def _from_around(
    n: Tensor, v: Tensor, base: Tensor, metallic: Tensor, roughness: Tensor, sky: Tensor, light: dict[str, Any]
) -> Tensor:
    nv, f0, diffuse, rough = _surface_terms(n, v, base, metallic, roughness)
    rx, ry, rz, rw = 1 - rough, 0.0425 - 0.0275 * rough, 1.04 - 0.572 * rough, 0.022 * rough - 0.04
    a004 = torch.minimum(rx * rx, torch.exp(-6.4324 * nv)) * rx + ry
    fa, fb = rz - 1.04 * a004, rw + 1.04 * a004
    single = fa * f0 + fb
    mirror = single + (1 / (fa + fb).clamp(min=1e-3) - 1) * f0 * single
    height = 0.5 + 0.5 * _dot(n, light["up"])
    ambient = light["ambient_below"] + height * (light["ambient_above"] - light["ambient_below"])
    reflected = _sky(2 * _dot(n, v) * n - v, (0.15 + 0.85 * rough)[:, 0], light)
    return sky[:, None] * (diffuse * (1 - mirror) * ambient + mirror * reflected)


def _lobe(n: Tensor, v: Tensor, toward: Tensor, base: Tensor, metallic: Tensor, roughness: Tensor) -> Tensor:
    nv, f0, diffuse, rough = _surface_terms(n, v, base, metallic, roughness)
    nl = _dot(n, toward).clamp(min=0)
    h = F.normalize(toward + v, dim=-1)
    nh, vh = _dot(n, h), _dot(v, h).clamp(min=0)
    a2 = (rough**2 + 0.01).clamp(max=1) ** 2
    distribution = a2 / (np.pi * (nh * nh * (a2 - 1) + 1) ** 2)
    smith = 0.5 / (nl * (nv * nv * (1 - a2) + a2).sqrt() + nv * (nl * nl * (1 - a2) + a2).sqrt())
    fresnel = f0 + (1 - vh) ** 5 * (1 - f0)
    return distribution * smith * fresnel + (1 - fresnel) * diffuse / np.pi


def _surface_terms(
    n: Tensor, v: Tensor, base: Tensor, metallic: Tensor, roughness: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """How squarely it is seen, what it mirrors seen straight on, its matte color, and its roughness."""
    metallic, roughness = metallic[:, None], roughness[:, None]
    return _dot(n, v).clamp(min=1e-3), 0.04 * (1 - metallic) + metallic * base, (1 - metallic) * base, roughness.clamp(0.08, 1)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(-1, keepdim=True)
