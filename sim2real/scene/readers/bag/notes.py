"""What is to be said of a recording: what was left out of it, in what disorder it was, and when nothing was recorded."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..urdf.motion import listed
from .contents import IMAGES, Contents, is_scene
from .keys import Series, gap_note
from .recording import Recording

_MOST_GAPS = 4
_APART_S = 60


def notes_of(contents: Contents, recording: Recording) -> list[str]:
    """Everything, as sentences."""
    notes = list(recording.notes)
    notes += [f"{count} times left out, of {what}" for what, count in contents.refused.most_common(8)]
    if contents.shown.left_out:
        notes.append(f"markers that are no surfaces were left out: {listed(contents.shown.left_out)}")
    if contents.apart and (apart := float(np.median(contents.apart)) * 1e-9) > _APART_S:
        notes.append(f"stamps are {apart:.3g} s from when messages were recorded; --clock log takes the latter")
    notes += _disorder(contents)
    notes += _gaps(contents)
    return [*notes, *_unused(recording)]


def _series(contents: Contents) -> Iterator[tuple[str, Series]]:
    """Everything that goes on over time, by what it is called."""
    for topic, joints in contents.joints.items():
        if joints:
            yield topic, max(joints.values(), key=lambda series: len(series.times))
    for (space, child), poses in contents.moving.items():
        yield f"the transform of {space + '/' if space else ''}{child}", poses
    for topic, log in contents.cameras.items():
        yield topic, log.numbers


def _disorder(contents: Contents) -> list[str]:
    found = [(name, *series.disorder) for name, series in _series(contents)]
    early = [f"{name} ({count})" for name, count, _ in found if count]
    twice = [f"{name} ({count})" for name, _, count in found if count]
    notes = [f"messages that came late were put in order: {listed(early)}"] if early else []
    return notes + ([f"times that are there twice, of which the last message counts: {listed(twice)}"] if twice else [])


def _gaps(contents: Contents) -> list[str]:
    series = [(name, np.unique(np.array(one.times, np.int64))) for name, one in _series(contents) if len(one.times) > 2]
    origin = min((int(times[0]) for _, times in series), default=0)
    notes = [note for name, times in series if (note := gap_note(name, times, origin)) is not None]
    more = len(notes) - _MOST_GAPS
    return notes[:_MOST_GAPS] + ([f"{more} more transforms or topics have such gaps"] if more > 0 else [])


def _unused(recording: Recording) -> list[str]:
    """Topics of which nothing is read."""
    others = [topic for topic in recording.topics if not is_scene(topic) and topic.kind not in IMAGES]
    told = [f"{t.name} ({t.kind or t.encoding or 'of no kind'})" for t in others]
    return [f"topics that were not used: {listed(sorted(told))}"] if told else []
