"""A ``make_clip`` without scenes and models, for tests of everything around it.

What a clip does is in ``task``: nothing special, ``die``, ``hang``, ``broken``, ``full``, ``big`` (as large as the disk
allows), or ``slow``.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from pathlib import Path

import numpy as np

from sim2real.clip import new_folder
from sim2real.clip.record import CameraRecord, ClipRecord, SceneRecord, write_record
from sim2real.dataset.finished import Done, write_done
from sim2real.dataset.plan import Row
from sim2real.errors import MissingFileError


def make_clip(row: Row, folder: Path, device: str = "cpu", threads: int = 1) -> Done:
    """Files that depend on the row alone; or the misfortune that its task names."""
    what = row.task.split()[0] if row.task else ""
    if what == "die":
        os.kill(os.getpid(), signal.SIGSEGV)
    if what == "hang":
        signal.pause()
    if what == "broken":
        raise MissingFileError(row.scene, what="mesh")
    if what == "full":
        raise OSError(errno.ENOSPC, "No space left on device")
    with new_folder(folder) as work:  # as rendering does: killed in here, it leaves a folder of its own
        if what == "slow":
            time.sleep(0.3)
        if what == "big":
            _fill(work / "big.bin", most=64 << 20)
        (work / "noise.bin").write_bytes(np.random.default_rng(row.seed).bytes(4096))
    matrix = np.eye(4)[None]
    camera = CameraRecord(intrinsics=np.eye(3)[None], world_from_camera=matrix)
    scene = SceneRecord(path=row.scene, sha256=row.sha256)
    record = ClipRecord(scene=scene, seed=row.seed, fps=10, frames=1, size=(4, 4), cameras={"front": camera})
    write_record(folder / "clip.json", record)
    return write_done(folder, row, {"borders": row.seed % 10 / 10})


def _fill(path: Path, most: int) -> None:
    """Write until the disk is full; a disk with more room than ``most`` bytes is not what the test is about."""
    with open(path, "wb", buffering=0) as file:
        for _ in range(most >> 16):
            file.write(bytes(1 << 16))
    raise AssertionError("the disk is too large")
