"""YAML files checked by pydantic, with errors of one line: file, line, key, what was received, what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from ....errors import BadKeyError, MissingFileError
from ....text_files import read_text

MOST_VALUES = 300_000
"""Of a file, with everything that its aliases stand for: beyond it a few lines could fill the memory."""

DEEPEST = 100
"""Levels of a file."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
LARGEST = 1e9
"""Number of a file, but for whole ones: a million kilometres, in metres."""

Place = tuple[str | int, ...]
"""Keys and list positions from the root of a file to a value."""


def shown(value: object, limit: int = 60) -> str:
    """A received value, short enough for one line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def error(message: str, **context: Any) -> PydanticCustomError:
    """What a validator raises: the message is shown after the key, as it is."""
    return PydanticCustomError("sim2real", "{message}", {"message": message, **context})


class Entry(BaseModel):
    """A mapping of a YAML file; unknown keys are refused with the valid ones."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def _more_keys(cls, data: Mapping[object, object]) -> Collection[str]:
        """Keys that this mapping may have besides those of the entry."""
        return ()

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        if isinstance(data, cls):
            return data
        valid = sorted(field.alias or name for name, field in cls.model_fields.items())
        if not isinstance(data, Mapping):
            raise error(f"is {shown(data)}, must be a mapping with keys among: {', '.join(valid)}")
        valid = sorted({*valid, *cls._more_keys(data)})
        for key in data:
            if key not in valid:
                near = difflib.get_close_matches(str(key), valid, n=1)
                hint = f"did you mean {near[0]!r}? " if near else ""
                raise error(
                    f"unknown key; {hint}Valid: {', '.join(valid)}", key=str(key).encode("utf-8", "backslashreplace").decode()
                )
        return data

    @model_validator(mode="after")
    def _no_huge_numbers(self) -> Entry:
        for name, value in self:
            if isinstance(value, float) and abs(value) > LARGEST:
                raise error(f"is {shown(value)}, must be a number up to {LARGEST:g}", key=name)
        return self


Model = TypeVar("Model", bound=Entry)


def read_yaml(path: Path, model: type[Model], what: str = "scene file") -> Model:
    """Read and check a YAML file.

    Args:
        path: the file.
        model: what it must hold.
        what: it is called in errors.

    Returns:
        The checked content.

    Raises:
        MissingFileError: there is no such file.
        BadKeyError: it is not YAML, or a key or value is wrong; names the first error and counts the others.
    """
    if not path.is_file():
        raise MissingFileError(path, what=what)
    data, lines = _parsed(path)
    try:
        return model.model_validate({} if data is None else data)
    except ValidationError as invalid:
        details = invalid.errors(include_url=False)
        place, message = _explained(details[0])
        place = _without_tags(place, lines)
        others = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
        raise BadKeyError(path, line=_line_of(lines, place), key=dotted(place), error=message + others) from None


def _without_tags(place: Place, lines: Mapping[Place, int]) -> Place:
    """A place without the names of types that pydantic adds where several are allowed."""
    kept: Place = ()
    for k, step in enumerate(place):
        if (*kept, step) in lines or (k == len(place) - 1 and "[" not in str(step)):
            kept = (*kept, step)
    return kept


def dotted(place: Place) -> str:
    """``objects[2].motion`` of ("objects", 2, "motion")."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return text.removeprefix(".")


def _parsed(path: Path) -> tuple[Any, dict[Place, int]]:
    lines: dict[Place, int] = {(): 1}
    try:
        text = read_text(path)
        _check_depth(path, text)
        loader = _LOADER(text)
        node = loader.get_single_node()
        if node is None:
            return None, lines
        _note_lines(path, node, (), lines)
        return loader.construct_document(node), lines
    except yaml.MarkedYAMLError as broken:
        mark = broken.problem_mark or broken.context_mark
        raise BadKeyError(path, line=mark.line + 1 if mark else 1, key="", error=f"not YAML: {broken.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as broken:
        raise BadKeyError(path, line=1, key="", error=f"not YAML: {str(broken).splitlines()[0]}") from None


def _check_depth(path: Path, text: str) -> None:
    """Refuse what is nested so deeply that composing it, which recurses, would end the process."""
    depth = 0
    for event in yaml.parse(text, _LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise BadKeyError(path, line=event.start_mark.line + 1, key="", error=f"nested more than {DEEPEST} levels deep")


def _note_lines(path: Path, node: yaml.Node, place: Place, lines: dict[Place, int]) -> None:
    if len(lines) > MOST_VALUES:
        many = f"the file has more than {MOST_VALUES} values, with what its aliases stand for; write tables as .csv or .npy"
        raise BadKeyError(path, line=node.start_mark.line + 1, key="", error=many)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*place, key.value)
            if below in lines and key.value != "<<":
                again = f"given twice; first in line {lines[below]}"
                raise BadKeyError(path, line=key.start_mark.line + 1, key=dotted(below), error=again)
            lines[below] = key.start_mark.line + 1
            _note_lines(path, value, below, lines)
    elif isinstance(node, yaml.SequenceNode):
        for k, value in enumerate(node.value):
            lines[(*place, k)] = value.start_mark.line + 1
            _note_lines(path, value, (*place, k), lines)


def _line_of(lines: dict[Place, int], place: Place) -> int:
    while place not in lines:
        place = place[:-1]
    return lines[place]


def _explained(detail: ErrorDetails) -> tuple[Place, str]:
    place, context = detail["loc"], detail.get("ctx", {})
    received = shown(detail["input"])
    if detail["type"] == "sim2real":
        return (*place, context["key"]) if "key" in context else place, context["message"]
    if detail["type"] == "missing":
        return place, "is missing"
    if detail["type"] == "literal_error":
        valid = context["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        near = difflib.get_close_matches(str(detail["input"]), valid, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return place, f"is {received}, must be one of: {', '.join(valid)}{hint}"
    if detail["type"] in ("too_short", "too_long"):
        bound = f"at least {context['min_length']}" if "min_length" in context else f"at most {context['max_length']}"
        return place, f"has {context['actual_length']} items, must have {bound}"
    if detail["type"] in ("tuple_type", "list_type"):
        return place, f"is {received}, must be a list"
    right = detail["msg"].removeprefix("Input should be ").split(", unable")[0]
    return place, f"is {received}, must be {right[0].lower()}{right[1:]}"
