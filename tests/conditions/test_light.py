"""Light by following rays: known cases, the numpy twin, Mitsuba, and that places keep their light."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import warp as wp
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real import devices
from sim2real.camera import View
from sim2real.camera_effects.tone import LUMA
from sim2real.conditions import Sampler
from sim2real.conditions.light import LightTracer, filter_kernels, kernels, mirrors, tracer
from sim2real.conditions.light.curve import order_along_a_curve
from sim2real.conditions.light.filters import Grid, even_edges
from sim2real.conditions.light.reference import direct_light_reference, smooth_reference, spread_reference
from sim2real.conditions.light.shine import GLOSS, MATTE, matte_share, mirrored_by, mirrored_share
from sim2real.conditions.light.sources import FarLight, far_light, near_light
from sim2real.conditions.light.world import Worlds, looked_up, with_smaller
from sim2real.errors import BadValueError, MissingFileError, UnknownNameError
from sim2real.raster import rasterizer, view_of
from sim2real.scene import Camera, Instance, Lighting, LoadOptions, Material, Mesh, Part, Scene, load, primitives, triangles_of
from sim2real.scene.light.environment import Environment
from sim2real.scene.light.lamps import Lamp, Lights
from sim2real.scene.light.panoramas import environment_of, name_and_angle, panorama_names
from sim2real.scene.light.plain import lighting_of
from sim2real.scene.light.sky import panorama, panorama_directions
from sim2real.transforms import look_at

UP = np.array([0.0, 0.0, 1.0])
EVEN = Environment("even", np.ones((16, 32, 3), np.float32))
DARK = Environment("dark", None)


def scene_of(meshes, cameras, frames=1, **more):
    return Scene(
        source=Path("test"),
        sha256="",
        meshes=tuple(meshes),
        parts=tuple(Part(k, k) for k in range(len(meshes))),
        instances=tuple(Instance(m.name, m.name) for m in meshes),
        world_from_instance=np.tile(np.eye(4), (frames, len(meshes), 1, 1)),
        visible=np.ones((frames, len(meshes)), bool),
        cameras=tuple(cameras),
        **more,
    )


def square(half=1.0, z=0.0, down=False, **material):
    corners = np.array([[-half, -half, z], [half, -half, z], [half, half, z], [-half, half, z]])
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    return Mesh("square", corners, faces[:, ::-1] if down else faces, material=Material(**material))


def camera_at(eye, target=(0, 0, 0), size=(48, 64), focal=60.0, frames=1, name="camera"):
    k = np.tile(np.array([[focal, 0, size[1] / 2], [0, focal, size[0] / 2], [0, 0, 1.0]]), (frames, 1, 1))
    pose = look_at(np.array([eye], float), np.array(target, float), UP)
    return Camera(name, size, k, np.tile(pose, (frames, 1, 1)))


def lit(scene, environment, camera=None, frame=0):
    """Light before exposure, and the pictures."""
    triangles = triangles_of(scene)
    tracer = LightTracer(scene, triangles, rasterizer(triangles), environment=environment)
    camera = camera or scene.cameras[0]
    pictures = tracer.frame(camera, frame)
    return pictures.light / tracer.gains(camera), pictures.reflection / tracer.gains(camera)


def test_a_convex_thing_under_an_even_sky_gets_all_its_light_everywhere():
    ball = replace(primitives.sphere(0.5), material=Material((0.3, 0.6, 0.9, 1.0), roughness=0.2))
    light, mirrored = lit(scene_of([ball], [camera_at((0, -2, 0.7))]), EVEN)
    assert light == pytest.approx(1, abs=0.02)
    seen = mirrored.sum(axis=-1) > 0
    assert seen.mean() > 0.1 and mirrored[seen] == pytest.approx(1, abs=0.02)


def test_under_the_sun_a_floor_has_the_cosine_and_a_shadow():
    sun = Environment("sun", None, sun_direction=(0.0, 0.6, 0.8), sun=(3.0, 2.0, 1.0))
    roof = square(0.25, z=0.5, base_color=(0.0, 0.0, 0.0, 1.0))
    floor = square(4.0, base_color=(0.0, 0.0, 0.0, 1.0))
    light, _ = lit(scene_of([floor, roof], [camera_at((0, -3, 3), size=(60, 80))]), sun)
    expected = np.array([3.0, 2.0, 1.0]) * 0.8 / np.pi
    assert np.median(light, axis=(0, 1)) == pytest.approx(expected, rel=0.02)
    camera = scene_of([floor, roof], [camera_at((0, -3, 3), size=(60, 80))]).cameras[0]
    shadow = np.array([0.0, -0.375, 0.0])  # of the roof's middle, along (0, 0.6, 0.8)
    at = np.linalg.inv(camera.world_from_camera[0]) @ [*shadow, 1]
    x, y, z = camera.intrinsics[0] @ at[:3]
    assert light[int(y / z), int(x / z)].max() < 0.05


@pytest.mark.slow
def test_a_lamp_lights_by_the_square_of_the_distance():
    lamp = square(0.05, z=2.0, down=True, base_color=(0.0, 0.0, 0.0, 1.0), emission=(50.0, 40.0, 30.0))
    floor = square(3.0, base_color=(0.0, 0.0, 0.0, 1.0))
    light, _ = lit(scene_of([floor, lamp], [camera_at((0, -3, 1.0), size=(120, 160), focal=150)]), DARK)
    straight_under = np.array([50.0, 40.0, 30.0]) * 0.1**2 / 2.0**2 / np.pi
    assert light[60, 80] == pytest.approx(straight_under, rel=0.1)
    behind = square(0.05, z=2.0, base_color=(0.0, 0.0, 0.0, 1.0), emission=(50.0, 40.0, 30.0))
    light, _ = lit(scene_of([floor, behind], [camera_at((0, -3, 1.0), size=(120, 160), focal=150)]), DARK)
    assert light[80:].max() == 0


def test_a_furnace_of_gray_walls_has_the_light_of_all_bounces():
    """In a closed box whose walls all shine, light is E + a E + a^2 E ...; the last bounces are missing."""
    shine, albedo = 1.0, 0.5
    box = primitives.box((2.0, 2.0, 2.0))
    inside = replace(
        box, faces=box.faces[:, ::-1], normals=None, material=Material((albedo,) * 3 + (1.0,), emission=(shine,) * 3)
    )
    light, _ = lit(scene_of([inside], [camera_at((0, -0.8, 0))]), DARK)
    falling = light - shine / albedo  # what shines is in it, over the base color
    assert falling.mean() == pytest.approx(shine / (1 - albedo), rel=0.06)


def test_a_red_wall_reddens_what_is_beside_it():
    wall = replace(primitives.box((0.1, 3.0, 1.5)), material=Material((0.9, 0.05, 0.05, 1.0)))
    wall = replace(wall, vertices=wall.vertices + [-0.6, 0, 0.75])
    light, _ = lit(scene_of([square(3.0, base_color=(0.7, 0.7, 0.7, 1.0)), wall], [camera_at((2.0, -0.5, 2.0))]), EVEN)
    redness = light[..., 0] - light[..., 2]
    assert redness[24, 24] > 0.03 and redness[40, 56] < 0.7 * redness[24, 24]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_straight_light_is_that_of_the_numpy_twin(seed):
    rng = np.random.default_rng(seed)
    corners = rng.normal(size=(12, 3, 3))
    mesh = Mesh("soup", corners.reshape(-1, 3), np.arange(36).reshape(-1, 3), material=Material())
    lamp = square(0.4, z=2.5, down=True, emission=(5.0, 4.0, 3.0))
    lamps = (
        Lamp("point", (3.0, 1.0, 1.0), (2.0, 0.0, 1.0), attenuation=(0.0, 0.0, 1.0)),
        Lamp("spot", (1.0, 3.0, 1.0), (-2.0, 0.0, 1.0), (2.0, 0.0, -1.0), (0.0, 0.0, 1.0), cone=(0.95, 0.7), exponent=2.0),
        Lamp("directional", (0.5, 0.5, 2.0), direction=(0.0, 1.0, -1.0)),
    )
    scene = replace(scene_of([mesh, lamp], [camera_at((0, -4, 1))]), lights=Lights(lamps, followed=True))
    sky = Environment("sky", rng.gamma(0.3, 1.0, (16, 32, 3)).astype(np.float32), (0.3, 0.2, 0.9), (3.0, 3.0, 2.0))
    triangles = triangles_of(scene)
    sampler = Sampler(scene, triangles, rasterizer(triangles))
    instant = Worlds(scene, triangles, sampler, sky).at(0)
    points, normals = rng.normal(size=(50, 3)), rng.normal(size=(50, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    out = [np.zeros((50, 3), np.float32) for _ in range(2)]
    given_ = [wp.array(a.astype(np.float32), dtype=wp.vec3, device="cpu") for a in (points, normals)]
    seeds = wp.array(np.arange(50, dtype=np.int32), dtype=wp.int32, device="cpu")
    arrays = [wp.array(a, dtype=wp.vec3, device="cpu", copy=False) for a in out]
    shining = lamp.vertices[lamp.faces], np.tile([5.0, 4.0, 3.0], (2, 1))
    far, near = far_light(sky, lamps[2:]), near_light(*shining, lamps[:2])
    none = wp.zeros(50, dtype=wp.int32, device="cpu")
    counts = [50, len(far.light), len(near.light), none]  # every sample once
    devices.launch(kernels.light_kernel, 1, [instant.struct, sampler.materials, *given_, seeds, *counts, *arrays], "cpu")
    every = np.concatenate([corners, lamp.vertices[lamp.faces]])
    expected = direct_light_reference(points, normals, every, far, near, reach=1e5, least_distance=0.05)
    assert out[0] == pytest.approx(expected, rel=1e-3, abs=2e-4)


def test_light_of_a_lamp_falls_on_a_floor_as_its_candela_say_and_is_blocked():
    points, normals = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 2.0, 0.0]]), np.tile([0.0, 0.0, 1.0], (3, 1))
    near = near_light(
        np.zeros((0, 3, 3)), np.zeros((0, 3)), [Lamp("point", (2.0, 4.0, 8.0), (0.0, 0.0, 1.0), attenuation=(0.0, 0.0, 1.0))]
    )
    nothing = FarLight(*(np.zeros((0, 3), np.float32) for _ in range(2)), *(np.zeros((2, 4, 3), np.float32) for _ in range(2)))
    screen = np.array([[[-0.2, 1.0, 0.0], [0.2, 1.0, 0.0], [0.0, 1.0, 1.0]]])
    found = direct_light_reference(points, normals, screen, nothing, near, reach=1e5, least_distance=0.05)
    square = (points**2).sum(axis=1) + 1
    expected = np.array([2.0, 4.0, 8.0]) / np.pi / (square * np.sqrt(square))[:, None]  # intensity times cosine over distance^2
    expected[2] = 0
    assert found == pytest.approx(expected, rel=1e-5)


def corner(rng, size, by):
    """Points, unit normals and sizes of cells on two planes that meet, with noise, a strip of another and a hole."""
    y, x = (np.indices(size) + 0.5) * by
    right = x > size[1] * by / 2
    points = np.stack([x, y, np.where(right, 0.5 * (x - size[1] * by / 2), 0)], axis=-1) / 10
    normals = np.where(right[..., None], np.array([-0.4472136, 0, 0.8944272]), np.array([0, 0, 1.0]))
    normals[:, size[1] // 3] = [1, 0, 0]
    normals[: size[0] // 4, : size[1] // 4] = 0
    points += 0.01 * rng.normal(size=points.shape)
    return points.astype(np.float32), normals.astype(np.float32), np.full(size, by / 10, np.float32)


def vectors(array):
    return wp.array(np.ascontiguousarray(array, np.float32), dtype=wp.vec3, device="cpu", copy=False)


@pytest.mark.parametrize(("step", "contrast"), [(1, 1e6), (2, 0.25), (4, 1e6)])
def test_smoothing_is_that_of_the_numpy_twin(step, contrast):
    rng = np.random.default_rng(step)
    points, normals, sizes = corner(rng, (14, 17), 1)
    light = rng.gamma(2, 0.5, points.shape).astype(np.float32)
    light[rng.random(sizes.shape) < 0.4] = -1  # not known
    out = Grid(points, normals, sizes).smoothed(light, (step,), contrast)
    assert out == pytest.approx(smooth_reference(points, normals, sizes, light, step, contrast), rel=1e-4, abs=1e-5)


def test_what_is_mirrored_is_smoothed_less_where_surfaces_turn():
    rng = np.random.default_rng(3)
    points, normals, sizes = corner(rng, (14, 17), 1)
    normals += 0.1 * rng.normal(size=normals.shape).astype(np.float32) * (normals != 0).any(axis=-1, keepdims=True)
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
    light, bends = rng.gamma(2, 0.5, points.shape).astype(np.float32), rng.uniform(0, 300, sizes.shape).astype(np.float32)
    out = Grid(points, normals, sizes, bends).smoothed(light, (2,), 0.3)
    assert out == pytest.approx(smooth_reference(points, normals, sizes, light, 2, 0.3, bends), rel=1e-3, abs=1e-4)
    assert np.abs(out - Grid(points, normals, sizes).smoothed(light, (2,), 0.3)).max() > 0.1


@pytest.mark.parametrize("by", [1, 2, 3])
def test_spreading_is_that_of_the_numpy_twin(by):
    devices.load(filter_kernels, "cpu")
    rng = np.random.default_rng(by)
    points, normals, sizes = corner(rng, (8, 9), by)
    all_points, all_normals, _ = corner(rng, (8 * by, 9 * by), 1)
    all_normals[3] = [0, 1, 0]  # a strip that no cell has seen
    first, second = (rng.gamma(2, 0.5, points.shape).astype(np.float32) for _ in range(2))
    out = [np.zeros_like(all_points) for _ in range(2)]
    size = wp.array(sizes, dtype=wp.float32, device="cpu")
    inputs = [vectors(points), vectors(normals), size, vectors(first), vectors(second), float(by)]
    inputs += [vectors(all_points), vectors(all_normals), *map(vectors, out)]
    devices.launch(filter_kernels.spread_kernel, len(all_points), inputs, "cpu")
    for made, light in zip(out, (first, second), strict=True):
        expected = spread_reference(points, normals, sizes, light, by, all_points, all_normals)
        assert made == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_what_is_far_off_every_plane_gets_the_light_of_the_nearest_all_the_same():
    devices.load(filter_kernels, "cpu")
    points, normals = np.zeros((9, 9, 3)), np.zeros((9, 9, 3), np.float32)
    normals[0, :] = (0, 0, 1)  # the nearest cells that are turned like the pixels; 50 times as far off as they are wide
    grid = Grid(points, normals, np.full((9, 9), 1e-3, np.float32))
    finer = Grid(np.full((18, 18, 3), 0.05), np.tile(np.float32([0, 0, 1]), (18, 18, 1)))
    (found,) = grid.spread((np.full((9, 9, 3), 2, np.float32),), finer, 2)
    assert found[6:9] == pytest.approx(2, rel=0.3)
    assert np.isfinite(found).all()


def test_a_corner_is_half_as_open_as_a_plain_and_a_single_deep_place_is_not_dark():
    y, x = np.indices((80, 80)) * 0.002
    floor, wall = x > 0.08, x <= 0.08  # an L from above, in metres: what is left of the edge climbs
    points = np.stack([np.where(wall, 0.08, x), y, np.where(wall, 0.08 - x, 0)], axis=-1)
    normals = np.where(floor[..., None], np.array([0, 0, 1.0]), np.array([1.0, 0, 0])).astype(np.float32)
    devices.load(filter_kernels, "cpu")
    opening = Grid(points, normals).openness(0.05)
    assert opening[40, 40] < 0.75 and opening[40, 75] > 0.99
    assert np.all(np.diff(opening[40, 40:55:2]) > 0)  # ever less dark away from the wall
    points[40, 70, 2] -= 0.01
    assert Grid(points, normals).openness(0.05)[40, 70] > 0.9
    points[:, 70, 2] = -0.01  # a groove stays dark
    assert Grid(points, normals).openness(0.05)[40, 70] < 0.7


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_runs_of_the_curve_are_compact_and_hold_every_point(seed, bits):
    size = 2**bits
    cells = np.stack(np.meshgrid(*[np.arange(size)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    shuffled = cells[np.random.default_rng(seed).permutation(len(cells))]
    order = order_along_a_curve(shuffled.astype(np.float64))
    assert np.array_equal(np.sort(order), np.arange(len(cells)))
    assert np.all(np.abs(np.diff(shuffled[order], axis=0)).sum(axis=1) == 1)  # every step leads to the cell beside it
    assert len(order_along_a_curve(np.zeros((0, 3)))) == 0


@pytest.mark.parametrize(("width", "most"), [(480, 4), (640, 9)])
def test_shadows_end_sharper_than_those_that_cells_alone_know(monkeypatch, width, most):
    """Under a small sun, beside the roof whose shadow it is; cells are 3 and 4 pixels wide."""
    sun = Environment("sun", None, sun_direction=(0.6, 0.0, 0.8), sun=(3.0, 3.0, 3.0))
    dark = {"base_color": (0.0, 0.0, 0.0, 1.0)}
    camera = camera_at((-1, -0.01, 4), (-1, 0, 0), size=(30, width), focal=0.9 * width)
    scene = scene_of([square(4.0, **dark), square(0.5, z=1.0, **dark)], [camera])

    def soft_px():
        light = lit(scene, sun)[0][15, :, 1]
        row = light[width // 5 : width // 2] / np.median(light)
        assert row.max() > 0.95 and row.min() < 0.05
        return ((row > 0.1) & (row < 0.9)).sum()

    sharp = soft_px()
    monkeypatch.setattr(tracer, "_VARIED", 1e9)
    assert sharp <= most and sharp < 0.8 * soft_px()


@pytest.mark.slow
def test_light_agrees_with_a_path_tracer():
    pytest.importorskip("mitsuba", reason="mitsuba is not installed (pip install 'sim2real[pathtrace]')")
    from sim2real.conditions.rgb.mitsuba import PathTracer

    block = replace(primitives.box((0.6, 0.6, 0.8)), material=Material((0.8, 0.3, 0.2, 1.0), roughness=1.0))
    block = replace(block, vertices=block.vertices + [0.3, 0.2, 0.4])
    lamp = square(0.3, z=1.9, down=True, base_color=(0.5, 0.5, 0.5, 1.0), emission=(8.0, 7.0, 6.0))
    floor, wall = (square(2.0, base_color=(0.6, 0.6, 0.6, 1.0), roughness=1.0) for _ in range(2))
    wall = replace(wall, vertices=wall.vertices[:, [0, 2, 1]] + [0, 1.0, 1.0], faces=wall.faces[:, ::-1])
    scene = scene_of([floor, wall, block, lamp], [camera_at((-1.2, -2.4, 1.4), (0, 0.2, 0.4), size=(60, 80), focal=70)])
    environment = environment_of("lobby:40")
    truth = PathTracer(scene, environment=environment, spp=256, max_depth=6, threads=2).radiance(scene.cameras[0], 0)
    light, mirrored = lit(scene, environment)
    triangles = triangles_of(scene)
    seen = rasterizer(triangles).fragments(
        View(scene.camera_from_part(scene.cameras[0], 0), scene.cameras[0].intrinsics[0], (60, 80))
    )
    part = triangles.face_part[seen.face.numpy()]
    inner = (seen.face.numpy() >= 0) & (part != 3)
    base = np.array([m.material.base_color[:3] for m in scene.meshes])[part]
    ours = base * light + 0.04 * mirrored
    luminance = [(picture @ LUMA)[inner] for picture in (ours, truth)]
    off = np.abs(luminance[0] - luminance[1]) / luminance[1].mean()
    assert luminance[0].mean() == pytest.approx(luminance[1].mean(), rel=0.06)
    assert np.median(off) < 0.06 and np.quantile(off, 0.95) < 0.3


def test_a_place_has_the_same_light_from_everywhere_and_at_all_times():
    """Two cameras and two frames, between which something far away moves: rays start from places, not from pixels."""
    floor = square(2.0, base_color=(0.6, 0.6, 0.6, 1.0))
    ball = replace(primitives.sphere(0.3), material=Material())
    cameras = [camera_at((0, -2, 2), frames=2, name="a"), camera_at((0.4, -2, 2), (0.4, 0, 0), frames=2, name="b")]
    scene = scene_of([floor, ball], cameras, frames=2)
    far = np.tile(np.eye(4), (2, 2, 1, 1))
    far[:, 1, :3, 3] = [[0, 30, 0], [0, 40, 0]]
    scene = replace(scene, world_from_instance=far)
    sky = environment_of("lab")
    triangles = triangles_of(scene)
    tracer = LightTracer(scene, triangles, rasterizer(triangles), environment=sky)
    first, later = (tracer.frame(scene.cameras[0], frame).light for frame in (0, 1))
    assert np.abs(first - later).max() < 0.02 * first.max()
    again = LightTracer(scene, triangles, rasterizer(triangles), environment=sky).frame(scene.cameras[0], 1)
    assert np.array_equal(again.light, later)  # any frame alone
    a, b = (tracer.frame(camera, 0).light / tracer.gains(camera) for camera in scene.cameras)
    shift = round(0.4 * 60 / np.sqrt(8))  # pixels, in the middle row
    assert a[24, shift:] == pytest.approx(b[24, :-shift], rel=0.1)


def test_quick_light_is_softer_and_exposed_alike():
    ball, floor = replace(primitives.sphere(0.5), material=Material()), square(4.0, base_color=(0.6, 0.6, 0.6, 1.0))
    scene = scene_of([floor, ball], [camera_at((0, -4, 3), size=(96, 128), focal=110.0)])
    triangles = triangles_of(scene)
    usual, quick = (
        LightTracer(scene, triangles, rasterizer(triangles), environment=environment_of("lab"), quick=quick)
        for quick in (False, True)
    )
    assert np.array_equal(usual.gains(scene.cameras[0]), quick.gains(scene.cameras[0]))
    fine, soft = (tracer.frame(scene.cameras[0], 0).light for tracer in (usual, quick))
    assert not np.array_equal(fine, soft)
    assert np.abs(fine - soft).mean() < 0.04 * fine.mean()


@pytest.mark.slow
def test_a_shut_room_is_not_black():
    box = primitives.box((4.0, 4.0, 2.5))
    room = replace(box, material=Material((0.7, 0.7, 0.7, 1.0)))
    thing = replace(primitives.box((0.5, 0.5, 0.5)), material=Material((0.2, 0.4, 0.6, 1.0)))
    scene = scene_of([room, thing], [camera_at((0, -1.8, 0.5))])
    light, _ = lit(scene, None)
    assert np.isfinite(light).all() and light.min() >= 0 and np.median(light) > 0.05


def test_scenes_without_anything_show_what_is_around():
    scene = scene_of([], [camera_at((0, -2, 0))])
    triangles = triangles_of(scene)
    pictures = LightTracer(scene, triangles, rasterizer(triangles), environment=EVEN).frame(scene.cameras[0], 0)
    assert np.ptp(pictures.light) < 1e-3 and pictures.light.min() > 0 and not pictures.reflection.any()


def test_a_painted_sky_that_lights_nothing_does_not_expose_or_balance_the_picture():
    def gains(backdrop):
        scene = scene_of([square(0.5)], [camera_at((0, -2, 1))], lighting=Lighting(backdrop=backdrop))
        triangles = triangles_of(scene)
        return LightTracer(scene, triangles, rasterizer(triangles)).gains(scene.cameras[0])

    gray, pink = gains(((0.5, 0.5, 0.5),) * 2), gains(((9.0, 0.5, 2.0), (9.0, 0.0, 4.0)))
    assert np.array_equal(gray, pink) and gray.min() > 0


def test_clear_parts_let_light_through():
    pane = square(3.0, z=1.0, base_color=(1.0, 1.0, 1.0, 0.2))
    floor = square(3.0, base_color=(0.5, 0.5, 0.5, 1.0))
    with_pane, _ = lit(scene_of([floor, pane], [camera_at((0, -2, 0.8))]), EVEN)
    without, _ = lit(scene_of([floor], [camera_at((0, -2, 0.8))]), EVEN)
    assert with_pane == pytest.approx(without, rel=0.02)


def test_a_pane_mirrors_with_both_its_faces_and_what_is_behind_it_keeps_its_light():
    wall = square(3.0, base_color=(0.5, 0.5, 0.5, 1.0), roughness=0.9)
    pane = square(0.5, z=0.3, base_color=(1.0, 1.0, 1.0, 0.2), roughness=0.6)
    above = camera_at((0, -0.1, 3.0))
    light, mirrored = lit(scene_of([wall, pane], [above]), EVEN)
    bare, plain = lit(scene_of([wall], [above]), EVEN)
    inside, outside = np.s_[20:28, 28:36], np.s_[:, :12]
    assert light == pytest.approx(bare, rel=0.02)
    assert mirrored[inside] == pytest.approx(2, rel=0.02) and plain[inside] == pytest.approx(1, rel=0.02)
    assert mirrored[outside] == pytest.approx(plain[outside], rel=0.02)


def test_what_a_rough_curtain_mirrors_fades_to_what_is_behind_it():
    wall, above = square(3.0, base_color=(0.5, 0.5, 0.5, 1.0), roughness=0.9), camera_at((0, -0.1, 3.0))
    shown = []
    for roughness in (0.3, 0.6, 0.7, 0.74, 0.76, 1.0):
        curtain = square(0.5, z=0.3, base_color=(1.0, 1.0, 1.0, 0.7), roughness=roughness)
        shown.append(lit(scene_of([wall, curtain], [above]), EVEN)[1][20:28, 28:36].mean())
    assert shown == pytest.approx([2.0, 1.4, 1.13, 1.03, 1.0, 1.0], rel=0.03)


@pytest.mark.parametrize("size", [(2, 4), (37, 74), (64, 128)])
def test_smaller_copies_of_a_panorama_hold_its_mean_light(size):
    picture = np.random.default_rng(1).gamma(0.5, 2, (*size, 3)).astype(np.float32)
    copies, levels = with_smaller(picture)
    assert levels == {2: 1, 37: 4, 64: 5}[size[0]] and np.array_equal(copies[: size[0]], picture)
    top = 0
    for level in range(levels):
        height, width = size[0] >> level, size[1] >> level
        assert copies[top : top + height, :width].mean(axis=(0, 1)) == pytest.approx(picture.mean(axis=(0, 1)), rel=0.01)
        top += height
    assert top == len(copies)


def lamps_around(rows=64):
    """A panorama with a few small lamps 200 times as bright as the rest."""
    picture = np.full((rows, 2 * rows, 3), 0.5, np.float32)
    picture[10:12, ::16] = 100
    return Environment("lamps", picture)


@pytest.mark.slow
@pytest.mark.parametrize("roughness", [0.2, 0.3, 0.45])
def test_lamps_shine_on_glossy_things_as_brightly_as_many_rays_say_and_without_sparks(monkeypatch, roughness):
    ball = replace(primitives.sphere(0.5), material=Material((0.3, 0.6, 0.9, 1.0), roughness=roughness))
    scene = scene_of([ball], [camera_at((0, -2, 0.7), size=(240, 320), focal=300)])
    _, few = lit(scene, lamps_around())
    monkeypatch.setattr(mirrors, "_RAYS", 256)
    monkeypatch.setattr(mirrors, "_SMOOTH", 1e9)
    monkeypatch.setattr(mirrors, "_EVERY", 1.0)
    _, many = lit(scene, lamps_around())
    seen = many.sum(axis=-1) > 0
    assert few[seen].mean() == pytest.approx(many[seen].mean(), rel=0.05)
    assert np.percentile(few[seen], 99.5) == pytest.approx(np.percentile(many[seen], 99.5), rel=0.4)
    inner = seen[1:-1, 1:-1] & seen[2:, 1:-1] & seen[:-2, 1:-1] & seen[1:-1, 2:] & seen[1:-1, :-2]
    around = (few[2:, 1:-1] + few[:-2, 1:-1] + few[1:-1, 2:] + few[1:-1, :-2]) / 4
    assert np.abs(few[1:-1, 1:-1] - around)[inner].max() < 0.5 * few.max()
    assert np.sqrt(np.mean((few - many)[seen] ** 2)) < 0.45 * many[seen].std()


def glossy_and_plain(scene, environment):
    """The pictures of a tracer that also finds what would be mirrored by what is smooth."""
    triangles = triangles_of(scene)
    tracer = LightTracer(scene, triangles, rasterizer(triangles), environment=environment, gloss=True)
    pictures = tracer.frame(scene.cameras[0], 0)
    plain = LightTracer(scene, triangles, rasterizer(triangles), environment=environment).frame(scene.cameras[0], 0)
    assert plain.gloss is None
    assert np.array_equal(plain.light, pictures.light) and np.array_equal(plain.reflection, pictures.reflection)
    return pictures


@pytest.mark.slow
def test_gloss_is_what_smoother_surfaces_would_mirror():
    camera = camera_at((0, -2, 0.7), size=(120, 160), focal=150)

    def of(roughness):
        ball = replace(primitives.sphere(0.5), material=Material((0.0, 0.0, 0.0, 1.0), roughness=roughness))
        return glossy_and_plain(scene_of([ball], [camera]), lamps_around())

    smooth, lacquer, rough, matt = (of(r) for r in (0.1, GLOSS, 0.6, 1.0))
    assert np.array_equal(smooth.gloss, smooth.reflection) and np.array_equal(lacquer.gloss, lacquer.reflection)
    for dull in (rough, matt):
        shown = lacquer.reflection / lacquer.reflection.mean() - dull.gloss / dull.gloss.mean()
        assert np.abs(shown).mean() < 0.1 and dull.gloss.max() > 2 * dull.reflection.max()


def test_other_roughness_goes_from_lacquer_by_its_own_to_matte():
    rng = np.random.default_rng(2)
    gloss, own, light = (rng.gamma(2, 1, (5, 7, 3)).astype(np.float32) for _ in range(3))
    rough = rng.uniform(0.3, 0.7, (5, 7)).astype(np.float32)

    def at(roughness, had=rough):
        return mirrored_by(np.full((5, 7), roughness, np.float32), had, gloss, own, light)

    assert mirrored_by(rough, rough, gloss, own, light) == pytest.approx(own, rel=1e-5)
    assert np.array_equal(at(0.1), gloss) and np.array_equal(at(GLOSS), gloss) and at(MATTE) == pytest.approx(light)
    half = (rough + np.float32(GLOSS)) / 2
    assert mirrored_by(half, rough, gloss, own, light) == pytest.approx((gloss + own) / 2, rel=1e-4)
    shiny = np.full((5, 7), 0.05, np.float32)
    assert np.array_equal(mirrored_by(shiny, shiny, own, own, light), own)
    assert mirrored_by(np.full((5, 7), 0.5, np.float32), shiny, own, own, light) == pytest.approx((own + light) / 2, rel=1e-5)
    matt = np.ones((5, 7), np.float32)
    assert mirrored_by(matt, matt, gloss, light, light) == pytest.approx(light, rel=1e-5)


def test_a_rounded_edge_mirrors_what_is_mirrored_around_it_and_no_sparks():
    parts, normals = np.zeros((20, 30), np.int32), np.zeros((20, 30, 3), np.float32)
    normals[..., 2], normals[:, 15:, 2], normals[:, 15:, 0] = 1, 0, 1
    edge = np.zeros(parts.shape, bool)
    edge[:, 15] = True
    normals[edge] = [np.sqrt(0.5), 0, np.sqrt(0.5)]
    mirrored = np.full((20, 30, 3), 0.5, np.float32)
    mirrored[::3, 15] = 30
    calm = mirrored.copy()
    even_edges(calm, parts, normals, np.ones(parts.shape, bool))
    assert np.array_equal(calm[:, :14], mirrored[:, :14]) and np.array_equal(calm[:, 17:], mirrored[:, 17:])
    assert calm[2:-2, 15].max() < 2 * calm[2:-2, 15].min()
    still = mirrored.copy()
    even_edges(still, parts, normals, np.zeros(parts.shape, bool))
    assert np.array_equal(still, mirrored)


def test_what_is_one_pixel_wide_has_the_light_of_what_is_beside_it():
    post = replace(primitives.box((0.01, 0.01, 1.0)), material=Material((0.5, 0.5, 0.5, 1.0), emission=(9.0, 9.0, 9.0)))
    wall = replace(primitives.box((3.0, 0.1, 3.0)), material=Material((0.5, 0.5, 0.5, 1.0)))
    poses = np.tile(np.eye(4), (1, 2, 1, 1))
    poses[0, :, :2, 3] = (0, 1.0), (1 / 60, 0)  # half a pixel aside
    scene = replace(scene_of([wall, post], [camera_at((0, -2, 0))]), world_from_instance=poses)
    face = rasterizer(triangles := triangles_of(scene)).visibility(view_of(scene, scene.cameras[0], 0)).face.numpy()
    assert (triangles.face_part[face] == 1).sum() == len(face)
    assert (lit(scene, EVEN)[0] < 2).all()


def test_the_backdrop_is_what_the_scene_has_there():
    lighting = Lighting(backdrop=((0.2, 0.0, 0.0), (0.2, 0.0, 0.0)))
    scene = scene_of([square(0.2)], [camera_at((0, -2, 0.5))], lighting=lighting)
    light, _ = lit(scene, None)
    assert light[0, 0] == pytest.approx([0.2, 0, 0], abs=1e-3)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([4, 16, 64]))
def test_samples_of_the_sky_hold_all_of_its_light(seed, rows):
    """Towards any side: what the samples give and the steady rest are the panorama's irradiance."""
    rng = np.random.default_rng(seed)
    sky = Environment("sky", rng.gamma(0.2, 1.0, (rows, 2 * rows, 3)).astype(np.float32), up=tuple(rng.normal(size=3)))
    far = far_light(sky)
    normal = rng.normal(size=3)
    normal /= np.linalg.norm(normal)
    from_samples = (far.light * np.maximum(far.directions @ normal, 0)[:, None]).mean(axis=0)

    def irradiance(picture):
        from sim2real.scene.light.sky import axes_about

        d = panorama_directions(rows) @ axes_about(sky.up).T
        angle = np.sin((np.arange(rows) + 0.5) / rows * np.pi)[:, None, None] * (np.pi / rows) ** 2
        return (picture * np.maximum(d @ normal, 0)[..., None] * angle).sum(axis=(0, 1)) / np.pi

    assert (far.steady <= sky.panorama + 1e-5).all()
    total = irradiance(sky.panorama.astype(np.float64))
    assert from_samples + irradiance(far.steady.astype(np.float64)) == pytest.approx(total, rel=0.12, abs=0.03 * total.max())


def test_what_surfaces_send_back_is_no_more_than_they_get():
    rng = np.random.default_rng(0)
    base, metallic, roughness, facing = (rng.random((1000, *shape)).astype(np.float32) for shape in ((3,), (), (), ()))
    total = matte_share(base, metallic) + mirrored_share(base, metallic, roughness, facing)
    assert total.min() >= 0 and total[facing > 0.5].max() < 1.07
    one = np.ones(1, np.float32)
    assert mirrored_share(0.5 * np.ones((1, 3), np.float32), 0 * one, 0.5 * one, one) == pytest.approx(0.04, abs=0.015)
    grazing = mirrored_share(0.5 * np.ones((1, 3), np.float32), 0 * one, 0.1 * one, 0.02 * one)
    assert grazing.min() > 0.5


def test_lights_have_names_and_can_be_turned(tmp_path):
    assert {"apartment", "studio", "park"} <= set(panorama_names())
    one, half = environment_of("lobby"), environment_of("lobby:180")
    assert np.array_equal(np.roll(one.panorama, one.panorama.shape[1] // 2, axis=1), half.panorama)
    toward = np.array([[0.3, -0.5, 0.2]])
    assert looked_up(one.panorama, one.up, toward) == pytest.approx(
        looked_up(half.panorama, half.up, toward * [-1, -1, 1]), rel=1e-3
    )
    for wrong, error in (("lobbi", UnknownNameError), ("lobby:x", BadValueError), (str(tmp_path / "no.exr"), MissingFileError)):
        with pytest.raises(error):
            environment_of(wrong)


def test_a_panorama_from_a_file_is_read_as_it_is(tmp_path):
    from sim2real.clip.images import write_light

    picture = np.random.default_rng(0).gamma(1.0, 1.0, (20, 40, 3)).astype(np.float16)
    write_light(tmp_path / "sky.exr", picture)
    assert np.array_equal(environment_of(str(tmp_path / "sky.exr")).panorama, picture.astype(np.float32))
    write_light(tmp_path / "square.exr", picture[:, :20])
    with pytest.raises(BadValueError, match="twice as wide"):
        environment_of(str(tmp_path / "square.exr"))
    (tmp_path / "bad.exr").write_bytes(b"no picture")
    with pytest.raises(Exception, match=r"bad\.exr"):
        environment_of(str(tmp_path / "bad.exr"))


def test_a_scene_is_loaded_in_another_light():
    own, studio = load("scenes/tabletop.yaml"), load("scenes/tabletop.yaml", LoadOptions(light="studio"))
    assert own.environment is None and studio.environment is not None
    assert studio.lighting == lighting_of(studio.environment, balanced=True) and studio.lighting != own.lighting
    assert load("scenes/tabletop.yaml", LoadOptions(light="model")).lighting == own.lighting


@pytest.mark.parametrize("name", ["a:b.exr", "sky.exr"])
def test_a_colon_in_the_name_of_a_file_is_no_angle(name):
    assert name_and_angle(name) == (name, 0.0) and name_and_angle(f"{name}:30") == (name, 30.0)


def test_metering_does_not_depend_on_the_unit_of_light():
    scene = scene_of([square(2.0, base_color=(0.5, 0.4, 0.3, 1.0))], [camera_at((0, -2, 1.0))])
    sky = panorama(Lighting()).astype(np.float32)
    triangles = triangles_of(scene)
    pictures = [
        LightTracer(scene, triangles, rasterizer(triangles), environment=Environment("sky", factor * sky)).frame(
            scene.cameras[0], 0
        )
        for factor in (1, 20)
    ]
    assert pictures[0].light == pytest.approx(pictures[1].light, rel=0.01)


def test_a_scene_file_names_its_panorama(tmp_path):
    from sim2real.clip.images import write_light

    def scene(light):
        path = tmp_path / "scene.yaml"
        ball = "objects: [{name: ball, primitive: sphere, radius: 0.1}]\n"
        eye = "cameras: [{name: front, position: [0, -1, 0.3], look_at: [0, 0, 0]}]\n"
        path.write_text(f"frames: 1\n{ball}{eye}light: {light}\n")
        return load(path)

    assert scene("{panorama: 'lab:90'}").lighting == lighting_of(environment_of("lab:90"), balanced=True)
    write_light(tmp_path / "sky.exr", np.random.default_rng(1).gamma(1.0, 1.0, (8, 16, 3)).astype(np.float32))
    beside = scene("{panorama: sky.exr, sky: [0.1, 0.2, 0.3]}")
    assert beside.environment.panorama.shape == (8, 16, 3) and beside.lighting.sky == (0.1, 0.2, 0.3)
    first = beside.sha256
    write_light(tmp_path / "sky.exr", np.ones((8, 16, 3), np.float32))
    assert scene("{panorama: sky.exr, sky: [0.1, 0.2, 0.3]}").sha256 != first
    for wrong, says in (("lobbi", "did you mean 'lobby'"), ("no.exr", "panorama not found")):
        with pytest.raises((UnknownNameError, MissingFileError), match=says):
            scene(f"{{panorama: {wrong}}}")
