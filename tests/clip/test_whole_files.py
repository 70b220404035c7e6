"""Files that appear whole, or not at all."""

from __future__ import annotations

import pytest

from sim2real.clip.whole_files import whole_file


def test_a_file_appears_when_it_is_whole_and_its_folder_with_it(tmp_path):
    path = tmp_path / "new" / "file.bin"
    with whole_file(path) as partial:
        partial.write_bytes(b"half")
        assert not path.exists()
        partial.write_bytes(b"whole")
    assert path.read_bytes() == b"whole"
    assert [one.name for one in path.parent.iterdir()] == ["file.bin"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_fails_leaves_the_older_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "file.bin"
    path.write_bytes(b"older")
    with pytest.raises(error), whole_file(path) as partial:
        partial.write_bytes(b"half")
        raise error
    assert path.read_bytes() == b"older"
    assert [one.name for one in tmp_path.iterdir()] == ["file.bin"]


def test_what_fails_leaves_no_new_folder(tmp_path):
    with pytest.raises(ValueError), whole_file(tmp_path / "new" / "folder" / "file.bin") as partial:
        partial.write_bytes(b"half")
        raise ValueError
    assert not list(tmp_path.iterdir())
