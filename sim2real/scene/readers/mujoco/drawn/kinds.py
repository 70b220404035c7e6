"""Which skins, flexes, tendons and sites are read, and what is said of those that are not."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from .....errors import UnknownNameError
from .....optional import require
from ..materials import rgba_of
from ..types import MjModel

KINDS = {"skins": "skin", "flexes": "flex", "tendons": "tendon", "sites": "site"}
"""What can be shown, and what MuJoCo's arrays of it begin with."""
USUAL = ("skins", "flexes", "tendons")
"""Sites are marks, not things: they are shown on request."""
_NOTHING = "none"
_WRAP_JOINT, _SLIDER_CRANK = 1, 2


def kinds_to_show(show: object) -> tuple[str, ...]:
    """The kinds that a user asks for.

    Args:
        show: names, in a sequence or separated by commas; ``none`` alone: none; ``None``: the usual ones.

    Raises:
        UnknownNameError: there is no such kind.
    """
    if show is None:
        return USUAL
    words = show.split(",") if isinstance(show, str) else list(show) if isinstance(show, (tuple, list)) else [show]
    asked = [str(word).strip() for word in words]
    if asked == [_NOTHING]:
        return ()
    for word in asked:
        if word not in KINDS:
            raise UnknownNameError(word, [*KINDS, _NOTHING], what="kind of thing to --show")
    return tuple(kind for kind in KINDS if kind in asked)


def drawn(model: MjModel, kind: str) -> Int[np.ndarray, "numbers"]:
    """The numbers of those that MuJoCo's viewer draws without being asked: of groups 0, 1 and 2, and not invisible."""
    name = KINDS[kind]
    count = int(getattr(model, f"n{name}"))
    if count == 0:
        return np.zeros(0, np.int64)
    group = np.asarray(getattr(model, f"{name}_group"))
    rgba: Float[np.ndarray, "things 4"] = np.asarray(getattr(model, f"{name}_rgba"))
    alpha = np.array([rgba_of(model, material_number(model, name, k), rgba[k])[3] for k in range(count)])
    seen: Bool[np.ndarray, "things"] = (group <= 2) & (alpha > 0)
    if name == "tendon":  # those that couple joints have no path
        seen &= (np.asarray(model.wrap_type)[model.tendon_adr] != _WRAP_JOINT) & (np.asarray(model.tendon_width) > 0)
    return np.flatnonzero(seen)


def material_number(model: MjModel, name: str, k: int) -> int:
    """The material of a thing, -1 for none; of a flex whose elements have their own, that of its first element."""
    numbers = np.asarray(getattr(model, f"{name}_matid"))
    first = int(model.flex_elemadr[k]) if name == "flex" and len(numbers) == model.nflexelem else k
    return int(numbers[first]) if first < len(numbers) else -1


def name_of(model: MjModel, name: str, k: int) -> str:
    """A thing's name, or one made from its number."""
    mujoco = require("mujoco", "mujoco")
    return mujoco.mj_id2name(model, int(getattr(mujoco.mjtObj, f"mjOBJ_{name.upper()}")), k) or f"{name}_{k}"


def note_of_what_is_left_out(model: MjModel, shown: tuple[str, ...]) -> str | None:
    """One sentence with the number of each kind; ``None`` where all is read that MuJoCo draws."""
    counts = {kind: len(drawn(model, kind)) for kind in KINDS if kind not in shown}
    said = [f"{count} {KINDS[kind] if count == 1 else kind}" for kind, count in counts.items() if count]
    advice = "; --show chooses" if said else ""
    cranks = int((np.asarray(model.actuator_trntype) == _SLIDER_CRANK).sum())
    if cranks:
        said.append(f"{cranks} slider-crank{'' if cranks == 1 else 's'}")
    rays = int((np.asarray(model.sensor_type) == int(require("mujoco", "mujoco").mjtSensor.mjSENS_RANGEFINDER)).sum())
    if rays:
        said.append(f"the rays of {rays} rangefinder{'' if rays == 1 else 's'}")
    return f"left out, though MuJoCo draws them: {', '.join(said)}{advice}" if said else None
