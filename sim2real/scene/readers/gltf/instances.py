"""Instances of ``EXT_mesh_gpu_instancing``: one mesh in many places, as nodes of their own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from .accessors import array_of
from .document import Document, open_document

INSTANCING = "EXT_mesh_gpu_instancing"
MOST_INSTANCES = 100_000
_PARTS = {"TRANSLATION": "VEC3", "ROTATION": "VEC4", "SCALE": "VEC3"}


def instances_in(tree: dict[str, Any]) -> list[int]:
    """The nodes whose mesh is in many places; those with a skin are not among them, because their joints place them."""
    nodes = tree.get("nodes")
    held = enumerate(nodes if isinstance(nodes, list) else [])
    return [k for k, node in held if isinstance(node, dict) and "mesh" in node and "skin" not in node and is_many(node)]


def is_many(node: dict[str, Any]) -> bool:
    """Whether a node says that its mesh is in many places."""
    extensions = node.get("extensions")
    return isinstance(extensions, dict) and INSTANCING in extensions


def with_instances(path: Path, tree: dict[str, Any]) -> dict[str, Any] | None:
    """The JSON of a glTF file in which every instance is a node; ``None`` where there is none. Errors as below."""
    return with_instances_as_nodes(open_document(path)).tree if instances_in(tree) else None


def with_instances_as_nodes(document: Document) -> Document:
    """The document in which every instance is a node below the one that says where they are, and that one has no mesh.

    Raises:
        UnreadableFileError: there are more than ``MOST_INSTANCES``, or their arrays are of other types or lengths than they
            must be.
    """
    many = instances_in(document.tree)
    if not many:
        return document
    nodes, instance_of = list(document.tree["nodes"]), {}
    for owner in many:
        node = nodes[owner]
        places = _places(document, owner, node)
        if len(instance_of) + len(places) > MOST_INSTANCES:
            raise document.broken(f"it has more than {MOST_INSTANCES:,} instances, the most that are read")
        first, name = len(nodes), node.get("name") or document.entry("meshes", node["mesh"]).get("name") or f"node_{owner}"
        shared = {key: node[key] for key in ("mesh", "weights") if key in node}
        nodes += [{**shared, **place, "name": f"{name}_{k}"} for k, place in enumerate(places)]
        made = range(first, len(nodes))
        instance_of |= dict.fromkeys(made, owner)
        rest = {key: value for key, value in node.items() if key not in shared}
        nodes[owner] = {**rest, "children": [*node.get("children", []), *made]}
    return replace(document, tree={**document.tree, "nodes": nodes}, instance_of=instance_of)


def _places(document: Document, owner: int, node: dict[str, Any]) -> list[dict[str, list[float]]]:
    """Translation, rotation and scale of every instance of a node, those that it has."""
    attributes = node["extensions"][INSTANCING].get("attributes", {})
    counts = {key: document.entry("accessors", index).get("count") for key, index in attributes.items()}
    count = next(iter(counts.values()), None)
    if len(set(counts.values())) != 1 or not isinstance(count, int) or isinstance(count, bool):
        said = ", ".join(f"{count!r} of {key}" for key, count in counts.items()) or "no attributes"
        raise document.broken(f"the instances of node {owner} must be as many by each of their attributes: {said}")
    if count > MOST_INSTANCES:
        raise document.broken(f"node {owner} has more than {MOST_INSTANCES:,} instances, the most that are read")
    columns: dict[str, Float[np.ndarray, "instances numbers"]] = {}
    for key, kind in _PARTS.items():
        if key in attributes:
            columns[key.lower()] = array_of(document, attributes[key], (kind,), f"{key} of instances").astype(np.float64)
    listed = {key: values.tolist() for key, values in columns.items()}
    return [{key: values[row] for key, values in listed.items()} for row in range(count)]
