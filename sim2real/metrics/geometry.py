"""The geometry that a clip's noise is judged against: its own labels, its scene behind Embree, or motion in its pictures."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from typing import Literal, Protocol, runtime_checkable

from scipy.sparse import csr_matrix

from ..clip import Clip
from ..clip.scene import scene_of
from ..errors import BadValueError, MissingFileError, Sim2RealError
from ..scene import Scene, triangles_of
from .footprints import LabelledView, labeled_overlap, labeled_view
from .overlap import RayScene, footprint_overlap
from .picture_motion import PictureMotion

Wish = Literal["auto", "labels", "rays"]


@runtime_checkable
class Geometry(Protocol):
    """Knows how much of the surface two pixels of two frames share."""

    what: str
    """In words, for people."""

    def overlap(self, camera: str, a: int, b: int, *, factor: int, seed: int) -> csr_matrix:
        """Normalized overlap of all latent pixels of frames a and b: sparse (pixels of b, pixels of a)."""
        ...


class Labels:
    """Depth, instances and motion as the clip folder has them."""

    what = "the clip's labels"

    def __init__(self, clip: Clip) -> None:
        self._view = lru_cache(maxsize=4)(lambda camera, frame: labeled_view(clip, camera, frame))

    def overlap(self, camera: str, a: int, b: int, *, factor: int, seed: int) -> csr_matrix:
        """See ``Geometry``."""
        views: list[LabelledView] = [self._view(camera, frame) for frame in (a, b)]
        return labeled_overlap(*views, factor=factor, seed=seed)


class Rays:
    """The scene's triangles, asked by rays through Embree."""

    what = "the scene, by rays through Embree"

    def __init__(self, clip: Clip, scene: Scene) -> None:
        self._size, self._scene = clip.record.size, scene
        triangles = triangles_of(scene)
        self._rays = lru_cache(maxsize=4)(lambda frame: RayScene(scene, frame, triangles))

    def overlap(self, camera: str, a: int, b: int, *, factor: int, seed: int) -> csr_matrix:
        """See ``Geometry``."""
        view = self._scene.camera(camera).resized(self._size)
        per_pixel = max(4, min(8, factor))
        return footprint_overlap(self._rays(a), view, self._rays(b), view, factor=factor, per_pixel=per_pixel, seed=seed)


def geometry_of(clip: Clip, camera: str, wish: Wish = "auto") -> Geometry:
    """What to judge a camera's noise by.

    Args:
        clip: the clip folder.
        camera: a camera of it.
        wish: ``labels`` or ``rays``; ``auto`` takes rays where the scene is still there, unchanged, and Embree is installed.
            Clips of real videos have neither: motion in their pictures is taken.

    Raises:
        BadValueError: rays are asked for, and the scene has changed or moved; or anything is asked for of a real video.
        MissingPackageError: rays are asked for without Embree, or motion has to be estimated without OpenCV.
        MissingFileError: labels are asked for, or all there could be, and the clip has none.
    """
    if clip.of_video:
        if wish != "auto":
            raise BadValueError("--geometry", wish, right="left out for the clip of a real video", where=clip.path)
        return PictureMotion(clip, camera)
    labeled = all(clip.has(camera, kind) for kind in ("depth", "instances"))
    if wish == "rays" or (wish == "auto" and find_spec("embreex") is not None):
        try:
            return Rays(clip, scene_of(clip, fix="judge by the clip's labels instead: --geometry labels"))
        except Sim2RealError:
            if wish == "rays" or not labeled:
                raise
    if not labeled:
        needed = "depth and instances"
        raise MissingFileError(clip.folder(camera), what=f"{needed} of a camera", fix="render it again without --only")
    return Labels(clip)
