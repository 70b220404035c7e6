"""Which families of video models there are. A new one is a module of this package and a line in ``MODULES``."""

from __future__ import annotations

import importlib
from pathlib import Path

from ...errors import BadValueError, UnknownNameError, UnreadableFileError
from ...noise.layout import NoiseLayout
from ..family import ModelFamily, pipeline_class

MODULES = (
    "embedded.family",
    "wan",
    "cogvideox",
    "animatediff",
    "text_to_video",
    "stable_video",
    "text2video_zero",
    "cosmos",
    "cosmos3",
    "hunyuan",
    "ltx",
    "sana_video",
)
"""Modules of this package that have ``FAMILIES``; they load no torch and no diffusers until a model runs."""

USUAL = "embedded"
"""The family of the model that ships with the package."""


def families() -> dict[str, ModelFamily]:
    """All families by name."""
    modules = [importlib.import_module(f".{name}", __package__) for name in MODULES]
    return {family.name: family for module in modules for family in module.FAMILIES}


def family_of(model: str | Path | None) -> ModelFamily:
    """The family of a model: a family's name, a hub id, or a folder that a family recognizes.

    Args:
        model: None is the model that ships with the package.

    Raises:
        UnknownNameError: none of these; the message lists the names and the hub ids.
        BadValueError: the folder's pipeline is of no family; the message says how to add one.
        UnreadableFileError: the folder holds no model, or its ``model_index.json`` is damaged.
    """
    known = families()
    name = USUAL if model is None else str(model)
    if name in known:
        return known[name]
    folder = Path(name)
    for family in known.values():
        if folder.is_dir() and family.recognizes(folder):
            return family
    if (pipeline := pipeline_class(folder)) is not None:
        fix = "a family is one module and a line: CONTRIBUTING.md, 'A family of models'"
        raise BadValueError("the pipeline class", pipeline, right="that of a family (sim2real families)", fix=fix, where=folder)
    for family in known.values():
        if name.lower() in (hub_id.lower() for hub_id in family.hub_ids):
            return family
    if folder.is_dir():
        why = "it has no model_index.json, as models of diffusers have, and sim2real train did not make it"
        raise UnreadableFileError(folder, what="the model", why=why, fix="pass the folder that holds the model's files")
    valid = [*known, *(hub_id for family in known.values() for hub_id in family.hub_ids)]
    raise UnknownNameError(name, valid, what="model")


def layout_for(model: str | Path | None) -> NoiseLayout:
    """How a model wants its noise laid out; see :func:`family_of` for what ``model`` may be."""
    return family_of(model).layout
