"""A process that makes clips, one after the other, and may die or hang without harm to the one that asks."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from .attempts import Ending
from .plan import Row

_START_S = 300.0
"""How long a new process may take to load its packages."""


@dataclass(frozen=True)
class Answer:
    """How a try ended, and why if not well."""

    ending: Ending
    reason: str = ""


class Worker:
    """A child process with models and scenes loaded once.

    It ends when this process does, however that ends. Started when first asked, and again after it died.

    Args:
        threads: cores that it may use.
        device: ``cpu`` or ``cuda``.
        log: a file that takes what it and its libraries print.
    """

    def __init__(self, *, threads: int = 1, device: str = "cpu", log: Path | None = None) -> None:
        """No process is started yet."""
        self._threads, self._device, self._log = threads, device, log
        self._process: subprocess.Popen[bytes] | None = None
        self._starter = ThreadPoolExecutor(1, "starter")  # a child that dies with its parent dies with the thread that made it
        self._answers = -1
        self._rest = b""

    def ask(self, row: Row, folder: Path, limit_s: float) -> Answer:
        """Have a clip made in a folder that is not there yet.

        Args:
            row: what to make.
            folder: where.
            limit_s: seconds after which the process is killed.
        """
        doing, limit = "loaded its packages", _START_S
        try:
            process = self._process
            if process is None or process.poll() is not None:
                process = self._start()
                if self._line(limit) is None:
                    return self._died(doing)
            doing, limit = "made the clip", limit_s
            request = {"row": row.to_json(), "folder": str(folder), "device": self._device, "threads": self._threads}
            assert process.stdin is not None
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            answer = self._line(limit)
        except BrokenPipeError:
            return self._died(doing)
        except TimeoutError:
            self.close()
            return Answer("timeout", f"it was killed while it {doing}, after {limit:g} s (limit_s)")
        except BaseException:  # an interrupt: what it does is of no use any more
            self.close()
            raise
        return self._died(doing) if answer is None else Answer(answer["ending"], answer["reason"])

    def close(self) -> None:
        """End the process, whatever it does."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            process.kill()
        process.wait()
        if process.stdin is not None:
            try:
                process.stdin.close()
            except BrokenPipeError:
                pass
        os.close(self._answers)

    def __enter__(self) -> Worker:
        """The worker itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End the process."""
        self.close()

    def _start(self) -> subprocess.Popen[bytes]:
        self.close()
        self._answers, theirs = os.pipe()
        self._rest = b""
        threads = {name: str(self._threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
        out: Any = subprocess.DEVNULL if self._log is None else open(self._log, "ab")  # noqa: SIM115
        try:
            self._process = self._starter.submit(
                subprocess.Popen,
                [sys.executable, "-m", "sim2real.dataset.serve", str(theirs), str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                pass_fds=(theirs,),
                start_new_session=True,
                env={**os.environ, **threads},
            ).result()
        finally:
            os.close(theirs)
            if out is not subprocess.DEVNULL:
                out.close()
        return self._process

    def _line(self, limit_s: float) -> dict[str, Any] | None:
        """The next answer; ``None`` if the process ended instead.

        Raises:
            TimeoutError: neither came in time.
        """
        until = time.monotonic() + limit_s
        while b"\n" not in self._rest:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self._answers], [], [], left)[0]:
                raise TimeoutError
            data = os.read(self._answers, 65536)
            if not data:
                return None
            self._rest += data
        line, self._rest = self._rest.split(b"\n", 1)
        return json.loads(line)

    def _died(self, doing: str) -> Answer:
        """What the process's end says."""
        process = self._process
        code = None
        if process is not None:
            try:
                code = process.wait(5)
            except subprocess.TimeoutExpired:
                code = None
        self.close()
        return Answer("crashed", f"its process died while it {doing}: {_ending(code)}")


def _ending(code: int | None) -> str:
    if code is None:
        return "it closed its pipe"
    if code >= 0:
        return f"exit code {code}"
    name = signal.Signals(-code).name
    return f"{name}, most often for want of memory" if name == "SIGKILL" else name
