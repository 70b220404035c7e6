"""What things are made of, as far as pictures tell: the words that materials, looks and training clips share."""

from __future__ import annotations

MATERIAL_KINDS = (
    "unknown",
    "wood",
    "metal",
    "plastic",
    "rubber",
    "paint",
    "plaster",
    "tile",
    "stone",
    "ceramic",
    "glass",
    "cloth",
    "leather",
    "paper",
    "food",
    "plant",
)
"""The place of a word in this tuple is its number in training clips and models: append, never reorder."""
