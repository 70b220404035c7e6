"""Episodes that are videos alone: into clips with warped noise, through a model, and out again with all that the robot did."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from sim2real.cli import main
from sim2real.clip import Clip, command_for, read_clip
from sim2real.clip.images import read_png, write_png
from sim2real.dataset.config import read_config
from sim2real.dataset.estimate import fewest_frames
from sim2real.dataset.make_clip import make_clip
from sim2real.dataset.merge import merge
from sim2real.dataset.plan import Row, make_plan
from sim2real.dataset.run_clip import Places
from sim2real.errors import BadKeyError, BadValueError, MissingFileError, Sim2RealError, UnknownNameError, UnreadableFileError
from sim2real.metrics.whiteness import whiteness
from tests.dataset.robot_videos import CAMERAS, FRAMES, MASKS, STEP_PX, mask, picture, recorded
from tests.dataset.test_lerobot import Dataset
from tests.flow.pictures import SIZE

pytest.importorskip("cv2")

VIDEOS = {"lerobot": "robot"}
MASKED = {**VIDEOS, "masks": MASKS, "names": {3: "cup"}}
COLUMNS = ("action", "observation.state", "timestamp", "next.done")


@pytest.fixture(scope="module")
def robot(tmp_path_factory) -> Path:
    return recorded(tmp_path_factory.mktemp("robot"))


def write_config(folder: Path, source: dict[str, Any], **config: Any) -> Path:
    (folder / "config.yaml").write_text(json.dumps({"sources": [source], **config}))
    return folder / "config.yaml"


def planned(folder: Path, source: dict[str, Any], **config: Any) -> tuple[Row, ...]:
    return make_plan(read_config(write_config(folder, source, **config)), folder)


def made(folder: Path, output: Path, source: dict[str, Any], **config: Any) -> str:
    arguments = ["dataset", str(write_config(folder, source, **config)), "-o", str(output), "--workers", "1"]
    done = CliRunner().invoke(main, arguments)
    log = (output / "log.txt").read_text() if (output / "log.txt").is_file() else ""
    assert done.exit_code == 0, done.output + log
    return done.output


def clips_in(output: Path) -> list[Clip]:
    return [read_clip(path) for path in sorted((output / "clips").iterdir())]


@pytest.fixture(scope="module")
def plain(robot, tmp_path_factory) -> Path:
    """The dataset made of the videos as they are, with masks."""
    output = tmp_path_factory.mktemp("made") / "plain"
    formats = ["lerobot", "coco", "youtube_vis", "webdataset", "robomimic"]
    said = made(robot, output, MASKED, formats=formats, gate={"labels": 1, "detail": 0.9, "noise": 6})
    assert "2 ok" in said
    return output


def check_untouched(source: Path, made_of_it: Path) -> Dataset:
    """Refuse a dataset that has not what the robot did, to the bit, and the same names for everything."""
    before, after = Dataset(source), Dataset(made_of_it)
    cameras = {name: f for name, f in before.info["features"].items() if not name.startswith("depth.")}
    assert after.info["features"] == cameras, "the same features, of the same types, shapes and names"
    assert [after.info[key] for key in ("fps", "robot_type")] == [before.info[key] for key in ("fps", "robot_type")]
    for number, (theirs, ours) in enumerate(zip(before.episodes, after.episodes, strict=True)):
        assert (theirs["length"], theirs["tasks"]) == (ours["length"], ours["tasks"])
        for name in COLUMNS:
            assert before.rows(number).column(name).equals(after.rows(number).column(name)), name
            assert before.column(number, name).tobytes() == after.column(number, name).tobytes()
    return after


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_episodes_go_in_and_come_out_with_every_bit_that_is_no_picture(robot, plain):
    before, after = Dataset(robot / "robot"), check_untouched(robot / "robot", plain / "lerobot")
    for episode, clip in enumerate(clips_in(plain)):
        for camera in CAMERAS:
            theirs, ours = (data.pictures(episode, f"observation.images.{camera}") for data in (before, after))
            assert len(ours) == FRAMES[episode] == clip.frames
            for frame, found in enumerate(ours):
                assert np.array_equal(clip.rgb(camera, frame), theirs[frame]), "as a loader finds it"
                off = [np.abs(found.astype(int) - other).mean() for other in theirs]
                assert int(np.argmin(off)) == frame and off[frame] < 4, "encoded once more"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_noise_is_white_goes_with_what_is_seen_and_is_another_for_every_camera(plain):
    for clip in clips_in(plain):
        assert clip.of_video and clip.noise_record().method == "video"
        assert command_for(clip, ["--for", "wan-vace"]) == "sim2real dataset CONFIG -o DIR"
        first = {camera: np.asarray(clip.noise(camera)[0]) for camera in CAMERAS}
        assert abs((first["front"] * first["wrist"]).mean()) < 5 / np.sqrt(first["front"].size)
        for camera in CAMERAS:
            noise, shift = np.asarray(clip.noise(camera)), STEP_PX * (clip.frames - 1)
            assert max(whiteness(frame[None]).worst() for frame in noise) < 5
            a, b = noise[0][..., :-shift][..., 8:], noise[-1][..., shift:][..., 8:]
            assert (a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()) > 0.8


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools.mask.decode
def test_masks_of_the_user_are_those_of_the_clips_and_of_coco(plain):
    from pycocotools.coco import COCO

    data = COCO(str(plain / "coco" / "annotations.json"))
    assert [category["name"] for category in data.dataset["categories"]] == ["cup", "unlabeled"]
    images = iter(data.dataset["images"])
    for episode, clip in enumerate(clips_in(plain)):
        assert [(i.id, i.name, i.class_name) for i in clip.record.instances] == [(3, "cup", "cup"), (700, "700", "")]
        for camera in CAMERAS:
            for frame in range(clip.frames):
                right = mask(episode, camera, frame)
                assert np.array_equal(clip.instances(camera, frame), right)
                found = np.zeros_like(right)
                for entry in data.loadAnns(data.getAnnIds([next(images)["id"]])):
                    name = data.loadCats(entry["category_id"])[0]["name"]
                    found[data.annToMask(entry).astype(bool)] = {"cup": 3, "unlabeled": 700}[name]
                    assert "visib_fract" not in entry, "nobody knows what is hidden"
                assert np.array_equal(found, right)
    tracks = json.loads((plain / "youtube_vis" / "annotations.json").read_bytes())["annotations"]
    assert len(tracks) == 3 * len(FRAMES) and not any("visib_fracts" in track for track in tracks)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_gate_judges_by_what_there_is(plain):
    for folder in (plain / "clips").iterdir():
        assert set(json.loads((folder / "done.json").read_text())["figures"]) == {"labels", "noise"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_footage_of_a_model_takes_the_place_of_the_pictures(robot, tmp_path):
    from tests.diffusion.families.tiny.wan import save_wan

    asked = {
        "generate": {"model": str(save_wan(tmp_path / "tiny", "WanVACEPipeline")), "prompt": "kitchen", "steps": 1},
        "formats": ["lerobot", "coco"],
        "size": [48, 64],
        "gate": {"labels": 1, "noise": 6, "shift_px": 100, "color": 1000, "borders": 0, "detail": 0.9, "flicker": 0},
    }
    rows = planned(robot, {**MASKED, "frames": 5, "cameras": ["front"]}, **asked)
    assert {fewest_frames(row) for row in rows} == {5}, "what a trial makes first"
    for row in rows:
        Places(tmp_path / "out").clips.mkdir(parents=True, exist_ok=True)
        make_clip(row, Places(tmp_path / "out").clips / row.clip_id)
    assert merge(rows, ["lerobot", "coco"], tmp_path / "out") == ["lerobot", "coco"]
    after, before = Dataset(tmp_path / "out" / "lerobot"), Dataset(robot / "robot")
    for episode, clip in enumerate(clips_in(tmp_path / "out")):
        figures = json.loads((clip.path / "done.json").read_text())["figures"]
        assert set(figures) == {"labels", "noise", "driven", "borders", "shift_px", "color"}, "those of motion need depth"
        assert (clip.record.noise.factor, clip.noise("front").shape[:2]) == (8, (2, 16))
        assert np.array_equal(after.column(episode, "action"), before.column(episode, "action")[:5])
        (footage,) = clip.generated("front")
        frames = [read_png(path).astype(int) for path in sorted((footage / "frames").iterdir())]
        shown = after.pictures(episode, "observation.images.front")
        assert len(shown) == len(frames) == 5
        for frame, (found, right) in enumerate(zip(shown, frames, strict=True)):
            assert 2 * np.abs(found - right).mean() < np.abs(found - clip.rgb("front", frame).astype(int)).mean()


@pytest.mark.slow
def test_size_stride_and_frames_are_those_of_pictures_masks_and_rows(robot, tmp_path):
    size = (64, 64)  # scaled to 64x85 and cropped
    source = {**MASKED, "episodes": [1], "cameras": ["observation.images.wrist"], "frames": 2, "stride": 3}
    (row,) = planned(robot, source, size=size, formats=["coco"])
    assert (row.cameras, row.episode) == (("wrist",), 1)
    assert row.of_video and Row.of_json(row.to_json()) == row
    make_clip(row, tmp_path / "clip")
    clip = read_clip(tmp_path / "clip")
    assert (clip.frames, clip.record.size, clip.record.fps) == (2, size, 10.0)
    with np.load(tmp_path / "clip" / "episode.npz") as held:
        assert np.array_equal(held["action"], Dataset(robot / "robot").column(1, "action")[[0, 3]])
    for frame in range(2):
        shown = Image.fromarray(picture(1, "wrist", 3 * frame))
        left = (SIZE[1] - SIZE[0]) / 2
        box = (left, 0, SIZE[1] - left, SIZE[0])
        right = np.array(shown.resize(size[::-1], Image.Resampling.LANCZOS, box=box)).astype(int)
        assert np.abs(clip.rgb("wrist", frame) - right).mean() < 5
        ids = Image.fromarray((mask(1, "wrist", 3 * frame) > 0).astype(np.uint8) * 255)
        inside = np.array(ids.resize(size[::-1], Image.Resampling.BILINEAR, box=box)) / 255
        found = clip.instances("wrist", frame)
        assert set(np.unique(found)) == {0, 3, 700}
        assert np.abs((found > 0) - inside).max() <= 0.7 and ((found > 0) == (inside > 0.5)).mean() > 0.99


def test_rows_are_episodes_and_their_names_depend_on_what_is_asked(robot):
    rows = planned(robot, VIDEOS)
    assert [(row.episode, row.cameras, row.lerobot) for row in rows] == [
        (k, CAMERAS, str(robot / "robot")) for k in range(len(FRAMES))
    ]
    assert [row.clip_id.rpartition("-")[0] for row in rows] == ["robot-000000", "robot-000001"]
    others = [{**VIDEOS, **more} for more in ({"cameras": "front"}, {"estimator": "raft"}, {"masks": MASKS}, {"stride": 2})]
    assert planned(robot, {**VIDEOS, "estimator": "dis"}) == rows, "as without"
    assert len({planned(robot, source)[0].clip_id for source in (VIDEOS, *others)}) == 5
    assert planned(robot, VIDEOS, variations={"grid": {"beta": [0.5]}})[0].values == {"beta": 0.5}


@pytest.mark.parametrize(
    ("source", "config", "says"),
    [
        ({}, {}, r"sources\[0\].scene: is missing, must be a scene; or give lerobot: FOLDER"),
        ({**VIDEOS, "orbit": True}, {}, r"sources\[0\].orbit: is of scenes, must be left out where lerobot"),
        ({**VIDEOS, "fps": 5}, {}, r"sources\[0\].fps: is of scenes"),
        ({**VIDEOS, "light": "lab"}, {}, r"sources\[0\].light: is of scenes"),
        ({**VIDEOS, "states_column": "x"}, {}, r"sources\[0\].states_column: is of scenes"),
        ({"scene": "a.xml", **MASKED}, {}, r"sources\[0\].masks: is of videos, must be left out beside scene"),
        ({**VIDEOS, "estimator": "fast"}, {}, r"must be one of: dis, raft"),
        ({**VIDEOS, "weights": "w.pth"}, {}, r"weights: .* or estimator: raft be given"),
        ({**VIDEOS, "names": {1: "cup"}}, {}, r"names: .* or masks be given"),
        ({**VIDEOS, "masks": "{clip}/{frame}.png"}, {}, r"masks: has {clip}, must have no fields but {episode}, {camera}"),
        ({**VIDEOS, "masks": "{frame:06q}.png"}, {}, r"masks: is '{frame:06q}.png', must be a pattern with"),
        ({**VIDEOS, "masks": "{frame"}, {}, r"masks: is '{frame', must be a pattern with"),
        ({**VIDEOS, "masks": "{frame:{x}}"}, {}, r"masks: is '{frame:{x}}', must be a pattern with"),
        (VIDEOS, {"materials": 0.5}, "materials: asks for materials, which needs a scene; the videos of robot have none"),
        (VIDEOS, {"clutter": 2}, "clutter: asks for clutter, which needs a scene"),
        (VIDEOS, {"camera_jitter": {"position_m": 0.1}}, "asks for camera_jitter, which needs a scene"),
        (VIDEOS, {"sensor": "phone"}, "asks for sensor, which needs a scene"),
        (VIDEOS, {"variations": {"sample": 2, "light": ["lab"]}}, "variations: asks for light, which needs a scene"),
        (VIDEOS, {"variations": {"grid": {"sensor": ["phone"]}}}, "variations: asks for sensor, which needs a scene"),
        (VIDEOS, {"formats": ["lerobot", "coco"]}, "formats: has coco, which needs instances; .* give the source masks"),
        (VIDEOS, {"formats": ["bop"]}, "formats: has bop, which needs depth, instances, meshes; .* give the source a scene"),
        (MASKED, {"formats": ["nerfstudio"]}, "formats: has nerfstudio, which needs depth; "),
        (MASKED, {"formats": ["cosmos"]}, "formats: has cosmos, which needs depth, normals; "),
        (VIDEOS, {"only": ["rgb", "depth"]}, "only: has depth, must be among: edges, flow, noise, rgb for the videos of robot"),
    ],
)
def test_what_videos_do_not_have_is_refused_by_name_when_the_config_is_read(source, config, says, tmp_path):
    with pytest.raises(BadKeyError, match=says) as caught:
        read_config(write_config(tmp_path, source, **config))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "config", "error", "says"),
    [
        (VIDEOS, {"generate": {}}, BadValueError, "the model is embedded, which needs .*normals.*, must be of .*: wan-vace"),
        (VIDEOS, {"generate": {"model": "wan-fun-control"}}, BadValueError, "which .*, must be of .*: wan-vace"),
        (VIDEOS, {"generate": {"model": "wan-vace", "prompt": "auto"}}, BadValueError, "the prompt is 'auto', must be words"),
        (VIDEOS, {"generate": {"model": "wan-vice"}}, UnknownNameError, "did you mean 'wan-vace'"),
        ({**VIDEOS, "episodes": [0, 7]}, {}, BadValueError, "the episode is 7, must be 0 to 1"),
        ({**VIDEOS, "cameras": ["fornt"]}, {}, UnknownNameError, "unknown camera 'fornt'.*did you mean 'front'"),
        ({**VIDEOS, "lerobot": "elsewhere"}, {}, MissingFileError, "elsewhere/meta/info.json"),
        ({**VIDEOS, "masks": "none/{frame}.png"}, {}, MissingFileError, "mask of episode 0 not found.*none/0.png"),
    ],
)
def test_what_cannot_become_a_clip_is_refused_when_the_dataset_is_planned(robot, source, config, error, says):
    with pytest.raises(error, match=says) as caught:
        planned(robot, source, **config)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_frames_and_sizes_that_the_model_does_not_take_are_refused_before_anything_runs(robot, tmp_path):
    from tests.diffusion.families.tiny.wan import save_wan

    asked = {"generate": {"model": str(save_wan(tmp_path / "tiny", "WanVACEPipeline"))}}
    with pytest.raises(Sim2RealError, match=r"episode 1 of .*robot: the number of frames is 6, must be 4 n \+ 1 for wan-vace"):
        planned(robot, VIDEOS, **asked)
    with pytest.raises(Sim2RealError, match=r"episode 0 of .*robot: the size is 96x120, must be multiples of 16"):
        planned(robot, {**VIDEOS, "frames": 5}, size=[96, 120], **asked)
    with pytest.raises(Sim2RealError, match=r"episode 0 of .*robot: --use is restyle"):
        planned(robot, {**VIDEOS, "frames": 5}, generate={**asked["generate"], "use": "restyle"})
    with pytest.raises(BadValueError, match="the model is embedded, which needs"):
        planned(
            robot, {**VIDEOS, "frames": 5}, variations={"grid": {"model": [asked["generate"]["model"], "embedded"]}}, **asked
        )
    assert len(planned(robot, {**VIDEOS, "frames": 5}, **asked)) == 2


@pytest.fixture
def copied(robot, tmp_path) -> Path:
    for name in ("robot", "masks"):
        shutil.copytree(robot / name, tmp_path / "copy" / name)
    return tmp_path / "copy"


def test_a_clip_keeps_its_name_where_everything_moves_together(robot, copied):
    source = {**MASKED, "estimator": "raft", "weights": "raft.pth"}
    assert [row.clip_id for row in planned(robot, source)] == [row.clip_id for row in planned(copied, source)]
    assert planned(robot, source)[0] != planned(copied, source)[0]


def test_videos_of_different_sizes_need_one_that_is_asked_for(copied):
    info = json.loads((copied / "robot/meta/info.json").read_text())
    info["features"]["observation.images.wrist"]["shape"] = [48, 64, 3]
    (copied / "robot/meta/info.json").write_text(json.dumps(info))
    with pytest.raises(
        BadValueError, match=r"size is 96x128 \(front\), 48x64 \(wrist\), must be one size; give the source size"
    ):
        planned(copied, VIDEOS)
    assert planned(copied, {**VIDEOS, "cameras": ["wrist"]}) and planned(copied, VIDEOS, size=[48, 64])


def test_a_depth_map_is_no_camera_and_a_dataset_without_videos_has_none(copied):
    info = json.loads((copied / "robot/meta/info.json").read_text())
    info["features"]["observation.images.wrist"]["info"]["video.is_depth_map"] = True
    (copied / "robot/meta/info.json").write_text(json.dumps(info))
    assert planned(copied, VIDEOS)[0].cameras == ("front",)
    info["features"] = {name: f for name, f in info["features"].items() if f["dtype"] != "video"}
    (copied / "robot/meta/info.json").write_text(json.dumps(info))
    with pytest.raises(BadValueError, match="the number of videos is 0"):
        planned(copied, VIDEOS)


def test_a_dataset_that_has_changed_since_it_was_planned_is_refused(copied, tmp_path):
    row = planned(copied, VIDEOS)[0]
    file = next((copied / "robot").glob("meta/episodes/*/*.parquet"))
    import pyarrow.parquet as parquet

    parquet.write_table(parquet.read_table(file), file, compression="none")
    with pytest.raises(BadValueError, match="the dataset is another one than was planned.*plan anew"):
        make_clip(row, tmp_path / "clip")
    assert not (tmp_path / "clip").exists()


@pytest.mark.parametrize(
    ("spoil", "error", "says"),
    [
        (lambda path: path.unlink(), MissingFileError, "mask not found; there must be one per frame.*000001.png"),
        (lambda path: path.write_bytes(b"\x89PNG"), UnreadableFileError, "the mask cannot be read.*000001.png"),
        (
            lambda path: write_png(path, np.zeros((*SIZE, 3), np.uint8)),
            UnreadableFileError,
            "the mask cannot be read: it is PNG RGB; write ids as PNG of 8 or 16 bits.*000001.png",
        ),
        (
            lambda path: write_png(path, np.zeros((40, 64), np.uint8)),
            BadValueError,
            "size of the mask is 40x64, must be 96x128, that of the video.*000001.png",
        ),
    ],
)
def test_a_mask_that_is_not_there_or_odd_is_named(copied, tmp_path, spoil, error, says):
    (row,) = planned(copied, {**MASKED, "episodes": [0], "cameras": ["front"], "frames": 2}, only=["rgb"])
    spoil(copied / MASKS.format(episode=0, camera="front", frame=1))
    with pytest.raises(error, match=says) as caught:
        make_clip(row, tmp_path / "clip")
    assert "\n" not in str(caught.value) and not (tmp_path / "clip").exists()


def test_a_video_that_ends_before_its_episode_is_named(copied, tmp_path):
    (row,) = planned(copied, {**VIDEOS, "episodes": [1], "cameras": ["front"]}, only=["rgb"])
    (video,) = (copied / "robot/videos/observation.images.front").rglob("*.mp4")
    shutil.copyfile(video, tmp_path / "whole.mp4")
    import av

    with av.open(str(tmp_path / "whole.mp4")) as whole, av.open(str(video), "w") as cut:
        stream = cut.add_stream_from_template(whole.streams.video[0])
        for number, packet in enumerate(whole.demux(video=0)):
            if packet.dts is not None and number < FRAMES[0] + 2:
                packet.stream = stream
                cut.mux(packet)
    with pytest.raises(UnreadableFileError, match="it ends early, 2 of 6 frames from 0.16.* s on could be read; copy it again"):
        make_clip(row, tmp_path / "clip")
