from __future__ import annotations

import functools
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

from sim2real import devices
from sim2real.devices import _place_kernels, warp_ready


def test_without_a_cache_folder_kernels_are_kept_in_a_temporary_one_with_a_note(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("WARP_CACHE_PATH", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for home, falls_back in ((tmp_path, False), (Path("/dev/null/nobody"), True)):
        monkeypatch.setenv("HOME", str(home))
        config = SimpleNamespace(kernel_cache_dir=None)
        _place_kernels(config)
        assert (config.kernel_cache_dir is not None) == falls_back
        assert ("note: the cache folder cannot be written" in capsys.readouterr().err) == falls_back


def test_warp_is_initialized_once_whichever_thread_comes_first(monkeypatch):
    inside, most = [], []

    @functools.cache
    def initialize():
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.02)
        inside.pop()

    monkeypatch.setattr(devices, "_initialize", initialize)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: warp_ready(), range(32)))
    assert most == [1]
