"""The other end of :class:`.worker.Worker`: reads rows from standard input, makes clips, answers on a pipe."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
import threading
import traceback
from pathlib import Path
from queue import SimpleQueue

_PR_SET_PDEATHSIG = 1


def _die_with(parent: int) -> None:
    """End when the process that asks ends, even where it is killed."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _requests(lines: SimpleQueue[bytes]) -> None:
    """Hand on what is asked; an end of input ends everything, in the middle of a clip too."""
    for line in sys.stdin.buffer:
        lines.put(line)
    os._exit(0)


def serve(answers: int, parent: int) -> None:
    """Answer until standard input ends.

    Args:
        answers: file descriptor to which one line of JSON per request is written.
        parent: the process that asks.
    """
    _die_with(parent)
    lines: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_requests, args=(lines,), daemon=True).start()
    from ..memory import give_back
    from .make_clip import make_clip
    from .plan import Row

    def answer(ending: str, reason: str = "") -> None:
        os.write(answers, json.dumps({"ending": ending, "reason": reason}).encode() + b"\n")

    answer("ready")
    while True:
        request = json.loads(lines.get())
        try:
            make_clip(Row.of_json(request["row"]), Path(request["folder"]), request["device"], request["threads"])
        except Exception as error:
            with contextlib.suppress(OSError):  # the log may be on the disk that is full
                traceback.print_exc()
            answer("failed", _reason(error))
        else:
            answer("ok")
        give_back()


def _reason(error: Exception) -> str:
    """One line: what our own errors say, or the kind of error and where it came from."""
    from ..errors import Sim2RealError

    text = " ".join(str(error).split())
    if isinstance(error, Sim2RealError):
        return text
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {text} ({Path(frame.filename).name}:{frame.lineno}; the traceback is in the log)"


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
