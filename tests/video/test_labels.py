from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from sim2real.clip.images import write_png
from sim2real.errors import BadValueError, MissingFileError, UnreadableFileError
from sim2real.noise import NoiseLayout
from sim2real.video import Known, MaskFiles, WarpOptions, open_pictures, warp_video
from sim2real.video.labels import instances_of
from tests.flow.pictures import SIZE, disc_before_wall
from tests.video.conftest import FRAMES

pytest.importorskip("cv2")


@pytest.fixture
def masks(tmp_path):
    """The disc is 7 in the first frames, 300 in the last one; files of gray of 8 bits, of a palette and of gray of 16 bits."""
    files = [tmp_path / f"{frame}.png" for frame in range(FRAMES)]
    for frame, file in enumerate(files):
        disc = disc_before_wall(frame)[1]
        if frame == 1:
            picture = Image.fromarray(disc.astype(np.uint8) * 7).convert("P")
            picture.putdata(np.ravel(disc * 7).tolist())
            picture.putpalette([255, 0, 0] * 256)
            picture.save(file)
        else:
            write_png(file, disc * np.uint16(300) if frame == FRAMES - 1 else disc * np.uint8(7))
    return files


def test_masks_become_the_labels_of_the_clip_whatever_their_depth_of_bits(disc_folder, masks, tmp_path):
    pictures = open_pictures(disc_folder)
    options = WarpOptions(only=["rgb"], names={7: "disc"}, layout=NoiseLayout(1, 3))
    clip = warp_video(pictures, tmp_path / "clip", options, known=Known(labels=MaskFiles(masks, pictures)))
    for frame in range(FRAMES):
        right = disc_before_wall(frame)[1] * (300 if frame == FRAMES - 1 else 7)
        assert np.array_equal(clip.instances("video", frame), right)
    assert [(i.id, i.name, i.class_name) for i in clip.record.instances] == [(7, "disc", "disc"), (300, "300", "")]
    assert (clip.path / "video" / "instances.mp4").is_file()


def test_ids_are_scaled_and_cropped_as_the_pictures_are_and_none_is_new(disc_folder, masks):
    pictures = open_pictures(disc_folder, size=(64, 48))
    shown = np.array(list(pictures))
    for frame, file in enumerate(masks):
        found = MaskFiles(masks, pictures).frame(frame)
        assert found.shape == shown[frame].shape[:2] and len(np.unique(found)) == 2
        left = (SIZE[1] - SIZE[0] * 48 / 64) / 2
        whole = Image.fromarray((np.array(Image.open(file)) > 0).astype(np.uint8) * 255)
        share = np.array(whole.resize((48, 64), Image.Resampling.BOX, box=(left, 0, SIZE[1] - left, SIZE[0])))
        assert ((found > 0) == (share > 127)).mean() > 0.98
        assert not found[share == 0].any() and found[share == 255].all()


@pytest.mark.parametrize(
    ("spoil", "error", "says"),
    [
        (lambda file: file.unlink(), MissingFileError, "mask not found"),
        (lambda file: Image.new("RGB", SIZE[::-1]).save(file), UnreadableFileError, "it is PNG RGB; write ids as PNG"),
        (lambda file: Image.new("L", SIZE[::-1]).save(file, format="JPEG"), UnreadableFileError, "it is JPEG L; write ids"),
        (lambda file: file.write_bytes(file.read_bytes()[:60]), UnreadableFileError, "the mask cannot be read"),
        (lambda file: Image.new("L", SIZE).save(file), BadValueError, "is 128x96, must be 96x128, that of the video"),
    ],
)
def test_a_mask_that_is_odd_is_named(disc_folder, masks, spoil, error, says):
    spoil(masks[2])
    with pytest.raises(error, match=f"{says}.*2.png"):
        MaskFiles(masks, open_pictures(disc_folder)).frame(2)


def test_instances_are_in_the_order_of_ids():
    found = instances_of([9, 2], 3, {2: "cup", 5: "never seen"})
    assert [(i.id, i.name, i.class_name, len(i.world_from_instance)) for i in found] == [(2, "cup", "cup", 3), (9, "9", "", 3)]
