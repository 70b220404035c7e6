"""What the numbers of a row of states are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ....errors import BadValueError, UnknownNameError
from ....optional import require
from .types import MjModel

_PREFIX = "mjSTATE_"
_USUAL = {
    "[time, qpos, qvel]": ("TIME", "QPOS", "QVEL"),
    "[qpos]": ("QPOS",),
    "[qpos, qvel]": ("QPOS", "QVEL"),
    "mj_getState FULLPHYSICS": ("FULLPHYSICS",),
    "mj_getState INTEGRATION": ("INTEGRATION",),
    "mj_getState PHYSICS": ("PHYSICS",),
}
"""The first that fits is meant."""


@dataclass(frozen=True)
class Layout:
    """A row of states, in the order in which ``mj_getState`` writes it.

    - ``bits`` of ``mjtState``: what a row holds; ``width``: how many numbers that is.
    - ``also``: a usual layout of the same width that means something else.
    """

    name: str
    bits: int
    width: int
    also: str = ""

    def holds(self, *names: str) -> bool:
        """Whether a row holds any of some elements of a state."""
        return bool(self.bits & _bits(names))

    def __str__(self) -> str:
        return f"{self.name} ({self.also} is as wide; --state-spec chooses)" if self.also else self.name


def usual_layouts(model: MjModel) -> list[Layout]:
    """The layouts that a model's states may have if nobody says which."""
    return [_layout(model, name, _bits(names)) for name, names in _USUAL.items()]


def layout_of(model: MjModel, width: int, spec: object = None, where: str = "") -> Layout:
    """The layout of rows of some width.

    Args:
        model: a compiled model.
        width: how many numbers a row has.
        spec: names of ``mjtState`` without their prefix, separated by commas (``qpos,qvel,mocap_pos`` or ``integration``), or
            its bits as a number; ``None``: the first usual layout of this width.
        where: the file, for errors.

    Raises:
        UnknownNameError: there is no such element of a state.
        BadValueError: the width fits no layout, or not that which is asked for.
    """
    if spec is not None:
        asked = _layout(model, str(spec), _bits_of_spec(str(spec)))
        if width != asked.width:
            right = f"{asked.width}, as wide as {asked.name}"
            fix = "check --state-spec, and that the states were recorded with this model"
            raise BadValueError("the width of the states", width, right=right, fix=fix, where=where)
        return asked
    usual = usual_layouts(model)
    fitting = [layout for layout in usual if layout.width == width]
    if not fitting:
        right = "one of " + ", ".join(f"{layout.width} {layout.name}" for layout in usual)
        fix = "check that the states were recorded with this model, or say what a row holds with --state-spec"
        raise BadValueError("the width of the states", width, right=right, fix=fix, where=where)
    meanings = [_filled(model, layout.bits) for layout in fitting]
    also = next((layout.name for layout, bits in zip(fitting, meanings, strict=True) if bits != meanings[0]), "")
    return Layout(fitting[0].name, fitting[0].bits, width, also)


def _layout(model: MjModel, name: str, bits: int) -> Layout:
    return Layout(name, bits, int(require("mujoco", "mujoco").mj_stateSize(model, bits)))


def _filled(model: MjModel, bits: int) -> int:
    """The bits of what has any numbers in this model."""
    mujoco = require("mujoco", "mujoco")
    single = (1 << k for k in range(bits.bit_length()))
    return sum(bit for bit in single if bit & bits and mujoco.mj_stateSize(model, bit))


def _bits_of_spec(spec: str) -> int:
    if spec.strip().isdecimal():
        every = _bits(_names())
        bits = int(spec)
        if not 0 < bits <= every or bits & ~every:
            raise BadValueError("--state-spec", spec, right=f"a sum of mjtState's bits, or names such as {_PREFIX}INTEGRATION")
        return bits
    return _bits([word.strip().upper().removeprefix(_PREFIX.upper()) for word in spec.replace("+", ",").split(",")])


def _bits(names: Any) -> int:
    known = _names()
    bits = 0
    for name in names:
        if name not in known:
            raise UnknownNameError(name, [word.lower() for word in known], what="element of a state")
        bits |= known[name]
    return bits


def _names() -> dict[str, int]:
    """Elements of a state and sums of them, by name, with their bits."""
    state = require("mujoco", "mujoco").mjtState
    return {name.removeprefix(_PREFIX): int(getattr(state, name)) for name in dir(state) if name.startswith(_PREFIX)}
