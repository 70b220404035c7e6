"""Pictures: energy, textures, shadows, anti-aliasing; the kernel equals its torch twin; threads change nothing."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from sim2real.conditions import Sampler, Shader, ShadowOptions
from sim2real.conditions.rgb.deferred.shading_reference import reference_color
from sim2real.raster import rasterizer
from sim2real.scene import Lighting, Material, triangles_of
from sim2real.scene.colors import linear_from_srgb
from sim2real.scene.primitives import box, plane, sphere
from sim2real.transforms import rigid

from .stage import EVEN, camera_at, checker, quad, scene_of, seen, tabletop

NIGHT = Lighting(sun=(0.0, 0.0, 0.0), sky=(0.0, 0.0, 0.0), ground=(0.0, 0.0, 0.0))
NOON = Lighting(sun_direction=(0.0, 0.0, 1.0), sun=(3.0, 3.0, 3.0), sky=(0.2, 0.2, 0.2), ground=(0.2, 0.2, 0.2))


def shader_of(scene, samples=2, **options) -> Shader:
    triangles = triangles_of(scene)
    draw = rasterizer(triangles)
    sampler = Sampler(scene, triangles, draw, side=samples)
    of_shadows = {name: options.pop(f"shadow_{name}") for name in ("texels", "margin") if f"shadow_{name}" in options}
    options["shadows"] = ShadowOptions(**of_shadows)
    return Shader(scene, triangles, draw, sampler=sampler, **options)


@pytest.mark.parametrize("side", [1, 2])
def test_the_kernel_equals_its_torch_twin(side):
    scene = tabletop((40, 60), frames=2)
    skewed = scene.cameras[0].intrinsics.copy()
    skewed[:, 0, 1] = 4.0
    scene = replace(scene, cameras=(replace(scene.cameras[0], intrinsics=skewed),))
    shader = shader_of(scene, samples=side, shadow_texels=256)
    shading = shader.shading(scene.cameras[0], 1)
    shading.light.exposure = 0.0
    found, expected = shader.radiance(scene.cameras[0], 1), reference_color(shading)
    assert expected.std() > 0.05
    # a shadow test or a mip level may fall to the other side at single pixels
    error = np.abs(found - expected).max(axis=-1)
    assert np.quantile(error, 0.995) < 1e-4 and error.max() < 0.2


@pytest.mark.parametrize("metallic", [0.0, 1.0])
@pytest.mark.parametrize("roughness", [0.1, 0.5, 1.0])
def test_a_white_ball_in_even_white_light_is_invisible(metallic, roughness):
    white = replace(sphere(0.5), material=Material((1.0, 1.0, 1.0, 1.0), metallic=metallic, roughness=roughness))
    scene = scene_of([(white, (0, 0, 0))], camera_at((0, -2, 0.4), (0, 0, 0), (60, 80)), lighting=EVEN)
    radiance = shader_of(scene, ambient_occlusion=0.0).radiance(scene.cameras[0], 0)
    assert np.abs(radiance - 1).max() < 1e-3


def test_no_surface_gives_back_more_light_than_it_gets():
    for roughness in (0.1, 0.4, 1.0):
        gray = replace(sphere(0.5), material=Material((0.5, 0.5, 0.5, 1.0), roughness=roughness))
        scene = scene_of([(gray, (0, 0, 0))], camera_at((0, -2, 0), (0, 0, 0), (60, 80)), lighting=EVEN)
        radiance = shader_of(scene).radiance(scene.cameras[0], 0)
        assert radiance.max() <= 1.001 and 0.4 < radiance[30, 40, 0] < 0.65


def test_a_rough_floor_under_the_sun_shines_as_lambert_says():
    floor = replace(plane((2.0, 2.0)), material=Material((0.6, 0.3, 0.1, 1.0), roughness=1.0))
    light = replace(NOON, sky=(0.0, 0.0, 0.0), ground=(0.0, 0.0, 0.0))
    scene = scene_of([(floor, (0, 0, 0))], camera_at((0, -0.5, 2), (0, 0, 0), (40, 60)), lighting=light)
    middle = shader_of(scene).radiance(scene.cameras[0], 0)[20, 30]
    assert middle == pytest.approx(np.array([0.6, 0.3, 0.1]) * 3 / np.pi, abs=0.03)


def test_textures_stand_upright_and_land_where_uv_says():
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:32, :32], picture[:32, 32:], picture[32:, :32], picture[32:, 32:] = (
        (255, 0, 0),
        (0, 255, 0),
        (0, 0, 255),
        (255, 255, 0),
    )
    wall = quad(Material((1.0, 1.0, 1.0, 1.0), picture, roughness=1.0))
    scene = scene_of([(wall, (0, 0, 0))], camera_at((0, -2.5, 0), (0, 0, 0), (90, 120)), lighting=EVEN)
    shown = shader_of(scene, ambient_occlusion=0.0).radiance(scene.cameras[0], 0)
    for (y, x), color in {(30, 45): (1, 0, 0), (30, 75): (0, 1, 0), (60, 45): (0, 0, 1), (60, 75): (1, 1, 0)}.items():
        assert np.abs(shown[y, x] - color).max() < 0.06


def test_uv_beyond_one_repeat():
    once = quad(Material((1.0, 1.0, 1.0, 1.0), checker(2, 64)))
    twice = quad(Material((1.0, 1.0, 1.0, 1.0), checker(2, 64)), uv_scale=2.0)
    camera = camera_at((0, -2.5, 0), (0, 0, 0), (128, 128), fov_deg=43.6)
    pictures = [shader_of(scene_of([(m, (0, 0, 0))], camera, lighting=EVEN)).radiance(camera, 0) for m in (once, twice)]
    quarter = pictures[1][4:60, 4:60]
    assert np.abs(quarter - pictures[1][4:60, 68:124]).mean() < 0.02
    assert quarter.mean() == pytest.approx(pictures[0][8:120, 8:120].mean(), abs=0.03)


def test_a_fine_texture_far_away_becomes_its_average():
    fine = replace(plane((20.0, 20.0)), material=Material((1.0, 1.0, 1.0, 1.0), checker(512, 1024), roughness=1.0))
    scene = scene_of([(fine, (0, 0, 0))], camera_at((0, -19, 2.0), (0, 0, 0), (96, 144)), lighting=EVEN)
    shown = shader_of(scene, ambient_occlusion=0.0).radiance(scene.cameras[0], 0)[:, :, 0]
    hit = seen(scene)[0].face.numpy() >= 0
    far = shown[int(np.nonzero(hit.all(axis=1))[0][0]) + 2 :][:12]
    assert len(far) == 12
    average = linear_from_srgb(np.array([230, 60]) / 255).mean()
    assert far.std() < 0.02 and far.mean() == pytest.approx(average, abs=0.05)


def test_a_thing_above_the_floor_casts_a_shadow_that_reaches_its_foot():
    low_sun = replace(NOON, sun_direction=(1.0, 0.0, 1.0))
    objects = [(plane((1.0, 1.0)), (0, 0, 0)), (box((0.1, 0.1, 0.1)), (0, 0, 0.1))]
    scene = scene_of(objects, camera_at((0, -0.01, 2), (0, 0, 0), (160, 160)), lighting=low_sun)
    dark, bright = (
        shader_of(scene, shadow_texels=n, ambient_occlusion=0.0).radiance(scene.cameras[0], 0)[:, :, 0] for n in (1024, 0)
    )
    shadow = dark / bright
    px = scene.cameras[0].intrinsics[0, 0, 0] / 2  # per metre on the floor
    left = int(80 - 0.1 * px)  # the foot of the box, away from the sun
    assert (shadow[75:85, left - int(0.15 * px) : left - 1] < 0.4).all()  # shade from the foot on: no gap
    assert (shadow[75:85, : left - int(0.25 * px)] > 0.999).all()  # and no farther than the box is high
    assert (shadow[75:85, 80 + int(0.15 * px) :] > 0.999).all()


def test_a_roof_lets_the_sun_in_unless_it_is_asked_to_shut_it_out():
    objects = [(plane((1.0, 1.0)), (0, 0, 0)), (box((4.0, 4.0, 0.1)), (0, 0, 6.0))]
    scene = scene_of(objects, camera_at((0, -0.01, 2), (0, 0, 0), (80, 80)), lighting=NOON)
    usual, bare, shut = (
        shader_of(scene, ambient_occlusion=0.0, **options).radiance(scene.cameras[0], 0)[20:60, 20:60]
        for options in ({}, {"shadow_texels": 0}, {"shadow_margin": np.inf})
    )
    assert np.allclose(usual, bare, rtol=1e-3) and (shut < 0.3 * bare).all()


@pytest.mark.slow
@pytest.mark.parametrize("sun", [(0.0, 0.0, 1.0), (1.0, -0.6, 0.8), (1.0, 0.3, 0.1)])
def test_lit_surfaces_do_not_shadow_themselves(sun):
    light = replace(NOON, sun_direction=sun)
    objects = [(plane((1.0, 1.0)), (0, 0, 0)), (sphere(0.2, segments=64, rings=32), (0, 0, 5.0))]
    scene = scene_of(objects, camera_at((0, -1.5, 1.2), (0, 0, 0), (120, 160)), lighting=light)
    shaded, plain = (shader_of(scene, shadow_texels=n).radiance(scene.cameras[0], 0) for n in (512, 0))
    assert np.abs(shaded - plain).max() < 1e-3  # the floor; the ball is out of sight and out of the sun's way
    alone = scene_of(
        [(sphere(0.2, segments=64, rings=32), (0, 0, 0))], camera_at((0.4, -0.8, 0.6), (0, 0, 0), (120, 160)), lighting=light
    )
    fragments, _, _ = seen(alone)
    hit = fragments.face.numpy() >= 0
    depth = fragments.depth.numpy()[..., None]
    y, x = np.mgrid[:120, :160] + 0.5
    rays = np.stack([x, y, np.ones_like(x)], -1) @ np.linalg.inv(alone.cameras[0].intrinsics[0]).T
    normal = (rays * depth) @ alone.cameras[0].world_from_camera[0][:3, :3].T + alone.cameras[0].world_from_camera[0][:3, 3]
    towards = normal @ np.array(sun) / np.linalg.norm(sun) / 0.2
    shaded, plain = (shader_of(alone, shadow_texels=n).radiance(alone.cameras[0], 0) for n in (512, 0))
    lit = hit & (towards > 0.2)
    lit[1:-1, 1:-1] &= hit[:-2, 1:-1] & hit[2:, 1:-1] & hit[1:-1, :-2] & hit[1:-1, 2:]
    assert lit.sum() > 200
    assert (shaded[lit] / plain[lit]).min() > 0.97


def test_a_shadow_follows_what_moves():
    objects = [(plane((1.0, 1.0)), (0, 0, 0)), (box((0.1, 0.1, 0.1)), (-0.3, 0, 0.5))]
    scene = scene_of(objects, camera_at((0, -2, 0.45), (0, 0, 0), (120, 160), frames=2), frames=2, lighting=NOON)
    poses = scene.world_from_instance.copy()
    poses[1, 1, 0, 3] = 0.3
    scene = replace(scene, world_from_instance=poses)
    shader = shader_of(scene)
    dark = [shader.radiance(scene.cameras[0], frame)[:, :, 0] for frame in range(2)]
    lit = shader_of(scene, shadow_texels=0).radiance(scene.cameras[0], 0)[:, :, 0]
    columns = [np.nonzero((d[60:70] / lit[60:70] < 0.5).any(axis=0))[0] for d in dark]
    assert columns[0].max() < 80 < columns[1].min()


def test_samples_soften_silhouettes_and_keep_their_area():
    lamp = quad(Material((0.0, 0.0, 0.0, 1.0), emission=(1.0, 1.0, 1.0), metallic=1.0), half=0.4)
    turned = np.array([[np.cos(0.2), 0, np.sin(0.2)], [0, 1, 0], [-np.sin(0.2), 0, np.cos(0.2)]])
    scene = scene_of([(lamp, (0, 0, 0))], camera_at((0, -2, 0), (0, 0, 0), (60, 80)), lighting=NIGHT)
    scene = replace(scene, world_from_instance=rigid(turned, np.zeros(3))[None, None])
    jagged, smooth = (shader_of(scene, samples=n).radiance(scene.cameras[0], 0)[:, :, 0] for n in (1, 4))
    exact = (0.8 * scene.cameras[0].intrinsics[0, 0, 0] / 2) ** 2
    assert set(np.unique(jagged.round(3))) == {0, 1}
    assert len(np.unique(smooth.round(3))) > 8
    assert smooth.sum() == pytest.approx(exact, rel=0.01)


def test_a_frame_is_the_same_alone_in_threads_and_seen_from_two_cameras():
    scene = tabletop((48, 64))
    other = replace(scene.cameras[0], name="other")
    scene = replace(scene, cameras=(scene.cameras[0], other))
    shader = shader_of(scene, shadow_texels=256)
    jobs = [(camera, frame) for frame in range(4) for camera in scene.cameras] * 2
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda job: shader.frame(*job), jobs))
    again = shader_of(scene, shadow_texels=256)
    for (camera, frame), picture in zip(jobs, together, strict=True):
        assert (picture == again.frame(camera, frame)).all()
    assert (together[0] == together[1]).all() and (together[0] != together[2]).any()


def test_glass_is_looked_through_and_textures_with_alpha_are_opaque():
    wall = quad(Material((0.0, 0.0, 0.0, 1.0), emission=(0.0, 1.0, 0.0), metallic=1.0))
    pane = quad(Material((1.0, 0.0, 0.0, 0.3)), half=0.5)
    camera = camera_at((0, -2, 0), (0, 0, 0), (40, 60))
    with_pane = scene_of([(wall, (0, 0, 0)), (pane, (0, -0.5, 0))], camera, lighting=NIGHT)
    seen, alone = (shader_of(s).radiance(camera, 0) for s in (with_pane, scene_of([(wall, (0, 0, 0))], camera, lighting=NIGHT)))
    assert alone[20, 30].tolist() == [0, 1, 0]
    assert seen[20, 30] == pytest.approx([0, 0.7, 0], abs=1e-5)  # a pane without light of its own takes its share
    assert seen[:, 0] == pytest.approx(alone[:, 0], abs=1e-6)
    leaf = quad(Material((1.0, 0.0, 0.0, 1.0), np.zeros((2, 2, 4), np.uint8)), half=0.5)
    with_leaf = scene_of([(wall, (0, 0, 0)), (leaf, (0, -0.5, 0))], camera, lighting=NIGHT)
    assert shader_of(with_leaf).radiance(camera, 0)[20, 30].tolist() == [0, 0, 0]


def test_a_backdrop_is_seen_where_nothing_is_and_lights_nothing():
    light = replace(NOON, backdrop=((0.0, 0.3, 0.0), (0.0, 0.0, 0.0)))
    objects = [(sphere(0.4), (0, 0, 0))]
    usual, dyed = (
        shader_of(made, ambient_occlusion=0.0).radiance(made.cameras[0], 0)
        for made in (scene_of(objects, camera_at((0, -2, 0), (0, 0, 0), (80, 120)), lighting=one) for one in (NOON, light))
    )
    assert np.array_equal(usual[35:45, 55:65], dyed[35:45, 55:65])
    assert np.allclose(dyed[0, 5], [0, 0.3, 0], atol=0.02) and np.allclose(dyed[-1, 5], 0, atol=0.02)


def test_an_empty_scene_is_sky_above_and_ground_below():
    scene = scene_of([], camera_at((0, -1, 0), (0, 0, 0), (60, 80)))
    picture = shader_of(scene).radiance(scene.cameras[0], 0)
    assert picture[0, 40] == pytest.approx(scene.lighting.sky, abs=0.03)
    assert picture[-1, 40] == pytest.approx(scene.lighting.ground, abs=0.03)
    assert shader_of(scene).frame(scene.cameras[0], 0).shape == (60, 80, 3)


def test_corners_are_darker_than_open_floor():
    objects = [(plane((1.0, 1.0)), (0, 0, 0)), (box((0.3, 0.3, 0.3)), (0, 0.3, 0.3))]
    scene = scene_of(objects, camera_at((0, -1.5, 0.8), (0, 0, 0), (120, 160)), lighting=EVEN)
    dark, plain = (shader_of(scene, ambient_occlusion=s).radiance(scene.cameras[0], 0)[:, :, 0] for s in (2.0, 0.0))
    share = dark / plain
    foot = scene.cameras[0].intrinsics[0] @ (np.linalg.inv(scene.cameras[0].world_from_camera[0]) @ [0, -0.02, 0, 1])[:3]
    y, x = (foot[1::-1] / foot[2]).astype(int)
    assert share[y, x] < 0.85 and share[-10, x] > 0.97
