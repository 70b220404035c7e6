"""States of MuJoCo models in every form in which people keep them, and the keyframes that are shown without any."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.errors import BadValueError, UnknownNameError, UnreadableFileError
from sim2real.scene import Scene, load
from sim2real.scene.readers.mujoco.layouts import layout_of
from sim2real.scene.readers.mujoco.model import load_mujoco
from sim2real.scene.readers.mujoco.states import read_states

mujoco = pytest.importorskip("mujoco")

MODEL = """
<mujoco>
  <worldbody>
    <geom name="floor" type="plane" size="2 2 0.1"/>
    <body name="arm" pos="0 0 1">
      <joint name="turn" type="hinge" axis="0 0 1"/><geom type="box" size="0.2 0.1 0.05" pos="0.2 0 0"/>
      <body name="hand" pos="0.5 0 0"><joint name="reach" type="slide" axis="1 0 0"/><geom type="sphere" size="0.05"/></body>
    </body>
    <body name="marker" mocap="true" pos="0 -1 1"><geom type="sphere" size="0.05"/></body>
    <body name="goal" mocap="true" pos="0 1 1"><geom type="sphere" size="0.05"/></body>
  </worldbody>
  <actuator>{actuator}</actuator>
  <keyframe>
    <key name="away" qpos="1 0.3" mpos="1 1 1 2 2 2"/><key name="home" qpos="0.5 0.1"/><key qpos="-1 0"/>
  </keyframe>
</mujoco>
"""
MUSCLE = '<general joint="turn" dyntype="integrator"/>'


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("plain") / "model.xml"
    path.write_text(MODEL.format(actuator='<motor joint="turn"/>'))
    return path


@pytest.fixture(scope="module")
def muscle(tmp_path_factory) -> Path:
    """A model with one activation, so that [time, qpos, qvel] and [qpos, qvel, act] are of the same width."""
    path = tmp_path_factory.mktemp("muscle") / "model.xml"
    path.write_text(MODEL.format(actuator=MUSCLE))
    return path


QPOS = np.array([[0.1, 0.2], [0.3, 0.0], [-0.4, 0.1]])


def rows_of(path: Path, name: str, mocap: float = 0.0) -> np.ndarray:
    """States as ``mj_getState`` writes them; the mocap bodies at some height."""
    compiled = mujoco.MjModel.from_xml_path(str(path))
    data, kind = mujoco.MjData(compiled), int(getattr(mujoco.mjtState, f"mjSTATE_{name}"))
    rows = np.empty((len(QPOS), mujoco.mj_stateSize(compiled, kind)))
    for k, qpos in enumerate(QPOS):
        data.time, data.qpos[:], data.mocap_pos[:, 2] = k / 20, qpos, mocap
        data.ctrl[:] = 0.3
        mujoco.mj_getState(compiled, data, rows[k], kind)
    return rows


def at(scene: Scene, name: str) -> np.ndarray:
    return scene.world_from_instance[:, [i.name for i in scene.instances].index(name), :3, 3]


def note(scene: Scene, word: str) -> str:
    return next(note for note in scene.notes if word in note)


@pytest.mark.parametrize("name", ["FULLPHYSICS", "INTEGRATION"])
def test_whole_states_bring_their_time_and_what_they_hold_of_mocap_bodies(model, name):
    scene = load_mujoco(model, states=rows_of(model, name, mocap=3.0))
    np.testing.assert_allclose(at(scene, "hand"), at(load_mujoco(model, states=QPOS), "hand"), atol=1e-12)
    assert scene.fps == 20.0
    resting = [text for text in scene.notes if "mocap" in text]
    if name == "INTEGRATION":
        assert at(scene, "goal")[:, 2].tolist() == [3.0] * 3 and not resting
    else:
        assert resting == ["mocap bodies rest, since the recording does not say where they are: marker, goal"]


def test_a_width_that_two_layouts_have_is_said_and_can_be_decided(muscle):
    rows = rows_of(muscle, "PHYSICS")  # qpos, qvel, act: as wide as time, qpos, qvel
    scene = load_mujoco(muscle, states=rows)
    said = "[time, qpos, qvel] (mj_getState PHYSICS is as wide; --state-spec chooses)"
    assert note(scene, "states read as") == f"states read as {said}"
    decided = load_mujoco(muscle, states=rows, state_spec="physics")
    np.testing.assert_allclose(at(decided, "hand"), at(load_mujoco(muscle, states=QPOS), "hand"), atol=1e-12)
    assert note(decided, "states read as") == "states read as physics" and decided.fps == 24.0


def test_layouts_of_the_same_meaning_are_not_called_ambiguous(model):
    assert note(load_mujoco(model, states=rows_of(model, "FULLPHYSICS")), "read as") == "states read as [time, qpos, qvel]"


@pytest.mark.parametrize("spec", ["qpos,mocap_pos", "QPOS+MOCAP_POS", "mjSTATE_QPOS, mjSTATE_MOCAP_POS", str(2 + 1024)])
def test_any_elements_of_a_state_can_be_named(model, spec):
    places = np.arange(18.0).reshape(3, 6)
    scene = load(model, states=np.concatenate([QPOS, places], axis=1), state_spec=spec)
    np.testing.assert_allclose(at(scene, "goal"), places[:, 3:])
    np.testing.assert_allclose(at(scene, "hand"), at(load_mujoco(model, states=QPOS), "hand"), atol=1e-12)


def test_wrong_specs_list_the_right_ones(model):
    with pytest.raises(UnknownNameError, match="'QPOSE'.*did you mean 'QPOS'|'QPOSE'.*qpos"):
        load_mujoco(model, states=QPOS, state_spec="qpose")
    with pytest.raises(BadValueError, match="width of the states is 2, must be 4, as wide as qpos,qvel"):
        load_mujoco(model, states=QPOS, state_spec="qpos,qvel")
    with pytest.raises(BadValueError, match="--state-spec is 99999999999, must be a sum"):
        load_mujoco(model, states=QPOS, state_spec="99999999999")
    with pytest.raises(BadValueError, match="--state-spec is qpos, must be left out where there are no --states"):
        load_mujoco(model, state_spec="qpos")


@settings(deadline=None, max_examples=30)
@given(bits=st.integers(1, (1 << 13) - 1))
def test_a_spec_is_as_wide_as_mujoco_says(bits):
    compiled = mujoco.MjModel.from_xml_string(MODEL.format(actuator=MUSCLE))
    width = mujoco.mj_stateSize(compiled, bits)
    found = layout_of(compiled, width, str(bits))
    assert (found.bits, found.width, found.holds("TIME")) == (bits, width, bool(bits & 1))


@pytest.mark.parametrize("header", ["", "turn,reach\n", "\n# turn, reach\n"])
def test_tables_of_text_are_states_too(model, tmp_path, header):
    text = "\r\n".join(",".join(f"{value:.17g}" for value in row) for row in QPOS)
    (tmp_path / "states.csv").write_text(f"{header}{text}\n\n")
    scene = load(model, states=tmp_path / "states.csv")
    np.testing.assert_array_equal(scene.world_from_instance, load_mujoco(model, states=QPOS).world_from_instance)


@pytest.mark.parametrize("name", ["time", " Timestamp"])
def test_a_column_that_is_called_a_time_is_no_joint(model, tmp_path, name):
    text = "\n".join(",".join(f"{value:.17g}" for value in (0.1 * k, *row)) for k, row in enumerate(QPOS))
    (tmp_path / "states.csv").write_text(f"{name},turn,reach\n{text}\n")
    scene = load(model, states=tmp_path / "states.csv")
    np.testing.assert_array_equal(scene.world_from_instance, load_mujoco(model, states=QPOS).world_from_instance)
    assert any("states read as time,qpos" in note for note in scene.notes) and scene.fps == pytest.approx(10)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,2\n3\n", r"row 1 of states is '3', must be 2 numbers, as row 0 has"),
        ("1,2\n3,x\n", r"row 1 of states is '3,x', must be 2 numbers"),
        ("a,b\n", "states array is an array of shape"),
        ("", "states array is an array of shape"),
        ("1,nan\n", "row 0 of states is NaN"),
        ("1,1e99\n", "row 0 of states is NaN, infinite or beyond"),
    ],
)
def test_tables_of_text_that_are_none_are_refused_in_one_line(tmp_path, text, said):
    (tmp_path / "states.csv").write_text(text)
    with pytest.raises((BadValueError, UnreadableFileError), match=said) as caught:
        read_states(tmp_path / "states.csv")
    assert "\n" not in str(caught.value)


def test_mocap_bodies_may_be_kept_under_mujocos_own_names(model, tmp_path):
    places, turns = np.arange(18.0).reshape(3, 2, 3), np.tile([1.0, 0, 0, 0], (3, 2, 1))
    np.savez(tmp_path / "states.npz", qpos=QPOS, mocap_pos=places, mocap_quat=turns)
    scene = load_mujoco(model, states=tmp_path / "states.npz")
    np.testing.assert_allclose(at(scene, "goal"), places[:, 1])
    assert not any("mocap" in text for text in scene.notes)
    np.savez(tmp_path / "states.npz", qpos=QPOS, mocap_pos=places)
    with pytest.raises(BadValueError, match=r"mocap bodies is mocap_pos of \(3, 2, 3\), must be .* mocap_quat"):
        load_mujoco(model, states=tmp_path / "states.npz")


@pytest.mark.parametrize(("keyframe", "turn"), [("away", 1), ("home", 0.5), ("0", 1), ("2", -1), (None, 0.5)])
def test_a_keyframe_is_chosen_by_name_or_number(model, keyframe, turn):
    scene = load(model, keyframe=keyframe)
    hand = at(scene, "hand")[0] - [0, 0, 1]
    assert np.arctan2(hand[1], hand[0]) == pytest.approx(turn)
    assert at(scene, "marker")[0].tolist() == ([1, 1, 1] if turn == 1 else [0, -1, 1])
    names = {1: "away", 0.5: "home", -1: "2"}
    assert note(scene, "no states given").endswith(f"keyframe {names[turn]}")


@pytest.mark.parametrize("keyframe", ["hom", "3", "-1", ""])
def test_unknown_keyframes_list_those_that_there_are(model, keyframe):
    with pytest.raises(UnknownNameError, match="unknown keyframe of the model.*away, home, 2"):
        load(model, keyframe=keyframe)


def test_a_keyframe_beside_states_is_refused(model):
    with pytest.raises(BadValueError, match="--keyframe is home, must be left out where there are states"):
        load_mujoco(model, states=QPOS, keyframe="home")
