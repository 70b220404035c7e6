"""Whatever recordings hold, a whole scene comes of them, or one line that says what is wrong; what is whole of them is read."""

from __future__ import annotations

import random
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim2real.errors import UnreadableFileError
from sim2real.scene import load

from ...mutations import changed, check_scene, damaged, fuzzed, read_or_refused

pytest.importorskip("rosbags")

from .bag_files import K, Said, Words, json_mcap, mcap_of, ns, of_arm, ros1, ros2
from .test_bag import TOY
from .urdf_robots import arm

SECONDS = np.arange(4) / 20


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def said_of(words: Words) -> list[Said]:
    """A bit of everything."""
    found = of_arm(words, SECONDS, SECONDS, TOY)
    for time in SECONDS.tolist():
        found.append(("/joint_states", ns(time), words.joints(ns(time), j=time)))
        found.append(("/tf", ns(time), words.transforms((ns(time), "map", "root", np.eye(4)))))
        if not words.one:
            found.append(("/markers", ns(time), words.marker(ns(time), "map", 1, 1, np.eye(4))))
    return [*found, ("/tf_static", ns(0), words.transforms((0, "tip", "camera_optical_frame", np.eye(4))))]


def whole(place: Path, kind: str) -> Path:
    """A recording, made once."""
    path = place / f"whole.{kind}"
    if not path.exists():
        made = place / f"made-{kind}"
        if kind == "bag":
            return ros1(path, said_of(Words(one=True)))
        folder = ros2(made, said_of(Words()), "mcap" if kind == "mcap" else "sqlite3")
        shutil.copyfile(next(folder.glob(f"*.{kind}")), path)
    return path


@pytest.mark.parametrize("kind", ["mcap", "db3", "bag"])
def test_the_files_that_are_damaged_here_are_whole_before(kind, place):
    scene = load(whole(place, kind))
    check_scene(scene)
    assert scene.frames == 4 and scene.cameras[0].name == "wrist" and not any("damaged" in note for note in scene.notes)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mcap", "db3", "bag"])
@fuzzed(25)
def test_recordings_with_damaged_bytes(place, kind, rng):
    path = place / f"damaged.{kind}"
    path.write_bytes(damaged(whole(place, kind).read_bytes(), rng))
    read_or_refused(lambda: load(path), check_scene)


@pytest.mark.slow
@fuzzed(25)
def test_messages_with_damaged_bytes(place, rng):
    path = place / "messages.db3"
    shutil.copyfile(whole(place, "db3"), path)
    with sqlite3.connect(path) as held:
        rows = held.execute("SELECT id, data FROM messages").fetchall()
        for number, data in rng.sample(rows, 3):
            held.execute("UPDATE messages SET data = ?, timestamp = ? WHERE id = ?", (damaged(data, rng), _odd(rng), number))
    held.close()
    read_or_refused(lambda: load(path), check_scene)


def _odd(rng: random.Random) -> Any:
    return rng.choice([ns(0.1), ns(0.1), 0, -1, 2**62, 2**63 - 1, "x", 1.5])


def plain(second: int) -> list[tuple[str, str, int, Any]]:
    stamp, turn = {"sec": second, "nsec": 0}, {"x": 0.0, "y": 0.0, "z": 0.0, "w": 1.0}
    pose = {"position": {"x": 0.0, "y": 0.0, "z": 0.0}, "orientation": turn}
    transform = {"timestamp": stamp, "parent_frame_id": "world", "child_frame_id": "eye", "rotation": turn}
    transform |= {"translation": {"x": 1.0, "y": 0.0, "z": float(second)}}
    camera = {"timestamp": stamp, "frame_id": "eye", "width": 64, "height": 48, "distortion_model": "plumb_bob"}
    camera |= {"D": [0.1, 0.0, 0.0, 0.0], "K": list(K), "R": [], "P": [*K[:3], 0, *K[3:6], 0, *K[6:], 0]}
    cube = {"pose": pose, "size": {"x": 1.0, "y": 1.0, "z": 1.0}, "color": {"r": 1.0, "g": 0.0, "b": 0.0, "a": 1.0}}
    entity = {"timestamp": stamp, "frame_id": "world", "id": "a", "lifetime": {"sec": 0, "nsec": 0}, "cubes": [cube]}
    return [
        ("/tf", "foxglove.FrameTransforms", second * 10**9, {"transforms": [transform]}),
        ("/front/calibration", "foxglove.CameraCalibration", second * 10**9, camera),
        ("/scene", "foxglove.SceneUpdate", second * 10**9, {"deletions": [], "entities": [entity]}),
    ]


@fuzzed(40)
def test_messages_with_other_entries(place, rng):
    said = [one for second in range(1, 4) for one in plain(second)]
    for number in rng.sample(range(len(said)), 2):
        topic, schema, time, message = said[number]
        said[number] = topic, schema, time, changed(message, rng)
    path = json_mcap(place / "other.mcap", said)
    read_or_refused(lambda: load(path), check_scene)


# what is left of a recording


def test_what_was_written_before_a_recording_was_cut_off_is_read(place):
    path = place / "cut.mcap"
    said = [one for second in range(1, 200) for one in plain(second)]
    data = json_mcap(place / "long.mcap", said, chunk_size=4096).read_bytes()
    assert load(place / "long.mcap").frames == 199
    path.write_bytes(data[: len(data) // 2])
    scene = load(path)
    assert 40 < scene.frames < 160
    assert any("is cut off or damaged: the" in note and "messages before that were read" in note for note in scene.notes)
    path.write_bytes(data[:40])
    with pytest.raises(UnreadableFileError, match="cut off or damaged before its first message"):
        load(path)


def test_a_damaged_chunk_is_left_out_with_a_note(place):
    said = [one for second in range(1, 200) for one in plain(second)]
    data = bytearray(json_mcap(place / "chunks.mcap", said, chunk_size=4096).read_bytes())
    middle = len(data) // 3
    data[middle : middle + 64] = bytes(64)
    (place / "chunks.mcap").write_bytes(bytes(data))
    scene = load(place / "chunks.mcap")
    assert 150 < scene.frames < 199 and any("chunks are damaged and were left out" in note for note in scene.notes)


def test_only_the_chunks_that_hold_what_is_wanted_are_read(place, monkeypatch):
    from sim2real.scene.readers.bag import mcap_file

    said = [one for second in range(1, 100) for one in plain(second)]
    said += [("/other", "Other", t, {"x": "y" * 500}) for t in range(200)]
    path = json_mcap(place / "mixed.mcap", said, chunk_size=4096)
    held = 0

    def counted(chunk, where, of=mcap_file._records_in):
        nonlocal held
        records = list(of(chunk, where))
        held += sum(b"yyy" in getattr(record, "data", b"") for record in records)
        return records

    monkeypatch.setattr(mcap_file, "_records_in", counted)
    assert load(path).frames == 99 and held < 20


@pytest.mark.parametrize("compression", ["NONE", "LZ4", "ZSTD"])
def test_all_compressions_are_read_and_unknown_ones_refused(compression, place):
    from mcap.writer import CompressionType

    said = [one for second in range(1, 4) for one in plain(second)]
    path = json_mcap(place / f"{compression}.mcap", said, compression=CompressionType[compression])
    assert load(path).frames == 3
    if compression != "NONE":
        path.write_bytes(
            path.read_bytes().replace(b"\x03\0\0\0lz4", b"\x03\0\0\0abc").replace(b"\x04\0\0\0zstd", b"\x04\0\0\0abcd")
        )
        with pytest.raises(UnreadableFileError, match="its chunks are compressed by 'abcd?', must be zstd, lz4 or none"):
            load(path)


def test_a_chunk_that_claims_to_be_huge_is_not_unpacked(place):
    import struct
    import zlib

    import zstandard

    said = [one for second in range(1, 4) for one in plain(second)]
    data = json_mcap(place / "bomb.mcap", said, chunk_size=1 << 22).read_bytes()
    start = data.index(b"\x04\0\0\0zstd")
    bomb = zstandard.compress(bytes(1 << 28))
    head = data[: start - 20]
    body = struct.pack("<QI", 1 << 40, zlib.crc32(b"")) + b"\x04\0\0\0zstd" + struct.pack("<Q", len(bomb)) + bomb
    chunk = head[-16:] + body
    (place / "bomb.mcap").write_bytes(data[: start - 28 - 9] + b"\x06" + struct.pack("<Q", len(chunk)) + chunk)
    said_of_it = read_or_refused(lambda: load(place / "bomb.mcap"))
    assert said_of_it is not None and "bomb.mcap" in said_of_it


def test_folders_of_compressed_files_or_of_none_say_what_to_do(place):
    folder = place / "packed"
    folder.mkdir()
    (folder / "metadata.yaml").write_text("")
    with pytest.raises(UnreadableFileError, match="its folder holds no .mcap or .db3 file"):
        load(folder)
    (folder / "run.db3.zstd").write_bytes(b"")
    with pytest.raises(UnreadableFileError, match="unpack them with: zstd -d run.db3.zstd"):
        load(folder)


def test_the_parts_of_a_recording_are_one(place):
    words = Words()
    arm(place)
    said = of_arm(words, SECONDS, SECONDS)
    folder = ros2(place / "parts", said[:3])
    shutil.copyfile(mcap_of(place / "rest", said[3:]), folder / "parts_1.mcap")
    assert np.array_equal(load(folder).world_from_instance, load(mcap_of(place / "all", said)).world_from_instance)
