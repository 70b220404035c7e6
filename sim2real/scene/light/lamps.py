"""The lamps of a model: what shaded renders are lit by where a source says more than one sun and a sky."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, UInt8

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Lamp:
    """A lamp without size.

    - ``color``: irradiance on a surface that faces it, linear RGB; of a point or spot where its ``attenuation`` is 1.
    - ``position``, metres, and ``direction``, where it shines: of the world or, where ``instance`` is an index into
      ``Scene.instances``, in the frame of that instance. A directional lamp's position counts for shadows alone: what is
      behind it casts none.
    - ``attenuation``: a, b, c; at distance d the light is divided by a + b d + c d^2.
    - ``reach``: metres beyond which a point or spot lights nothing.
    - ``cone``: cosines of the angles from its direction up to which a spot is whole, and from which on it is dark; between them
      it fades with the square. All of it is multiplied by the cosine to the power of ``exponent``.
    - ``shadows``: whether things cast shadows. Lamps that move with an instance cast none.
    """

    kind: Literal["directional", "point", "spot"]
    color: Triple
    position: Triple = (0.0, 0.0, 0.0)
    direction: Triple = (0.0, 0.0, -1.0)
    attenuation: Triple = (1.0, 0.0, 0.0)
    reach: float = float("inf")
    cone: tuple[float, float] = (0.0, -1.0)
    exponent: float = 0.0
    shadows: bool = True
    instance: int | None = None


@dataclass(frozen=True, eq=False)
class Skybox:
    """Six pictures of what is around, seen from inside a cube.

    - ``sides``: sRGB, towards +x, -x, +y, -y, +z and -z of the box, laid as OpenGL's cube maps are.
    - ``box_from_world``: a rotation.
    """

    sides: UInt8[np.ndarray, "6 side side 3"]
    box_from_world: Float[np.ndarray, "3 3"]


@dataclass(frozen=True, eq=False)
class Lights:
    """All light of a model.

    - ``lamps``: any number of them.
    - ``ambient``: radiance that comes from everywhere, linear RGB; ``mirrored``: what smooth surfaces mirror in its place, from
      above and from below.
    - ``headlight``: irradiance of a lamp at the eye of whatever camera, without shadows.
    - ``skybox``: what is seen where nothing is; ``None``: ``backdrop``, from above and from below.
    """

    lamps: tuple[Lamp, ...] = ()
    ambient: Triple = (0.0, 0.0, 0.0)
    mirrored: tuple[Triple, Triple] = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    headlight: Triple = (0.0, 0.0, 0.0)
    skybox: Skybox | None = None
    backdrop: tuple[Triple, Triple] = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
