from __future__ import annotations

import functools
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import warp as wp

from sim2real import devices
from sim2real.devices import _native_stderr_muted, _place_kernels, as_warp, frame_pool, row_threads, upload, warp_ready


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


def test_standard_error_is_heard_again_even_when_what_was_muted_fails(capfd):
    with pytest.raises(ZeroDivisionError), _native_stderr_muted():
        os.write(2, b"unheard")
        raise ZeroDivisionError
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


def test_a_process_without_standard_error_starts_warp_too(monkeypatch):
    def closed(descriptor):
        raise OSError("bad file descriptor")

    monkeypatch.setattr(os, "dup", closed)
    with _native_stderr_muted():
        inside = True
    assert inside


@pytest.mark.parametrize("make", [np.arange, torch.arange], ids=["numpy", "torch"])
def test_warp_arrays_share_the_memory_of_what_they_are_made_from(make):
    array = make(6).reshape(2, 3)
    there = as_warp(array, wp.int64)
    array[1, 2] = 70
    assert there.numpy().tolist() == [[0, 1, 2], [3, 4, 70]]


def test_uploads_are_copies_of_any_kind_of_number():
    for array, dtype in ((np.array([2**64 - 1, 3], np.uint64), wp.uint64), (np.array([2**32 - 1], np.uint32), wp.uint32)):
        there = upload(array, dtype, "cpu")
        before = array.copy()
        array[0] = 0
        assert np.array_equal(there.numpy(), before) and there.numpy().dtype == array.dtype
    vectors = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert np.array_equal(upload(vectors, wp.vec3, "cpu").numpy(), vectors)


def test_what_is_empty_becomes_one_zero_since_warp_wraps_no_empty_vectors():
    assert as_warp(torch.zeros(0, 3), wp.vec3).numpy().tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("device", ["cpu", "cuda:0"])
def test_threads_cover_every_pixel_of_a_row_once(device):
    for width in (1, 7, 640):
        (rows, threads), run = row_threads((5, width), device)
        assert rows == 5 and threads * run == width


def test_frames_are_made_by_threads_of_one_core_and_torch_has_its_own_back():
    before = torch.get_num_threads()
    with frame_pool(2) as pool:
        inside = pool.submit(lambda: (torch.get_num_threads(), threading.current_thread().name)).result()
    assert inside[0] == 1 and inside[1].startswith("frame")
    assert torch.get_num_threads() == before


def test_after_an_error_no_further_frame_is_begun():
    begun, go = [], threading.Event()

    def frame(number):
        begun.append(number)
        go.wait(10)

    with pytest.raises(ValueError, match="stop"), frame_pool(1) as pool:
        waiting = [pool.submit(frame, number) for number in range(4)]
        while not begun:
            time.sleep(0.001)
        threading.Timer(0.05, go.set).start()
        raise ValueError("stop")
    assert begun == [0] and all(future.cancelled() for future in waiting[1:])
