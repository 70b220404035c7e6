"""Lines lie on silhouettes, creases and borders of instances, and nowhere else."""

from dataclasses import replace

import numpy as np
import pytest

from sim2real.conditions import edge_pixels, edges
from sim2real.scene import Part
from sim2real.scene.primitives import box, cylinder, plane, sphere

from .stage import camera_at, quad, scene_of, seen, tabletop


def lines_of(scene, camera=None) -> tuple[np.ndarray, np.ndarray]:
    """Edge pixels, and where there is a surface."""
    fragments, triangles, camera_from_part = seen(scene, camera)
    return edge_pixels(fragments, triangles, camera_from_part), fragments.face.numpy() >= 0


def eroded(mask: np.ndarray, times: int = 2) -> np.ndarray:
    for _ in range(times):
        padded = np.pad(mask, 1)
        mask = padded[1:-1, 1:-1] & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask


@pytest.mark.parametrize("cells", [(1, 1), (60, 60)])
@pytest.mark.parametrize("height", [0.03, 0.3])
def test_a_plane_at_a_grazing_angle_has_no_interior_edge(cells, height):
    scene = scene_of([(plane((5.0, 5.0), cells=cells), (0, 0, 0))], camera_at((0, -4, height), (0, 4, 0), size=(96, 144)))
    found, surface = lines_of(scene)
    assert surface.sum() > 1000
    assert not (found & eroded(surface)).any()


def test_a_box_shows_exactly_its_silhouette_and_its_visible_creases():
    camera = camera_at((1.1, -1.5, 0.9), (0, 0, 0), size=(240, 320))
    scene = scene_of([(box((0.3, 0.25, 0.2)), (0, 0, 0))], camera)
    found, _ = lines_of(scene)
    corners = np.array([[x, y, z] for x in (-0.3, 0.3) for y in (-0.25, 0.25) for z in (-0.2, 0.2)])
    pairs = [(i, j) for i in range(8) for j in range(i) if np.sum(corners[i] != corners[j]) == 1]
    hidden = int(np.argmin(corners @ [1.1, -1.5, 0.9]))  # the corner behind: its three edges are not seen
    camera_from_world = np.linalg.inv(camera.world_from_camera[0])
    p = (corners @ camera_from_world[:3, :3].T + camera_from_world[:3, 3]) @ camera.intrinsics[0].T
    screen = p[:, :2] / p[:, 2:]
    t = np.linspace(0, 1, 400)[:, None]
    visible = np.concatenate([(1 - t) * screen[i] + t * screen[j] for i, j in pairs if hidden not in (i, j)])
    y, x = np.nonzero(found)
    drawn = np.stack([x, y], -1) + 0.5
    apart = np.linalg.norm(drawn[:, None] - visible[None], axis=-1)
    assert apart.min(axis=1).max() < 1.5  # nothing but edges
    assert apart.min(axis=0).max() < 1.5  # all of them


@pytest.mark.parametrize("mesh", [sphere(0.4, segments=16, rings=12), cylinder(0.3, 0.35, segments=12)], ids=["ball", "can"])
def test_facets_of_a_round_thing_draw_no_lines(mesh):
    scene = scene_of([(mesh, (0, 0, 0))], camera_at((0, -2, 0), (0, 0, 0), size=(240, 320)))
    found, surface = lines_of(scene)
    assert (found & ~eroded(surface, 3)).sum() > 300
    assert not (found & eroded(surface, 6)).any()


def test_steps_show_and_flush_parts_of_one_instance_do_not():
    camera = camera_at((0, -1.5, 0), (0, 0, 0), size=(120, 160))
    inner, outer = quad(half=0.3), quad(half=0.9)

    def middle_of(step_m: float, instances: tuple[int, int]) -> int:
        scene = scene_of([(outer, (0, 0, 0)), (inner, (0, 0, 0))], camera)
        near = np.eye(4)
        near[1, 3] = -step_m
        found, _ = lines_of(replace(scene, parts=(Part(0, instances[0]), Part(1, instances[1], near))))
        return int(found[20:100, 30:130].sum())

    assert middle_of(0.01, (0, 0)) > 100  # a step of 1 cm
    assert middle_of(1e-4, (0, 0)) == 0  # a sticker
    assert middle_of(1e-4, (0, 1)) > 100  # another thing


def test_the_line_of_an_occlusion_lies_on_the_nearer_thing():
    camera = camera_at((0, -1.5, 0), (0, 0, 0), size=(120, 160))
    scene = scene_of([(quad(half=0.9), (0, 0.4, 0)), (quad(half=0.2), (0, 0, 0))], camera)
    fragments, triangles, camera_from_part = seen(scene)
    found = edge_pixels(fragments, triangles, camera_from_part)
    on = triangles.face_part[fragments.face.numpy()]
    assert found[30:90, 40:120].any()
    assert (on[30:90, 40:120][found[30:90, 40:120]] == 1).all()


@pytest.mark.parametrize("height", [120, 360, 720, 1440])
def test_thickness_is_a_part_of_the_height_and_at_least_one_pixel(height):
    size = (height, height * 4 // 3)
    fragments, triangles, camera_from_part = seen(
        scene_of([(quad(half=0.4), (0, 0, 0))], camera_at((0, -2, 0), (0, 0, 0), size))
    )
    across = edges(fragments, triangles, camera_from_part)[height // 2] / 255
    assert across.sum() / 2 == pytest.approx(max(1, height / 360), abs=0.51)  # a line on the left, a line on the right


def test_lines_cover_the_same_part_of_the_picture_at_every_resolution():
    cover = []
    for height in (360, 720):
        scene = tabletop((height, height * 3 // 2), frames=1)
        fragments, triangles, camera_from_part = seen(scene)
        cover.append(edges(fragments, triangles, camera_from_part).mean())
    assert cover[0] > 2
    assert cover[1] == pytest.approx(cover[0], rel=0.25)


def test_the_sky_is_black_and_an_empty_scene_has_no_lines():
    found, surface = lines_of(scene_of([], camera_at((0, -1, 0), (0, 0, 0))))
    assert not found.any() and not surface.any()
    scene = tabletop(frames=1)
    fragments, triangles, camera_from_part = seen(scene, camera_at((0.7, -1, 0.2), (0, 0, 0.3)))
    found = edge_pixels(fragments, triangles, camera_from_part)
    assert not found[fragments.face.numpy() < 0].any() and found.any()
