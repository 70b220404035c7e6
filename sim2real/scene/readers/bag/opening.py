"""Which recording a path is: a file by its suffix, or a folder of rosbag2 with the files in it."""

from __future__ import annotations

from pathlib import Path

from ....errors import BadValueError
from ....file_order import in_order
from .mcap_file import McapFile
from .recording import Joined, Recording, broken
from .ros_files import Ros1Bag, SqliteFile

SUFFIXES = (".mcap", ".db3", ".bag")
_COMPRESSED = ".zstd"


def recording_of(path: Path) -> Recording:
    """The recording of a file or a folder; nothing is read yet.

    Raises:
        UnreadableFileError: a folder holds no file of a recording, or compressed ones.
    """
    if path.is_dir():
        return _folder(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadValueError("the kind of recording", repr(path.suffix), right=f"one of {', '.join(SUFFIXES)}", where=path)
    return {".mcap": McapFile, ".db3": SqliteFile, ".bag": Ros1Bag}[suffix](path)


def _folder(path: Path) -> Recording:
    found = in_order(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES[:2])
    packed = sorted(file.name for file in path.iterdir() if file.suffix.lower() == _COMPRESSED)
    if not found:
        why, fix = "its folder holds no .mcap or .db3 file", "copy it again"
        if packed:
            why, fix = f"its files are compressed ({packed[0]})", f"unpack them with: zstd -d {packed[0]}"
        raise broken(path, why, fix)
    return Joined(path, [recording_of(file) for file in found])
