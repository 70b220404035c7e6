"""COCO and YouTube-VIS, read back by pycocotools."""

import json

import numpy as np
import pytest
from pycocotools import mask as rle
from pycocotools.coco import COCO

from sim2real.clip.images import read_png
from sim2real.dataset.categories import category_of
from sim2real.dataset.silhouettes import read_silhouettes
from sim2real.dataset.writers.registry import writer
from sim2real.errors import MissingFileError
from tests.dataset.labels import contents, copied, written

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools.mask.decode


@pytest.fixture(scope="module")
def coco(every_clip, tmp_path_factory):
    return written(writer("coco").write, every_clip, tmp_path_factory.mktemp("coco") / "coco")


@pytest.fixture(scope="module")
def vis(every_clip, tmp_path_factory):
    return written(writer("youtube_vis").write, every_clip, tmp_path_factory.mktemp("vis") / "youtube_vis")


def views(clips):
    return [(clip, camera) for clip in clips for camera in clip.clip.cameras]


def test_masks_boxes_and_areas_read_by_pycocotools_are_those_of_the_clip(every_clip, coco):
    data = COCO(str(coco / "annotations.json"))
    images = iter(data.dataset["images"])
    seen = 0
    for clip, camera in views(every_clip):
        by_id = {i.id: i for i in clip.clip.record.instances}
        for frame, picture in enumerate(clip.pictures(camera)):
            image = next(images)
            assert image["frame_index"] == frame and (read_png(coco / image["file_name"]) == picture).all()
            assert (image["height"], image["width"]) == picture.shape[:2]
            ids = clip.clip.instances(camera, frame)
            found = np.zeros_like(ids)
            for entry in data.loadAnns(data.getAnnIds([image["id"]])):
                mask = data.annToMask(entry).astype(bool)
                assert not found[mask].any() and len(np.unique(ids[mask])) == 1 and entry["iscrowd"] == 0
                found[mask] = ids[mask]
                assert entry["area"] == mask.sum() and entry["bbox"] == rle.toBbox(entry["segmentation"]).tolist()
                name = data.loadCats(entry["category_id"])[0]["name"]
                assert name == category_of(by_id[int(ids[mask][0])])
                seen += 1
            assert (found == ids).all()
    assert next(images, None) is None and seen == len(data.anns) > 40


def test_visible_fractions_compare_with_the_whole_silhouette(every_clip, coco):
    data = COCO(str(coco / "annotations.json"))
    shares = []
    for image in data.dataset["images"]:
        clip, camera = views(every_clip)[image["video_id"] - 1]
        whole, ids = (
            read_silhouettes(clip, camera).counts(image["frame_index"]),
            clip.clip.instances(camera, image["frame_index"]),
        )
        for entry in data.loadAnns(data.getAnnIds([image["id"]])):
            instance = int(ids[data.annToMask(entry).astype(bool)][0])
            assert entry["visib_fract"] == entry["area"] / whole[instance]
            shares.append(entry["visib_fract"])
    assert min(shares) < 0.95 and max(shares) == 1


def test_ids_are_unique_and_tracks_follow_an_instance_through_frames_and_cameras(every_clip, coco):
    data = json.loads((coco / "annotations.json").read_bytes())
    for name in ("videos", "images", "annotations", "categories"):
        assert [entry["id"] for entry in data[name]] == list(range(1, len(data[name]) + 1))
    images = {image["id"]: image for image in data["images"]}
    followed = {}
    for entry in data["annotations"]:
        image = images[entry["image_id"]]
        clip, camera = views(every_clip)[image["video_id"] - 1]
        mask = rle.decode(entry["segmentation"]).astype(bool)
        instance = int(clip.clip.instances(camera, image["frame_index"])[mask][0])
        assert followed.setdefault(entry["track_id"], (clip.clip_id, instance)) == (clip.clip_id, instance)
    assert len(set(followed.values())) == len(followed)


def test_categories_are_all_classes_in_the_order_of_names(coco, vis):
    for folder in (coco, vis):
        data = json.loads((folder / "annotations.json").read_bytes())
        assert [(c["id"], c["name"]) for c in data["categories"]] == [(1, "ground"), (2, "toy"), (3, "unlabeled")]


def test_videos_hold_the_masks_of_their_clips_and_none_where_nothing_is_seen(every_clip, vis):
    data = json.loads((vis / "annotations.json").read_bytes())
    assert len(data["videos"]) == len(views(every_clip))
    for video, (clip, camera) in zip(data["videos"], views(every_clip), strict=True):
        tracks = [entry for entry in data["annotations"] if entry["video_id"] == video["id"]]
        assert video["length"] == clip.clip.frames == len(video["file_names"])
        for frame, (file, picture) in enumerate(zip(video["file_names"], clip.pictures(camera), strict=True)):
            assert (read_png(vis / file) == picture).all()
            found = np.zeros(clip.clip.record.size, np.uint16)
            ids, masks = clip.clip.instances(camera, frame), 0
            for track in tracks:
                segment, box, area = (track[name][frame] for name in ("segmentations", "bboxes", "areas"))
                if segment is None:
                    assert box is None and area is None and track["visib_fracts"][frame] == 0
                    continue
                mask = rle.decode(segment).astype(bool)
                found[mask], masks = ids[mask], masks + 1
                assert len(np.unique(ids[mask])) == 1 and area == mask.sum() and box == rle.toBbox(segment).tolist()
                assert 0 < track["visib_fracts"][frame] <= 1
            assert (found == ids).all() and masks == len(np.unique(ids[ids > 0]))
        for track in tracks:
            assert any(segment is not None for segment in track["segmentations"])
            assert (track["height"], track["width"], track["length"]) == (video["height"], video["width"], video["length"])
    assert len({entry["id"] for entry in data["annotations"]}) == len(data["annotations"])


@pytest.mark.parametrize("name", ["coco", "youtube_vis"])
def test_bytes_depend_on_the_clips_alone(name, every_clip, tmp_path, request):
    first = contents(request.getfixturevalue({"coco": "coco", "youtube_vis": "vis"}[name]))
    moved = [copied(clip, tmp_path / "elsewhere") for clip in every_clip]
    assert contents(written(writer(name).write, moved, tmp_path / name)) == first


@pytest.mark.parametrize("name", ["coco", "youtube_vis", "bop"])
def test_clips_without_silhouettes_or_models_are_refused_by_name(name, tiny_clips, tmp_path):
    with pytest.raises(MissingFileError, match="of clip moving-3 not found; make the clip again with: sim2real dataset"):
        written(writer(name).write, tiny_clips, tmp_path / name)
