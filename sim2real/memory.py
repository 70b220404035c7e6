"""How much memory there is, asked before something large is made; and giving back what is free."""

from __future__ import annotations

import ctypes
import os
import resource


def memory_bytes() -> int:
    """What this process may hold at most: the machine's memory, or the limit that was set for it."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return machine if limit == resource.RLIM_INFINITY else min(machine, limit)


def give_back() -> None:
    """Return freed memory to the system: glibc keeps what the largest job so far has taken, in pieces, for ever."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:  # glibc alone has it
        trim(0)
