"""Checkpoints from which training goes on as if it had never stopped: safetensors and JSON, whole or absent."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..errors import BadValueError

PREFIX = "checkpoint-"
KEPT = 2


def save_checkpoint(
    folder: Path,
    step: int,
    model: torch.nn.Module,
    averaged: dict[str, Tensor],
    optimizer: torch.optim.Optimizer,
    recipe: dict[str, object],
) -> Path:
    """Write ``checkpoint-<step>`` under ``folder`` and drop all but the newest two."""
    target = folder / f"{PREFIX}{step:07d}"
    partial = folder / f".{target.name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, partial / "model.safetensors")
    save_file(averaged, partial / "averaged.safetensors")
    state = optimizer.state_dict()["state"]
    save_file({f"{i}.{k}": v for i, entry in state.items() for k, v in entry.items()}, partial / "optimizer.safetensors")
    (partial / "state.json").write_text(json.dumps({"step": step, "recipe": recipe}, indent=2))
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
    for old in sorted(folder.glob(f"{PREFIX}*"))[:-KEPT]:
        shutil.rmtree(old)
    return target


def load_checkpoint(
    folder: Path,
    model: torch.nn.Module,
    averaged: dict[str, Tensor],
    optimizer: torch.optim.Optimizer,
    recipe: dict[str, object],
) -> int:
    """Restore the newest checkpoint under ``folder`` in place; without one nothing changes.

    Returns:
        The number of steps done.

    Raises:
        BadValueError: the checkpoint belongs to another recipe.
    """
    found = sorted(folder.glob(f"{PREFIX}*"))
    if not found:
        return 0
    newest = found[-1]
    state = json.loads((newest / "state.json").read_text())
    if state["recipe"] != json.loads(json.dumps(recipe)):
        changed = sorted(
            k for k in {*state["recipe"], *recipe} if state["recipe"].get(k) != json.loads(json.dumps(recipe.get(k)))
        )
        raise BadValueError(
            "the recipe",
            f"another than that of the checkpoint (differs in: {', '.join(changed)})",
            right="the same, to go on",
            mend="choose another output with -o",
            where=newest,
        )
    model.load_state_dict(load_file(newest / "model.safetensors"))
    for name, value in load_file(newest / "averaged.safetensors").items():
        averaged[name].copy_(value)
    entries: dict[int, dict[str, Tensor]] = {}
    for name, value in load_file(newest / "optimizer.safetensors").items():
        index, key = name.split(".", 1)
        entries.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({"state": entries, "param_groups": optimizer.state_dict()["param_groups"]})
    return int(state["step"])
