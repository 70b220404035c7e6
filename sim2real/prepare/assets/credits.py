"""Licenses of what is borrowed, as the packages state them, for the card of a model that was trained on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Credit:
    """Who made what, and under which license."""

    what: str
    authors: str
    license: str
    source: str


LIGHT = (
    Credit("18 environment maps", "Poly Haven", "CC0 1.0", "npm @pmndrs/assets 1.7.0, hdri"),
    Credit("8 environment maps", "Poly Haven", "CC0 1.0", "Debian blender-data 3.4.1, studiolights/world"),
)

SUBSETS = {
    "BlendSwap-CC-0": ("CC0 1.0", "Blend Swap models, cleaned by Emmanuel Puybaret"),
    "BlendSwap-CC-BY": ("CC-BY 3.0", "Blend Swap models, cleaned by Emmanuel Puybaret"),
    "KatorLegaz": ("CC-BY 3.0 US", "models by Kator Legaz"),
    "Scopia": ("CC-BY 3.0", "models by Scopia"),
}
"""The sets of models that are taken, by the names of their files, and their licenses."""


def attributions(models: Iterable[tuple[str, str, str]]) -> tuple[Credit, ...]:
    """One line for every license, naming all authors.

    Args:
        models: (name of the set, name of the model, its author) of all models and surfaces that may be used.
    """
    authors: dict[str, set[str]] = {subset: set() for subset in SUBSETS}
    for subset, _, author in models:
        authors[subset].add(author)
    lines = []
    for subset, (license, about) in SUBSETS.items():
        if authors[subset]:
            names = ", ".join(sorted(authors[subset], key=str.lower))
            lines.append(Credit(about, names, license, f"Debian sweethome3d-furniture 1.8, {subset}.sh3f"))
    return (*LIGHT, *lines)
