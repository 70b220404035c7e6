"""A dataset's folder: what is planned in it, run, looked up, tried again, merged and checked."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from ..clip import readable_write_errors
from ..clip.whole_files import whole_file
from ..errors import BadValueError, MissingFileError, Sim2RealError
from .config import DatasetConfig, read_config
from .finished import files_of, read_done
from .first_look import look_at_scenes
from .ledger import gather, write_ledger
from .locks import held
from .page import write_page
from .plan import Row, make_plan, read_plan, write_plan
from .run_clip import Places, StatusRow

CONFIG = "config.yaml"


def open_dataset(root: Path) -> tuple[DatasetConfig, tuple[Row, ...]]:
    """The configuration and the plan of a dataset's folder.

    Raises:
        MissingFileError: it is no dataset's folder.
        UnreadableFileError: its plan is damaged.
    """
    if not (root / CONFIG).is_file():
        raise MissingFileError(root / CONFIG, what="dataset", fix="make one with: sim2real dataset CONFIG -o DIR")
    return read_config(root / CONFIG), read_plan(Places(root).plan)


def plan_into(config_path: Path, root: Path) -> tuple[DatasetConfig, tuple[Row, ...]]:
    """Plan a dataset and keep plan and configuration in its folder; a plan that is there may grow, or vary formats and gate.

    Raises:
        BadValueError: the folder holds something else, or clips that the new plan does not have.
        Sim2RealError: the configuration is wrong.
    """
    config = read_config(config_path)
    rows = make_plan(config, config_path.absolute().parent)
    places = Places(root)
    if not places.plan.is_file():
        look_at_scenes(rows)
    if root.exists() and not root.is_dir():
        raise BadValueError("the output", root, right="a folder or a new name", fix="choose another with -o")
    if root.is_dir() and not places.plan.is_file() and any(not path.name.startswith(".") for path in root.iterdir()):
        raise BadValueError("the output", root, right="a dataset, an empty folder or a new name", fix="choose another with -o")
    with readable_write_errors(root), held(places.lock, wait=True):
        if places.plan.is_file():
            _check_grows(read_plan(places.plan), rows, root)
        write_plan(places.plan, rows)
        places.clips.mkdir(exist_ok=True)
        if config_path.absolute() != (root / CONFIG).absolute():
            with whole_file(root / CONFIG) as work:
                shutil.copyfile(config_path, work)
    return config, rows


def _check_grows(before: Sequence[Row], now: Sequence[Row], root: Path) -> None:
    """Refuse a plan that would leave clips of the folder behind."""
    planned = {row.clip_id for row in now}
    lost = [row.clip_id for row in before if row.clip_id not in planned and (Places(root).clips / row.clip_id).is_dir()]
    if lost:
        received = f"without {len(lost)} of the clips that {root} holds, such as {lost[0]}"
        raise BadValueError("the plan", received, right="one that keeps them", fix="choose another folder with -o")


def ledger_of(rows: Sequence[Row], root: Path) -> tuple[StatusRow, ...]:
    """What became of all clips, also written to ``ledger.parquet`` and ``report.html``."""
    statuses = gather(rows, root)
    with readable_write_errors(root):
        write_ledger(Places(root).ledger, statuses)
        write_page(rows, statuses, root)
    return statuses


def forget_failures(rows: Sequence[Row], root: Path) -> int:
    """Let every clip that failed or was quarantined be tried anew; returns how many."""
    places, again = Places(root), 0
    for status in gather(rows, root):
        if status.status in ("failed", "quarantined"):
            places.attempts(status.clip_id).forget()
            folder = places.clips / status.clip_id
            if folder.is_symlink() or folder.is_file():
                folder.unlink()
            elif _damaged(folder):
                shutil.rmtree(folder)
            again += 1
    return again


def _damaged(folder: Path) -> bool:
    try:
        return folder.is_dir() and read_done(folder) is None
    except Sim2RealError:
        return True


def check_dataset(rows: Sequence[Row], root: Path, tell: Callable[[int, int], None]) -> list[str]:
    """What is wrong with the finished clips: files that lack, are new, or are not what was written.

    Args:
        rows: the plan.
        root: the dataset's folder.
        tell: called with how many clips are checked, and of how many.

    Returns:
        One line per fault.
    """
    faults = []
    for number, row in enumerate(rows):
        folder = Places(root).clips / row.clip_id
        if folder.is_dir():
            faults += [f"{row.clip_id}: {what}" for what in _faults_of(folder)]
        tell(number + 1, len(rows))
    return faults


def _faults_of(folder: Path) -> list[str]:
    try:
        done = read_done(folder)
    except Sim2RealError as error:
        return [str(error)]
    if done is None:
        return ["done.json is missing"]
    there = {path.relative_to(folder).as_posix(): path for path in files_of(folder)}
    found = [f"{name} is missing" for name in done.sha256 if name not in there]
    found += [f"{name} does not belong to it" for name in there if name not in done.sha256]
    for name, wanted in done.sha256.items():
        if name in there and hashlib.sha256(there[name].read_bytes()).hexdigest() != wanted:
            found.append(f"{name} has changed since it was written")
    return found


def counts(statuses: Sequence[StatusRow], total: int) -> str:
    """How many clips are what, in words."""
    number = Counter(status.status for status in statuses)
    waiting = total - sum(number.values())
    parts = [f"{number[name]} {name}" for name in ("ok", "set aside", "failed", "quarantined", "busy") if number[name]]
    return ", ".join([*parts, *([f"{waiting} not tried yet"] if waiting else [])]) or "no clips"
