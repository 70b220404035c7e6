"""What MuJoCo draws besides geoms is counted and said."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim2real.scene.readers.mujoco.model import load_mujoco

pytest.importorskip("mujoco")

MODEL = """
<mujoco>
  <option><flag contact="disable"/></option>
  <asset><material name="clear" rgba="1 1 1 0"/><material name="green" rgba="0 1 0 0.5"/></asset>
  <worldbody>
    <geom type="plane" size="1 1 0.1"/>
    {world}
    <body name="load" pos="0 0 1"><joint name="lift" type="slide"/><geom type="sphere" size="0.1"/>{load}</body>
  </worldbody>
  {more}
</mujoco>
"""
SITES = '<site name="a" pos="0 0 2"/>', '<site name="b"/>'
CABLE = '<tendon><spatial {}><site site="a"/><site site="b"/></spatial></tendon>'
COUPLED = '<tendon><fixed><joint joint="lift" coef="1"/></fixed></tendon>'
SKIN = """<deformable><skin vertex="0 0 0 1 0 0 0 1 0" face="0 1 2" {}>
  <bone body="load" bindpos="0 0 1" bindquat="1 0 0 0" vertid="0 1 2" vertweight="1 1 1"/></skin></deformable>"""
CLOTH = """<flexcomp name="cloth" type="grid" dim="2" count="3 3 1" spacing="0.1 0.1 0.1" pos="0 0 0.5" radius="0.01">
  <edge equality="true"/></flexcomp>"""


def notes_of(folder: Path, world: str = "", load: str = "", more: str = "") -> list[str]:
    path = folder / "model.xml"
    path.write_text(MODEL.format(world=world, load=load, more=more))
    return [note for note in load_mujoco(path).notes if "left out" in note]


@pytest.mark.parametrize(
    ("world", "load", "more", "said"),
    [
        (*SITES, CABLE.format(""), "1 tendon, 2 sites"),
        (*SITES, CABLE.format('rgba="1 0 0 0"'), "2 sites"),
        ('<site material="green"/><site material="clear"/><site group="3"/>', "", COUPLED, "1 site"),
        ("", "", SKIN.format(""), "1 skin"),
        (CLOTH + SITES[0], SITES[1], CABLE.format('group="4"') + SKIN.format(""), "1 skin, 1 flex, 2 sites"),
    ],
    ids=["cable", "invisible cable", "sites and coupled joints", "skin", "cloth, skin, hidden cable"],
)
def test_what_mujoco_draws_besides_geoms_is_counted_in_one_note(tmp_path, world, load, more, said):
    assert notes_of(tmp_path, world, load, more) == [f"left out, though MuJoCo draws them: {said}; only geoms are read"]


@pytest.mark.parametrize("more", ["", COUPLED, SKIN.format('rgba="1 1 1 0"'), SKIN.format('group="5"')])
def test_nothing_is_said_of_what_mujoco_does_not_draw(tmp_path, more):
    assert notes_of(tmp_path, more=more) == []
