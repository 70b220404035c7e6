"""How much of the noise belongs to the surfaces: ``beta``, one for a clip or one per class and instance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float32

from ..errors import BadValueError, UnknownNameError
from ..scene.records import Instance

Beta = float | Mapping[str, float]
"""One number, or numbers by name of a class or an instance; ``background`` is what no instance covers, ``*`` all others."""

BACKGROUND, REST = "background", "*"


def check_beta(what: str, beta: float) -> None:
    """Refuse a beta outside 0 to 1.

    Raises:
        BadValueError: it is.
    """
    if not 0 <= beta <= 1:
        raise BadValueError(what, beta, right="between 0 (all independent) and 1 (all on the surfaces)")


def beta_of_ids(beta: Beta, instances: Sequence[Instance]) -> Float32[np.ndarray, "ids"]:
    """The beta of every instance id; id 0 is the background.

    An instance's own name goes before its class, its class before ``*``; what nothing names has beta 1.

    Args:
        beta: one number, or numbers by name.
        instances: of the scene, in the order of their ids 1, 2, ...

    Raises:
        BadValueError: a beta outside 0 to 1.
        UnknownNameError: a name that is no class and no instance of the scene.
    """
    if not isinstance(beta, Mapping):
        check_beta("beta", beta)
        return np.full(len(instances) + 1, beta, np.float32)
    names = {i.name for i in instances} | {i.class_name for i in instances} | {BACKGROUND}
    for name, value in beta.items():
        if name not in names | {REST}:
            valid = [*sorted({i.class_name for i in instances} | {BACKGROUND}), *sorted({i.name for i in instances}), REST]
            raise UnknownNameError(name, dict.fromkeys(valid), what="class or instance in beta")
        check_beta(f"the beta of {name}", value)
    rest = beta.get(REST, 1.0)
    of_instances = [beta.get(i.name, beta.get(i.class_name, rest)) for i in instances]
    return np.array([beta.get(BACKGROUND, rest), *of_instances], np.float32)


def one_beta(beta: Beta, instances: Sequence[Instance]) -> Beta:
    """The one number where everything has the same, else the numbers by name; errors as ``beta_of_ids``."""
    if not isinstance(beta, Mapping):
        return beta
    values = beta_of_ids(beta, instances)
    if (values != values[0]).any():
        return beta
    return next((v for v in beta.values() if np.float32(v) == values[0]), 1.0)


def beta_from_degradation(degradation: float) -> float:
    """``beta`` that equals Go-with-the-Flow's degradation ``a``: ((1 - a) w + a e) / sqrt((1 - a)^2 + a^2).

    Raises:
        BadValueError: a outside 0 to 1.
    """
    if not 0 <= degradation <= 1:
        raise BadValueError("the degradation", degradation, right="between 0 (all on the surfaces) and 1 (all independent)")
    return (1 - degradation) / math.hypot(1 - degradation, degradation)
