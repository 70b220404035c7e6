"""What MuJoCo draws besides geoms, and is not shown, is counted and said."""

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


CRANK = """<actuator><general cranklength="0.3" cranksite="a" slidersite="b"/></actuator>"""
RANGEFINDERS = '<sensor><rangefinder site="a"/><rangefinder site="b"/><framepos objtype="site" objname="a"/></sensor>'


def notes_of(folder: Path, world: str = "", load: str = "", more: str = "", show: str | None = None) -> list[str]:
    path = folder / "model.xml"
    path.write_text(MODEL.format(world=world, load=load, more=more))
    return [note for note in load_mujoco(path, show=show).notes if "left out" in note]


@pytest.mark.parametrize(
    ("world", "load", "more", "show", "said"),
    [
        (*SITES, CABLE.format(""), "none", "1 tendon, 2 sites; --show chooses"),
        (*SITES, CABLE.format(""), None, "2 sites; --show chooses"),
        (*SITES, CABLE.format('rgba="1 0 0 0"'), "flexes", "2 sites; --show chooses"),
        ('<site material="green"/><site material="clear"/><site group="3"/>', "", COUPLED, None, "1 site; --show chooses"),
        ("", "", SKIN.format(""), "sites", "1 skin; --show chooses"),
        (
            CLOTH + SITES[0],
            SITES[1],
            CABLE.format('group="4"') + SKIN.format(""),
            "none",
            "1 skin, 1 flex, 2 sites; --show chooses",
        ),
        (*SITES, CRANK, None, "2 sites, 1 slider-crank; --show chooses"),
        (*SITES, CRANK, "sites", "1 slider-crank"),
        (*SITES, RANGEFINDERS, "sites", "the rays of 2 rangefinders"),
    ],
)
def test_what_mujoco_draws_and_is_not_shown_is_counted_in_one_note(tmp_path, world, load, more, show, said):
    assert notes_of(tmp_path, world, load, more, show) == [f"left out, though MuJoCo draws them: {said}"]


@pytest.mark.parametrize("more", ["", COUPLED, SKIN.format(""), SKIN.format('rgba="1 1 1 0"'), SKIN.format('group="5"')])
def test_nothing_is_said_of_what_is_shown_or_what_mujoco_does_not_draw(tmp_path, more):
    assert notes_of(tmp_path, more=more) == []


def test_nothing_is_said_where_everything_is_shown(tmp_path):
    more = CABLE.format("") + SKIN.format("")
    assert notes_of(tmp_path, CLOTH + SITES[0], SITES[1], more, "skins,flexes,tendons,sites") == []
