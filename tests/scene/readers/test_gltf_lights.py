"""Lamps of glTF files: kinds, units, nodes that carry them, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from sim2real.errors import UnreadableFileError
from sim2real.scene import load

from .gltf_files import Gltf

HALF = float(np.sqrt(0.5))


def lit(tmp_path, *lights: dict, nodes: list[dict] | None = None, animate=None):
    gltf = Gltf(extensions={"KHR_lights_punctual": {"lights": list(lights)}}, extensionsUsed=["KHR_lights_punctual"])
    gltf.node(mesh=gltf.mesh(), rotation=[-HALF, 0, 0, HALF], scale=[3, 3, 3])  # flat on the ground
    numbers = [
        gltf.node(extensions={"KHR_lights_punctual": {"light": k}}, **(nodes[k] if nodes else {})) for k in range(len(lights))
    ]
    if animate:
        animate(gltf, numbers)
    return load(gltf.save(tmp_path / "a.glb"))


def test_lux_and_candela_keep_their_proportions_and_kinds(tmp_path):
    scene = lit(
        tmp_path,
        {"type": "directional", "intensity": 100},
        {"type": "point", "intensity": 50, "color": [1, 0.5, 0], "range": 7},
        {"type": "spot", "spot": {"innerConeAngle": 0.2, "outerConeAngle": 0.6}},
        nodes=[{"rotation": [-HALF, 0, 0, HALF]}, {"translation": [1, 2, 3]}, {"translation": [0, 4, 0]}],
    )
    sun, point, spot = scene.lights.lamps
    assert (sun.kind, point.kind, spot.kind) == ("directional", "point", "spot")
    assert sun.direction == pytest.approx((0, 0, -1))  # the file's y is up
    assert point.position == pytest.approx((1, -3, 2)) and point.reach == 7 and point.attenuation == (0, 0, 1)
    assert np.array(point.color) / sun.color[0] == pytest.approx([0.5, 0.25, 0])
    assert spot.color[0] / sun.color[0] == pytest.approx(0.01)
    assert spot.cone == pytest.approx((np.cos(0.2), np.cos(0.6))) and spot.direction == pytest.approx((0, 1, 0))
    assert all(lamp.shadows and lamp.way is None for lamp in scene.lights.lamps) and scene.lights.followed
    assert any("3 lamp(s) (1 directional, 1 point, 1 spot)" in note for note in scene.notes)


def test_a_single_sun_at_rest_is_the_plain_one(tmp_path):
    scene = lit(
        tmp_path, {"type": "directional", "color": [1, 0.5, 0.5], "intensity": 3000}, nodes=[{"rotation": [-HALF, 0, 0, HALF]}]
    )
    assert scene.lights is None and scene.environment is None
    assert scene.lighting.sun_direction == pytest.approx((0, 0, 1))
    r, g, b = scene.lighting.sun
    assert g == pytest.approx(r / 2) == pytest.approx(b)


def test_lamps_go_with_their_nodes(tmp_path):
    def moves(gltf, nodes):
        gltf.animation((nodes[0], "translation", [0.0, 1.0], [[0, 1, 0], [2, 1, 0]], "LINEAR"))

    scene = lit(tmp_path, {"type": "point"}, animate=moves)
    (lamp,) = scene.lights.lamps
    first, last = lamp.at(0), lamp.at(scene.frames - 1)
    assert first.position == pytest.approx((0, 0, 1)) and last.position == pytest.approx((2, 0, 1))


def test_a_scene_file_keeps_the_light_of_its_rollout_as_a_whole_unless_it_has_some_of_its_own(tmp_path):
    alone = lit(tmp_path, {"type": "point"}, nodes=[{"translation": [0, 4, 0]}])
    (tmp_path / "own.yaml").write_text("rollout: {path: a.glb}\n")
    (tmp_path / "other.yaml").write_text("rollout: {path: a.glb}\nlight: {sun_direction: [0, 0, 1]}\n")
    kept, other = load(tmp_path / "own.yaml"), load(tmp_path / "other.yaml")
    assert kept.lights is not None and kept.lights.lamps == alone.lights.lamps
    assert kept.environment is not None and np.array_equal(kept.environment.panorama, alone.environment.panorama)
    assert other.lights is None and other.environment is None


def test_lights_that_do_not_shine_leave_sun_and_sky(tmp_path):
    scene = lit(tmp_path, {"type": "point", "intensity": 0}, {"type": "area"})
    assert scene.lights is None
    assert any("none of its 1 lights shines" in note for note in scene.notes)
    assert any("unknown kinds are left out: area" in note for note in scene.notes)


@pytest.mark.parametrize(
    ("light", "says"),
    [
        ({"type": "point", "intensity": "much"}, "intensity of light 1 is not 1 finite number"),
        ({"type": "point", "range": 0}, "range of light 1 is 0"),
        ({"type": "spot", "spot": {"innerConeAngle": 0.9, "outerConeAngle": 0.3}}, "begins at 0.9 and ends at 0.3"),
        ({"type": "spot", "color": [1, 1]}, "color of a light is not 3"),
        ({"type": "spot", "spot": 4}, "values of another kind"),
    ],
)
def test_lights_that_are_none_are_refused_in_one_line(tmp_path, light, says):
    with pytest.raises(UnreadableFileError, match=says) as caught:
        lit(tmp_path, light)
    assert "\n" not in str(caught.value)
