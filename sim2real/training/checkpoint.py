"""Checkpoints from which training goes on as if it had never stopped: safetensors and JSON, whole or absent."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..arrays import reason
from ..errors import BadValueError, UnreadableFileError
from ..text_files import read_json
from .recipe import TrainingRecipe

PREFIX = "checkpoint-"
KEPT = 2
_TENSORS = ("model", "averaged", "optimizer")
_FREE = {"stages", "cooldown", "grow"}
"""What may change in a recipe while a run goes on, as far as the steps that are done are the same."""


@dataclass(frozen=True, eq=False)
class TrainingState:
    """All that training changes."""

    model: torch.nn.Module
    averaged: dict[str, Tensor]
    optimizer: torch.optim.Optimizer


def save_checkpoint(folder: Path, step: int, state: TrainingState, recipe: TrainingRecipe) -> Path:
    """Write ``checkpoint-<step>`` under ``folder`` and drop all but the newest two."""
    target = folder / f"{PREFIX}{step:07d}"
    partial = folder / f".{target.name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    moments = state.optimizer.state_dict()["state"]
    flat = {f"{i}.{k}": v for i, entry in moments.items() for k, v in entry.items()}
    for name, tensors in zip(_TENSORS, (state.model.state_dict(), state.averaged, flat), strict=True):
        save_file({k: v.contiguous() for k, v in tensors.items()}, partial / f"{name}.safetensors")
    (partial / "state.json").write_text(json.dumps({"step": step, "recipe": recipe.model_dump(mode="json")}, indent=2))
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
    for old in sorted(folder.glob(f"{PREFIX}*"))[:-KEPT]:
        shutil.rmtree(old)
    return target


def load_checkpoint(folder: Path, state: TrainingState, recipe: TrainingRecipe) -> int:
    """Restore the newest checkpoint under ``folder`` in place; without one nothing changes.

    Returns:
        The number of steps done.

    Raises:
        BadValueError: the checkpoint belongs to another recipe.
        UnreadableFileError: it is damaged.
    """
    found = sorted(folder.glob(f"{PREFIX}*"))
    if not found:
        return 0
    newest = found[-1]
    fix = "delete this folder: training goes on from the checkpoint before it, or from the start"
    stored = read_json(newest / "state.json", what="the checkpoint", fix=fix)
    try:
        done, of = int(stored["step"]), dict(stored["recipe"])
        _check_same(of, recipe, done, newest)
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        why = f"its state.json lacks, or has in another form, {reason(error)}"
        raise UnreadableFileError(newest, what="the checkpoint", why=why, fix=fix) from error
    try:
        weights, averaged, moments = (load_file(newest / f"{name}.safetensors") for name in _TENSORS)
        _restore(state, weights, averaged, moments)
    except Exception as error:  # headers, lengths, names and shapes each have errors of their own
        raise UnreadableFileError(newest, what="the checkpoint", why=reason(error), fix=fix) from error
    return done


def _restore(
    state: TrainingState, weights: Mapping[str, Tensor], averaged: Mapping[str, Tensor], moments: Mapping[str, Tensor]
) -> None:
    """Put tensors back where they were saved from."""
    state.model.load_state_dict(weights)
    for name, value in averaged.items():
        state.averaged[name].copy_(value)
    parameters = [parameter for group in state.optimizer.param_groups for parameter in group["params"]]
    entries: dict[int, dict[str, Tensor]] = {}
    for name, value in moments.items():
        index, key = name.split(".", 1)
        like = parameters[int(index)]
        # Moments lie in memory as their parameter does: the fused optimizer walks through both side by side.
        entries.setdefault(int(index), {})[key] = torch.empty_like(like).copy_(value) if value.shape == like.shape else value
    groups = state.optimizer.state_dict()["param_groups"]
    state.optimizer.load_state_dict({"state": entries, "param_groups": groups})


def _check_same(stored: dict[str, object], recipe: TrainingRecipe, step: int, where: Path) -> None:
    """The steps that are done would be done in the same way again."""
    now = recipe.model_dump(mode="json")
    changed = sorted(k for k in {*stored, *now} - _FREE if stored.get(k) != now.get(k))
    if _done(stored["stages"], step) != _done(now["stages"], step):
        changed.append("stages that are done")
    if changed:
        raise BadValueError(
            "the recipe",
            f"another than that of the checkpoint (differs in: {', '.join(changed)})",
            right="the same, to go on (but for steps to come, cooldown and grow)",
            fix="choose another output with -o",
            where=where,
        )


def _done(stages: object, step: int) -> list[dict[str, object]]:
    """The stages up to a step, the last one cut off there."""
    done: list[dict[str, object]] = []
    for stage in stages if isinstance(stages, list) else []:
        if step <= 0:
            break
        done.append({**stage, "steps": min(stage["steps"], step)})
        step -= stage["steps"]
    return done
