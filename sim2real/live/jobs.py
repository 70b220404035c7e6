"""Work that several threads share, of which the one that waits for it is one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from ..devices import one_torch_thread

T = TypeVar("T")


class Job(Generic[T]):
    """Something to be done once, by whoever comes first: a thread of a pool, or the one that needs the result.

    So nobody waits for what nobody does, and no more threads work than there are.

    Args:
        work: what is to be done, on one thread; it waits for no other job.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work, self._begun, self._future = work, threading.Lock(), Future[T]()

    def run(self) -> None:
        """Do it, unless it is done or being done."""
        if not self._begun.acquire(blocking=False):
            return
        try:
            with one_torch_thread():
                made = self._work()
        except BaseException as error:
            self._future.set_exception(error)
            if not isinstance(error, Exception):
                raise
        else:
            self._future.set_result(made)

    def result(self) -> T:
        """What came of it, or what went wrong."""
        self.run()
        return self._future.result()
