"""The lamps of a model: what shaded renders are lit by where a source says more than one sun and a sky."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from jaxtyping import Float, Int, UInt8

Triple = tuple[float, float, float]
NO_LAMPS = "no lamps: lit by our sun and sky, or with --light model by its headlight alone, as MuJoCo does"
"""Said of a model whose own light is not taken unless it is asked for."""


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
    - ``way``: where the lamp's own frame is in every frame of the scene, rigid, if it moves by itself: then position and
      direction are of that frame. It is off where this is not a number.
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
    way: Float[np.ndarray, "frames 4 4"] | None = field(default=None, compare=False)

    def at(self, frame: int) -> Lamp | None:
        """The lamp as it stands in a frame, in the world; ``None`` where it is off. Not of lamps on instances."""
        if self.way is None:
            return self
        pose = self.way[frame]
        if not np.isfinite(pose).all():
            return None
        turn, place = pose[:3, :3] @ np.array(self.direction), pose[:3, :3] @ np.array(self.position) + pose[:3, 3]
        return replace(self, position=_triple(place), direction=_triple(turn), way=None)


@dataclass(frozen=True, eq=False)
class Skybox:
    """Six pictures of what is around, seen from inside a cube.

    - ``sides``: sRGB, towards +x, -x, +y, -y, +z and -z of the box, laid as OpenGL's cube maps are.
    - ``box_from_world``: a rotation.
    """

    sides: UInt8[np.ndarray, "6 side side 3"]
    box_from_world: Float[np.ndarray, "3 3"]


@dataclass(frozen=True)
class Haze:
    """What hides where an endless plane ends: a thin cone of haze about the eye, up to the horizon.

    What is seen along a line of sight that falls by ``f`` metres per metre, from ``e`` metres above the plane, is mixed with
    ``color`` by a share that depends on q = ``reach`` f / e (1 where the plane is ``reach`` metres away):

    - below the cone's foot (q at least 1 / (1 - ``depth``)): none;
    - down to q = 1: (1 - q (1 - depth)) (1 + depth) / (depth (1 + depth q)), rising to 1;
    - from there to the horizon (q = 0): q (1 + depth) / (1 + depth q), over the sky, whatever stands there.

    Only what is farther than the cone, ``reach`` / (1 + ``depth`` q) metres along the plane, is mixed.

    - ``color``: as it is shown, linear RGB, mixed as screens encode colors. ``depth``: the part of ``reach`` that the haze
      takes, 0 to 1.
    - ``point`` and ``normal``: of the plane, world. From below it there is no haze.
    """

    color: Triple
    reach: float
    depth: float
    point: Triple = (0.0, 0.0, 0.0)
    normal: Triple = (0.0, 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Lights:
    """All light of a model.

    - ``lamps``: any number of them.
    - ``ambient``: radiance that comes from everywhere, linear RGB; ``mirrored``: what smooth surfaces mirror in its place, from
      above and from below.
    - ``headlight``: irradiance of a lamp at the eye of whatever camera, without shadows.
    - ``skybox``: what is seen where nothing is; ``None``: ``backdrop``, from above and from below.
    - ``haze``: towards the horizon; ``None``: none.
    - ``followed``: they are as real lamps are, so that light that is followed by rays comes from them, too.
    """

    lamps: tuple[Lamp, ...] = ()
    ambient: Triple = (0.0, 0.0, 0.0)
    mirrored: tuple[Triple, Triple] = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    headlight: Triple = (0.0, 0.0, 0.0)
    skybox: Skybox | None = None
    backdrop: tuple[Triple, Triple] = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    haze: Haze | None = None
    followed: bool = False

    def sliced(self, frames: slice | Int[np.ndarray, "some"]) -> Lights:
        """The light at some of the frames: a slice of them, or their numbers."""
        lamps = tuple(lamp if lamp.way is None else replace(lamp, way=lamp.way[frames]) for lamp in self.lamps)
        return replace(self, lamps=lamps)


def _triple(values: Float[np.ndarray, "3"]) -> Triple:
    x, y, z = (float(v) for v in values)
    return x, y, z
