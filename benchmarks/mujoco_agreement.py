"""One model, ours beside MuJoCo's own renderer, view by view: ``python -m benchmarks.mujoco_agreement OUT MODEL...``.

Writes one JSON line per model to OUT as it finishes; ``benchmarks.mujoco_models`` calls it in batches, so that a model that
crashes takes only its batch with it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from benchmarks.mujoco_pictures import Aim, Painter
from sim2real.errors import EmptySceneError, Sim2RealError
from sim2real.optional import require
from sim2real.raster import Fragments, rasterizer, view_of
from sim2real.scene import Camera, LoadOptions, Scene, load, triangles_of
from sim2real.scene.readers.mujoco.drawn.kinds import KINDS, USUAL, drawn, name_of
from sim2real.scene.readers.mujoco.geoms import HFIELD, PLANE, visual_geoms
from sim2real.scene.readers.mujoco.labels import Labeling, label_geoms
from sim2real.scene.readers.mujoco.materials import geom_rgba
from sim2real.scene.readers.mujoco.replay import rest

SIZE = (120, 160)
CAMERAS = 6
"""Of a model's own, at most; the view of MuJoCo's viewer and a camera that circles the model are added."""
DEPTH_TOLERANCE = 1e-3
TIE = 1e-4
"""Relative differences of depth: up to which it agrees, and two surfaces lie in one place."""
OTHER_KINDS = ("site", "tendon", "skin", "flex")


@dataclass(frozen=True)
class View:
    """How a view agrees, as shares.

    - ``inner`` of the picture's pixels have eight neighbors that show the same geom, skin, flex or tendon, or all show
      nothing, in MuJoCo's picture.
    - ``ids`` of those show the same instance in ours; ``depth`` of those with a surface have its distance, too. Both pictures
      show what we read, and nothing beyond MuJoCo's far plane. ``None``: nothing to compare.
    - ``tied``: of all pixels, those that two instances share, so that either id is right.
    - ``hidden``, and ``site``, ``tendon``, ``skin``, ``flex``, ``other``: of the pixels of MuJoCo's own view with all that it
      draws by default, those of geoms that we leave out, and of what is no geom.
    """

    camera: str
    inner: float
    ids: float | None
    depth: float | None
    tied: float
    hidden: float
    site: float
    tendon: float
    skin: float
    flex: float
    other: float


@dataclass(frozen=True)
class Report:
    """What came of a model.

    - ``outcome``: ``compared``, ``refused`` (by us, ``why``), ``empty`` (nothing to be seen), ``no model`` (MuJoCo refuses it).
    - ``floors``: planes and height fields that MuJoCo draws by default and we do not.
    """

    model: str
    outcome: str
    why: str = ""
    triangles: int = 0
    floors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    views: list[View] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Picture:
    """Instance ids (0: none), and depth in metres."""

    ids: Int[np.ndarray, "height width"]
    depth: Float[np.ndarray, "height width"]


class Eyes:
    """What our cameras see of a scene, nothing beyond MuJoCo's far plane."""

    def __init__(self, scene: Scene, far: float = np.inf) -> None:
        """Prepare the scene's triangles; ``far`` in metres."""
        self.scene, self.far = scene, far
        self.triangles = triangles_of(scene)
        self._draw = rasterizer(self.triangles)

    def fragments(self, camera: Camera, frame: int, instance: int | None = None) -> Fragments:
        """Of every instance, or of one alone."""
        view = view_of(self.scene, camera, frame)
        if instance is not None:
            view = view.only(self.triangles.part_instance == instance)
        return self._draw.fragments(view)

    def picture(self, camera: Camera, frame: int, instance: int | None = None) -> Picture:
        """Ids and depth."""
        found = self.fragments(camera, frame, instance)
        face, depth = found.face.numpy(), found.depth.numpy()
        seen = (face >= 0) & (depth < self.far)
        ids = np.where(seen, self.triangles.part_instance[self.triangles.face_part[np.maximum(face, 0)]], 0)
        return Picture(ids, depth)

    def ties(self, camera: Camera, frame: int, ours: Picture, theirs: Picture) -> Bool[np.ndarray, "height width"]:
        """Where two instances lie in one place (equal legs, a sheet on a table), so that either may be seen.

        Both pictures have the same depth, and the instance of theirs, seen alone by us, has it, too.
        """
        open_to_both = (ours.ids != theirs.ids) & (ours.ids > 0) & (theirs.ids > 0) & _equal(ours.depth, theirs.depth)
        tied = np.zeros_like(open_to_both)
        for instance in np.unique(theirs.ids[open_to_both]):
            alone = self.picture(camera, frame, int(instance))
            tied |= open_to_both & (theirs.ids == instance) & (alone.ids > 0) & _equal(alone.depth, theirs.depth)
        return tied


def _equal(depth: Float[np.ndarray, "height width"], theirs: Float[np.ndarray, "height width"]) -> np.ndarray:
    return np.abs(depth - theirs) < TIE * theirs


def instances_of_geoms(geoms: Int[np.ndarray, "..."], geom_instance: dict[int, int]) -> Int[np.ndarray, "..."]:
    """Which instance each pixel of a picture of geom numbers (-1: none) belongs to."""
    table = np.zeros(max(geom_instance) + 2, int)
    table[list(geom_instance)] = list(geom_instance.values())
    return table[np.where(geoms < len(table) - 1, geoms, -1)]  # -1 is the last entry: no instance


def instances_besides(scene: Scene, model: Any, first: int) -> dict[tuple[int, int], int]:
    """Instance ids of the skins, flexes and tendons that are read, by kind (``mjtObj``) and number.

    Args:
        scene: as it was read.
        model: MuJoCo's.
        first: how many instances of geoms come before them.
    """
    mujoco = require("mujoco", "mujoco")
    found: dict[tuple[int, int], int] = {}
    for kind in USUAL:
        name = KINDS[kind]
        for number in drawn(model, kind).tolist():
            place = first + len(found)
            if place < len(scene.instances) and scene.instances[place].name.startswith(name_of(model, name, number)):
                found[int(getattr(mujoco.mjtObj, f"mjOBJ_{name.upper()}")), number] = place + 1
    return found


def inner(picture: Int[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """Pixels whose eight neighbors all show the same, the picture continued past its borders."""
    padded = np.pad(picture, 1, mode="edge")
    height, width = picture.shape
    same = np.ones(picture.shape, bool)
    for row in range(3):
        for column in range(3):
            same &= padded[row : row + height, column : column + width] == picture
    return same


def agreement_of(
    ours: Picture, theirs: Picture, inside: Bool[np.ndarray, "height width"], tied: Bool[np.ndarray, "height width"]
) -> tuple[float | None, float | None]:
    """Share of pixels with equal ids, and of equal depth among those of them that see a surface; ``None``: nothing to compare.

    Args:
        ours: what we see.
        theirs: what MuJoCo draws.
        inside: pixels that count.
        tied: pixels where either id is right.
    """
    same = (ours.ids == theirs.ids) | tied
    close = np.abs(ours.depth - theirs.depth) < DEPTH_TOLERANCE * theirs.depth
    seen = inside & same & (ours.ids > 0)
    return _share(same, inside), _share(close, seen)


def _share(good: Bool[np.ndarray, "height width"], of: Bool[np.ndarray, "height width"]) -> float | None:
    return float(good[of].mean()) if of.any() else None


def report_on(path: Path) -> Report:
    """Read a model with ``load`` and compare its views in its resting state."""
    mujoco = require("mujoco", "mujoco")
    try:
        model = mujoco.MjModel.from_xml_path(str(path))
    except ValueError as error:
        return Report(str(path), "no model", " ".join(str(error).split()))
    try:
        scene = load(path, LoadOptions(size=SIZE, orbit=True))
        labeling = label_geoms(model, visual_geoms(model), path)
    except EmptySceneError as error:
        return Report(str(path), "empty", str(error))
    except Sim2RealError as error:
        return Report(str(path), "refused", str(error))
    data = mujoco.MjData(model)
    rest(model, data)
    mujoco.mj_fwdPosition(model, data)
    eyes = Eyes(scene, float(model.vis.map.zfar * model.stat.extent))
    others = instances_besides(scene, model, len(labeling.instances))
    views = _views(mujoco, eyes, model, data, (labeling, others))
    floors = _lost_floors(model, labeling)
    return Report(str(path), "compared", "", len(eyes.triangles.face_part), floors, list(scene.notes), views)


def _lost_floors(model: Any, labeling: Labeling) -> list[str]:
    drawn = [g for g in range(model.ngeom) if model.geom_group[g] <= 2 and geom_rgba(model, g)[3] > 0]
    lost = [g for g in drawn if int(model.geom_type[g]) in (PLANE, HFIELD) and g not in labeling.geom_instance]
    return [model.geom(g).name or f"geom_{g}" for g in lost]


def _views(mujoco: Any, eyes: Eyes, model: Any, data: Any, read: tuple[Labeling, dict[tuple[int, int], int]]) -> list[View]:
    cameras, (labeling, others) = eyes.scene.cameras, read
    usual, only_ours = mujoco.MjvOption(), mujoco.MjvOption()
    only_ours.sitegroup[:] = 0
    only_ours.geomgroup[:] = [1, 0, 0, 0, 0, 0]
    groups = model.geom_group.copy()
    ours_only = np.where(np.isin(np.arange(model.ngeom), list(labeling.geom_instance)), 0, 5)
    views = []
    with Painter(model, SIZE) as painter:
        opening = _opening(painter, model, data)
        around = Aim(cameras[-1].world_from_camera[0], cameras[-1].intrinsics[0])
        own = list(enumerate(cameras[: model.ncam]))[:CAMERAS]
        for aim, camera in (*own, (-1, opening), (around, cameras[-1])):
            model.geom_group[:] = groups
            painter.look(data, aim, camera.near, usual)
            extras = _extras(mujoco, painter.kinds(), labeling, others)
            model.geom_group[:] = ours_only
            painter.look(data, aim, camera.near, only_ours)
            geoms, kinds = painter.geoms(), painter.kinds()
            ids_there = instances_of_geoms(geoms, labeling.geom_instance)
            for (kind, number), instance in others.items():
                ids_there[(kinds[..., 1] == kind) & (kinds[..., 0] == number)] = instance
            theirs = Picture(ids_there, painter.depth())
            ours, inside = eyes.picture(camera, 0), inner(np.where(geoms >= 0, geoms, -1 - ids_there))
            tied = eyes.ties(camera, 0, ours, theirs)
            ids, depth = agreement_of(ours, theirs, inside, tied)
            views.append(View(camera.source_name or camera.name, float(inside.mean()), ids, depth, float(tied.mean()), *extras))
    return views


def _opening(painter: Painter, model: Any, data: Any) -> Camera:
    """The view with which MuJoCo's viewer opens."""
    near = float(model.vis.map.znear * model.stat.extent)
    painter.look(data, -1, near, None)
    aim = painter.aim()
    projection = "orthographic" if aim.parallel else "perspective"
    return Camera("viewer", SIZE, aim.intrinsics[None], aim.world_from_camera[None], near=near, projection=projection)


def _extras(
    mujoco: Any,
    picture: Int[np.ndarray, "height width 2"],
    labeling: Labeling,
    read: dict[tuple[int, int], int],
) -> list[float]:
    """Shares of what is left out, of a picture with all that MuJoCo draws."""
    number, kind = picture[..., 0].copy(), picture[..., 1].copy()
    for theirs in read:
        kind[(kind == theirs[0]) & (number == theirs[1])] = int(mujoco.mjtObj.mjOBJ_UNKNOWN)
    number[kind == int(mujoco.mjtObj.mjOBJ_UNKNOWN)] = -1
    geom = int(mujoco.mjtObj.mjOBJ_GEOM)
    hidden = (kind == geom) & ~np.isin(number, list(labeling.geom_instance))
    others = [kind == int(getattr(mujoco.mjtObj, f"mjOBJ_{name.upper()}")) for name in OTHER_KINDS]
    rest_of_them = (number >= 0) & (kind != geom) & ~np.any(others, axis=0)
    return [float(share.mean()) for share in (hidden, *others, rest_of_them)]


def main() -> None:
    """Compare the models that are named, a line each."""
    with Path(sys.argv[1]).open("a") as out:
        for path in sys.argv[2:]:
            out.write(json.dumps(asdict(report_on(Path(path)))) + "\n")
            out.flush()


if __name__ == "__main__":
    main()
