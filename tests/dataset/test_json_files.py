"""JSON files of datasets."""

import json

import pytest

from sim2real.dataset.json_files import JsonList, JsonLists, write_json

ODD = 'a "name" \u00e4\n\u2028'


@pytest.mark.parametrize("count", [0, 1, 3])
def test_long_lists_are_read_back_and_leave_no_other_file(tmp_path, count):
    entries = [{"id": i, "name": ODD} for i in range(count)]
    with JsonLists(tmp_path / "a.json", ("one", "two"), {"info": {"by": ODD}}) as file:
        for entry in entries:
            file.add("two", entry)
    assert json.loads((tmp_path / "a.json").read_bytes()) == {"info": {"by": ODD}, "one": [], "two": entries}
    with JsonLists(tmp_path / "b.json", ("one",), {}) as file:
        file.add("one", 1)
    assert json.loads((tmp_path / "b.json").read_bytes()) == {"one": [1]}
    with JsonList(tmp_path / "c.json") as rows:
        for entry in entries:
            rows.add(entry)
    assert json.loads((tmp_path / "c.json").read_bytes()) == entries
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "b.json", "c.json"]


def test_an_error_leaves_no_file(tmp_path):
    with pytest.raises(RuntimeError, match="stop"), JsonLists(tmp_path / "a.json", ("one",), {}) as file:
        file.add("one", 1)
        raise RuntimeError("stop")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("data", [{}, [], {"a": [1, 2.5, ODD]}, [{"b": None}, True], {1: {"c": 2}}])
def test_plain_files_are_read_back_in_any_encoding(tmp_path, data):
    write_json(tmp_path / "a.json", data)
    assert json.loads((tmp_path / "a.json").read_text(encoding="ascii")) == json.loads(json.dumps(data))


def test_numbers_that_are_not_finite_are_refused(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", [float("nan")])
