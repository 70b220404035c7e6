"""What any recording is read through: topics, and the messages of those that are wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from ....errors import UnreadableFileError

WHAT = "recording"
Window = tuple[int, int] | None
"""Nanoseconds between which messages were logged, the last left out; ``None``: all."""


@dataclass(frozen=True)
class Topic:
    """Where messages of one kind were published.

    - ``kind``: the message's name in ROS 2 (``sensor_msgs/msg/JointState``) or Foxglove (``foxglove.SceneUpdate``).
    - ``encoding``: how its messages are written: cdr, ros1, protobuf, json, or what is not read.
    - ``schema``: of protobuf messages, what says how they are laid out.
    """

    name: str
    kind: str
    encoding: str
    schema: object = field(default=None, compare=False, repr=False)


Message = tuple[Topic, int, bytes]
"""Its topic, when it was logged, in nanoseconds, and its bytes."""
Wanted = Callable[[Topic], bool]


@runtime_checkable
class Recording(Protocol):
    """A file, or several that follow each other."""

    @property
    def path(self) -> Path:
        """The file or folder."""
        ...

    @property
    def topics(self) -> set[Topic]:
        """All that are known; complete once messages have been read."""
        ...

    @property
    def notes(self) -> list[str]:
        """What was damaged, once messages have been read."""
        ...

    def began(self) -> int:
        """When its first message was logged, in nanoseconds; 0 if there is none."""
        ...

    def messages(self, wanted: Wanted, window: Window) -> Iterator[Message]:
        """The messages of some topics, in any order.

        Raises:
            UnreadableFileError: it is damaged so that nothing can be read.
        """
        ...


def kind_of(name: str) -> str:
    """The name of a kind of message in one spelling: ROS 1 leaves out what ROS 2 has in the middle."""
    package, slash, message = name.partition("/")
    return f"{package}/msg/{message}" if slash and "/" not in message else name


def broken(path: Path, why: str, fix: str = "copy it again") -> UnreadableFileError:
    """A recording that cannot be read."""
    return UnreadableFileError(path, what=WHAT, why=why, fix=fix)


@dataclass
class Joined:
    """The files of one recording."""

    path: Path
    files: list[Recording]

    @property
    def topics(self) -> set[Topic]:
        """Those of all files."""
        return set[Topic]().union(*(file.topics for file in self.files))

    @property
    def notes(self) -> list[str]:
        """Those of all files, with their names."""
        return [f"{file.path.name}: {note}" for file in self.files for note in file.notes]

    def began(self) -> int:
        """The first of all files' beginnings."""
        return min(file.began() for file in self.files)

    def messages(self, wanted: Wanted, window: Window) -> Iterator[Message]:
        """Those of all files, one after the other."""
        for file in self.files:
            yield from file.messages(wanted, window)
