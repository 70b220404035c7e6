from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from sim2real.devices import _place_kernels


def test_without_a_cache_folder_kernels_are_kept_in_a_temporary_one_with_a_note(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("WARP_CACHE_PATH", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for home, falls_back in ((tmp_path, False), (Path("/dev/null/nobody"), True)):
        monkeypatch.setenv("HOME", str(home))
        config = SimpleNamespace(kernel_cache_dir=None)
        _place_kernels(config)
        assert (config.kernel_cache_dir is not None) == falls_back
        assert ("note: the cache folder cannot be written" in capsys.readouterr().err) == falls_back
