"""What assets may do to charts and noise, case by case; random combinations are in ``test_random_scenes``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from sim2real.metrics.whiteness import whiteness
from sim2real.noise import NoiseLayout
from sim2real.scene.records import Material, Mesh
from tests.noise.views import Views, camera, grid, mesh, scene

LATENT = NoiseLayout(8, 16)
VIEW = camera([2.0, 0.3, 1.5], size=(192, 256), focal=260.0)


def slivers(count=400) -> Mesh:
    """A disc of needles, a thousand times longer than wide at the rim."""
    angle = np.linspace(0, 2 * np.pi, count + 1)[:-1]
    rim = np.stack([1.5 * np.cos(angle), 1.5 * np.sin(angle), np.zeros(count)], 1)
    k = np.arange(count)
    faces = np.stack([np.full(count, count), k, (k + 1) % count], 1)
    return Mesh("slivers", np.concatenate([rim, np.zeros((1, 3))]).astype(np.float32), faces)


def fins() -> Mesh:
    """Three sheets that share one line: every edge of it has six faces."""
    sheets = []
    for turn in (0.0, 1.0, 2.1):
        sheet = trimesh.Trimesh(grid(2.0, 8).vertices, grid(2.0, 8).faces, process=False)
        sheet.apply_transform(trimesh.transformations.rotation_matrix(turn, [0, 1, 0]))
        sheets.append(sheet)
    return mesh(trimesh.util.concatenate(sheets), "fins")


def tiny(cells=707) -> Mesh:
    """A million triangles, many to a pixel."""
    bumps = grid(3.0, cells)
    bumps.vertices[:, 2] = 0.05 * np.sin(30 * bumps.vertices[:, 0])
    return bumps


def turned(made: Mesh) -> Mesh:
    return replace(made, faces=made.faces[:, ::-1])


def ball(level=3) -> Mesh:
    return mesh(trimesh.creation.icosphere(level), "ball")


CASES = {
    "slivers": slivers,
    "non-manifold": fins,
    "inside out": lambda: turned(ball()),
    "every other face inside out": lambda: replace(
        ball(), faces=np.where(np.arange(1280)[:, None] % 2, ball().faces[:, ::-1], ball().faces)
    ),
    "a million tiny triangles": tiny,
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_noise_on_difficult_meshes_is_white(case):
    views = Views(scene([CASES[case]()], [VIEW]), LATENT)
    seen = views.inputs()
    assert (seen[0].face >= 0).float().mean() > 0.1
    draws = np.stack([views.seeded(seed).frame(*seen).numpy() for seed in range(6)])
    assert whiteness(draws).worst() < 5


@pytest.mark.parametrize("copy", ["same", "rolled", "turned over", "other vertices"])
def test_copies_of_faces_change_no_bit_of_the_noise(copy):
    single = replace(ball(), uv=np.abs(ball().vertices[ball().faces][..., :2]))
    again = {"same": [0, 1, 2], "rolled": [1, 2, 0], "turned over": [0, 2, 1], "other vertices": [2, 0, 1]}[copy]
    faces, vertices = single.faces[:, again], single.vertices
    if copy == "other vertices":
        faces, vertices = faces + len(vertices), np.concatenate([vertices, vertices])
    double = replace(
        single,
        vertices=vertices,
        faces=np.concatenate([single.faces, faces]),
        uv=np.concatenate([single.uv, 7 - single.uv[:, again]]),
    )
    assert np.array_equal(Views(scene([double], [VIEW]), LATENT).frame(), Views(scene([single], [VIEW]), LATENT).frame())


def test_two_objects_in_one_place_have_noise_of_their_own_and_the_visible_one_owns_its_pixels():
    views = Views(scene([grid(), grid()], [VIEW], names=["a", "b"]), LATENT)
    face = views.face().numpy()
    charts = views.charts.face_chart[face[face >= 0]]
    assert set(views.leaves()["chart"]) - set(range(6)) == set(charts)
    assert whiteness(views.frame()[None]).worst() < 5


def test_a_sheet_seen_from_below_shows_the_noise_that_it_has_above():
    sheet = grid(4.0, 12)
    eyes = [camera([0.0, 0.05, z], size=(128, 160), focal=120.0, name=name) for name, z in (("above", 1.5), ("below", -1.5))]
    views = Views(scene([sheet], eyes), NoiseLayout(8, 64))
    above, below = views.frame(0, "above"), views.frame(0, "below")
    assert (views.face(0, "above") >= 0).all() and (views.face(0, "below") >= 0).all()
    mirrored = {f"{flip}": np.mean(above * np.flip(below, flip)) for flip in ((1,), (2,), (1, 2), ())}
    assert sorted(mirrored.values())[-1] > 0.85 and sorted(mirrored.values())[-2] < 0.1


def test_instances_of_one_mesh_have_noise_of_their_own_that_is_theirs_in_every_scene():
    pose = np.tile(np.eye(4), (1, 2, 1, 1))
    visible = np.array([[True, False]])

    def frame(names: list[str], shown: np.ndarray) -> np.ndarray:
        made = scene([ball(), ball()], [VIEW], names=names, world_from_instance=pose, visible=shown)
        return Views(made, NoiseLayout(8, 64)).frame()

    first, second = frame(["left", "right"], visible), frame(["left", "right"], ~visible)
    face = Views(scene([ball()], [VIEW]), LATENT).face().numpy()
    inside = (face >= 0).reshape(24, 8, 32, 8).all(axis=(1, 3))
    product = (first * second)[:, inside]
    assert abs(product.mean()) * np.sqrt(product.size) < 5
    assert np.array_equal(frame(["right", "left"], visible), second)


def test_names_that_look_like_copies_of_others_collide_with_none():
    meshes = [grid(1.0, 1)] * 6
    for names in (["a#1", "a", "a", "a"], ["a", "a#1", "a", "a"], ["a", "a", "a#1", "a#2", "a#1", "a"]):
        charts = Views(scene(meshes[: len(names)], [VIEW], names=names), LATENT).charts
        assert len(set(charts.key.tolist())) == len(charts.key), names


def test_noise_sticks_to_the_material_of_a_mesh_that_deforms():
    rest = grid(4.0, 40)
    stretched = rest.vertices * np.array([1.25, 1.0, 1.0], np.float32)
    made = scene([replace(rest, deformed=np.stack([rest.vertices, stretched]))], [camera([[0.0, 0.0, 2.0]] * 2, focal=160.0)])
    views = Views(made, NoiseLayout(8, 256))

    before, after = views.frame(0), views.frame(1)
    # latent p of the stretched sheet shows what latents from p / 1.25 on showed, counted from the middle of the picture,
    # along one of the two picture axes
    best = 0.0
    for axis in (1, 2):
        count = before.shape[axis]
        edge, q = (np.arange(count + 1) - count / 2) / 1.25 + count / 2, np.arange(count)
        share = np.maximum(0, np.minimum(edge[1:, None], q + 1) - np.maximum(edge[:-1, None], q))
        carried = np.moveaxis(np.tensordot(share * np.sqrt(1.25), before, (1, axis)), 0, axis)
        best = max(best, float((after * carried).mean() / (carried * carried).mean()))
    assert best > 0.9
    assert abs(np.mean(after[:, 1] * before[:, 1])) < 0.5  # not stuck to the screen


def test_what_vanishes_changes_no_bit_of_the_noise_of_others():
    shift = np.tile(np.eye(4), (2, 3, 1, 1))
    shift[:, :, :3, 3] = [[0, -1.2, 0], [0, 0, 0], [0, 1.2, 0]]
    small = mesh(trimesh.creation.icosphere(3, 0.4), "ball")
    visible = np.array([[True, True, True], [True, False, True]])
    view = camera([[3.0, 0, 0.4]] * 2, size=(192, 256), focal=260.0)
    views = Views(scene([small] * 3, [view], names=["a", "b", "c"], world_from_instance=shift, visible=visible), LATENT)
    with_b, without_b = views.frame(0), views.frame(1)
    pair = scene([small] * 2, [view], names=["a", "c"], world_from_instance=shift[:, [0, 2]])
    never_b = Views(pair, LATENT).frame(0)
    faces = [views.face(k).numpy() for k in (0, 1)]
    part = [np.where(f >= 0, views.triangles.face_part[np.maximum(f, 0)], -1).reshape(24, 8, 32, 8) for f in faces]
    others = np.isin(part[0], (0, 2)).all(axis=(1, 3))
    assert others.sum() > 20 and (part[0] == 1).any() and not (part[1] == 1).any()
    assert np.array_equal(with_b[:, others], without_b[:, others])
    assert np.array_equal(without_b, never_b)
    # the sky behind b is revealed; away from b it keeps its noise as well
    away = np.abs(np.arange(32) - 15.5) > 10
    assert np.array_equal(with_b[:, :, away], without_b[:, :, away])


def test_a_surface_that_one_sees_through_carries_noise_like_any_other():
    glass = replace(ball(), material=Material(base_color=(1.0, 1.0, 1.0, 0.2)))
    clear, solid = (Views(scene([m, grid(6.0, 4, -1.0)], [VIEW]), LATENT).frame() for m in (glass, ball()))
    assert np.array_equal(clear, solid)
