"""Whatever recordings of simulators and their mapping files hold, a scene is made of it, or one line says what is wrong."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from sim2real.scene import load
from sim2real.scene.readers.registry import outline

from ...mutations import VALUES, changed, check_scene, damaged, fuzzed, odd_array, read_or_refused

h5py = pytest.importorskip("h5py")

from .simulator_logs import FRAMES, MAPPING, isaac_lab, maniskill, mapping, replay, session  # noqa: E402


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def test_the_files_that_are_damaged_here_are_whole_before(place):
    source = mapping(place)
    check_scene(load(isaac_lab(place / "a.hdf5"), mapping=source))
    check_scene(load(replay(place)))


def _names(file: Any) -> list[str]:
    """All groups and datasets."""
    found: list[str] = []
    file.visit(found.append)
    return found


def _change(path: Path, rng: random.Random) -> None:
    """Make members of an HDF5 file something else."""
    with h5py.File(path, "a") as file:
        for _ in range(rng.choice([1, 1, 2, 3])):
            name = rng.choice(_names(file) or ["gone"])
            kind = rng.randrange(6)
            if name not in file:
                continue
            if kind == 0:
                del file[name]
            elif kind == 1:
                del file[name]
                file[name] = odd_member(rng)
            elif kind == 2:
                file[name].attrs[rng.choice(["env_args", "schema_version", "quaternion_order"])] = rng.choice(
                    ["", "{", "[1]", 3, "x"]
                )
            elif kind == 3 and _is_small_table(file[name]):
                values = file[name][()].ravel()
                values[rng.randrange(values.size)] = rng.choice([np.nan, np.inf, 0, 1e30, -1])
                file[name][()] = values.reshape(file[name].shape)
            elif kind == 4:
                parent, _, last = name.rpartition("/")
                place = f"{parent}/{rng.choice(['x', 'demo_0', last[:-1] or 'y'])}" + rng.choice(["", "z"])
                if place not in file:
                    file.move(name, place)
            elif f"{name}_huge" not in file:
                file.create_dataset(f"{name}_huge", (10**9, 10**6), "f4", chunks=(100, 100))


def _is_small_table(held: Any) -> bool:
    return isinstance(held, h5py.Dataset) and held.dtype.kind == "f" and 0 < (held.size or 0) < 10**6


def odd_member(rng: random.Random) -> Any:
    values = odd_array(rng, (FRAMES, 7), (FRAMES, 13), (FRAMES, 17), (1, 7), (FRAMES, 3, 3))
    return rng.choice(
        [
            np.zeros(values.shape) if values.dtype.kind in "UMV" else values,
            h5py.Empty("f8"),
            "text",
            h5py.SoftLink("/gone"),
            1.5,
        ]
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["isaac_lab", "maniskill"])
@fuzzed(20)
def test_recordings_with_other_members_or_bytes(place, kind, rng):
    source = mapping(place)
    path = isaac_lab(place / "a.hdf5") if kind == "isaac_lab" else maniskill(place / "a.h5")
    told = MAPPING | ({"articulations": {"arm": {"robot": "arm.urdf"}}, "cameras": []} if kind == "maniskill" else {})
    source.write_text(yaml.safe_dump(told))
    if rng.random() < 0.8:
        _change(path, rng)
    else:
        path.write_bytes(damaged(path.read_bytes(), rng))
    read_or_refused(lambda: load(path, mapping=source), check_scene)
    read_or_refused(
        lambda: outline(path, {}), lambda facts: None if facts is None else json.dumps(facts, allow_nan=False) and None
    )


@pytest.mark.slow
@fuzzed(15)
def test_sessions_with_other_members(place, rng):
    pytest.importorskip("pxr")
    path = session(place / "s.hdf5")
    if rng.random() < 0.3:
        with h5py.File(path, "a") as file:
            tracks = json.loads(file["manifest/tracks"][()])
            del file["manifest/tracks"]
            file["manifest/tracks"] = json.dumps(changed(tracks, rng)).replace("\\u0000", "")
    else:
        _change(path, rng)
    read_or_refused(lambda: load(path), check_scene)


@pytest.mark.slow
@fuzzed(30)
def test_mapping_files_with_other_entries_or_bytes(place, rng):
    source, path = mapping(place), isaac_lab(place / "a.hdf5")
    if rng.random() < 0.8:
        source.write_text(yaml.dump(changed(MAPPING | {"fps": 10, "env_origin": [0, 0, 1]}, rng), allow_unicode=True))
    else:
        source.write_bytes(damaged(source.read_bytes(), rng))
    read_or_refused(lambda: load(path, mapping=source), check_scene)


@fuzzed(30)
def test_replays_with_other_entries_or_bytes(place, rng):
    path = replay(place)
    if rng.random() < 0.8:
        path.write_text(json.dumps(changed(json.loads(path.read_text()), rng)))
    else:
        path.write_bytes(damaged(path.read_bytes(), rng))
    read_or_refused(lambda: load(path), check_scene)


@pytest.mark.parametrize("value", [v for v in VALUES if not isinstance(v, float)][:12], ids=repr)
def test_names_of_episodes_of_any_kind_are_refused(place, value):
    read_or_refused(lambda: load(isaac_lab(place / "a.hdf5"), mapping=mapping(place), demo=str(value)), check_scene)


def test_robots_that_hang_on_each_other_in_a_circle_are_refused(place):
    circle = """<robot name="r"><link name="a"/><link name="b"/>
    <joint name="x" type="fixed"><parent link="a"/><child link="b"/></joint>
    <joint name="y" type="fixed"><parent link="b"/><child link="a"/></joint></robot>"""
    source = mapping(place, {"articulations": {"robot": {"robot": "circle.urdf"}}, "cameras": []})
    (place / "circle.urdf").write_text(circle)
    said = read_or_refused(lambda: load(isaac_lab(place / "a.hdf5"), mapping=source))
    assert said is not None and "circle" in said
