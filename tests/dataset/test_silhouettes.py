"""Whole silhouettes of instances."""

from dataclasses import replace

import numpy as np
import pytest

from sim2real.dataset.silhouettes import FILE, read_silhouettes, visible_shares, write_silhouettes
from sim2real.errors import BadValueError, MissingFileError, UnreadableFileError
from sim2real.raster import rasterizer, view_of
from sim2real.scene import triangles_of
from tests.dataset.conftest import SEEDS, scene_of
from tests.dataset.labels import ODD_CAMERA, copied, odd_scene, rendered


@pytest.fixture(scope="module")
def clips(every_clip):
    return every_clip[:2]


@pytest.mark.slow
def test_a_silhouette_is_what_is_left_when_all_other_parts_are_taken_away(clips):
    scene = scene_of(SEEDS[0])
    views = rasterizer(triangles_of(scene))
    for name in clips[0].clip.cameras:
        found = read_silhouettes(clips[0], name)
        for frame in range(scene.frames):
            masks = {int(found.instance[row]): found.mask(row) for row in found.rows(frame)}
            for instance in range(3):
                view = view_of(scene, scene.camera(name), frame).only(np.arange(3) == instance)
                alone = (views.visibility(view).face >= 0).numpy()
                assert (masks.get(instance + 1, np.zeros_like(alone)) == alone).all()
                assert found.counts(frame).get(instance + 1, 0) == alone.sum()


def test_what_is_visible_lies_within_the_silhouette_and_something_is_hidden(clips):
    hidden = 0
    for clip in clips:
        for name in clip.clip.cameras:
            found = read_silhouettes(clip, name)
            for frame in range(clip.clip.frames):
                ids = clip.clip.instances(name, frame)
                for row in found.rows(frame):
                    visible = ids == found.instance[row]
                    assert not (visible & ~found.mask(row)).any()
                    hidden += int((found.mask(row) & ~visible).sum())
                shares = visible_shares(clip, name, found, frame, ids)
                assert set(shares) == set(np.unique(ids).tolist()) - {0}
                assert all(0 < share <= 1 for share in shares.values())
    assert hidden > 100


def test_what_does_not_exist_or_is_out_of_view_has_no_row(every_clip, tmp_path):
    nothing = read_silhouettes(every_clip[3], ODD_CAMERA)
    assert nothing.counts(0) == {} and len(nothing.runs) == 0
    scene = odd_scene()
    gone = scene.visible.copy()
    gone[1, 0] = False
    clip = rendered(replace(scene, visible=gone), "odd", tmp_path)
    found = read_silhouettes(clip, ODD_CAMERA)
    assert [sorted(found.counts(frame)) for frame in range(3)] == [[1, 2, 3], [2, 3], [1, 2, 3]]


@pytest.mark.slow
@pytest.mark.parametrize("lens", ["perspective", "fisheye", "orthographic"])
def test_skipping_what_cannot_be_seen_changes_nothing(tmp_path, lens):
    scene = scene_of(SEEDS[0])
    camera = scene.camera("moving")
    k = camera.intrinsics * np.array([[0.5, 0, 1], [0, 0.5, 1], [0, 0, 1]]) if lens == "orthographic" else camera.intrinsics * 1
    k[:, 0, 2] += 3 * np.arange(len(k)) ** 2  # things leave the picture
    bend = np.array([0.01, 0.0, 0.0, 0.0]) if lens == "fisheye" else None
    scene = replace(scene, cameras=(replace(camera, intrinsics=k, projection=lens, distortion=bend),))
    clip = rendered(scene, "clip", tmp_path)
    found, views = read_silhouettes(clip, "moving"), rasterizer(triangles_of(scene))
    for frame in range(scene.frames):
        for instance in range(3):
            view = view_of(scene, scene.cameras[0], frame).only(np.arange(3) == instance)
            assert found.counts(frame).get(instance + 1, 0) == int((views.visibility(view).face >= 0).sum())


@pytest.mark.slow
def test_a_mesh_that_deforms_in_place_is_drawn_in_every_frame(tmp_path):
    scene = scene_of(SEEDS[0])
    swelling = scene.meshes[1].vertices * np.linspace(0.5, 1.5, scene.frames)[:, None, None]
    meshes = (scene.meshes[0], replace(scene.meshes[1], deformed=swelling), scene.meshes[2])
    scene = replace(scene, meshes=meshes, world_from_instance=np.broadcast_to(scene.world_from_instance[:1], (5, 3, 4, 4)))
    found = read_silhouettes(rendered(scene, "clip", tmp_path), "still")
    sizes = [found.counts(frame)[2] for frame in range(scene.frames)]
    assert sizes == sorted(sizes) and sizes[-1] > 2 * sizes[0]


def test_the_file_has_the_same_bytes_each_time(clips):
    path = clips[0].clip.folder("still") / FILE
    before = path.read_bytes()
    write_silhouettes(scene_of(SEEDS[0]), clips[0].clip.path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir() if p.name.startswith(".")] == []


def test_another_scene_is_refused(clips):
    with pytest.raises(BadValueError, match=r"the scene is .*must be what the clip was rendered from"):
        write_silhouettes(scene_of(SEEDS[0]).sliced(slice(0, 2)), clips[0].clip.path)


def test_clips_without_or_with_wrong_silhouettes_say_so(tiny_clips, clips, tmp_path):
    with pytest.raises(MissingFileError, match=r"silhouettes of clip moving-3 not found; make the clip again with: sim2real"):
        read_silhouettes(tiny_clips[0], "still")
    damaged = copied(clips[0], tmp_path)
    (damaged.clip.folder("still") / FILE).write_bytes(b"PK nothing")
    with pytest.raises(UnreadableFileError, match="moving-3"):
        read_silhouettes(damaged, "still")
    np.savez(damaged.clip.folder("still") / FILE, frame=np.zeros(1))
    with pytest.raises(UnreadableFileError, match="it holds frame"):
        read_silhouettes(damaged, "still")
    mixed = read_silhouettes(clips[1], "still")
    none = replace(mixed, instance=mixed.instance + 100)
    with pytest.raises(UnreadableFileError, match="more than its silhouette has"):
        visible_shares(clips[1], "still", none, 0, clips[1].clip.instances("still", 0))
