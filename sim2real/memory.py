"""How much memory there is, asked before something large is made."""

from __future__ import annotations

import os
import resource


def memory_bytes() -> int:
    """What this process may hold at most: the machine's memory, or the limit that was set for it."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return machine if limit == resource.RLIM_INFINITY else min(machine, limit)
