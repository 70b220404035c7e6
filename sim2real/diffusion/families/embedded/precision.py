"""Half precision where the hardware is fast at it: training and generation share the decision."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager

import torch


def fast_bf16(device: torch.device) -> bool:
    """Whether bfloat16 is faster than float32 there: on CUDA, and on CPUs with matrix or dot-product instructions for it."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    if device.type != "cpu":
        return False
    checks = (getattr(torch.cpu, name, None) for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"))
    return any(check is not None and check() for check in checks)


def autocast_for(device: torch.device) -> AbstractContextManager[object]:
    """Autocast to bfloat16 where that is faster, nothing elsewhere: emulated, it is ten times as slow."""
    return torch.autocast(device.type, torch.bfloat16) if fast_bf16(device) else contextlib.nullcontext()
