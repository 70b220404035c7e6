"""Lamps in physical units, exposed together: what they say of each other's strength stays, their level is what renders need.

Lamps of files are in lux, candela or nits, and renderers of such files expose as they like. Here one number for all lamps makes
nine tenths of the lit surface at most as bright as the usual sun and sky would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from ..records import Lighting, Scene
from .environment import Environment
from .lamps import Lamp, Lights, Triple

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
_USUAL = Lighting()
_POINTS = 4096
_LIT, _BRIGHT = 0.02, 0.9
"""Of what the brightest places get, how much makes a place lit; the share of lit places that are not brighter than usual."""
_FILL = 0.12
"""Of the lit level, what comes from all around where no dome does: rooms send light back."""
_MIRRORED = 0.25
"""Of the lit level, what smooth surfaces mirror of surroundings that no file has."""
_GOLDEN = np.array([0.7548776662, 0.5698402910])
"""Steps of a sequence that fills a square evenly (Roberts 2018)."""


def lit_by(scene: Scene, lamps: Sequence[Lamp], dome: Environment | None = None) -> Scene:
    """A scene in the light of its own lamps.

    Args:
        scene: whose surfaces are lit.
        lamps: their colors of any level, the same for all: irradiance at one metre, or of a directional lamp.
        dome: what shines from all around, radiance of the same level.

    Returns:
        The scene with ``lights``, and with an ``environment`` for light that is followed.
    """
    points, normals = surface_points(scene)
    strength = sum((irradiance(lamp, points, normals) for lamp in lamps), np.zeros(len(points)))
    above, below = _halves(dome)
    even = np.pi * float((above + below) @ _LUMINANCE) / 2
    usual = float((np.asarray(_USUAL.sun) * 0.8 + np.pi * np.asarray(_USUAL.sky)) @ _LUMINANCE)
    gain = usual / max(_level(strength + even), 1e-30)
    fill = np.full(3, _FILL * usual / np.pi)
    around = gain * (above + below) / 2 if dome is not None else fill
    mirrored = (gain * above, gain * below) if dome is not None else (_MIRRORED / _FILL * fill, 0.5 * _MIRRORED / _FILL * fill)
    lights = Lights(
        lamps=tuple(replace(lamp, color=_triple(gain * np.asarray(lamp.color))) for lamp in lamps),
        ambient=_triple(around),
        mirrored=(_triple(mirrored[0]), _triple(mirrored[1])),
        backdrop=(_triple(mirrored[0]), _triple(mirrored[1])),
        followed=True,
    )
    panorama = np.broadcast_to(around, (8, 16, 3)) if dome is None or dome.panorama is None else gain * dome.panorama
    surroundings = Environment("lamps", np.ascontiguousarray(panorama, np.float32), up=scene.lighting.up)
    return replace(scene, lights=lights, environment=surroundings)


def irradiance(
    lamp: Lamp, points: Float[np.ndarray, "points 3"], normals: Float[np.ndarray, "points 3"]
) -> Float[np.ndarray, "points"]:
    """Luminance of what a lamp sends to surfaces in the first frame, on whichever side, whatever is between."""
    now = lamp.at(0)
    if now is None:
        return np.zeros(len(points))
    axis = np.asarray(now.direction, np.float64)
    axis = axis / max(float(np.linalg.norm(axis)), 1e-30)
    strength = float(np.asarray(now.color) @ _LUMINANCE)
    if now.kind == "directional":
        return strength * np.abs(normals @ axis)
    away = np.asarray(now.position) - points
    distance = np.maximum(np.linalg.norm(away, axis=1), 1e-6)
    toward = away / distance[:, None]
    a, b, c = now.attenuation
    share = np.abs((normals * toward).sum(axis=1)) / np.maximum(a + distance * (b + distance * c), 1e-6)
    share[distance > now.reach] = 0
    if now.kind == "spot":
        cosine = -toward @ axis
        whole, dark = now.cone
        share *= np.clip((cosine - dark) / max(whole - dark, 1e-4), 0, 1) ** 2 * np.maximum(cosine, 0) ** now.exponent
    return strength * share


def surface_points(scene: Scene) -> tuple[Float[np.ndarray, "points 3"], Float[np.ndarray, "points 3"]]:
    """World places on what exists in the first frame, spread evenly over its area, and their normals."""
    shown = np.flatnonzero(scene.part_visible(0))
    corners = [np.zeros((0, 3, 3))]
    for part in (scene.parts[k] for k in shown):
        mesh = scene.meshes[part.mesh]
        pose = scene.world_from_instance[0, part.instance] @ part.instance_from_mesh
        vertices = mesh.vertices if mesh.deformed is None else mesh.deformed[0]
        corners.append((np.asarray(vertices, np.float64) @ pose[:3, :3].T + pose[:3, 3])[mesh.faces])
    every = np.concatenate(corners)
    cross = np.cross(every[:, 1] - every[:, 0], every[:, 2] - every[:, 0])
    total = np.cumsum(np.linalg.norm(cross, axis=1))
    if not len(total) or not 0 < total[-1] < np.inf:
        return np.zeros((0, 3)), np.zeros((0, 3))
    chosen = np.searchsorted(total, (np.arange(_POINTS) + 0.5) / _POINTS * total[-1]).clip(0, len(total) - 1)
    u, v = np.moveaxis((0.5 + np.arange(_POINTS)[:, None] * _GOLDEN) % 1, 1, 0)
    root = np.sqrt(u)
    weights = np.stack([1 - root, root * (1 - v), root * v], axis=1)
    normals = cross[chosen] / np.linalg.norm(cross[chosen], axis=1, keepdims=True)
    return np.einsum("sc,scx->sx", weights, every[chosen]), normals


def _level(strength: Float[np.ndarray, "points"]) -> float:
    """How bright the lit places are that nine tenths of them do not exceed; 1 where nothing is lit."""
    if not len(strength) or not strength.max() > 0:
        return 1.0
    lit = strength[strength > _LIT * np.quantile(strength, 0.98)]
    return float(np.quantile(lit, _BRIGHT)) if len(lit) else float(strength.max())


def _halves(dome: Environment | None) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
    """Mean radiance above and below, weighted as surfaces that face up and down see them."""
    if dome is None or dome.panorama is None:
        return np.zeros(3), np.zeros(3)
    rows = dome.panorama.shape[0]
    height = np.cos((np.arange(rows) + 0.5) / rows * np.pi)
    weight = np.abs(height) * np.sqrt(1 - height**2)
    mean = np.asarray(dome.panorama, np.float64).mean(axis=1)
    above, below = (np.average(mean[half], axis=0, weights=weight[half]) for half in (height > 0, height < 0))
    return above, below


def _triple(values: np.ndarray) -> Triple:
    x, y, z = (float(v) for v in values)
    return x, y, z
