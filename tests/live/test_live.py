"""A simulation that is seen state by state gives the very pictures of the clip that is rendered of its states afterwards."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from sim2real.clip.footage import footage_frame
from sim2real.diffusion import GenerateOptions, generate
from sim2real.errors import BadValueError, UnknownNameError
from sim2real.live import Live, LiveMujoco, LiveOptions, State
from sim2real.live.rows import ROWS, put, with_rows
from sim2real.render import RenderOptions, render_clip
from sim2real.scene import LoadOptions, Scene, load
from sim2real.scene.light.lamps import Lamp, Lights
from sim2real.transforms import rigid, rotation_about
from tests.render.conftest import moving_scene

mujoco = pytest.importorskip("mujoco")

KINDS = ("rgb", "noise", "depth", "edges", "normals", "instances")
ARM = """
<mujoco>
  <worldbody>
    <light pos="0 0 3" dir="0.2 0 -1" directional="true"/>
    <geom type="plane" size="0 0 1" rgba=".6 .5 .4 1"/>
    <geom name="post" type="box" size=".1 .1 .3" pos="-.4 .3 .3" rgba=".4 .6 .4 1"/>
    <body name="arm" pos="0 0 .5">
      <joint name="shoulder" type="hinge" axis="0 1 0"/>
      <geom type="capsule" fromto="0 0 0 .4 0 0" size=".05" rgba=".8 .2 .2 1"/>
      <camera name="arm/wrist" pos=".5 0 .2" xyaxes="0 -1 0 0 0 1" fovy="60"/>
    </body>
    <body name="cube" pos=".3 .3 .15">
      <freejoint/>
      <geom type="box" size=".1 .1 .1" rgba=".2 .3 .8 1"/>
    </body>
    <body name="guide" mocap="true" pos="0 .5 .3">
      <geom type="sphere" size=".06" contype="0" conaffinity="0" rgba=".9 .8 .2 1"/>
    </body>
    <camera name="front" pos="1.5 -1.5 1" xyaxes=".7 .7 0 -.3 .3 .9"/>
  </worldbody>
</mujoco>
"""
SIZE = (48, 64)


def state_of(scene: Scene, frame: int) -> State:
    poses = {camera.name: camera.world_from_camera[frame] for camera in scene.cameras}
    return State(scene.world_from_instance[frame], poses, scene.visible[frame])


def first_of(scene: Scene) -> Scene:
    return scene.sliced(slice(0, 1))


def lit_scene(frames: int) -> Scene:
    """A point that passes, off for a while, and a sun that turns; both cast shadows and are followed."""
    scene, time = moving_scene(frames=frames, size=(32, 48)), np.linspace(0, 1, frames)
    path = rigid(np.tile(np.eye(3), (frames, 1, 1)), np.stack([8 * time - 6, 0 * time, 3 - 2 * time], axis=1))
    path[frames // 2 : frames // 2 + 2] = np.nan
    turning = rigid(rotation_about(np.array([0.0, 1.0, 0.0]), 1.2 * time), np.zeros(3))
    point = Lamp("point", (3.0, 3.0, 3.0), attenuation=(0.0, 0.0, 1.0), way=path)
    sun = Lamp("directional", (1.0, 0.9, 0.8), position=(0.0, 0.0, 4.0), direction=(0.3, 0.4, -1.0), way=turning)
    return replace(scene, lights=Lights((point, sun), (0.1, 0.1, 0.1), followed=True))


def with_lamps(scene: Scene, frame: int) -> State:
    assert scene.lights is not None
    ways = {place: lamp.way[frame] for place, lamp in enumerate(scene.lights.lamps) if lamp.way is not None}
    return replace(state_of(scene, frame), world_from_lamp=ways)


@pytest.mark.slow
def test_a_state_is_lit_by_the_lamps_of_its_own_time(tmp_path):
    scene, kinds = lit_scene(ROWS + 4), ("rgb", "light")
    options = RenderOptions(only=kinds, as_live=True, pages=False)
    clip = render_clip(scene, tmp_path / "clip", options)
    shorter = render_clip(scene.sliced(slice(0, 4)), tmp_path / "shorter", options)
    with Live(first_of(scene), LiveOptions(kinds=kinds)) as live:
        for frame in range(scene.frames):
            for name, seen in live.see(with_lamps(scene, frame)).items():
                for kind in kinds:
                    expected = clip.picture(name, kind, frame)
                    assert np.array_equal(seen.pictures[kind], expected), (name, kind, frame)
                    if frame < shorter.frames:
                        assert np.array_equal(shorter.picture(name, kind, frame), expected), "whatever comes later"
    still = {frame: clip.picture("still", "rgb", frame)[-8:].astype(int) for frame in (0, 4, scene.frames - 1)}
    assert np.abs(still[0] - still[4]).max() > 30 and np.abs(still[4] - still[scene.frames - 1]).max() > 30


def test_lamps_that_a_state_does_not_name_stay_and_those_that_cannot_move_are_refused():
    rows = with_rows(lit_scene(3))
    assert rows.lights is not None
    point = rows.lights.lamps[0]
    assert [point.at(row) for row in range(rows.frames)] == [replace(point, position=(-6.0, 0.0, 3.0), way=None)] * ROWS
    poses = rows.world_from_instance[0]
    there, off = rigid(np.eye(3), np.array([1.0, 2.0, 3.0])), np.full((4, 4), np.nan)
    put(rows, rows.cameras, 0, State(poses, world_from_lamp={0: there}))
    put(rows, rows.cameras, 1, State(poses))
    put(rows, rows.cameras, 2, State(poses, world_from_lamp={0: off}))
    stands = [point.at(row) for row in range(3)]
    assert stands[2] is None and stands[0] is not None and stands[0] == stands[1] and stands[0].position == (1.0, 2.0, 3.0)
    for lamps, says in (
        ({2: there}, "a lamp of the state is 2, must be one of 0, 1"),
        ({1: 2 * there}, "the pose of lamp 1"),
        ({0: np.eye(3)}, r"must be \(4, 4\)"),
    ):
        with pytest.raises(BadValueError, match=says):
            put(rows, rows.cameras, 3, State(poses, world_from_lamp=lamps))


@pytest.mark.slow
@pytest.mark.parametrize("beta", [1.0, 0.7])
def test_states_of_any_scene_are_seen_as_in_its_clip(beta, tmp_path):
    scene = moving_scene(frames=2 * ROWS + 3, size=(32, 48))
    scene = replace(scene, visible=scene.visible & ~np.eye(*scene.visible.shape, dtype=bool))  # things come and go
    clip = render_clip(scene, tmp_path / "clip", RenderOptions(only=KINDS, as_live=True, beta=beta, pages=False))
    with Live(first_of(scene), LiveOptions(kinds=KINDS, beta=beta)) as live:
        for frame in range(scene.frames):
            for name, seen in live.see(state_of(scene, frame)).items():
                assert np.array_equal(seen.noise, clip.noise(name)[frame])
                for kind, picture in seen.pictures.items():
                    assert np.array_equal(picture, clip.picture(name, kind, frame)), (name, kind, frame)


@pytest.mark.slow
@pytest.mark.parametrize(("quick", "threads"), [(False, None), (True, 1)])
def test_a_running_model_is_seen_as_in_the_clip_of_its_recorded_states(quick, threads, tmp_path):
    model = mujoco.MjModel.from_xml_string(ARM)
    data, rows, guide, seen = mujoco.MjData(model), [], [], []
    shown = ("rgb", "depth", "instances", "light")
    asked = GenerateOptions(use="restyle", quick=quick)
    options = LiveOptions(size=SIZE, kinds=shown, footage=asked, threads=threads)
    with LiveMujoco(model, options) as live:
        for step in range(ROWS + 2):
            data.mocap_pos[0] = [0.02 * step, 0.5, 0.3]
            for _ in range(15):
                mujoco.mj_step(model, data)
            rows.append(np.concatenate([[data.time], data.qpos, data.qvel]))
            guide.append(np.concatenate([data.mocap_pos, data.mocap_quat], axis=1))
            seen.append(live.see(data))
    (tmp_path / "arm.xml").write_text(ARM)
    np.savez(tmp_path / "states.npz", states=np.array(rows), mocap=np.array(guide))
    scene = load(tmp_path / "arm.xml", LoadOptions(size=SIZE), states=tmp_path / "states.npz")
    kinds = {*KINDS, "albedo", "material", "light", "reflection", "gloss", "coverage", "behind"}
    clip = render_clip(scene, tmp_path / "clip", RenderOptions(only=kinds, as_live=True, quick=quick, pages=False))
    generate(clip.path, replace(asked, camera_effects="none"))
    assert sorted(clip.cameras) == ["arm-wrist", "front"]
    for name in clip.cameras:
        (footage,) = clip.generated(name)
        for frame, of_state in enumerate(seen):
            for kind, picture in of_state[name].pictures.items():
                assert np.array_equal(picture, clip.picture(name, kind, frame)), (name, kind, frame)
            assert np.array_equal(of_state[name].footage, footage_frame(footage, frame)), (name, frame)
    assert len({of_state["front"].footage.tobytes() for of_state in seen}) == len(seen), "the arm moves"


def test_a_state_that_does_not_fit_is_refused_and_the_next_one_is_seen(tmp_path):
    scene = moving_scene(frames=3, size=(16, 24))
    with Live(first_of(scene), LiveOptions(kinds=["depth"])) as live:
        good = state_of(scene, 1)
        poses = good.world_from_instance
        bent = poses.copy()
        bent[1, 0, 0] = 2
        broken = poses.copy()
        broken[0, 0, 3] = np.nan
        for state, says in (
            (replace(good, world_from_instance=poses[:-1]), "a pose per instance"),
            (replace(good, world_from_instance=bent), f"the pose of {scene.instances[1].name}"),
            (replace(good, world_from_instance=broken), f"the pose of {scene.instances[0].name}"),
            (replace(good, visible=np.ones(1, bool)), "a value per instance"),
        ):
            with pytest.raises(BadValueError, match=says):
                live.see(state)
        with pytest.raises(UnknownNameError, match="top"):
            live.see(replace(good, world_from_camera={"top": np.eye(4)}))
        assert set(live.see(good)) == {camera.name for camera in scene.cameras}


def test_what_cannot_be_had_in_the_loop_is_said_before_anything_is_rendered():
    with pytest.raises(BadValueError, match="not known"):
        LiveOptions(kinds=["flow"])
    scene = moving_scene(frames=1, size=(16, 24))
    with pytest.raises(BadValueError, match="shutter"):
        Live(scene, LiveOptions(footage=GenerateOptions(camera_effects="phone")))
    with pytest.raises(BadValueError, match="deform"):
        meshes = tuple(replace(mesh, deformed=mesh.vertices[None]) for mesh in scene.meshes)
        Live(replace(scene, meshes=meshes))


def test_data_of_another_model_or_of_one_that_has_diverged_is_refused():
    model = mujoco.MjModel.from_xml_string(ARM)
    with LiveMujoco(model, LiveOptions(size=SIZE, kinds=["depth"])) as live:
        other = mujoco.MjModel.from_xml_string("<mujoco><worldbody><geom size='1'/></worldbody></mujoco>")
        with pytest.raises(BadValueError, match="as the model has"):
            live.see(mujoco.MjData(other))
        data = mujoco.MjData(model)
        data.qpos[0] = np.nan
        with pytest.raises(BadValueError, match="diverged"):
            live.see(data)
        with pytest.raises(BadValueError, match="seen once"):
            _ = live.live


@pytest.mark.parametrize("name", ["as_live", "quick"])
def test_clips_say_that_they_are_rendered_as_live_and_quickly(name, tmp_path):
    from sim2real.clip import command_for

    scene = moving_scene(frames=1, size=(16, 24))
    for given in (False, True):
        clip = render_clip(scene, tmp_path / str(given), RenderOptions(only=["depth"], pages=False, **{name: given}))
        assert getattr(clip.record, name) is given
        assert (f"--{name.replace('_', '-')}" in command_for(clip, [])) is given
        assert (name in json.loads((clip.path / "clip.json").read_text())) is given
