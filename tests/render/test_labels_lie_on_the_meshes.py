"""Depth, cameras and instance poses of a clip folder against the meshes, with nothing but ``clip.json`` and the files."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sim2real.clip.images import read_depth, read_png
from tests.render.conftest import FRAMES


def distance_to_faces(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Distance of each point to the nearest of some triangles."""
    a, b, c = (corners[None, :, k] for k in range(3))
    p = points[:, None]
    ab, ac, ap = b - a, c - a, p - a
    d00, d01, d11 = (ab * ab).sum(-1), (ab * ac).sum(-1), (ac * ac).sum(-1)
    d20, d21 = (ap * ab).sum(-1), (ap * ac).sum(-1)
    det = d00 * d11 - d01 * d01
    v, w = (d11 * d20 - d01 * d21) / det, (d00 * d21 - d01 * d20) / det
    inside = (v >= 0) & (w >= 0) & (v + w <= 1)
    off_plane = np.linalg.norm(ap - v[..., None] * ab - w[..., None] * ac, axis=-1)
    nearest = np.where(inside, off_plane, np.inf)
    for s, t in ((a, b), (b, c), (c, a)):
        along = np.clip(((p - s) * (t - s)).sum(-1) / ((t - s) ** 2).sum(-1), 0, 1)
        nearest = np.minimum(nearest, np.linalg.norm(p - s - along[..., None] * (t - s), axis=-1))
    return nearest.min(axis=1)


@pytest.mark.slow
def test_back_projected_depth_lies_on_the_instance_that_the_label_names(clip, scene):
    record = json.loads((clip.path / "clip.json").read_text())
    by_id = {instance["id"]: instance for instance in record["instances"]}
    rng = np.random.default_rng(0)
    checked = 0
    for name, camera in record["cameras"].items():
        k = np.array(camera["K"])
        for frame in range(FRAMES):
            depth = read_depth(clip.path / name / "depth" / f"{frame:06d}.exr").astype(np.float64)
            ids = read_png(clip.path / name / "instances" / f"{frame:06d}.png")
            assert np.array_equal(depth > 0, ids > 0)
            rows, columns = np.nonzero(ids)
            chosen = rng.choice(len(rows), 120, replace=False)
            rows, columns = rows[chosen], columns[chosen]
            z = depth[rows, columns]
            ray = np.stack([(columns + 0.5 - k[0, 2]) / k[0, 0], (rows + 0.5 - k[1, 2]) / k[1, 1], np.ones(len(z))], 1)
            world = np.c_[ray * z[:, None], np.ones(len(z))] @ np.array(camera["world_from_camera"][frame]).T
            for number in np.unique(ids[rows, columns]):
                here = ids[rows, columns] == number
                instance = by_id[int(number)]
                mesh = scene.meshes[scene.parts[int(number) - 1].mesh]
                local = world[here] @ np.linalg.inv(np.array(instance["world_from_instance"][frame])).T
                corners = mesh.vertices.astype(np.float64)[mesh.faces]
                assert np.all(distance_to_faces(local[:, :3], corners) < 1e-4 * z[here])
                checked += int(here.sum())
    assert checked == 2 * FRAMES * 120
