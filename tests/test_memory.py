"""Memory that is free again goes back to the system."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from sim2real.memory import give_back, memory_bytes


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="Linux alone says what is resident")
def test_what_many_small_arrays_took_is_given_back():
    give_back()
    before = resident_bytes()
    held = [np.ones(4000) for _ in range(6000)]  # 32 kB each: glibc keeps such pieces
    last = held[-1]
    grown = resident_bytes() - before
    del held
    give_back()
    assert grown > 150e6
    assert resident_bytes() - before < 0.3 * grown
    assert last[0] == 1


def test_a_machine_has_memory():
    assert memory_bytes() > 1e8
