"""What visualizations show is seen where they put it, for as long as they show it."""

from __future__ import annotations

import numpy as np
import pytest

from sim2real.errors import MissingFileError
from sim2real.scene import LoadOptions, load
from sim2real.transforms import rigid, rotation_about

pytest.importorskip("rosbags")

from .bag_files import Words, json_mcap, mcap_of, ns

CUBE, SPHERE, CYLINDER, TEXT, MESH = 1, 2, 3, 9, 10
STILL = rigid(np.eye(3), np.array([0.0, 0, 1]))


@pytest.fixture(scope="module")
def words() -> Words:
    return Words()


def array(words, *markers):
    return words("visualization_msgs/msg/MarkerArray", list(markers))


def names(scene) -> list[str]:
    return [thing.name for thing in scene.instances]


def test_solids_have_the_size_the_color_and_the_place_of_their_markers(words, tmp_path):
    turned = rigid(rotation_about(np.array([0.0, 0, 1]), np.array(0.3)), np.array([1.0, 2, 3]))
    said = [("/tf_static", ns(0), words.transforms((0, "map", "table", turned)))]
    for time in (0.0, 1.0):
        way = rigid(np.eye(3), np.array([time, 0, 0]))
        found = [words.marker(ns(time), "table", k, kind, way) for k, kind in enumerate((CUBE, SPHERE, CYLINDER, TEXT))]
        said.append(("/shapes", ns(time), array(words, *found)))
    scene = load(mcap_of(tmp_path / "run", said), LoadOptions(fps=2.0))
    assert names(scene) == ["things/0", "things/1", "things/2"] and scene.instances[0].class_name == "things"
    for part, size in zip(scene.parts, ([0.2, 0.4, 0.6], [0.2, 0.4, 0.6], [0.3, 0.3, 0.6]), strict=True):
        assert np.allclose(np.ptp(scene.meshes[part.mesh].vertices, axis=0), size, rtol=0.01)
        assert scene.meshes[part.mesh].material.base_color == (1, 0, 0, 1)
    assert np.allclose(scene.world_from_instance[1], turned @ rigid(np.eye(3), np.array([0.5, 0, 0])))
    assert "markers that are no surfaces were left out: texts" in scene.notes


def test_markers_are_seen_from_when_they_are_added_until_they_go(words, tmp_path):
    second = words("builtin_interfaces/msg/Duration", 1, 0)
    said = [("/tf", ns(t), words.transforms((ns(t), "map", "base", STILL))) for t in (0.0, 5.0)]
    said += [
        ("/m", ns(0), words.marker(ns(0), "map", 1, CUBE, STILL)),
        ("/m", ns(1), words.marker(ns(1), "map", 2, CUBE, STILL, lifetime=second)),
        ("/m", ns(3), words.marker(ns(3), "map", 1, CUBE, STILL, action=2)),
        ("/m", ns(4), words.marker(ns(4), "map", 3, CUBE, STILL)),
        ("/m", ns(5), words.marker(ns(5), "map", 0, CUBE, STILL, action=3)),
    ]
    scene = load(mcap_of(tmp_path / "run", said), LoadOptions(fps=1.0))
    assert scene.visible.T.tolist() == [[True] * 3 + [False] * 3, [False, True] + [False] * 4, [False] * 4 + [True, False]]


def test_a_marker_that_looks_otherwise_is_another_thing_from_then_on(words, tmp_path):
    blue = words("std_msgs/msg/ColorRGBA", 0.0, 0.0, 1.0, 1.0)
    said = [("/tf", ns(t), words.transforms((ns(t), "map", "base", STILL))) for t in (0.0, 2.0)]
    said += [("/m", ns(0), words.marker(ns(0), "map", 1, CUBE, STILL))]
    said += [("/m", ns(1), words.marker(ns(1), "map", 1, CUBE, STILL, color=blue))]
    scene = load(mcap_of(tmp_path / "run", said), LoadOptions(fps=1.0))
    assert names(scene) == ["things/1", "things/1-2"]
    assert scene.visible.T.tolist() == [[True, False, False], [False, True, True]]


def test_meshes_of_markers_are_found_as_a_robots_are(words, tmp_path):
    scale = words("geometry_msgs/msg/Vector3", 2.0, 2.0, 2.0)
    resource = "package://things/meshes/tip.obj"
    marker = words.marker(ns(0), "map", 1, MESH, STILL, mesh_resource=resource, scale=scale)
    path = mcap_of(tmp_path / "run", [("/m", ns(0), marker)])
    with pytest.raises(MissingFileError, match="package://things/meshes/tip.obj"):
        load(path)
    (tmp_path / "things" / "meshes").mkdir(parents=True)
    (tmp_path / "things" / "meshes" / "tip.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    (mesh,) = load(path).meshes
    assert np.ptp(mesh.vertices, axis=0).tolist() == [2, 2, 0]


def test_foxgloves_entities_are_things_and_give_way_to_what_replaces_them(tmp_path):
    def entity(second: int, *cubes: float) -> dict:
        pose = {"orientation": {"x": 0, "y": 0, "z": 0, "w": 1}}
        color, size = {"r": 0, "g": 1, "b": 0, "a": 1}, {"x": 1, "y": 1, "z": 1}
        found = [{"pose": pose | {"position": {"x": x, "y": 0, "z": 0}}, "size": size, "color": color} for x in cubes]
        stamp = {"sec": second, "nsec": 0}
        held = {"timestamp": stamp, "frame_id": "map", "id": "crate", "lifetime": {"sec": 0, "nsec": 0}, "cubes": found}
        return {"deletions": [], "entities": [held]}

    gone = {"deletions": [{"timestamp": {"sec": 3, "nsec": 0}, "type": 0, "id": "crate"}], "entities": []}
    messages = [entity(0, 0.0, 5.0), entity(2, 1.0), gone]
    said = [("/scene", "foxglove.SceneUpdate", t * 10**9, message) for t, message in zip((0, 2, 3), messages, strict=True)]
    said.append(("/scene", "foxglove.SceneUpdate", 4 * 10**9, entity(4)))
    said.append(("/tf", "foxglove.FrameTransforms", 4 * 10**9, {"transforms": []}))
    scene = load(json_mcap(tmp_path / "a.mcap", said), LoadOptions(fps=1.0))
    assert names(scene) == ["crate/0", "crate/1"] and scene.frames == 3
    assert scene.world_from_instance[:, 0, 0, 3].tolist() == [0, 0.5, 1] and scene.visible[:, 0].all()
    assert scene.visible[:, 1].tolist() == [True, True, False]
