"""Scene files: what is wrong is said in one line, with file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim2real.errors import BadKeyError, MissingFileError
from sim2real.scene.readers.scene_file.schema import SceneFile
from sim2real.scene.readers.scene_file.yaml import read_yaml

GOOD = """\
frames: 5
size: [48, 64]
objects:
  - name: top
    primitive: cylinder
    radius: 1e-1
    half_height: 0.05
    motion:
      spin:
        axis: z
        deg_per_s: 90
cameras:
  - name: front
    position: [0, -1, 0]
    look_at: top
"""

CASES = {
    "an unknown key": (
        ("axis: z", "axs: z"),
        "line 10: objects[0].motion.spin.axs: unknown key; did you mean 'axis'? Valid: axis, deg_",
    ),
    "an unknown primitive": (
        ("cylinder", "cilinder"),
        "line 5: objects[0].primitive: is 'cilinder', must be one of: box, sphere,",
    ),
    "an axis that is too short": (
        ("axis: z", "axis: [0, 1]"),
        "line 10: objects[0].motion.spin.axis: is [0, 1], must be 3 numbers",
    ),
    "a size that is missing": (
        ("    half_height: 0.05\n", ""),
        "line 5: objects[0].primitive: a cylinder needs: radius, half_height;",
    ),
    "a size that does not belong": (("half_height", "tube_radius"), "objects[0]"),
    "a value that is missing": (("        deg_per_s: 90\n", ""), "line 9: objects[0].motion.spin.deg_per_s: is missing"),
    "a word for a number": (("frames: 5", "frames: many"), "line 1: frames: is 'many', must be a valid integer"),
    "a number out of range": (("frames: 5", "frames: 0"), "line 1: frames: is 0, must be greater than 0"),
    "a picture without width": (
        ("[48, 64]", "[48]"),
        "line 2: size: is [48], must be two positive whole numbers [height, width]",
    ),
    "a key given twice": (("frames: 5", "frames: 5\nframes: 6"), "line 2: frames: given twice; first in line 1"),
    "something that is not a mapping": (
        ("spin:\n        axis: z\n        deg_per_s: 90", "spin: 3"),
        "spin: is 3, must be a mapping",
    ),
    "a camera without a view": (
        ("    look_at: top\n", ""),
        "line 13: cameras[0]: a camera with a position must have one of: look_at",
    ),
    "a camera of two kinds": (
        ("look_at: top", "orbit: {radius: 1}"),
        "line 15: cameras[0].orbit: has position and orbit, must have only one",
    ),
    "text that is not YAML": (("[48, 64]", "[48, 64"), "not YAML"),
    "a value that is not finite": (
        ("deg_per_s: 90", "deg_per_s: .inf"),
        "objects[0].motion.spin.deg_per_s: is inf, must be a finite number",
    ),
    "a color out of range": (
        ("radius:", "material: {color: [2, 0, 0]}\n    radius:"),
        "material.color: is [2, 0, 0], must be [red, green",
    ),
    "a camera's name used twice": (
        ("cameras:\n", "cameras:\n  - {name: front, table: a.npy}\n"),
        "cameras[1] has the name 'front'",
    ),
}


def write(folder: Path, text: str) -> Path:
    path = folder / "scene.yaml"
    path.write_text(text)
    return path


def test_a_good_file_is_read_with_numbers_that_yaml_takes_for_words(tmp_path: Path) -> None:
    file = read_yaml(write(tmp_path, GOOD), SceneFile)
    assert file.objects[0].radius == 0.1
    assert file.objects[0].motion and file.objects[0].motion.spin and file.objects[0].motion.spin.axis == (0, 0, 1)
    assert file.size == (48, 64) and file.cameras[0].look_at == "top"


@pytest.mark.parametrize("case", CASES)
def test_a_fault_is_one_line_with_file_line_key_and_what_is_right(tmp_path: Path, case: str) -> None:
    (old, new), expected = CASES[case]
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(BadKeyError) as error:
        read_yaml(path, SceneFile)
    assert str(error.value).startswith(f"{path}: line ")
    assert expected in str(error.value) and "\n" not in str(error.value)


def test_several_faults_are_counted(tmp_path: Path) -> None:
    with pytest.raises(BadKeyError, match=r"\(and 1 more\)"):
        read_yaml(write(tmp_path, GOOD.replace("frames: 5", "frames: 0").replace("axis: z", "axis: q")), SceneFile)


def test_a_missing_file_and_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="scene file not found"):
        read_yaml(tmp_path / "none.yaml", SceneFile)
    assert read_yaml(write(tmp_path, ""), SceneFile).objects == ()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_marks_line_ends_and_encodings_do_not_matter(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "scene.yaml"
    path.write_text(GOOD)
    plain = read_yaml(path, SceneFile)
    path.write_bytes(GOOD.replace("\n", "\r\n").encode(encoding))
    assert read_yaml(path, SceneFile) == plain


@pytest.mark.slow
def test_aliases_that_stand_for_more_than_memory_holds_are_refused_at_once(tmp_path: Path) -> None:
    chain = "".join(f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    (tmp_path / "scene.yaml").write_text("a: &a [x, x, x, x, x, x, x, x, x]\n" + chain)
    with pytest.raises(BadKeyError, match="more than 300000 values, with what its aliases stand for"):
        read_yaml(tmp_path / "scene.yaml", SceneFile)


@pytest.mark.parametrize("deep", ["a: " + "[" * 100_000, "- " * 1000 + "x", "a: " + "{b: " * 500 + "1" + "}" * 500])
def test_what_is_nested_without_end_is_refused_before_it_is_composed(tmp_path: Path, deep: str) -> None:
    (tmp_path / "scene.yaml").write_text(deep)
    with pytest.raises(BadKeyError, match="line 1: nested more than 100 levels deep"):
        read_yaml(tmp_path / "scene.yaml", SceneFile)


@pytest.mark.parametrize(
    ("good", "huge", "says"),
    [
        ("radius: 1e-1", "radius: 1.0e+10", "radius: is 10000000000.0, must be a number up to 1e+09"),
        ("radius: 1e-1", "radius: 1.0e-300", "radius: is 1e-300, must be greater than or equal to 0.000000001"),
        ("position: [0, -1, 0]", "position: [0, -1.0e+300, 0]", "3 numbers up to 1e+09 in brackets"),
        ("deg_per_s: 90", "deg_per_s: 1.0e+300", "deg_per_s: is 1e+300, must be a number up to"),
        ("radius: 1e-1", "radius: 1e-1\n    scale: [1, 1.0e-320, 1]", "must not be zero, but of 1e-09 at least"),
        ("axis: z", "axis: [1" + "0" * 400 + ", 0, 0]", "3 numbers up to 1e+09 in brackets"),
        ("radius: 1e-1", "radius: 1e-1\n    material: {checker: {cells: [100000, 100000]}}", "which are 10000000000 cells"),
    ],
)
def test_numbers_that_no_scene_can_have_are_refused_where_they_stand(tmp_path: Path, good: str, huge: str, says: str) -> None:
    assert good in GOOD
    (tmp_path / "scene.yaml").write_text(GOOD.replace(good, huge))
    with pytest.raises(BadKeyError) as caught:
        read_yaml(tmp_path / "scene.yaml", SceneFile)
    assert says in str(caught.value)
