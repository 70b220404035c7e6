"""Whatever a robot's file, its meshes and its table hold, a whole scene comes of them, or one line that says what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim2real.scene import load

from ...mutations import check_scene, damaged, fuzzed, odd_array, read_or_refused
from .test_urdf import SENSOR
from .urdf_robots import ARM, TETRAHEDRON, arm, random_tree, robot

LOG = b"time,shoulder,elbow,lift,left_finger,base_x,base_y,base_z,base_qw,base_qx,base_qy,base_qz,note\n" + b"".join(
    b"%f,.1,.2,.03,.01,0,0,1,.7,0,0,.7,ok\n" % (k / 30) for k in range(4)
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def whole(place: Path) -> tuple[Path, Path]:
    path, table = arm(place), place / "log.csv"
    path.write_text(ARM.replace("</robot>", SENSOR.replace('"hand"', '"slide"') + "</robot>"))
    table.write_bytes(LOG)
    return path, table


def test_the_files_that_are_damaged_here_are_whole_before(place):
    path, table = whole(place)
    check_scene(load(path, joints=table))


@pytest.mark.slow
@fuzzed(25)
def test_robots_with_damaged_text(place, rng):
    path, table = whole(place)
    path.write_bytes(damaged(path.read_bytes(), rng))
    read_or_refused(lambda: load(path, joints=table if rng.random() < 0.5 else None), check_scene)


@fuzzed(30)
def test_random_trees_with_other_words(place, rng):
    path = robot(place / "tree.urdf", random_tree(rng, rng.randint(1, 6)))
    path.write_bytes(damaged(path.read_bytes(), rng))
    read_or_refused(lambda: load(path), check_scene)


@fuzzed(25)
def test_tables_with_damaged_text(place, rng):
    path, table = whole(place)
    table.write_bytes(damaged(LOG, rng))
    read_or_refused(lambda: load(path, joints=table), check_scene)


@fuzzed(30)
def test_tables_of_odd_arrays(place, rng):
    path, _ = whole(place)
    names: list[Any] = [np.array(["elbow", "lift"]), np.array([b"elbow", b"\xff"]), np.array(["elbow", "elbow"]), np.zeros(2)]
    columns = ["elbow", "shoulder", "time", "episode_index", "base_x", "base_y", "base_z", "base_qw"]
    arrays = {name: odd_array(rng, (4,), (4,), (0,), (3,)) for name in rng.sample(columns, rng.randint(0, 4))}
    if rng.random() < 0.5:
        arrays |= {"names": rng.choice(names), "positions": odd_array(rng, (4, 2), (3, 2), (0, 2))}
    np.savez(place / "log.npz", **arrays)
    if rng.random() < 0.2:
        (place / "log.npz").write_bytes(damaged((place / "log.npz").read_bytes(), rng))
    read_or_refused(lambda: load(path, joints=place / "log.npz"), check_scene)


@fuzzed(25)
def test_parquet_tables(place, rng):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path, _ = whole(place)
    kinds = [
        [0.0, 1, 2, 3],
        [0.0, None, 2, float("nan")],
        ["a", "b", None, ""],
        [[1.0, 2]] * 4,
        [[1.0], [], None, [2.0, 3]],
        [{"x": 1}] * 4,
        [b"a"] * 4,
        [None] * 4,
        [True, False, True, True],
        [10**18, 10**18 + 10**8, 10**18 + 2 * 10**8, 10**18 + 3 * 10**8],
    ]
    names = rng.sample(["elbow", "lift", "time", "episode_index", "observation.state", "base_x"], rng.randint(1, 4))
    parquet.write_table(arrow.table([arrow.array(rng.choice(kinds)) for _ in names], names=names), place / "log.parquet")
    if rng.random() < 0.4:
        (place / "log.parquet").write_bytes(damaged((place / "log.parquet").read_bytes(), rng))
    read_or_refused(lambda: load(path, joints=place / "log.parquet"), check_scene)


@pytest.mark.slow
@fuzzed(25)
def test_collada_meshes_with_damaged_bytes(place, rng):
    pytest.importorskip("collada")
    import trimesh

    path, _ = whole(place)
    path.write_text(ARM.replace("meshes/tip.obj", "meshes/tip.dae"))
    file = path.parent.parent / "meshes" / "tip.dae"
    file.write_bytes(damaged(trimesh.creation.box().export(file_type="dae"), rng))
    read_or_refused(lambda: load(path), check_scene)


@pytest.mark.parametrize("depth", [200_000])
def test_files_that_are_nested_deep_or_name_much_end_soon(depth, place):
    (place / "deep.urdf").write_text("<robot>" + "<link name='a'>" * depth + "</link>" * depth + "</robot>")
    assert read_or_refused(lambda: load(place / "deep.urdf"))
    (place / "laughs.urdf").write_text(
        "<!DOCTYPE r ["
        + '<!ENTITY l0 "ha">'
        + "".join(f'<!ENTITY l{k} "{f"&l{k - 1};" * 10}">' for k in range(1, 12))
        + "]><robot name='&l11;'><link name='a'/></robot>"
    )
    assert "declares the entity l0" in (read_or_refused(lambda: load(place / "laughs.urdf")) or "")
    (place / "many.obj").write_text(TETRAHEDRON)
    assert "must be 3 finite numbers" in (
        read_or_refused(
            lambda: load(
                robot(
                    place / "many.urdf",
                    f'<link name="a"><visual><geometry><box size="{"1 " * depth}"/></geometry></visual></link>',
                )
            )
        )
        or ""
    )
