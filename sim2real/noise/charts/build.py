"""The texture domain on which a scene's noise lives: one chart per part, and six for the sphere of directions."""

from __future__ import annotations

import functools
import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float, Float32, Int32, UInt64

from ...scene.records import Mesh, Scene
from ...scene.triangles import Triangles
from .cache import cached_charts, content_key
from .mesh import MeshCharts, mesh_charts

SKY_CHARTS = 6
"""Charts 0 ... 5 are the faces of a cube of directions: +x, +y, +z, -x, -y, -z of the world."""
LEAST_SIDE_M = 1e-9
"""Of a chart; the cells of a mesh without any size would have areas that float32 takes for 0."""
SKY_SIDE_M = 16.0
"""Side of a cube face in the metric of the surfaces, which weighs sky against surface inside one pixel."""


@dataclass(frozen=True, eq=False)
class Charts:
    """A scene's noise domain.

    - ``coordinates``: of every face corner in [0, 1) of its chart.
    - ``face_chart``: 6 + part.
    - ``side_m``: metres per unit of each chart; areas of cells in different charts compare through it.
    - ``key``: what distinguishes the noise of one chart from that of all others, whatever else is in the scene.
    """

    coordinates: Float32[np.ndarray, "faces 3 2"]
    face_chart: Int32[np.ndarray, "faces"]
    side_m: Float32[np.ndarray, "charts"]
    key: UInt64[np.ndarray, "charts"]


def charts_of(scene: Scene, triangles: Triangles) -> Charts:
    """Build the charts of every part of a scene.

    Meshes that are equal, and a mesh used by several parts, are charted once, and each part has noise of its own, keyed by
    the instance's name and the part's place within the instance.

    Args:
        scene: where meshes, names and scales come from.
        triangles: ``triangles_of(scene)``.

    Returns:
        Charts for exactly these triangles.
    """
    made: dict[tuple[int, bytes], MeshCharts] = {}
    first: dict[str, tuple[int, bytes]] = {}
    alike = Counter(len(mesh.faces) for mesh in scene.meshes)
    coordinates: list[np.ndarray] = []
    side, key = [SKY_SIDE_M] * SKY_CHARTS, _keys("sky", SKY_CHARTS)
    place_in_instance: dict[int, int] = {}
    names = _unique_names([instance.name for instance in scene.instances])
    for part in scene.parts:
        mesh = scene.meshes[part.mesh]
        linear, scale = _split_scale(part.instance_from_mesh[:3, :3])
        use = (part.mesh, linear.tobytes())
        if use not in made:
            content = functools.cache(partial(content_key, mesh.vertices, mesh.faces, mesh.uv, linear))
            # scene files and simulators repeat a shape as often as it is used; a large mesh takes long to be looked at whole
            same = use if alike[len(mesh.faces)] == 1 else first.setdefault(content(), use)
            made[use] = made[same] if same in made else _charted(mesh, linear, content)
        chart = made[use]
        coordinates.append(chart.coordinates)
        side.append(chart.side_m * scale)
        place = place_in_instance.get(part.instance, 0)
        place_in_instance[part.instance] = place + 1
        key.append(_key(f"surface/{names[part.instance]}/{place}"))
    return Charts(
        coordinates=coordinates[0]
        if len(coordinates) == 1
        else np.concatenate([np.zeros((0, 3, 2), np.float32), *coordinates]),
        face_chart=(triangles.face_part + SKY_CHARTS).astype(np.int32),
        side_m=np.maximum(np.array(side, np.float32), LEAST_SIDE_M),
        key=np.array(key, np.uint64),
    )


def _split_scale(linear: Float[np.ndarray, "3 3"]) -> tuple[np.ndarray, float]:
    """A uniform scale is applied to the finished chart; any other linear map to the vertices before charting."""
    gram = linear.T @ linear
    square = np.trace(gram) / 3
    if np.allclose(gram, square * np.eye(3), atol=1e-6 * square):
        return np.eye(3), float(np.sqrt(square))
    return np.ascontiguousarray(linear), 1.0


def _unique_names(names: list[str]) -> list[str]:
    """Names by which instances differ even where the scene calls several things the same, or one thing as another's copy."""
    given, seen = set(names), dict.fromkeys(names, 0)
    unique = []
    for name in names:
        mine = name
        while seen[name] and (mine == name or mine in given):
            mine = f"{name}#{seen[name]}"
            seen[name] += 1
        seen[name] = max(seen[name], 1)
        unique.append(mine)
    return unique


def _charted(mesh: Mesh, linear: Float[np.ndarray, "3 3"], key: Callable[[], str]) -> MeshCharts:
    def build() -> MeshCharts:
        points = mesh.vertices.astype(np.float64)
        return mesh_charts(points if (linear == np.eye(3)).all() else points @ linear.T, mesh.faces, mesh.uv)

    return cached_charts(key, len(mesh.faces), build)


def _key(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _keys(text: str, count: int) -> list[int]:
    return [_key(f"{text}/{k}") for k in range(count)]
