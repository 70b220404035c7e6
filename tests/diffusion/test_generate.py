from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from sim2real.camera_effects import Development, binned
from sim2real.camera_effects.tone import toned
from sim2real.clip import (
    CameraRecord,
    Clip,
    ClipRecord,
    InstanceRecord,
    NoiseRecord,
    SceneRecord,
    new_folder,
    read_clip,
    read_video,
    write_record,
)
from sim2real.clip.images import NoiseWriter, PictureWriter, write_depth, write_flow, write_light, write_png
from sim2real.clip.within import FINE
from sim2real.diffusion import GenerateOptions, family_of, generate
from sim2real.diffusion.families.embedded.conditions import BASE, CHANNELS, PICTURE
from sim2real.diffusion.families.embedded.denoiser import build_denoiser
from sim2real.diffusion.families.embedded.folder import Info, load_model, save_model
from sim2real.diffusion.families.embedded.footage import clip_conditions, restyle_of
from sim2real.diffusion.families.embedded.sample import sample
from sim2real.diffusion.generate import check_finer, check_options, filmed
from sim2real.diffusion.inputs import noise_source
from sim2real.errors import BadValueError, MissingFileError, UnknownNameError, UnreadableFileError
from sim2real.scene.colors import linear_from_srgb

FRAMES, SIZE = 6, (32, 48)
THINGS = (("floor", "floor"), ("arm_link", "robot"), ("mug", "mug"), ("lid", "mug"))
COLORS = np.array([(90, 110, 140), (200, 190, 170), (220, 120, 40), (60, 140, 70), (150, 60, 60)], np.uint8)


def write_clip(folder, rng, *, frames=FRAMES, size=SIZE):
    """A floor with three things on it; everything is lit evenly."""
    height, width = size
    k = np.array([[60.0, 0, width / 2], [0, 60.0, height / 2], [0, 0, 1]])
    still = np.broadcast_to(np.eye(4), (frames, 4, 4))
    record = ClipRecord(
        scene=SceneRecord(path="scene.yaml", sha256="", options={"stride": 2}),
        seed=0,
        fps=12,
        frames=frames,
        size=size,
        cameras={"front": CameraRecord(intrinsics=k, world_from_camera=still)},
        instances=[
            InstanceRecord(id=i + 1, name=n, class_name=c, world_from_instance=still) for i, (n, c) in enumerate(THINGS)
        ],
        noise=NoiseRecord(factor=1, channels=3, beta=1, latent_frames=list(range(frames)), method="test"),
    )
    ids = np.ones(size, np.uint16)
    ids[:4] = 0
    ids[8:24, 4:16], ids[8:24, 20:32], ids[8:24, 34:46] = 2, 3, 4
    with new_folder(folder) as work:
        write_record(work / "clip.json", record)
        pictures = {"rgb": COLORS[ids], "albedo": COLORS[ids], "instances": ids, "edges": np.zeros(size, np.uint8)}
        pictures["normals"] = np.broadcast_to(np.array([128, 128, 0], np.uint8), (*size, 3))
        pictures["material"] = np.broadcast_to(np.array([128, 0, 0], np.uint8), (*size, 3))
        for kind in (*pictures, "depth", "flow", "light", "reflection"):
            (work / "front" / kind).mkdir(parents=True)
        for frame in range(frames):
            for kind, picture in pictures.items():
                write_png(work / "front" / kind / f"{frame:06d}.png", picture)
            write_depth(work / "front" / "depth" / f"{frame:06d}.exr", np.where(ids > 0, 2, 0).astype(np.float32))
            light = np.where(ids > 0, 1, 0.1)[..., None] * np.ones(3, np.float32)
            write_light(work / "front" / "light" / f"{frame:06d}.exr", light)
            write_light(work / "front" / "reflection" / f"{frame:06d}.exr", 0 * light)
            moved = np.zeros((*size, 2), np.float32)
            write_flow(work / "front" / "flow" / f"{frame:06d}.npz", moved, np.ones(size, np.bool_))
        with NoiseWriter(work / "front" / "noise.npy", (frames, 3, *size)) as noise:
            for frame in range(frames):
                noise.write(frame, rng.standard_normal((3, *size), np.float32))
    return folder


@pytest.fixture
def clip(tmp_path, rng):
    return write_clip(tmp_path / "clip", rng)


def fresh(*, moved=False):
    """A tiny network as training begins with it, returning the picture that it is given; or one that heeds everything."""
    model = build_denoiser(0, widths=(8, 8, 8, 8), down=(1, 1, 1, 1), up=(1, 1, 1, 1), embedding=16)
    if moved:
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(1)
            for layer in (model.leave, model.finish, model.past.mix, model.middle.mix):
                layer.weight.normal_(std=0.1)
            model.enter.weight[:, :3] *= 10
    return model


@pytest.fixture
def model(tmp_path):
    save_model(tmp_path / "tiny", fresh(), Info())
    return tmp_path / "tiny"


@pytest.fixture
def moved_model(tmp_path):
    save_model(tmp_path / "moved", fresh(moved=True), Info(steps=2))
    return tmp_path / "moved"


def footage(clip, name):
    folder = clip / "front" / "generated" / name
    pictures = [np.asarray(Image.open(path)) for path in sorted((folder / "frames").glob("*.png"))]
    return np.stack(pictures).astype(int), json.loads((folder / "settings.json").read_text())


def means(frames):
    """Mean color inside each thing and of the background, by id."""
    return np.array(
        [
            frames[:, 1:3, 2:46].mean((0, 1, 2)),
            frames[:, 26:31, 4:44].mean((0, 1, 2)),
            *(frames[:, 10:22, x : x + 8].mean((0, 1, 2)) for x in (6, 22, 36)),
        ]
    )


def shown(color):
    """A matte surface of an sRGB color in even light, as a camera shows it."""
    return 255 * toned(linear_from_srgb(np.asarray(color) / 255).astype(np.float32), Development())


BACKGROUND = 255 * toned(np.full(3, 0.1, np.float32), Development())


def test_footage_appears_with_frames_video_and_settings(clip, model):
    told = []
    assert generate(clip, GenerateOptions(model=model, seed=3), progress=lambda *row: told.append(row)) == clip
    (folder,) = read_clip(clip).generated("front")
    assert folder.name == "tiny-3"
    frames, settings = footage(clip, "tiny-3")
    assert frames.shape == (FRAMES, *SIZE, 3)
    assert np.stack(list(read_video(folder / "video.mp4"))).shape == frames.shape
    expected = {"model": "tiny", "use": "keep", "camera_effects": "phone", "steps": 1, "seed": 3, "noise": "clip"}
    assert expected.items() <= settings.items() and settings["seconds_per_frame"] > 0
    assert told[-1] == ("generate front", FRAMES, FRAMES)


def test_a_network_that_changes_nothing_returns_the_surfaces_in_their_light(clip, model):
    generate(clip, GenerateOptions(model=model, camera_effects="none", wear=0.0))
    found = means(footage(clip, "tiny-0")[0])
    assert np.abs(found[0] - BACKGROUND).max() < 3
    for id_, color in enumerate(COLORS[1:], 1):
        assert np.abs(found[id_] - shown(color)).max() < 3


def with_finer(clip, rng, factor=2):
    """The clip with finer pictures of the same scene."""
    write_clip(clip / FINE, rng, size=(factor * SIZE[0], factor * SIZE[1]))
    record = json.loads((clip / "clip.json").read_text())
    (clip / "clip.json").write_text(json.dumps(record | {"fine": factor}))
    return clip


def test_footage_is_made_from_finer_pictures_where_there_are_any_and_reduced(clip, moved_model, rng):
    asked = GenerateOptions(model=moved_model, camera_effects="none")
    fine = with_finer(clip, rng) / FINE
    generate(fine, asked)
    large = footage(fine, "moved-0")[0]
    generate(clip, asked)
    frames, settings = footage(clip, "moved-0")
    assert settings["fine"] == 2 and frames.shape == (FRAMES, *SIZE, 3)
    assert np.array_equal(frames, np.stack([binned(frame.astype(np.uint8), 2) for frame in large]))


def test_without_finer_pictures_settings_name_none(clip, model):
    generate(clip, GenerateOptions(model=model))
    assert "fine" not in footage(clip, "tiny-0")[1]


def test_finer_pictures_that_lack_something_are_refused_with_the_command(clip, model, rng):
    shutil.rmtree(with_finer(clip, rng) / FINE / "front" / "light")
    with pytest.raises(MissingFileError, match="light.*make the clip with"):
        generate(clip, GenerateOptions(model=model))


def test_finer_pictures_are_refused_for_models_that_do_not_look_at_them():
    check_finer(None, 2)
    check_finer("wan-vace", 1)
    with pytest.raises(BadValueError, match="--fine.*it serves embedded, not wan-vace"):
        check_finer("wan-vace", 2)


@pytest.mark.slow
def test_camera_effects_differ_by_seed_and_frame_and_keep_the_picture(clip, model):
    generate(clip, GenerateOptions(model=model, camera_effects="none"))
    generate(clip, GenerateOptions(model=model, camera_effects="webcam", seed=1))
    generate(clip, GenerateOptions(model=model, camera_effects="webcam", seed=2))
    plain, one, two = (footage(clip, f"tiny-{k}")[0] for k in range(3))
    assert 0 < np.abs(one - plain).mean() < 25
    assert not np.array_equal(one, two) and not np.array_equal(one[0], one[1])
    generate(clip, GenerateOptions(model=model, camera_effects="webcam", seed=1))
    assert np.array_equal(one, footage(clip, "tiny-1")[0])


def moving(clip, fps, metres_per_frame):
    """The clip with mugs that move to the right."""
    record = json.loads((clip / "clip.json").read_text())
    record["fps"] = fps
    for instance in record["instances"]:
        if instance["class"] == "mug":
            for frame, pose in enumerate(instance["world_from_instance"]):
                pose[0][3] = frame * metres_per_frame
    (clip / "clip.json").write_text(json.dumps(record))
    return read_clip(clip)


def test_the_shutter_is_open_for_seconds_however_many_frames_there_are(clip, rng):
    picture = rng.integers(0, 256, (*SIZE, 3), np.uint8)

    def first(fps, metres_per_frame):
        return next(filmed(moving(clip, fps, metres_per_frame), "front", iter([picture]), "webcam", 0))

    slow = first(12, 0.2)
    np.testing.assert_array_equal(first(6, 0.4), slow)  # the same speed, every other frame
    assert (first(12, 0.4) != slow).mean() > 0.1
    np.testing.assert_array_equal(first(120, 0.2), first(240, 0.2))  # open for a thirtieth: at most from frame to frame


def test_wear_is_drawn_by_the_noise_and_keeps_colors_in_the_mean(clip, model):
    made = {}
    for wear in (0.0, 1.0):
        for noise in ("clip", "iid"):
            generate(clip, GenerateOptions(model=model, camera_effects="none", wear=wear, noise=noise))
            made[wear, noise], settings = footage(clip, "tiny-0" if noise == "clip" else f"tiny-{noise}-0")
            assert settings["wear"] == wear
    assert np.array_equal(made[0.0, "clip"], made[0.0, "iid"]) and not np.array_equal(made[1.0, "clip"], made[1.0, "iid"])
    new, used = means(made[0.0, "clip"]), means(made[1.0, "clip"])
    assert max(np.abs(new[id_] - used[id_]).max() for id_ in range(1, len(COLORS))) < 8
    assert np.array_equal(new[0], used[0]), "what is no surface stays"


@pytest.mark.parametrize("wear", [-0.1, 3.1, float("nan")])
def test_wear_that_there_is_not_is_refused(wear):
    with pytest.raises(BadValueError, match="0 to 3"):
        GenerateOptions(wear=wear)


def test_restyle_shows_the_colors_of_the_look(clip, model):
    generate(clip, GenerateOptions(model=model, use="restyle", seed=2, camera_effects="none"))
    frames, settings = footage(clip, "tiny-restyle-2")
    record = read_clip(clip).record
    wanted = restyle_of(record, "restyle", None, [], 2).appearances
    found = means(frames)
    for instance in record.instances:
        made_of = wanted[instance.id]
        if not made_of.metallic:  # there is nothing to mirror
            assert np.abs(found[instance.id] - shown(made_of.color)).max() < 6
        assert settings["materials"][instance.name].startswith(made_of.material)
    assert np.abs(found[0] - BACKGROUND).max() < 4, "what is no surface stays"
    assert (settings["use"], settings["look"], settings["keep"]) == ("restyle", None, [])


def test_what_is_kept_keeps_its_colors_while_all_else_changes(clip, model):
    generate(
        clip,
        GenerateOptions(
            model=model, use="restyle", look="loft,mug=copper", keep=["robot", "l?d"], wear=0.0, camera_effects="none"
        ),
    )
    frames, settings = footage(clip, "tiny-restyle-0")
    found = means(frames)
    for id_ in (2, 4):
        assert np.abs(found[id_] - shown(COLORS[id_])).max() < 4
    assert np.abs(found[1] - shown(COLORS[1])).max() > 20
    assert set(settings["materials"]) == {"floor", "mug"} and settings["materials"]["mug"].startswith("copper #")
    assert settings["look"] == "loft,mug=copper" and settings["keep"] == ["robot", "l?d"]


def test_what_is_restyled_has_a_texture_of_the_noise_and_the_color_of_the_look_in_the_mean(clip):
    opened = read_clip(clip)
    restyle = restyle_of(opened.record, "restyle", "floor=oak", ["mug"], 0)
    noise = np.random.default_rng(0).standard_normal((2, 3, *SIZE)).astype(np.float32)
    plain = clip_conditions(opened, "front", slice(1, 3), restyle)
    textured = clip_conditions(opened, "front", slice(1, 3), restyle, noise)
    assert plain.shape == (2, CHANNELS, *SIZE)
    floor = textured[:, BASE, 26:]
    assert plain[:, BASE, 26:].std(axis=(2, 3)).max() < 1e-6 < 0.01 < floor.std(axis=(2, 3)).min()
    assert np.abs(floor.mean(axis=(2, 3)) - plain[:, BASE, 26:].mean(axis=(2, 3))).max() < 0.08, "a few planks of oak"
    kept = clip_conditions(opened, "front", slice(1, 3))
    for made in (plain, textured):  # but for its border, where the render mixes it with what is replaced
        assert np.array_equal(kept[:, PICTURE, 10:22, 22:30], made[:, PICTURE, 10:22, 22:30])
    one = clip_conditions(opened, "front", slice(2, 3), restyle, noise[1:])
    assert np.array_equal(one[0], textured[1]), "a frame is the same alone"


@pytest.mark.slow
def test_frames_do_not_depend_on_how_many_are_read_at_once(clip, moved_model):
    opened = read_clip(clip)
    denoiser, _ = load_model(moved_model)
    restyle = restyle_of(opened.record, "restyle", None, ["mug"], 0)
    made = []
    for chunk in (1, 2, 5):
        noise_of = noise_source(opened, "front", family_of(None).layout, "clip", 0)

        def conditions_of(frames, noise):
            return clip_conditions(opened, "front", frames, restyle, noise)

        made.append(np.stack(list(sample(denoiser, noise_of, conditions_of, FRAMES, chunk=chunk))))
    assert np.array_equal(made[0], made[1]) and np.array_equal(made[0], made[2])


def test_generating_again_replaces_footage_with_the_same_pictures(clip, moved_model):
    generate(clip, GenerateOptions(model=moved_model))
    first, _ = footage(clip, "moved-0")
    generate(clip, GenerateOptions(model=moved_model, camera="front"))
    assert np.array_equal(first, footage(clip, "moved-0")[0])


def test_steps_are_the_models_own_unless_told(clip, moved_model):
    generate(clip, GenerateOptions(model=moved_model, camera_effects="none"))
    own, settings = footage(clip, "moved-0")
    generate(clip, GenerateOptions(model=moved_model, steps=1, camera_effects="none"))
    assert settings["steps"] == 2 and not np.array_equal(own, footage(clip, "moved-0")[0])


@pytest.mark.slow
def test_baselines_lie_beside_the_footage(clip, moved_model):
    for use in ("keep", "restyle"):
        generate(clip, GenerateOptions(model=moved_model, use=use, noise="iid", camera_effects="none"))
    generate(clip, GenerateOptions(model=moved_model, camera_effects="none"))
    names = {"moved-0", "moved-iid-0", "moved-restyle-iid-0"}
    assert {p.name for p in (clip / "front" / "generated").iterdir()} == names
    assert not np.array_equal(footage(clip, "moved-0")[0], footage(clip, "moved-iid-0")[0])


def test_noise_of_the_baselines_is_what_it_says(clip):
    opened, layout = read_clip(clip), family_of(None).layout
    whole = noise_source(opened, "front", layout, "iid", 0)(slice(0, FRAMES))
    assert np.array_equal(whole[2:4], noise_source(opened, "front", layout, "iid", 0)(slice(2, 4)))
    assert not np.array_equal(whole, noise_source(opened, "front", layout, "iid", 1)(slice(0, FRAMES)))
    assert abs(np.corrcoef(whole[0].ravel(), whole[1].ravel())[0, 1]) < 0.06 and abs(whole.std() - 1) < 0.02
    flow = noise_source(opened, "front", layout, "flow", 0)
    still = np.concatenate([flow(slice(0, 2)), flow(slice(2, 5))])
    assert np.array_equal(still[0], still[4]) and abs(still[0].std() - 1) < 0.05


def test_frames_are_read_and_written_a_few_at_a_time(clip, model, monkeypatch):
    read, ahead = [], []
    normals = Clip.normals
    monkeypatch.setattr(Clip, "normals", lambda self, camera, frame: (read.append(frame), normals(self, camera, frame))[1])

    write = PictureWriter.write

    def watched(self, path, picture):
        ahead.append(read[-1] - int(path.stem))
        write(self, path, picture)

    monkeypatch.setattr(PictureWriter, "write", watched)
    generate(clip, GenerateOptions(model=model, use="restyle"))
    assert read == list(range(FRAMES)) and len(ahead) == FRAMES
    assert max(ahead) <= 4  # two stretches of two frames, and the one that is filmed


def test_a_clip_that_lacks_kinds_says_which_and_the_command(clip, model):
    for kind in ("albedo", "material"):
        (clip / "front" / kind).rename(clip / kind)
    command = "sim2real render scene.yaml -o CLIP --for embedded --stride 2"
    with pytest.raises(MissingFileError, match=f"albedo, material .all of which embedded needs. not found.*{command}"):
        generate(clip, GenerateOptions(model=model))
    for kind in ("albedo", "material"):
        (clip / kind).rename(clip / "front" / kind)
    (clip / "front" / "noise.npy").unlink()
    with pytest.raises(MissingFileError, match=f"noise .which embedded needs. not found.*{command}"):
        generate(clip, GenerateOptions(model=model))
    generate(clip, GenerateOptions(model=model, noise="iid"))
    (clip / "front" / "flow" / "000000.npz").unlink()
    (clip / "front" / "flow").rename(clip / "flow")
    with pytest.raises(MissingFileError, match="flow .*--only noise,rgb,.*,flow"):
        generate(clip, GenerateOptions(model=model, noise="flow"))


def test_a_clip_of_a_video_is_told_what_videos_lack(clip, model):
    (clip / "front" / "albedo").rename(clip / "albedo")
    told = json.loads((clip / "clip.json").read_text())
    told["scene"] |= {"options": {"reader": "video"}}
    (clip / "clip.json").write_text(json.dumps(told))
    with pytest.raises(MissingFileError, match="albedo .*videos do not have them.*wan-vace"):
        generate(clip, GenerateOptions(model=model))


def test_noise_for_another_model_is_refused_with_the_command(clip, model):
    told = json.loads((clip / "clip.json").read_text())
    told["noise"] |= {"factor": 8, "channels": 16, "latent_frames": [0, 4]}
    (clip / "clip.json").write_text(json.dumps(told))
    with pytest.raises(BadValueError, match="16 channels at factor 8.*sim2real render scene.yaml -o CLIP --for embedded"):
        generate(clip, GenerateOptions(model=model))


def test_a_model_of_the_old_kind_says_what_to_do(clip, tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "sim2real.json").write_text('{"spec": {}, "window": [8, 64, 64], "steps": 4}')
    with pytest.raises(UnreadableFileError, match="older version.*sim2real train"):
        generate(clip, GenerateOptions(model=tmp_path / "old"))
    with pytest.raises(UnreadableFileError, match="older version"):
        check_options(GenerateOptions(model=tmp_path / "old"))  # what `run` asks before it renders


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"camera": "wrist"}, UnknownNameError, "unknown camera 'wrist'.*front"),
        ({"prompt": "a kitchen"}, BadValueError, "reads no text"),
        ({"model": "wan-fun-control"}, BadValueError, "must be of a family that generate runs"),
        ({"use": "repaint"}, BadValueError, "--use is repaint, must be keep or restyle"),
        ({"keep": ["robot"]}, BadValueError, "--keep is 'robot', must be left out.*--use restyle"),
        ({"look": "loft"}, BadValueError, "--look is 'loft', must be left out.*--use restyle"),
        ({"use": "restyle", "look": "lofty"}, UnknownNameError, "unknown look 'lofty'; did you mean 'loft'"),
        ({"use": "restyle", "look": "mug=oka"}, UnknownNameError, "unknown material 'oka'; did you mean 'oak'"),
        ({"use": "restyle", "look": "table=oak"}, UnknownNameError, "unknown class or instance 'table'.*floor, robot, mug"),
        ({"use": "restyle", "keep": ["robto"]}, UnknownNameError, "unknown class or instance 'robto'; did you mean 'robot'"),
        ({"camera_effects": "phon"}, UnknownNameError, "'phon'.*phone"),
        ({"noise": "pink"}, BadValueError, "noise is 'pink', must be clip, iid, flow"),
        ({"device": "abacus"}, BadValueError, "the device is abacus"),
        ({"model": "wan-vace", "use": "restyle"}, BadValueError, "--use is restyle, must be left out.*embedded"),
    ],
)
def test_unusable_requests_are_refused_before_any_work(clip, model, options, error, says):
    with pytest.raises(error, match=says):
        generate(clip, GenerateOptions(**{"model": model, **options}))
    assert not (clip / "front" / "generated").exists()


def test_a_folder_that_is_no_clip_is_refused(tmp_path, model):
    with pytest.raises(MissingFileError, match="clip folder not found"):
        generate(tmp_path / "none", GenerateOptions(model=model))
