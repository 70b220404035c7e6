"""The kinds of pictures that clips hold: a row each.

A new kind is a row in ``KINDS``, which says how it is stored and what people read of it, and a module of its name in
``render/kinds``, which computes it.
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import UnknownNameError


@dataclass(frozen=True)
class Kind:
    """One kind of picture.

    - ``name``: of its folder in a camera's folder, and of its module in ``render/kinds``.
    - ``stored``: how, a name in ``clip.formats.FORMATS``; None for what is no file per frame.
    - ``report``, ``sheet``: what the report and the contact sheet say of it; None: it is not shown there.
    - ``of_video``: what sheet and report say of it in the clip of a real video; None: real videos do not have it.
    - ``usual``: written unless told otherwise; the rest is written on request, or for a model that needs it.
    - ``video``: also shown as a video.
    """

    name: str
    stored: str | None
    report: str | None = None
    sheet: str | None = None
    of_video: tuple[str, str] | None = None
    usual: bool = False
    video: bool = False


KINDS = (
    Kind("rgb", "png", "synthetic render", "synthetic render", ("the video", "the video"), usual=True, video=True),
    Kind(
        name="noise",
        stored=None,
        report="three channels of the noise",
        sheet="sticks to surfaces",
        of_video=("goes with what is seen", "three channels of the noise"),
        usual=True,
        video=True,
    ),
    Kind("depth", "depth", "inverse depth", "near is light", ("near is light", "inverse depth, as supplied"), True, True),
    Kind("edges", "png", "of geometry", "geometric", ("of brightness", "of brightness"), usual=True, video=True),
    Kind("albedo", "png", "base color with textures, unlit", "unlit"),
    Kind("material", "png", "red roughness, green metallic, blue emissive strength", "rough, metal, glow"),
    Kind("light", "light", "the light that is followed, on white matte surfaces", "on white surfaces"),
    Kind("reflection", "light", "the light that is followed, as if all were mirrors as smooth as it is", "as if mirrors"),
    Kind("gloss", "light", "the light that is followed, as if all were mirrors as smooth as lacquer", "as if lacquered"),
    Kind("coverage", "shares", "how much of each pixel its neighbors' surfaces cover", "by neighbors"),
    Kind("behind", "behind"),
    Kind("normals", "png", "in the camera's frame", usual=True),
    Kind("flow", "flow", of_video=("motion", "motion")),
    Kind("instances", "ids", "one color per instance", "labels", usual=True, video=True),
)
"""In the order in which they are computed: ``instances``, the last, takes what others have rasterized."""


RGB_RENDERERS = ("ours", "pyrender", "mitsuba")
"""Who can make the pictures of the kind ``rgb``: our renderer; OpenGL; path tracing."""
MOST_FINE = 4
"""As many times as wide and high as the clip's own pictures its finer ones may be."""


def names() -> tuple[str, ...]:
    """All that a clip of a scene can hold per camera."""
    return tuple(kind.name for kind in KINDS)


def names_of_videos() -> tuple[str, ...]:
    """All that a clip of a real video can hold."""
    return tuple(kind.name for kind in KINDS if kind.of_video is not None)


def usual_names() -> frozenset[str]:
    """What a clip holds unless told otherwise."""
    return frozenset(kind.name for kind in KINDS if kind.usual)


def pictures() -> tuple[Kind, ...]:
    """Those that are a file per frame."""
    return tuple(kind for kind in KINDS if kind.stored is not None)


def picture(name: str) -> Kind:
    """One of them.

    Raises:
        UnknownNameError: there is none of that name.
    """
    for kind in pictures():
        if kind.name == name:
            return kind
    raise UnknownNameError(name, [kind.name for kind in pictures()], what="kind of picture")
