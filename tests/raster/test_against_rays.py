"""Embree's rays as an oracle that shares nothing with the rasterizer."""

import numpy as np
import pytest
import torch

from sim2real.camera import View
from sim2real.raster import Fragments, rasterizer
from sim2real.transforms import look_at

from .soups import bumpy_ball, triangles

rtcore_scene = pytest.importorskip("embreex.rtcore_scene", reason="embreex is not installed")
mesh_construction = pytest.importorskip("embreex.mesh_construction", reason="embreex is not installed")

K = np.array([[200.0, 0, 121], [0, 210, 83], [0, 0, 1]])
SIZE = (160, 240)


def traced(fragments: Fragments, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Face ids and depths of rays from the eye through the pixel centers."""
    corners = fragments.camera_vertices.numpy()[faces]
    scene = rtcore_scene.EmbreeScene()
    mesh_construction.TriangleMesh(scene, corners)
    row, column = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    rays = np.stack([(column - K[0, 2]) / K[0, 0], (row - K[1, 2]) / K[1, 1], np.ones(SIZE)], axis=-1).reshape(-1, 3)
    found = scene.run(np.zeros_like(rays, dtype=np.float32), rays.astype(np.float32), output=1)
    return found["primID"].reshape(SIZE), found["tfar"].reshape(SIZE)


@pytest.mark.parametrize("eye", [(0.0, -1.5, -2.5), (2.0, 1.0, 1.0), (0.1, 0.2, 0.1)])
def test_faces_and_depth_are_those_of_traced_rays(eye: tuple[float, float, float]) -> None:
    ball = bumpy_ball(4)
    n = len(ball.vertices)
    floor = np.array([[-6, -6, -1.2], [6, -6, -1.2], [6, 6, -1.2], [-6, 6, -1.2]])
    vertices = np.concatenate([ball.vertices, floor])
    mesh = triangles(vertices, np.concatenate([ball.faces, [[n, n + 1, n + 2], [n, n + 2, n + 3]]]))
    camera_from_part = np.linalg.inv(look_at(np.array(eye), np.zeros(3), np.array([0, 0, 1.0])))[None]
    out = rasterizer(mesh).fragments(View(camera_from_part, K, SIZE))
    ids, depth = traced(out, mesh.faces)
    same = out.face.numpy() == ids
    assert same.mean() >= 0.999
    assert (out.face >= 0).float().mean() > 0.2
    hit = same & (ids >= 0)
    np.testing.assert_allclose(out.depth.numpy()[hit], depth[hit], rtol=1e-4)


def test_barycentrics_back_project_to_the_rays() -> None:
    ball = bumpy_ball(4)
    mesh = triangles(ball.vertices, ball.faces)
    out = rasterizer(mesh).fragments(
        View(np.linalg.inv(look_at(np.array([0, -3.0, 1]), np.zeros(3), np.array([0, 0, 1.0])))[None], K, SIZE)
    )
    row, column = torch.nonzero(out.face >= 0, as_tuple=True)
    corners = out.camera_vertices[torch.as_tensor(mesh.faces)[out.face[row, column].long()].long()].double()
    points = (out.barycentrics[:, row, column].T[..., None].double() * corners).sum(1)
    assert torch.allclose(points[:, 0] / points[:, 2] * K[0, 0] + K[0, 2], column.double() + 0.5, atol=1e-3)
    assert torch.allclose(points[:, 1] / points[:, 2] * K[1, 1] + K[1, 2], row.double() + 0.5, atol=1e-3)
    assert torch.allclose(points[:, 2], out.depth[row, column].double(), rtol=1e-6)
