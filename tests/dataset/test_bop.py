"""BOP folders, read by a script that knows the format's description and nothing of sim2real."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image
from scipy.spatial.distance import pdist

from sim2real.clip.images import read_png
from sim2real.dataset.silhouettes import read_silhouettes
from sim2real.dataset.writers.registry import writer
from sim2real.errors import BadValueError
from tests.dataset.conftest import SEEDS, scene_of
from tests.dataset.labels import contents, copied, rendered, written


@pytest.fixture(scope="module")
def bop(every_clip, tmp_path_factory):
    return written(writer("bop").write, every_clip, tmp_path_factory.mktemp("bop") / "bop")


def scenes(bop: Path) -> list[Path]:
    return sorted((bop / "train_pbr").iterdir())


def loaded(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def first_hit(vertices, faces, origin, rays):
    """Along every ray, how many times its length the first triangle is away; 0 where there is none (Moller, Trumbore)."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    nearest = np.full(len(rays), np.inf)
    for start in range(0, len(rays), 256):
        ray = rays[start : start + 256, None]
        p = np.cross(ray, c - a)
        det = (p * (b - a)).sum(-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            u = (p * (origin - a)).sum(-1) / det
            q = np.cross(origin - a, b - a)
            v, t = (ray * q).sum(-1) / det, ((c - a) * q).sum(-1) / det
            hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0)
        nearest[start : start + 256] = np.where(hit, t, np.inf).min(axis=1)
    return np.where(np.isfinite(nearest), nearest, 0)


@pytest.mark.slow
@pytest.mark.parametrize(("scene", "frame"), [(0, 0), (1, 3), (3, 4), (4, 2)])
def test_models_at_their_poses_fill_the_masks_and_lie_at_the_depth(bop, scene, frame):
    folder = bop / "train_pbr" / f"{scene:06d}"
    camera = loaded(folder / "scene_camera.json")[str(frame)]
    k = np.reshape(camera["cam_K"], (3, 3))
    depth = np.array(Image.open(folder / "depth" / f"{frame:06d}.png")) * camera["depth_scale"]
    rows, columns = np.indices(depth.shape)
    rays = np.stack([columns, rows, np.ones_like(rows)], -1).reshape(-1, 3) @ np.linalg.inv(k).T
    seen = 0
    for place, truth in enumerate(loaded(folder / "scene_gt.json")[str(frame)]):
        model = trimesh.load(bop / "models" / f"obj_{truth['obj_id']:06d}.ply", process=False)
        r, t = np.reshape(truth["cam_R_m2c"], (3, 3)), np.array(truth["cam_t_m2c"])
        z = first_hit(np.asarray(model.vertices), model.faces, -r.T @ t, rays @ r).reshape(depth.shape)
        masks = (np.array(Image.open(folder / kind / f"{frame:06d}_{place:06d}.png")) for kind in ("mask", "mask_visib"))
        whole, visible = (mask > 0 for mask in masks)
        assert ((z > 0) != whole).sum() <= 2, "a shift by half a pixel changes dozens"
        assert np.abs(z - depth)[visible].max() < 1
        assert (z - depth)[whole & ~visible & (z > 0)].min(initial=0) > -1
        seen += visible.sum()
    assert seen > 500


def test_figures_are_those_of_the_masks(bop):
    for folder in scenes(bop):
        truths, infos = loaded(folder / "scene_gt.json"), loaded(folder / "scene_gt_info.json")
        assert list(truths) == list(infos) == list(loaded(folder / "scene_camera.json"))
        names = {f"{int(image):06d}_{place:06d}.png" for image in truths for place in range(len(truths[image]))}
        assert {p.name for p in (folder / "mask").iterdir()} == {p.name for p in (folder / "mask_visib").iterdir()} == names
        for image, found in infos.items():
            depth = read_png(folder / "depth" / f"{int(image):06d}.png")
            for place, info in enumerate(found):
                name = f"{int(image):06d}_{place:06d}.png"
                masks = [read_png(folder / kind / name) for kind in ("mask", "mask_visib")]
                assert all(mask.dtype == np.uint8 and set(np.unique(mask)) <= {0, 255} for mask in masks)
                whole, visible = (mask > 0 for mask in masks)
                assert info["px_count_all"] == whole.sum() and info["px_count_visib"] == visible.sum()
                assert info["px_count_valid"] == (depth[whole] > 0).sum()
                assert info["visib_fract"] == visible.sum() / whole.sum()
                for key, mask in (("bbox_obj", whole), ("bbox_visib", visible)):
                    y, x = np.nonzero(mask)
                    box = [x.min(), y.min(), np.ptp(x), np.ptp(y)] if visible.any() else [-1] * 4
                    assert info[key] == box


def test_masks_are_the_clip_s_and_pictures_its_footage(every_clip, bop):
    views = [(clip, camera) for clip in every_clip for camera in clip.clip.cameras]
    for folder, (clip, camera) in zip(scenes(bop), views, strict=True):
        whole = read_silhouettes(clip, camera)
        for frame, picture in enumerate(clip.pictures(camera)):
            assert (read_png(folder / "rgb" / f"{frame:06d}.png") == picture).all()
            ids = clip.clip.instances(camera, frame)
            found = np.zeros_like(ids)
            for place, row in enumerate(whole.rows(frame)):
                name = f"{frame:06d}_{place:06d}.png"
                assert ((read_png(folder / "mask" / name) > 0) == whole.mask(row)).all()
                found[read_png(folder / "mask_visib" / name) > 0] = whole.instance[row]
            assert (found == ids).all()


def test_what_stands_still_stands_still_in_the_world(bop):
    infos = loaded(bop / "models" / "models_info.json")
    for folder in scenes(bop)[:2]:
        cameras, truths = loaded(folder / "scene_camera.json"), loaded(folder / "scene_gt.json")
        floors = []
        for image, camera in cameras.items():
            r, t = np.reshape(camera["cam_R_w2c"], (3, 3)), np.array(camera["cam_t_w2c"])
            floor = max(truths[image], key=lambda truth: infos[str(truth["obj_id"])]["diameter"])
            floors.append(r.T @ (np.array(floor["cam_t_m2c"]) - t))
        assert np.abs(floors - np.array([0, 0, -50])).max() < 1e-6


def test_models_and_their_boxes_agree_and_equal_things_are_one_object(bop):
    infos = loaded(bop / "models" / "models_info.json")
    files = sorted((bop / "models").glob("*.ply"))
    assert [path.stem for path in files] == [f"obj_{int(key):06d}" for key in infos]
    assert len(infos) == 5, "ball, box and floor of three every_clip, the box without a class, and the one that is never seen"
    for path, info in zip(files, infos.values(), strict=True):
        vertices = np.asarray(trimesh.load(path, process=False).vertices)
        assert info["diameter"] == pytest.approx(pdist(vertices).max(), rel=1e-6)
        assert [info[f"min_{a}"] for a in "xyz"] == pytest.approx(vertices.min(axis=0).tolist())
        assert [info[f"size_{a}"] for a in "xyz"] == pytest.approx(np.ptp(vertices, axis=0).tolist())


def test_targets_are_the_objects_of_which_a_tenth_is_visible(bop):
    asked = {}
    for folder in scenes(bop):
        truths, infos = loaded(folder / "scene_gt.json"), loaded(folder / "scene_gt_info.json")
        for image in truths:
            for truth, info in zip(truths[image], infos[image], strict=True):
                key = int(folder.name), int(image), truth["obj_id"]
                asked[key] = asked.get(key, 0) + (info["visib_fract"] >= 0.1)
    targets = loaded(bop / "test_targets_bop19.json")
    told = {(t["scene_id"], t["im_id"], t["obj_id"]): t["inst_count"] for t in targets}
    assert told == {key: count for key, count in asked.items() if count} and len(told) == len(targets)
    assert set(targets[0]) == {"scene_id", "im_id", "obj_id", "inst_count"}
    camera = loaded(bop / "camera.json")
    k = np.reshape(loaded(bop / "train_pbr" / "000000" / "scene_camera.json")["0"]["cam_K"], (3, 3))
    assert [camera[name] for name in ("fx", "fy", "cx", "cy")] == [k[0, 0], k[1, 1], k[0, 2], k[1, 2]]
    assert (camera["width"], camera["height"], camera["depth_scale"]) == (64, 48, 1.0)


def test_bytes_depend_on_the_clips_alone(every_clip, bop, tmp_path):
    moved = [copied(clip, tmp_path / "elsewhere") for clip in every_clip]
    assert contents(written(writer("bop").write, moved, tmp_path / "bop")) == contents(bop)


@pytest.mark.slow
def test_an_object_that_deforms_hides_others_but_is_not_told(tmp_path):
    scene = scene_of(SEEDS[0])
    ball = replace(scene.meshes[0], deformed=np.repeat(scene.meshes[0].vertices[None], scene.frames, axis=0))
    clip = rendered(replace(scene, meshes=(ball, *scene.meshes[1:])), "clip", tmp_path)
    folder = written(writer("bop").write, [clip], tmp_path / "bop") / "train_pbr" / "000001"
    assert all(len(truths) == 2 for truths in loaded(folder / "scene_gt.json").values())
    assert min(info["visib_fract"] for found in loaded(folder / "scene_gt_info.json").values() for info in found) < 0.95


@pytest.mark.parametrize("lens", [{"distortion": (0.1, 0, 0, 0)}, {"projection": "orthographic"}])
def test_cameras_that_no_matrix_describes_are_refused(every_clip, tmp_path, lens):
    def bent(record):
        cameras = dict(record.cameras)
        cameras["still"] = cameras["still"].model_copy(update=lens)
        return record.model_copy(update={"cameras": cameras})

    with pytest.raises(BadValueError, match=r"must be a pinhole for BOP; .*\(clip moving-3, camera still\)"):
        written(writer("bop").write, [copied(every_clip[0], tmp_path, bent)], tmp_path / "bop")
