from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from sim2real.clip import NoiseRecord, VideoWriter, images, read_clip, write_report, write_sheet
from sim2real.clip.report.colors import colorized, depth_picture, id_colors
from sim2real.clip.report.figures import noise_figures
from sim2real.clip.report.sheet import rows_of, sheet_picture, spread
from sim2real.noise.layout import NoiseLayout


def add_footage(clip, name: str = "embedded-0", *, pictures: bool = True):
    folder = clip.path / "front" / "generated" / name
    (folder / "frames").mkdir(parents=True)
    with VideoWriter(folder / "video.mp4", 12.0) as video:
        for frame in range(clip.frames):
            picture = np.full((24, 32, 3), 40 * frame, np.uint8)
            video.write(picture)
            if pictures:
                images.write_png(folder / "frames" / f"{frame:06d}.png", picture)
    (folder / "settings.json").write_text(json.dumps({"model": "<b>embedded</b>", "steps": 4}))


def test_rows_are_those_that_the_clip_holds(clip):
    assert [row.label for row in rows_of(clip, "front")] == ["rgb", "noise", "depth", "edges", "instances"]
    add_footage(clip)
    assert [row.label for row in rows_of(clip, "front")][-1] == "generated"
    assert len(rows_of(clip, "wrist")) == 5


def add_surfaces(clip):
    for kind in ("albedo", "material"):
        (clip.path / "front" / kind).mkdir()
        for frame in range(clip.frames):
            images.write_png(clip.frame_path("front", kind, frame), np.full((24, 32, 3), 10 * frame, np.uint8))
    for kind in ("light", "reflection"):
        (clip.path / "front" / kind).mkdir()
        for frame in range(clip.frames):
            images.write_light(clip.frame_path("front", kind, frame), np.full((24, 32, 3), 0.1 * frame, np.float32))


def test_surfaces_and_light_are_on_the_sheet_where_other_kinds_were_left_out(clip):
    add_surfaces(clip)
    assert [row.label for row in rows_of(clip, "front")] == ["rgb", "noise", "depth", "edges", "instances"]
    shutil.rmtree(clip.path / "front" / "instances")
    rows = {row.label: row for row in rows_of(clip, "front")}
    assert list(rows)[-4:] == ["albedo", "material", "light", "reflection"]
    assert rows["material"].picture(3)[0, 0].tolist() == [30, 30, 30]
    levels = [int(rows["light"].picture(k)[0, 0, 0]) for k in range(4)]
    assert levels == sorted(set(levels))


def test_the_report_shows_kinds_without_a_video_as_a_picture(clip):
    assert 'alt="albedo"' not in write_report(clip).read_text()
    add_surfaces(clip)
    page = write_report(clip).read_text()
    shown = re.findall(r'<img alt="(albedo|material|light|reflection|normals)" src="data:', page)
    assert shown == ["albedo", "material", "light", "reflection", "normals", "normals"]
    assert "red roughness" in page


@pytest.mark.parametrize("pictures", [True, False])
def test_generated_footage_is_shown_from_pictures_or_from_the_video(clip, pictures):
    add_footage(clip, pictures=pictures)
    row = rows_of(clip, "front")[-1]
    assert row.caption == "embedded-0"
    assert abs(int(row.picture(3).mean()) - 120) <= 2


@pytest.mark.slow
def test_the_sheet_has_one_column_per_frame_shown(clip):
    few, many = sheet_picture(clip, columns=2), sheet_picture(clip, columns=5)
    assert many.width - few.width == 3 * 308
    assert few.height == many.height
    path = write_sheet(clip)
    with Image.open(path) as sheet:
        assert sheet.size == sheet_picture(clip).size
    assert not list(clip.path.glob(".*")), "no partial file is left"


def test_the_sheet_shows_the_pictures_themselves(clip):
    for frame in range(clip.frames):
        images.write_png(clip.frame_path("front", "rgb", frame), np.full((24, 32, 3), (10 * frame, 200, 30), np.uint8))
    pixels = np.asarray(sheet_picture(clip, columns=5))
    for frame in range(clip.frames):
        assert (pixels == (10 * frame, 200, 30)).all(axis=-1).sum() == 300 * 225


def test_frames_are_spread_from_the_first_to_the_last():
    assert spread(49, 6) == [0, 10, 19, 29, 38, 48]
    assert spread(3, 6) == [0, 1, 2]
    assert spread(1, 6) == [0]


@pytest.mark.parametrize("time", ["first", "middle", "last"])
def test_a_latent_is_shown_with_the_frames_that_belong_to_it(time):
    frames = NoiseLayout(temporal_factor=4, latent_time=time).latent_frames(14)
    record = NoiseRecord(factor=8, channels=4, beta=1, latent_frames=frames, method="surface", temporal_factor=4)
    for said in (record, record.model_copy(update={"temporal_factor": None})):
        assert [said.latent_of(frame) for frame in range(14)] == [0] + [1] * 4 + [2] * 4 + [3] * 4 + [4]
    assert all(record.latent_of(frame) == latent for latent, frame in enumerate(frames))


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.sources: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.sources += [v for k, v in attrs if k in ("src", "href") and v]
        if tag not in ("meta", "link", "img", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_report_asks_for_no_other_file(clip):
    add_footage(clip)
    page = write_report(clip).read_text()
    links = Links()
    links.feed(page)
    assert links.open == []
    assert links.sources and all(s.startswith("data:") for s in links.sources)
    assert len(re.findall("data:video/mp4", page)) == 3
    assert not re.search(r"https?://", page)


def test_the_report_says_what_the_record_says_and_escapes_it(clip):
    add_footage(clip)
    page = write_report(clip).read_text()
    for expected in ("scenes/tiny.yaml", "30.50, 30.00", "mug", "cup", "0.500 to 2.000 m", "&lt;b&gt;embedded&lt;/b&gt;"):
        assert expected in page
    assert "<b>embedded</b>" not in page


def test_a_clip_with_noise_alone_has_a_sheet_and_a_report(clip):
    for camera in clip.cameras:
        for kind in ("rgb", "depth", "normals", "edges", "instances"):
            shutil.rmtree(clip.path / camera / kind)
    bare = read_clip(clip.path)
    assert [row.label for row in rows_of(bare, "front")] == ["noise"]
    write_sheet(bare)
    write_report(bare)


def test_noise_figures_tell_white_noise_from_smooth_noise():
    rng = np.random.default_rng(0)
    white = rng.standard_normal((6, 3, 64, 64)).astype(np.float32)
    smooth = (white + np.roll(white, 1, axis=-1)) / np.sqrt(2)
    good, bad = noise_figures(white), noise_figures(smooth)
    limit = 5 * good.standard_error
    assert abs(good.mean) < limit and abs(good.neighbors) < limit and abs(good.channels) < limit
    assert abs(good.variance - 1) < 0.05 and abs(good.kurtosis - 3) < 0.2
    assert bad.neighbors > 0.2


def test_an_id_has_the_same_color_everywhere():
    ids = np.array([[0, 1], [2, 500]], np.uint16)
    picture = colorized(ids)
    assert (picture.reshape(-1, 3) == id_colors(501)[[0, 1, 2, 500]]).all()


def test_depth_pictures_darken_with_distance_and_mark_nothing():
    picture = depth_picture(np.array([[0.5, 1.0, 2.0, 9.0, 0.0]]), (0.5, 2.0)).sum(axis=-1)[0]
    assert picture[0] > picture[1] > picture[2] == picture[3]
    assert picture[4] == 3 * 58


def test_the_depth_row_suits_each_camera_whatever_the_clips_range_is(clip):
    ramp = np.tile(np.linspace(0.02, 0.08, 32, dtype=np.float32), (24, 1))
    for frame in range(clip.frames):
        images.write_depth(clip.frame_path("wrist", "depth", frame), ramp)
    row = next(row for row in rows_of(clip, "wrist") if row.label == "depth")
    brightness = row.picture(0).sum(axis=-1)[0].astype(int)
    assert (np.diff(brightness) <= 0).all() and brightness[0] - brightness[-1] > 300


def test_a_thousand_ids_have_a_thousand_colors_and_the_background_is_black():
    colors = id_colors(4096)
    assert len(np.unique(colors, axis=0)) == 4096
    assert (colors[0] == 0).all() and (colors[1:1000].max(axis=1) > 100).all()


def test_ids_that_are_near_each_other_look_different():
    colors = id_colors(40).astype(int)[1:]
    apart = [np.abs(colors[k] - colors[j]).sum() for k in range(39) for j in range(k + 1, min(k + 6, 39))]
    assert min(apart) > 50


def test_a_color_depends_on_nothing_but_the_id():
    assert (id_colors(7) == id_colors(300)[:7]).all()
    assert id_colors(4)[1:].tolist() == [[85, 131, 242], [177, 242, 85], [242, 85, 223]]
    ids = np.array([[0, 3], [2, 65535]], np.uint16)
    assert (colorized(ids)[0, 1] == id_colors(4)[3]).all() and colorized(ids).shape == (2, 2, 3)
