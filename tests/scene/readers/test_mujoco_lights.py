"""MuJoCo's lamps, headlight and skybox as ours."""

from dataclasses import replace

import numpy as np
import pytest

from sim2real.conditions import Shader
from sim2real.errors import BadValueError
from sim2real.raster import rasterizer
from sim2real.scene import LoadOptions, Scene, load, triangles_of
from sim2real.scene.between import with_frames_between
from sim2real.scene.camera_track.cameras import lasting
from sim2real.scene.colors import linear_from_srgb
from sim2real.scene.describe import describe
from sim2real.scene.light.lamps import Lamp, Lights
from sim2real.scene.records import ModelLight
from tests.render.conftest import moving_scene

pytest.importorskip("mujoco")

FLOOR = '<geom type="plane" size="4 4 .1" rgba=".5 .5 .5 1"/><camera name="top" pos="0 0 3"/>'
HEAD = '<visual><headlight active="0"/></visual>'


def model(tmp_path, lamps: str, *, head: str = HEAD, assets: str = "", bodies: str = "", **options) -> Scene:
    file = tmp_path / "model.xml"
    text = f"<mujoco>{head}<asset>{assets}</asset><worldbody>{FLOOR}{lamps}{bodies}</worldbody></mujoco>"
    file.write_text(text)
    return load(file, LoadOptions(size=(48, 64), **options))


def picture(scene: Scene) -> np.ndarray:
    triangles = triangles_of(scene)
    return Shader(scene, triangles, rasterizer(triangles)).frame(scene.camera("top"), 0)


def test_lamps_are_read_with_cone_attenuation_and_shadows(tmp_path):
    lamps = (
        '<light type="spot" pos="1 2 3" dir="0 0 -2" cutoff="30" exponent="4" attenuation="1 .2 .3" castshadow="false"/>'
        '<light type="directional" dir="1 0 -1" diffuse=".2 .4 .8"/><light type="point" pos="0 0 1"/>'
        '<light active="false" pos="0 0 1"/><light type="image" texture="sky"/>'
    )
    sky = '<texture name="sky" type="cube" builtin="flat" rgb1="1 0 0" width="4" height="4"/>'
    scene = model(tmp_path, lamps, assets=sky)
    lights = scene.lights
    assert lights is not None and "1 lamp(s) of type image left out" in scene.notes
    kinds = {"directional": 1, "point": 1, "spot": 1}
    assert describe(scene)["light"] == {"lamps": kinds, "headlight": False, "skybox": False, "haze": False, "panorama": None}
    spot, sun, point = lights.lamps
    assert (spot.kind, sun.kind, point.kind) == ("spot", "directional", "point")
    assert (spot.shadows, sun.shadows) == (False, True)
    assert spot.position == (1.0, 2.0, 3.0) and spot.direction == pytest.approx((0, 0, -1))
    assert spot.cone[1] == pytest.approx(np.cos(np.radians(30))) and spot.exponent == 4
    assert spot.attenuation == pytest.approx((1, 0.2, 0.3))
    red, green, blue = sun.color
    assert (red / blue, green / blue) == pytest.approx((0.25**2.2, 0.5**2.2))


@pytest.mark.parametrize("value", [0.5, 0.8])
def test_a_floor_under_one_lamp_is_as_bright_as_in_mujocos_pictures(tmp_path, value):
    scene = model(tmp_path, f'<light type="directional" pos="0 0 4" dir="0 0 -1" diffuse="{value} {value} {value}"/>')
    assert picture(scene)[24, 32] == pytest.approx(np.full(3, 255 * 0.5 * value), abs=16)


def test_a_model_without_lamps_keeps_sun_and_sky_and_so_does_one_whose_light_is_chosen(tmp_path):
    lamp = '<light pos="0 0 3" dir="0 0 -1"/>'
    dark = model(tmp_path, "", head="")
    assert dark.lights is None and any("--light model" in note for note in dark.notes)
    assert model(tmp_path, lamp).lights is not None
    assert model(tmp_path, lamp, light="model").lights is not None
    assert model(tmp_path, lamp, light="lobby").lights is None


def test_the_headlight_lights_from_the_eye_unless_it_is_off(tmp_path):
    lamp = '<light pos="0 0 3" dir="0 0 -1" diffuse=".1 .1 .1"/>'
    off, on = model(tmp_path, lamp), model(tmp_path, lamp, head="")
    assert off.lights.headlight == (0, 0, 0) and min(on.lights.headlight) > 0
    assert picture(on)[24, 32, 0] > picture(off)[24, 32, 0] + 40


def test_a_lamp_on_a_body_goes_with_it(tmp_path):
    body = '<body name="arm" pos="1 0 1"><joint/><geom size=".1"/><light pos="0 0 .2" dir="0 0 -1"/></body>'
    scene = model(tmp_path, "", bodies=body)
    (lamp,) = scene.lights.lamps
    assert lamp.instance is not None and scene.instances[lamp.instance].name == "arm"
    assert lamp.position == pytest.approx((0, 0, 0.2))


def test_the_skybox_stands_with_its_zenith_up_and_black_is_seen_without_one(tmp_path):
    lamp = '<light pos="0 0 3" dir="0 0 -1"/>'
    sky = '<texture type="skybox" builtin="gradient" rgb1="0 0 1" rgb2="0 1 0" width="32" height="192"/>'
    look = '<camera name="up" pos="0 0 1" xyaxes="1 0 0 0 -1 0"/>'
    with_sky, without = model(tmp_path, lamp + look, assets=sky), model(tmp_path, lamp + look)
    up, black = (picture(replace(scene, cameras=(replace(scene.camera("up"), name="top"),))) for scene in (with_sky, without))
    assert up[24, 32, 2] > 150 and up[24, 32, 1] < 100
    assert (black == 0).all()


def test_a_model_without_lamps_is_lit_by_its_headlight_alone_where_its_own_light_is_asked_for(tmp_path):
    lights = model(tmp_path, "", head="", light="model").lights
    assert lights is not None and not lights.lamps and min(lights.headlight) > 0 and lights.skybox is None
    shown = picture(model(tmp_path, "", head="", light="model"))
    assert shown[24, 32] == pytest.approx(np.full(3, 255 * 0.5 * (0.4 + 0.1)), abs=30)  # as MuJoCo adds head and ambient light


@pytest.mark.parametrize("lamp", ["", '<light pos="0 0 3" dir="0 0 -1"/>'])
@pytest.mark.parametrize("light", ["{panorama: lobby}", "{sun: [1, 1, 0]}", "{panorama: model}", "{}"])
def test_in_a_scene_file_the_models_own_light_is_what_it_is_in_the_model(lamp, light, tmp_path):
    alone = model(tmp_path, lamp, head="", light="model")
    assert alone.lights is not None
    file = tmp_path / "scene.yaml"
    crate = "objects: [{name: crate, primitive: box, half_size: [0.1, 0.1, 0.1]}]"
    file.write_text(f"rollout: {{path: model.xml}}\nlight: {light}\n{crate}\n")
    for chosen in ("model", None) if "model" in light else ("model",):
        scene = load(file, LoadOptions(size=(48, 64), light=chosen))
        assert scene.lights is not None and scene.lights.lamps == alone.lights.lamps
        assert scene.lights.headlight == alone.lights.headlight
        assert (scene.environment, scene.lighting) == (alone.environment, alone.lighting)
    lit = load(file, LoadOptions(light="lobby"))
    assert lit.lights is None and not any("no lamps" in note for note in (*lit.notes, *scene.notes))
    file.write_text("light: {panorama: 'model:90'}")
    with pytest.raises(BadValueError, match="model:90, must be model alone: only panoramas are turned"):
        load(file)


def test_the_models_own_light_lasts_as_long_as_the_scene_that_is_lit_by_another():
    way = np.tile(np.eye(4), (4, 1, 1))
    own = ModelLight(lights=Lights((Lamp("point", (1.0, 1.0, 1.0), way=way),)))
    scene = replace(moving_scene(frames=4), model_light=own)
    for frames, changed in ((2, scene.sliced(slice(0, 4, 2))), (7, with_frames_between(scene, 2)), (6, lasting(scene, 6, 9.0))):
        lights = changed.in_model_light().lights
        assert changed.frames == frames and lights is not None and len(lights.lamps[0].way) == frames


MIRROR = '<material name="m" reflectance=".4"/><material name="n" reflectance=".7"/>'


def mirrors_of(scene: Scene) -> dict[str, tuple]:
    found = {scene.instances[part.instance].name: scene.meshes[part.mesh].mirror for part in scene.parts}
    return {name: (mirror.share, mirror.point[2]) for name, mirror in found.items() if mirror is not None}


def test_the_first_plane_or_box_that_reflects_is_a_mirror_and_no_other(tmp_path):
    geoms = (
        '<geom name="ball" type="sphere" size=".1" material="n"/><geom name="clear" type="box" size=".1 .1 .1" '
        'material="n" rgba="1 1 1 .5"/><geom name="table" type="box" size=".1 .2 .3" material="m"/>'
        '<geom name="twin" type="box" size=".1 .2 .3" material="m"/><geom name="wall" type="plane" size="1 1 1" material="n"/>'
    )
    assert mirrors_of(model(tmp_path, geoms, assets=MIRROR)) == {"table": (pytest.approx(0.4), pytest.approx(0.3))}
    wall = '<geom name="wall" type="plane" size="1 1 1" material="n"/>'
    assert mirrors_of(model(tmp_path, wall, assets=MIRROR)) == {"wall": (pytest.approx(0.7), 0)}
    assert mirrors_of(model(tmp_path, "")) == {}


def test_a_mirroring_floor_shows_what_stands_on_it(tmp_path):
    floor = '<geom type="plane" size="4 4 .1" rgba="0 0 0 1" material="m" pos="0 0 .01"/><light pos="0 0 4" dir="0 0 -1"/>'
    ball = (
        '<geom type="sphere" size=".4" pos="0 .8 .8" rgba="1 0 0 1"/><camera name="low" pos="0 -2 .8" xyaxes="1 0 0 0 .3 1"/>'
    )
    shown = {}
    for share in (".5", "0"):
        scene = model(tmp_path, floor + ball, assets=f'<material name="m" reflectance="{share}" specular="0"/>')
        shown[share] = picture(replace(scene, cameras=(replace(scene.camera("low"), name="top"),))).astype(int)
    added = (shown[".5"] - shown["0"])[..., 0]
    assert (added[30:] > 40).sum() > 20 and abs(added[:20]).max() < 4


SKY = '<texture type="skybox" builtin="flat" rgb1=".1 .2 .3" width="8" height="48"/>'
HAZE = '<visual><map haze=".4" zfar="20"/><rgba haze=".5 .6 .7 1"/></visual><statistic extent="2"/>'


def test_haze_is_above_the_first_endless_plane_where_there_is_a_skybox(tmp_path):
    lamp = '<light pos="0 0 3" dir="0 0 -1"/><geom type="plane" size="0 0 1" pos="1 2 -.5" euler="0 90 0"/>'
    haze = model(tmp_path, lamp, head=HAZE, assets=SKY).lights.haze
    assert haze.reach == pytest.approx(0.7 * 20 * 2) and haze.depth == pytest.approx(0.4)
    assert haze.point == pytest.approx((1, 2, -0.5)) and haze.normal == pytest.approx((1, 0, 0), abs=1e-6)
    assert haze.color == pytest.approx(tuple(linear_from_srgb(np.array([0.5, 0.6, 0.7]))), rel=1e-5)
    assert model(tmp_path, lamp, head=HAZE).lights.haze is None
    assert model(tmp_path, '<light pos="0 0 3"/>', head=HAZE, assets=SKY).lights.haze is None
