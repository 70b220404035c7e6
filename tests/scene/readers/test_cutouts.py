"""Cut-outs as geometry."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.camera import View
from sim2real.raster import rasterizer
from sim2real.scene import face_normals
from sim2real.scene.readers.mesh import cutouts
from sim2real.scene.readers.mesh.cutouts import cut_out
from sim2real.scene.records import Mesh
from tests.raster.soups import triangles


def quad(repeat=1.0, turned=False, shear=0.0):
    vertices = np.array([[0, 0, 0], [1, 0, 0], [1, 0, 1], [0, 0, 1]], float)
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    uv = (vertices[:, [0, 2]] @ np.array([[1, shear], [0, 1]]) * repeat)[faces]
    if turned:
        uv[..., 0] *= -1
    return Mesh("quad", vertices, faces, uv=uv, normals=np.repeat(face_normals(vertices, faces)[:, None], 3, axis=1))


def area(mesh):
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2


def disc(side=64, radius=0.3):
    y, x = (np.mgrid[:side, :side] + 0.5) / side
    return np.clip(0.5 + side * (radius - np.hypot(x - 0.5, y - 0.5)) / 2, 0, 1)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("shear", [0.0, 0.3])
def test_what_is_left_has_the_area_the_sides_and_the_layout_of_before(turned, shear):
    mesh = quad(turned=turned, shear=shear)
    cut = cut_out(mesh, disc(), 0.5)
    assert area(cut) == pytest.approx(np.pi * 0.09, rel=0.002 if shear == 0 else 0.05)
    assert np.allclose(face_normals(cut.vertices, cut.faces), [0, -1, 0]) and np.allclose(cut.normals, [0, -1, 0])
    expected = cut.vertices[cut.faces][..., [0, 2]] @ np.array([[1, shear], [0, 1]])
    assert np.allclose(cut.uv, expected * ([-1, 1] if turned else [1, 1]), atol=1e-7)


def test_a_texture_that_repeats_cuts_as_often():
    cut = cut_out(quad(repeat=3.0), disc(32), 0.5)
    assert area(cut) == pytest.approx(np.pi * 0.09, rel=0.01)


def test_all_or_nothing():
    mesh = quad()
    assert cut_out(mesh, np.ones((8, 8)), 0.5) is mesh
    assert len(cut_out(mesh, np.zeros((8, 8)), 0.5).faces) == 0


def test_many_faces_make_the_cut_coarser_not_endless(monkeypatch):
    monkeypatch.setattr(cutouts, "MOST_PIECES", 300)
    cut = cut_out(quad(), disc(256), 0.5)
    assert len(cut.faces) < 900 and area(cut) == pytest.approx(np.pi * 0.09, rel=0.05)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), st.integers(3, 12))
def test_pixels_see_what_alpha_leaves(seed, side):
    alpha = np.random.default_rng(seed).uniform(size=(side, side))
    mesh = cut_out(quad(), alpha, 0.5)
    place = (np.arange(60) + 0.5) / 60 * side - 0.5
    u, v = np.meshgrid(place, place)
    i, j = np.floor(v).astype(int), np.floor(u).astype(int)
    a, b = v - i, u - j
    here, right, below, across = (alpha[(i + di) % side, (j + dj) % side] for di, dj in ((0, 0), (0, 1), (1, 0), (1, 1)))
    upper, lower = here + b * (right - here) + a * (across - right), here + a * (below - here) + b * (across - below)
    value = np.where(a < b, upper, lower)  # a cell is halved along its diagonal
    camera_from_mesh = np.array([[1.0, 0, 0, -0.5], [0, 0, -1, 0.5], [0, 1, 0, 1], [0, 0, 0, 1]])
    k = np.array([[60.0, 0, 30], [0, 60, 30], [0, 0, 1]])
    drawn = rasterizer(triangles(mesh.vertices, mesh.faces))
    seen = drawn.visibility(View(camera_from_mesh[None], k, (60, 60))).face.numpy() >= 0
    sure = np.abs(value - 0.5) > 1e-4
    assert (seen == (value >= 0.5))[sure].all()
