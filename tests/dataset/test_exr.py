"""Exchange folders, read back by OpenEXR, Pillow and json."""

import json

import numpy as np
import OpenEXR
import pytest
from PIL import Image

from sim2real.dataset.writers.registry import writer
from tests.dataset.labels import contents, copied, written


@pytest.fixture(scope="module")
def dataset(every_clip, tmp_path_factory):
    return written(writer("exr").write, every_clip, tmp_path_factory.mktemp("exr") / "exr")


def test_pictures_depth_and_ids_are_those_of_the_clip(every_clip, dataset):
    for clip in every_clip:
        for camera in clip.clip.cameras:
            folder = dataset / clip.clip_id / camera
            for frame, picture in enumerate(clip.pictures(camera)):
                depth = clip.clip.depth(camera, frame)
                with OpenEXR.File(str(folder / "depth" / f"{frame:06d}.exr")) as file:
                    z = file.channels()["Z"].pixels
                assert z.dtype == np.float32 and (z == depth).all()
                whole = np.array(Image.open(folder / "depth_mm" / f"{frame:06d}.png"))
                assert whole.dtype == np.uint16 and np.abs(whole / 1000 - depth).max() < 0.00051
                ids = np.array(Image.open(folder / "instances" / f"{frame:06d}.png"))
                assert ids.dtype == np.uint16 and (ids == clip.clip.instances(camera, frame)).all()
                assert (np.array(Image.open(folder / "rgb" / f"{frame:06d}.png")) == picture).all()


def test_cameras_and_instances_are_those_of_the_record(every_clip, dataset):
    for clip in every_clip:
        record = clip.clip.record
        cameras = json.loads((dataset / clip.clip_id / "cameras.json").read_bytes())
        instances = json.loads((dataset / clip.clip_id / "instances.json").read_bytes())
        assert (cameras["fps"], cameras["frames"], tuple(cameras["size"])) == (record.fps, record.frames, record.size)
        assert list(cameras["cameras"]) == clip.clip.cameras
        for name, camera in record.cameras.items():
            found = cameras["cameras"][name]
            assert np.array_equal(found["K"], camera.intrinsics) and found["projection"] == camera.projection
            assert np.array_equal(found["world_from_camera"], camera.world_from_camera)
            assert tuple(found["distortion"]) == camera.distortion
        assert [(i["id"], i["name"], i["class"]) for i in instances] == [(i.id, i.name, i.class_name) for i in record.instances]
        for found, instance in zip(instances, record.instances, strict=True):
            assert np.array_equal(found["world_from_instance"], instance.world_from_instance)


def test_bytes_depend_on_the_clips_alone(every_clip, dataset, tmp_path):
    moved = [copied(clip, tmp_path / "elsewhere") for clip in every_clip]
    assert contents(written(writer("exr").write, moved, tmp_path / "exr")) == contents(dataset)
