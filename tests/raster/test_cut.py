"""What lies in front of a plane is seen as if nothing else had ever been there, however often one looks, and from where."""

import numpy as np
import pytest

from sim2real.raster import CutView, rasterizer, view_of
from sim2real.raster import cut as cut_module
from sim2real.scene import Mesh, triangles_of
from sim2real.scene.primitives import box, plane, sphere

from ..conditions.stage import camera_at, scene_of

FLOOR = np.array([0.0, 0.0, 1.0, 0.0])


def seen(scene, cut: CutView | None, camera) -> np.ndarray:
    asked = view_of(scene, camera, 0)
    if cut is not None:
        return cut.visibility(asked, FLOOR).face.numpy()
    return rasterizer(triangles_of(scene)).visibility(asked).face.numpy()


def cut_of(scene) -> CutView:
    triangles = triangles_of(scene)
    return CutView(triangles, rasterizer(triangles), "cpu")


def standing(z: float):
    """A box half below the floor, a ball above it, a sheet below it."""
    eye = camera_at((0.4, -1.5, 0.9), (0.0, 0.0, 0.1), (48, 64))
    return scene_of(
        [(box((0.1, 0.1, 0.2)), (0.0, 0.1, z)), (sphere(0.15), (0.3, 0, 0.4)), (plane((2.0, 2.0)), (0, 0, -0.3))], eye
    )


@pytest.mark.parametrize("z", [0.0, 0.13])
def test_a_box_that_crosses_the_plane_is_its_upper_part(z):
    scene = standing(z)
    upper = box((0.1, 0.1, (z + 0.2) / 2))
    alone = scene_of([(upper, (0.0, 0.1, (z + 0.2) / 2)), (sphere(0.15), (0.3, 0, 0.4))], scene.cameras[0])
    parts, expected = (triangles_of(one).face_part for one in (scene, alone))
    found, other = (seen(one, cut, scene.cameras[0]) for one, cut in ((scene, cut_of(scene)), (alone, None)))
    of_found, of_expected = (np.where(f < 0, -1, part[f]) for f, part in ((found, parts), (other, expected)))
    assert {-1, 0, 1} == set(np.unique(of_expected)) and (of_found != of_expected).mean() < 0.003


def test_what_was_cut_before_is_what_is_cut_anew_when_things_and_eyes_move():
    kept = cut_of(standing(0.0))
    pictures = []
    for z, x in ((0.0, 0.4), (0.0, 0.4), (0.1, 0.4), (0.0, -0.6), (0.0, 0.4)):
        scene = standing(z)
        eye = camera_at((x, -1.5, 0.9), (0.0, 0.0, 0.1), (48, 64))
        pictures.append(seen(scene, kept, eye))
        np.testing.assert_array_equal(pictures[-1], seen(scene, cut_of(scene), eye))
    np.testing.assert_array_equal(pictures[0], pictures[4])
    assert (pictures[0] != pictures[2]).any() and (pictures[0] != pictures[3]).any()


def test_a_part_without_faces_across_the_plane_is_passed_over():
    dots = Mesh("dots", np.array([[0.0, 0, -1], [0, 0, 1], [1, 0, 0]]), np.zeros((0, 3), np.int64))
    eye = camera_at((0.4, -1.5, 0.9), (0.0, 0.0, 0.1), (48, 64))
    scene = scene_of([(dots, (0, 0, 0)), (sphere(0.15), (0.3, 0, 0.4))], eye)
    np.testing.assert_array_equal(seen(scene, cut_of(scene), eye), seen(scene, None, eye))


def test_no_more_faces_are_kept_than_there_is_room_for_however_long_things_move(monkeypatch):
    scene = standing(0.0)
    kept, count = cut_of(scene), len(triangles_of(scene).faces)
    monkeypatch.setattr(cut_module, "_FACES_KEPT", 40)
    for z in np.linspace(-0.1, 0.1, 21):
        seen(standing(float(z)), kept, scene.cameras[0])
        assert 0 < kept._resting_front.faces <= 40 and 0 < kept._resting_pieces.faces <= 40
    monkeypatch.setattr(cut_module, "_FACES_KEPT", 1)
    np.testing.assert_array_equal(seen(scene, kept, scene.cameras[0]), seen(scene, cut_of(scene), scene.cameras[0]))
    assert 1 < kept._resting_front.faces < count
