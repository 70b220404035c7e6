from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.noise.charts import overlap
from sim2real.noise.charts.build import SKY_CHARTS, charts_of
from sim2real.noise.charts.mesh import mesh_charts
from sim2real.noise.charts.overlap import overlapping
from sim2real.noise.charts.packing import packed
from sim2real.scene.triangles import triangles_of
from tests.noise.views import camera, grid, mesh, scene


def area(corners: np.ndarray) -> np.ndarray:
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    if corners.shape[2] == 2:
        return np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2
    return np.linalg.norm(np.cross(a, b), axis=1) / 2


def covers_itself(charts) -> bool:
    return bool(overlapping(charts.coordinates, np.zeros(len(charts.coordinates), int), 1).any())


@pytest.mark.parametrize(
    "made",
    [
        trimesh.creation.box(),
        trimesh.creation.icosphere(),
        trimesh.creation.torus(1.0, 0.3),
        trimesh.creation.capsule(),
        trimesh.creation.annulus(0.3, 1.0, 0.2),
    ],
    ids=["box", "icosphere", "torus", "capsule", "annulus"],
)
def test_box_charts_cover_nothing_twice_and_shrink_areas_by_at_most_root_three(made):
    vertices = np.asarray(made.vertices)
    charts = mesh_charts(vertices, made.faces, None)
    flat = area(charts.coordinates.astype(float) * charts.side_m)
    ratio = flat / area(vertices[made.faces])
    assert ratio.max() < 1.001 and ratio.min() > 1 / np.sqrt(3) - 0.001
    assert not covers_itself(charts)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(1e-4, 1e3), min_size=1, max_size=60), st.integers(0, 1000))
def test_packed_blocks_are_disjoint_aligned_and_inside(extents, seed):
    extent = np.array(extents)
    corner, side = packed(extent, np.random.default_rng(seed).standard_normal((len(extent), 3)))
    width = 2.0 ** np.maximum(np.ceil(np.log2(extent)), np.ceil(np.log2(extent.max())) - 14)
    assert np.all(corner >= 0) and np.all(corner + width[:, None] <= side * (1 + 1e-12))
    assert np.allclose(corner / width[:, None], np.round(corner / width[:, None]), atol=1e-9)
    for k in range(len(extent)):
        apart = np.any((corner[k] >= corner + width[:, None] - 1e-12) | (corner >= corner[k] + width[k] - 1e-12), axis=1)
        assert apart.sum() == len(extent) - 1


def test_injective_uv_is_kept_and_scaled_to_metres():
    plane = grid(2.0, 8)
    uv = plane.vertices[plane.faces][..., :2] * 0.11 + 5.3  # outside 0..1 on purpose
    charts = mesh_charts(plane.vertices, plane.faces, uv)
    assert charts.from_uv.all()
    assert np.allclose(area(charts.coordinates.astype(float) * charts.side_m).sum(), 4.0, rtol=1e-4)


@pytest.mark.parametrize("fold", ["mirrored", "stacked", "collapsed", "nan"])
def test_uv_that_is_not_injective_gives_charts_that_are(fold):
    plane = grid(2.0, 8)
    uv = plane.vertices[plane.faces][..., :2].copy()
    if fold == "mirrored":
        uv[..., 0] = np.abs(uv[..., 0])
    elif fold == "stacked":  # two halves cut apart and laid on each other
        right = uv[..., 0].mean(axis=1) > 0
        uv[right, :, 0] -= 1.0
    elif fold == "collapsed":
        uv[:] = 0.5
    else:
        uv[:] = np.nan
    charts = mesh_charts(plane.vertices, plane.faces, uv)
    assert not covers_itself(charts)
    assert np.allclose(area(charts.coordinates.astype(float) * charts.side_m).sum(), 4.0, rtol=1e-3)
    assert charts.from_uv.all() == (fold == "stacked")


def torus_with_uv(tube=0.3, around=64, along=32) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A torus whose layout is the unit square: more than four times longer around its rim than across its tube."""
    u, v = (a.ravel() for a in np.meshgrid(np.arange(around), np.arange(along), indexing="ij"))
    corner = np.stack([np.stack([u + a, v + b], 1) for a, b in ((0, 0), (1, 0), (1, 1), (0, 1))], 1)
    layout = np.concatenate([corner[:, [0, 1, 2]], corner[:, [0, 2, 3]]])
    turn, tilt = 2 * np.pi * np.arange(around) / around, 2 * np.pi * np.arange(along) / along
    radius = (1 + tube * np.cos(tilt))[None] + 0 * turn[:, None]
    points = np.stack(
        [radius * np.cos(turn)[:, None], radius * np.sin(turn)[:, None], tube * np.sin(tilt)[None] + 0 * radius], -1
    )
    faces = layout[..., 0] % around * along + layout[..., 1] % along
    return points.reshape(-1, 3), faces, layout / np.array([around, along])


def test_a_layout_that_is_wider_than_its_surface_is_straightened_not_dropped():
    vertices, faces, uv = torus_with_uv()
    charts = mesh_charts(vertices, faces, uv)
    assert charts.from_uv.all() and charts.islands == 1 and not covers_itself(charts)
    span = np.ptp(charts.coordinates.reshape(-1, 2), axis=0)
    assert np.isclose(span[0] / span[1], 1 / 0.3, rtol=0.2)
    assert np.isclose(area(charts.coordinates.astype(float) * charts.side_m).sum(), area(vertices[faces]).sum(), rtol=1e-3)


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(st.floats(-2, 2), st.floats(0.02, 50), st.floats(0, 3.1), st.floats(-1e3, 1e3))
def test_linear_maps_of_a_layout_change_nothing_but_its_orientation(shear, stretch, turn, shift):
    plane = grid(2.0, 5)
    uv = plane.vertices[plane.faces][..., :2].astype(float)
    c, s = np.cos(turn), np.sin(turn)
    bent = uv @ np.array([[c, s], [-s, c]]) @ np.array([[stretch, 0], [shear, 1.0]]) + shift
    charts = mesh_charts(plane.vertices, plane.faces, bent)
    assert charts.from_uv.all()
    edges = np.diff(charts.coordinates[:, [0, 1, 2, 0]].astype(float) * charts.side_m, axis=1)
    expected = np.diff(plane.vertices[plane.faces][:, [0, 1, 2, 0]], axis=1)
    assert np.allclose(np.linalg.norm(edges, axis=2), np.linalg.norm(expected, axis=2), rtol=2e-3)


def test_a_layout_in_shreds_is_dropped():
    plane = grid(4.0, 16)
    tiled = plane.vertices[plane.faces][..., :2] * 2.0 + 40.0
    wrapped = tiled - np.floor(tiled.min(axis=1, keepdims=True))
    per_face = np.tile([[0.0, 0], [1, 0], [0, 1]], (len(plane.faces), 1, 1))
    for uv, kept in ((tiled, True), (wrapped, False), (per_face, False)):
        charts = mesh_charts(plane.vertices, plane.faces, uv)
        assert charts.islands == 1 and charts.from_uv.all() == kept and not covers_itself(charts)


def test_surface_that_lies_on_itself_is_packed_all_the_same():
    one, other = grid(2.0, 3), grid(2.0, 7)  # both in one plane, joined along an edge that they share
    faces = np.concatenate([one.faces, other.faces + len(one.vertices)])
    charts = mesh_charts(np.concatenate([one.vertices, other.vertices]), faces, None)
    assert charts.islands == 2 and not covers_itself(charts)
    fold = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0.9, 0.2, 0]], np.float32)
    folded = mesh_charts(fold, np.array([[0, 1, 2], [2, 1, 3], [2, 1, 4]]), None)
    assert np.isfinite(folded.coordinates).all()


@pytest.mark.slow
def test_a_spiral_stair_is_cut_until_no_chart_covers_itself():
    turn = np.linspace(0, 6 * np.pi, 200)
    inner = np.stack([0.3 * np.cos(turn), 0.3 * np.sin(turn), 0.05 * turn], 1)
    outer = np.stack([np.cos(turn), np.sin(turn), 0.05 * turn], 1)
    k, n = np.arange(199), 200
    faces = np.concatenate([np.stack([k, k + n, k + 1], 1), np.stack([k + 1, k + n, k + n + 1], 1)])
    charts = mesh_charts(np.concatenate([inner, outer]), faces, None)
    assert charts.islands >= 3
    assert not covers_itself(charts)


def test_faces_without_area_and_meshes_without_faces_do_no_harm():
    plane = grid(1.0, 2)
    faces = np.concatenate([plane.faces, [[0, 0, 1], [2, 2, 2]]])
    charts = mesh_charts(plane.vertices, faces, None)
    assert np.isfinite(charts.coordinates).all()
    assert mesh_charts(np.zeros((0, 3), np.float32), np.zeros((0, 3), int), None).coordinates.shape == (0, 3, 2)


def test_every_part_has_a_chart_and_a_key_of_its_own_that_other_objects_do_not_change():
    ball, view = mesh(trimesh.creation.icosphere(1), "ball"), camera([3.0, 0, 1])
    alone = scene([ball], [view], names=["ball"])
    crowd = scene([grid(), ball, ball], [view], names=["floor", "ball", "ball"])
    one, many = charts_of(alone, triangles_of(alone)), charts_of(crowd, triangles_of(crowd))
    assert len(set(many.key.tolist())) == len(many.key) == SKY_CHARTS + 3
    assert one.key[SKY_CHARTS] == many.key[SKY_CHARTS + 1]


def test_a_scaled_instance_has_its_metres_scaled():
    ball = mesh(trimesh.creation.icosphere(2))
    made = scene([ball, ball], [camera([3.0, 0, 1])])
    made.parts[1].instance_from_mesh[:3, :3] *= 2.5
    charts = charts_of(made, triangles_of(made))
    assert np.isclose(charts.side_m[SKY_CHARTS + 1], 2.5 * charts.side_m[SKY_CHARTS])


@pytest.mark.parametrize(("stretch", "kept"), [(1.5, True), (4.0, False)])
def test_a_layout_that_is_stretched_all_over_is_dropped_and_areas_are_of_no_account(stretch, kept):
    plane = grid(2.0, 24)
    line = np.linspace(0, 1, 25)
    step = np.where(np.arange(24) // 4 % 2 == 0, stretch, 1 / stretch)
    bent = np.concatenate([[0], np.cumsum(step)]) / step.sum()
    uv = plane.vertices[plane.faces][..., :2].astype(float) / 2 + 0.5
    uv[..., 0] = np.interp(uv[..., 0], line, bent)
    assert mesh_charts(plane.vertices, plane.faces, uv).from_uv.all() == kept
    finer = plane.vertices[plane.faces][..., :2].astype(float) + 1.1  # z -> log z keeps angles and not areas
    polar = np.stack([np.log(np.hypot(finer[..., 0], finer[..., 1])), np.arctan2(finer[..., 1], finer[..., 0])], -1)
    assert mesh_charts(plane.vertices, plane.faces, polar).from_uv.all()


def test_a_few_collapsed_faces_do_not_cost_an_asset_its_layout_and_many_do():
    plane = grid(2.0, 24)
    for share, kept in ((0.005, True), (0.2, False)):
        uv = plane.vertices[plane.faces][..., :2].astype(float)
        uv[: int(share * len(uv))] = 0.0
        assert mesh_charts(plane.vertices, plane.faces, uv).from_uv.any() == kept


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.booleans())
def test_islands_of_few_faces_are_judged_as_the_grid_judges_them(seed, count, folded):
    rng = np.random.default_rng(seed)
    line = np.sort(rng.uniform(0, 1, count + 1)).astype(np.float32)  # a strip of triangles, in which none overlap
    lower, upper = np.stack([line, rng.uniform(0, 0.2, count + 1)], 1), np.stack([line, rng.uniform(0.3, 0.5, count + 1)], 1)
    k = np.arange(count)
    faces = np.concatenate(
        [np.stack([lower[k], lower[k + 1], upper[k]], 1), np.stack([upper[k], lower[k + 1], upper[k + 1]], 1)]
    )
    if folded:
        faces = np.concatenate([faces, faces[:1] * np.float32(0.8) + np.float32(0.1) * faces[0].mean(0)])
    strips = np.concatenate([faces, faces + np.float32([0, 0.5])]).astype(np.float32) * np.float32(0.99)
    label = np.repeat([0, 1], len(faces))
    quick = overlapping(strips, label, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overlap, "FEW_FACES", 0)
        assert np.array_equal(quick, overlapping(strips, label, 2))
    assert folded or not quick.any()


def test_equal_meshes_are_charted_once_and_small_ones_need_no_grid(monkeypatch):
    box = mesh(trimesh.creation.box())
    made = scene([box] + [replace(box, vertices=box.vertices.copy()) for _ in range(5)], [camera([3.0, 0, 1])])
    calls = []
    monkeypatch.setattr("sim2real.noise.charts.build.mesh_charts", lambda *given: calls.append(given) or mesh_charts(*given))
    monkeypatch.setattr(overlap, "GRID", 1 << 20)  # would not fit into memory
    charts = charts_of(made, triangles_of(made))
    assert len(calls) == 1 and len(set(charts.key.tolist())) == SKY_CHARTS + 6
    each = charts.coordinates.reshape(6, -1)
    assert np.array_equal(each, np.broadcast_to(each[:1], each.shape))
