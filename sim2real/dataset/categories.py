"""The classes of a dataset as numbered categories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..clip import InstanceRecord
from .clips import DatasetClip

UNLABELED = "unlabeled"
"""The category of instances whose class has no name."""


def category_of(instance: InstanceRecord) -> str:
    """The name of an instance's category."""
    return instance.class_name or UNLABELED


def category_ids(clips: Sequence[DatasetClip]) -> dict[str, int]:
    """Ids from 1 by name, in the order of names, over all clips: whatever their order."""
    names = {category_of(instance) for clip in clips for instance in clip.clip.record.instances}
    return {name: place + 1 for place, name in enumerate(sorted(names))}


def coco_categories(ids: dict[str, int]) -> list[dict[str, Any]]:
    """Categories as COCO lists them."""
    return [{"id": number, "name": name, "supercategory": ""} for name, number in ids.items()]
