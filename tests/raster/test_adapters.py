"""Rasterizers of others: their conventions become ours, and the noise is the same up to silhouettes.

nvdiffrast runs on CUDA alone. A stand-in follows its documentation, pixel by pixel, in plain torch.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.camera import View
from sim2real.errors import BadValueError
from sim2real.noise import NoiseLayout, SurfaceNoise, charts_of
from sim2real.raster import Rasterizer, rasterizer, view_of
from sim2real.raster.backends import nvdiffrast, pytorch3d
from sim2real.scene import Lens, Triangles, triangles_of
from tests.render.conftest import moving_scene

from .soups import INTRINSICS, SIZE, bumpy_ball, placed, soup, triangles


def opengl_rasterize(
    context: object, pos: torch.Tensor, tri: torch.Tensor, resolution: tuple[int, int], grad_db: bool
) -> tuple:
    """nvdiffrast's ``rasterize`` as documented: clip space, the first row at the bottom, (u, v, z / w, id + 1)."""
    (height, width), p = resolution, pos[0].double()
    y, x = torch.meshgrid((2 * torch.arange(height) + 1) / height - 1, (2 * torch.arange(width) + 1) / width - 1, indexing="ij")
    pixel = torch.stack([x, y], dim=-1).double()
    out, nearest = torch.zeros((height, width, 4)), torch.full((height, width), torch.inf, dtype=torch.float64)
    for number, corners in zip(torch.arange(len(tri)).split(64), p[tri.long()].split(64), strict=True):
        about = corners[:, :, None, None, :2] - pixel * corners[:, :, None, None, 3:]  # the pixel, times w
        one, two = about[:, [1, 2, 0]], about[:, [2, 0, 1]]
        sides = (one[..., 0] * two[..., 1] - one[..., 1] * two[..., 0]).movedim(1, -1)
        total = sides.sum(-1)
        weights = sides / torch.where(total == 0, 1.0, total)[..., None]
        z, w = torch.einsum("nhwk,nkc->cnhw", weights, corners[..., 2:])
        depth = z / torch.where(w == 0, 1.0, w)
        hit = (weights >= 0).all(-1) & (total != 0) & (w > 0) & (depth.abs() <= 1)
        best, which = torch.where(hit, depth, torch.inf).min(0)
        seen = torch.take_along_dim(weights, which[None, ..., None], 0)[0]
        values = torch.stack([seen[..., 0], seen[..., 1], best, number[which] + 1.0], dim=-1)
        out = torch.where((best < nearest)[..., None], values.float(), out)
        nearest = torch.minimum(nearest, best)
    return out[None], torch.zeros((1, height, width, 4))


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("nvdiffrast.torch")
    module.RasterizeCudaContext = lambda device: object()  # type: ignore[attr-defined]
    module.rasterize = opengl_rasterize  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "nvdiffrast", ModuleType("nvdiffrast"))
    monkeypatch.setitem(sys.modules, "nvdiffrast.torch", module)
    monkeypatch.setattr(nvdiffrast.NvdiffrastRasterizer, "device_type", "cpu")


def adapter(name: str, mesh: Triangles, request: pytest.FixtureRequest) -> Rasterizer:
    if name == "nvdiffrast":
        request.getfixturevalue("stand_in")
    else:
        pytest.importorskip("pytorch3d", reason="pytorch3d is not installed (no Linux package; build it from its source)")
    return rasterizer(mesh, backend=name)


BOTH = pytest.mark.parametrize("name", ["pytorch3d", "nvdiffrast"])


@BOTH
@pytest.mark.parametrize("z", [3.0, 0.2])  # from outside, and from inside across the near plane
def test_an_adapter_sees_what_we_see(name: str, z: float, request: pytest.FixtureRequest) -> None:
    ball = bumpy_ball(2)
    mesh = triangles(ball.vertices, ball.faces)
    for intrinsics in (INTRINSICS, INTRINSICS + np.array([[0, 1.7, 0], [0, 0, 0], [0, 0, 0]])):
        view = View(placed(z=z), intrinsics, SIZE)
        expected, found = rasterizer(mesh).fragments(view), adapter(name, mesh, request).fragments(view)
        same = found.face == expected.face
        assert (~same).float().mean() <= 0.005
        assert torch.allclose(found.depth[same], expected.depth[same], rtol=1e-5)
        assert torch.allclose(found.barycentrics[:, same], expected.barycentrics[:, same], atol=1e-4)
        assert torch.equal(found.camera_vertices, expected.camera_vertices)


@BOTH
def test_hidden_parts_and_hidden_sides_are_not_drawn(name: str, request: pytest.FixtureRequest) -> None:
    ball = bumpy_ball(1)
    n = len(ball.vertices)
    vertices = np.concatenate([ball.vertices * 0.3, ball.vertices])
    mesh = triangles(vertices, np.concatenate([ball.faces, ball.faces + n]), np.repeat([0, 1], n))
    mesh = replace(mesh, hidden_side=np.full(len(mesh.faces), -1, np.int8))
    matrices = np.repeat(placed(z=0.0), 2, axis=0)  # inside of both: from behind they are not seen
    draw = adapter(name, mesh, request)
    assert (draw.visibility(View(matrices, INTRINSICS, SIZE)).face == -1).all()
    matrices = np.repeat(placed(z=3.0), 2, axis=0)
    view = View(matrices, INTRINSICS, SIZE, part_visible=np.array([True, False]))
    seen = draw.visibility(view).face
    assert 0 < (seen >= 0).sum() < seen.numel() / 10 and seen.max() < len(ball.faces)


@BOTH
def test_surfaces_have_no_holes_where_edges_meet_pixel_centers(name: str, request: pytest.FixtureRequest) -> None:
    corners = np.array([[-1, -1, 2], [1, -1, 2], [1, 1, 2], [-1, 1, 2.0]])
    mesh = triangles(corners, np.array([[0, 1, 2], [0, 2, 3]]))
    exact = np.array([[32.0, 0, 16], [0, 32, 16], [0, 0, 1]])  # the diagonal runs through the centers of pixels
    seen = adapter(name, mesh, request).visibility(View(placed(), exact, (32, 32))).face
    assert (seen >= 0).all()


@BOTH
def test_only_pinholes_are_taken(name: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(BadValueError, match="use the backend warp"):
        adapter(name, soup(3), request).visibility(View(placed(), INTRINSICS, SIZE, lens=Lens("orthographic")))


@pytest.mark.slow
@BOTH
def test_noise_is_the_same_bit_for_bit_away_from_where_faces_differ(name: str, request: pytest.FixtureRequest) -> None:
    """Noise is a function of face indices and vertices: where an adapter finds the same faces, it can only be the same.

    A latent's value also depends on cells that it shares with its neighbors, and these on how finely their pixels ask.
    """
    scene = moving_scene(2, (64, 96))
    mesh, layout = triangles_of(scene), NoiseLayout(8, 4)
    noise, theirs = SurfaceNoise(charts_of(scene, mesh), mesh, layout, seed=5), adapter(name, mesh, request)
    equal, away_in_all, latents = 0, 0, 0
    for camera in scene.cameras:
        view = view_of(scene, camera, 1)
        ours, other = rasterizer(mesh).visibility(view), theirs.visibility(view)
        a, b = noise.frame(ours, view), noise.frame(other, view)
        differs = (ours.face != other.face).float()[None, None]
        near = torch.nn.functional.max_pool2d(differs, 24, 8, 8)[0, 0] > 0  # the latent's pixels and those of all around it
        same = (a == b).all(0)
        equal, away_in_all, latents = equal + int(same[~near].sum()), away_in_all + int((~near).sum()), latents + near.numel()
        assert abs(float(b.std()) - 1) < 0.2
    assert away_in_all > latents / 3
    assert equal >= 0.99 * away_in_all


@given(seed=st.integers(0, 2**31))
@settings(max_examples=10, deadline=None)
def test_clip_space_is_where_opengl_has_our_pixels(seed: int) -> None:
    mesh, rng = soup(seed), np.random.default_rng(seed)
    view = View(placed(z=1.0), INTRINSICS + [[0, 2.0, 0], [0, 0, 0], [0, 0, 0]], SIZE, near=float(rng.uniform(0.01, 0.5)))
    vertices = torch.as_tensor(mesh.vertices) + torch.tensor([0, 0, 1.0])
    at = nvdiffrast.clip_space(view, vertices, torch.as_tensor(mesh.faces)).double().numpy()
    ahead = (vertices[:, 2].numpy() > view.near) & np.isin(np.arange(len(vertices)), mesh.faces)
    places = vertices.double().numpy() @ view.intrinsics.T
    column, row = (places[ahead, :2] / places[ahead, 2:]).T
    ndc = at[ahead, :3] / at[ahead, 3:]
    np.testing.assert_allclose((ndc[:, 0] + 1) / 2 * SIZE[1], column, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose((1 - ndc[:, 1]) / 2 * SIZE[0], row, rtol=1e-4, atol=1e-3)
    order = np.argsort(vertices[ahead, 2].numpy())
    assert (np.diff(ndc[order, 2]) >= -1e-6).all()
    if ahead.any():
        assert ndc[:, 2].min() > -1 - 1e-5 and ndc[:, 2].max() < 1 + 1e-5


def test_what_nvdiffrast_found_becomes_our_fragments() -> None:
    rast = torch.zeros((2, 2, 3, 4))
    rast[1, 0, 2] = torch.tensor([0.25, 0.5, 0.1, 12.0])  # the bottom row; the second of the faces from 10 on
    faces, vertices = torch.tensor([[0, 1, 2], [2, 1, 3]]), torch.tensor([[0, 0, 1.0], [1, 0, 2], [0, 1, 4], [1, 1, 8]])
    seen = nvdiffrast.fragments_of(rast, vertices, faces, torch.eye(3), picture=1, first_face=10)
    assert seen.face.tolist() == [[-1, -1, -1], [-1, -1, 1]]
    assert seen.barycentrics[:, 1, 2].tolist() == [0.25, 0.5, 0.25] and seen.barycentrics[:, 0].abs().sum() == 0
    assert seen.depth[1, 2] == 0.25 * 4 + 0.5 * 2 + 0.25 * 8 and seen.depth[0].abs().sum() == 0
    upright = nvdiffrast.fragments_of(rast, vertices, faces, torch.eye(3), picture=1, first_face=10, bottom_up=False)
    assert upright.face.tolist() == [[-1, -1, 1], [-1, -1, -1]]
    with pytest.raises(BadValueError, match="face indices"):
        nvdiffrast.fragments_of(rast, vertices, faces, torch.eye(3), picture=1)
    rast[1, 0, 2, 3] = 2.0**24 + 2
    with pytest.raises(BadValueError, match="16777216"):
        nvdiffrast.fragments_of(rast, vertices, faces, torch.eye(3), picture=1)


def test_what_pytorch3d_found_becomes_our_fragments() -> None:
    index = torch.tensor([[[[-1, -1], [7, 9]]], [[[12, 3], [-1, -1]]]])
    weights = torch.where(index[..., None] >= 0, torch.tensor([0.2, 0.3, 0.5]), -1.0)
    depth = torch.where(index >= 0, 2.5, -1.0)
    found = SimpleNamespace(pix_to_face=index, bary_coords=weights, zbuf=depth)
    seen = pytorch3d.fragments_of(found, torch.zeros(4, 3), torch.eye(3), picture=1, first_face=10)
    assert seen.face.tolist() == [[2, -1]] and seen.face.dtype == torch.int32
    assert seen.depth.tolist() == [[2.5, 0]]
    torch.testing.assert_close(seen.barycentrics[:, 0], torch.tensor([[0.2, 0], [0.3, 0], [0.5, 0]]))


def test_pytorch3d_loses_no_face_on_cuda() -> None:
    cuda = torch.device("cuda")
    assert pytorch3d._tiles((480, 640), 1000, torch.device("cpu")) == {"bin_size": 0}
    for size in ((48, 64), (480, 640), (2160, 3840)):
        chosen = pytorch3d._tiles(size, 20_000, cuda)
        assert chosen["max_faces_per_bin"] == 20_000
        assert 1 + (max(size) - 1) // chosen["bin_size"] < 22  # what pytorch3d allows
    assert pytorch3d._tiles((480, 640), 10_000_000, cuda) == {"bin_size": 0}
