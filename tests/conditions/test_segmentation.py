"""Instance ids depend on the scene alone; colors depend on the id alone."""

from dataclasses import replace

import numpy as np

from sim2real.conditions import instance_ids
from sim2real.scene import Part
from sim2real.scene.primitives import box

from .stage import camera_at, scene_of, seen, tabletop


def test_a_pixel_has_the_id_of_the_thing_behind_it_in_every_frame_and_camera():
    scene = tabletop()
    top = camera_at((0.01, 0, 1.6), (0, 0, 0), frames=scene.frames, name="top")
    for camera in (scene.cameras[0], top):
        for frame in (0, 3):
            fragments, triangles, camera_from_part = seen(scene, camera, frame)
            ids = instance_ids(fragments.face, triangles)
            assert ids.dtype == np.uint16 and set(np.unique(ids)) - {0} == {1, 2, 3, 4, 5}
            for instance in (1, 2):  # the projected centers of box and ball
                center = camera.intrinsics[frame] @ camera_from_part[instance][:3, 3]
                x, y = (center[:2] / center[2]).astype(int)
                assert ids[y, x] == instance + 1


def test_parts_of_one_instance_share_its_id_and_nothing_is_zero():
    scene = scene_of(
        [(box((0.1, 0.1, 0.1)), (-0.2, 0, 0)), (box((0.1, 0.1, 0.1)), (0.2, 0, 0))], camera_at((0, -1.5, 0), (0, 0, 0))
    )
    moved = np.eye(4)
    moved[0, 3] = 0.4
    scene = replace(scene, parts=(Part(0, 0), Part(1, 0, moved)))
    fragments, triangles, _ = seen(scene)
    ids = instance_ids(fragments.face, triangles)
    assert set(np.unique(ids)) == {0, 1}
    assert ((ids == 0) == (fragments.face.numpy() < 0)).all()


def test_an_empty_scene_is_background():
    fragments, triangles, _ = seen(scene_of([], camera_at((0, -1, 0), (0, 0, 0))))
    assert (instance_ids(fragments.face, triangles) == 0).all()
