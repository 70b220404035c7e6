"""Any name of a camera can be rendered: its folder is called alike, and the clip answers to both names."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim2real.clip import read_clip
from sim2real.clip.record import check_names
from sim2real.errors import UnknownNameError
from sim2real.render import RenderOptions, render_clip
from sim2real.scene import LoadOptions, load
from sim2real.scene.cameras.names import folder_name, with_folder_names
from tests.conditions.stage import camera_at, scene_of, tabletop

SLASH = """<mujoco><worldbody><geom type="plane" size="3 3 0.1"/><body name="walker/torso" pos="0 0 0.4"><geom size="0.2"/>
<camera name="walker/back" pos="0 -1.5 0.6" xyaxes="1 0 0 0 0.35 0.95"/></body></worldbody></mujoco>"""


@pytest.mark.slow
@given(names=st.lists(st.text(max_size=140), max_size=6))
def test_every_name_becomes_one_of_a_folder_and_no_two_the_same(names):
    base = scene_of([], camera_at((0, -2, 0), (0, 0, 0)))
    scene = with_folder_names(replace(base, cameras=tuple(replace(base.cameras[0], name=name) for name in names)))
    made = [camera.name for camera in scene.cameras]
    check_names(made)
    assert all(len(name) <= 104 for name in made) and len(scene.notes) == sum(c.source_name is not None for c in scene.cameras)
    for name, camera in zip(names, scene.cameras, strict=True):
        assert camera.name == name or camera.source_name == name
    if len({name.casefold() for name in names}) == len(names):
        assert len({name.casefold() for name in made}) == len(made)


@pytest.mark.parametrize("name", ["front", "robot0:eye_in_hand", "left, top", "Kamera März", "a.b"])
def test_names_that_can_be_folders_stay(name):
    assert folder_name(name) == name


def test_names_that_cannot_are_changed_as_little_as_possible():
    assert folder_name("walker/back") == "walker-back" and folder_name("../up") == "-up" and folder_name("") == "camera"
    assert folder_name("a/b", ["a-b", "A-B-2"]) == "a-b-3"


def test_a_camera_with_a_slash_is_rendered_and_answers_to_both_names(tmp_path):
    pytest.importorskip("mujoco")
    (tmp_path / "model.xml").write_text(SLASH)
    scene = load(tmp_path / "model.xml", LoadOptions(size=(24, 32)))
    assert scene.camera("walker/back") is scene.camera("walker-back")
    assert any("'walker/back' is called walker-back" in note for note in scene.notes)
    clip = render_clip(scene, tmp_path / "clip", RenderOptions(cameras=["walker/back"], only={"depth"}, threads=1))
    assert clip.cameras == ["walker-back"] and (clip.path / "walker-back" / "depth").is_dir()
    again = read_clip(clip.path)
    assert again.camera("walker/back") is again.camera("walker-back") and again.folder("walker/back").is_dir()
    assert again.record.cameras["walker-back"].source_name == "walker/back"
    with pytest.raises(UnknownNameError, match="walker-back"):
        again.camera("walker/front")


def test_other_cameras_write_no_source_name(tmp_path):
    clip = render_clip(tabletop((24, 32), frames=1), tmp_path / "clip", RenderOptions(only={"depth"}, threads=1))
    assert "source_name" not in (clip.path / "clip.json").read_text()
