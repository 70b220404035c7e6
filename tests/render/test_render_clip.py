from __future__ import annotations

import json
from dataclasses import replace

import av
import numpy as np
import pytest

from sim2real import kinds
from sim2real.clip import read_clip, read_video
from sim2real.clip.motion import pixel_motion
from sim2real.clip.video import noise_picture
from sim2real.conditions import DepthRange, control_depth
from sim2real.errors import BadValueError, EmptySceneError, OutputExistsError, UnknownNameError
from sim2real.noise import NoiseLayout
from sim2real.render import FrameRenderer, RenderOptions, render_clip
from sim2real.render.plan import planned
from sim2real.scene import Material
from sim2real.scene.colors import linear_from_srgb

from .conftest import FRAMES, SIZE, moving_scene


def plan_of(scene, **changes):
    defaults = dict(layout=NoiseLayout(8, 4), seed=3, beta=0.9, threads=1)
    return planned(scene, RenderOptions(**(defaults | changes)))


def test_a_clip_folder_holds_what_the_contract_lists(clip):
    for camera in ("moving", "still"):
        found = {str(p.relative_to(clip.path / camera)) for p in (clip.path / camera).rglob("*") if p.is_file()}
        frames = {
            f"{kind}/{frame:06d}.{suffix}"
            for frame in range(FRAMES)
            for kind, suffix in (
                ("rgb", "png"),
                ("depth", "exr"),
                ("normals", "png"),
                ("edges", "png"),
                ("albedo", "png"),
                ("material", "png"),
                ("light", "exr"),
                ("reflection", "exr"),
                ("gloss", "exr"),
                ("instances", "png"),
                ("flow", "npz"),
            )
        }
        videos = {f"{kind}.mp4" for kind in ("rgb", "depth", "edges", "instances", "noise")}
        assert found == frames | videos | {"noise.npy"}
    assert {p.name for p in clip.path.iterdir()} == {"clip.json", "moving", "still", "sheet.png", "report.html"}
    assert [p.name for p in clip.path.parent.iterdir()] == ["clip"]


def test_the_record_repeats_the_scene_exactly(clip, scene):
    for camera in scene.cameras:
        assert np.array_equal(clip.camera(camera.name).intrinsics, camera.intrinsics)
        assert np.array_equal(clip.camera(camera.name).world_from_camera, camera.world_from_camera)
    for place, instance in enumerate(clip.record.instances):
        assert (instance.id, instance.name) == (place + 1, scene.instances[place].name)
        assert np.array_equal(instance.world_from_instance, scene.world_from_instance[:, place])
    assert clip.record.scene.path == "scenes/moving.yaml"
    noise = clip.noise_record()
    assert (noise.factor, noise.channels, noise.beta, noise.latent_frames) == (8, 4, 0.9, list(range(FRAMES)))


@pytest.mark.slow
def test_a_frame_rendered_alone_equals_the_frame_of_the_clip_bit_for_bit(clip, scene):
    plan = plan_of(scene, only=kinds.names())
    for name, frame in (("still", 3), ("moving", 4), ("moving", 0)):
        alone = FrameRenderer(plan).render(scene.camera(name), frame)
        assert np.array_equal(alone.noise, clip.noise(name)[frame])
        assert np.array_equal(alone.pictures["rgb"], clip.rgb(name, frame))
        assert np.array_equal(alone.pictures["depth"], clip.depth(name, frame))
        assert np.array_equal(alone.pictures["normals"], clip.normals(name, frame))
        assert np.array_equal(alone.pictures["edges"], clip.edges(name, frame))
        assert np.array_equal(alone.pictures["albedo"], clip.albedo(name, frame))
        assert np.array_equal(alone.pictures["material"], clip.material(name, frame))
        assert np.array_equal(alone.pictures["light"].astype(np.float16), clip.light(name, frame))
        assert np.array_equal(alone.pictures["reflection"].astype(np.float16), clip.reflection(name, frame))
        assert np.array_equal(alone.pictures["gloss"].astype(np.float16), clip.gloss(name, frame))
        assert np.array_equal(alone.pictures["instances"], clip.instances(name, frame))
        with np.load(clip.frame_path(name, "flow", frame)) as flow:
            forward, visible = alone.pictures["flow"]
            assert np.array_equal(forward, flow["forward"])
            assert np.array_equal(visible, flow["visible"])


def test_cameras_frames_and_kinds_left_out_change_nothing(clip, scene, tmp_path):
    less = render_clip(
        scene.sliced(slice(2, 4)),
        tmp_path / "less",
        RenderOptions(cameras=["still"], layout=NoiseLayout(8, 4), seed=3, only={"noise", "instances"}, threads=1),
    )
    full = render_clip(
        scene, tmp_path / "full", RenderOptions(layout=NoiseLayout(8, 4), seed=3, only={"noise", "depth"}, threads=3)
    )
    assert np.array_equal(less.noise("still"), full.noise("still")[2:4])
    assert np.array_equal(less.instances("still", 0), clip.instances("still", 2))
    assert not less.has("still", "depth") and less.cameras == ["still"]


def test_depth_lies_on_the_meshes(clip, scene):
    """Back-projected pixels of the ball are one radius from its center, those of the floor at height 0."""
    for name in ("moving", "still"):
        camera = clip.camera(name)
        for frame in range(FRAMES):
            depth, ids = clip.depth(name, frame), clip.instances(name, frame)
            y, x = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
            rays = np.stack([x, y, np.ones_like(x)], axis=-1) @ np.linalg.inv(camera.intrinsics[frame]).T
            pose = camera.world_from_camera[frame]
            world = (rays * depth[..., None]) @ pose[:3, :3].T + pose[:3, 3]
            assert np.abs(world[ids == 3][:, 2]).max() < 2e-4
            center = scene.world_from_instance[frame, 0, :3, 3]
            radii = np.linalg.norm(world[ids == 1] - center, axis=1)
            assert len(radii) > 20
            assert np.abs(radii - 0.35).max() < 0.03 * 0.35, "a tessellated ball"


def test_motion_by_poses_and_depth_is_the_exact_flow(clip):
    for name in clip.cameras:
        for frame in range(FRAMES - 1):
            with np.load(clip.frame_path(name, "flow", frame)) as stored:
                flow = stored["forward"]
            solid = clip.depth(name, frame) > 0
            assert np.abs(pixel_motion(clip, name, frame) - flow)[solid].max() < 0.02
    before, last = pixel_motion(clip, "moving", FRAMES - 2), pixel_motion(clip, "moving", FRAMES - 1)
    assert np.abs(before).max() > 0.5
    assert last.shape == before.shape and abs(np.median(last[..., 0]) - np.median(before[..., 0])) < 0.5


def test_flow_carries_points_to_where_the_next_frame_sees_them(clip):
    with np.load(clip.frame_path("moving", "flow", 1)) as stored:
        flow, visible = stored["forward"], stored["visible"]
    now, after = clip.instances("moving", 1), clip.instances("moving", 2)
    y, x = np.nonzero(visible & (now > 0))
    to_x = np.clip(np.floor(x + 0.5 + flow[y, x, 0]).astype(int), 0, SIZE[1] - 1)
    to_y = np.clip(np.floor(y + 0.5 + flow[y, x, 1]).astype(int), 0, SIZE[0] - 1)
    assert (now[y, x] == after[to_y, to_x]).mean() > 0.97
    with np.load(clip.frame_path("moving", "flow", FRAMES - 1)) as last:
        assert not last["visible"].any()


def test_videos_have_every_frame_and_show_what_the_files_hold(clip):
    for camera in clip.cameras:
        for kind in ("rgb", "depth", "edges", "instances", "noise"):
            with av.open(str(clip.path / camera / f"{kind}.mp4")) as video:
                assert video.streams.video[0].frames == FRAMES
        near, far = clip.record.depth_range_m
        for frame, shown in enumerate(read_video(clip.path / camera / "depth.mp4")):
            expected = control_depth(clip.depth(camera, frame), DepthRange(near, far))
            assert np.abs(shown[..., 0].astype(int) - expected).mean() < 4


def test_noise_for_a_causal_vae_has_a_latent_per_group(scene, tmp_path):
    layout = NoiseLayout(factor=8, channels=16, temporal_factor=4)
    clip = render_clip(scene, tmp_path / "vae", RenderOptions(layout=layout, only={"noise"}))
    assert clip.noise("still").shape == (2, 16, 6, 8)
    assert clip.noise_record().latent_frames == [0, 4]
    shown = list(read_video(clip.path / "moving" / "noise.mp4"))
    assert len(shown) == FRAMES
    for frame, picture in enumerate(shown):
        latent = clip.noise_record().latent_of(frame)
        errors = [np.abs(picture - noise_picture(n, clip.record.size).astype(float)).mean() for n in clip.noise("moving")]
        assert int(np.argmin(errors)) == latent, (frame, errors)
    every = render_clip(scene, tmp_path / "every", RenderOptions(layout=replace(layout, temporal_factor=1), only={"noise"}))
    assert np.array_equal(clip.noise("moving"), every.noise("moving")[[0, 4]])


def test_beta_one_is_the_surface_alone_and_beta_zero_is_fresh_in_every_frame(scene, tmp_path):
    still = replace(scene, world_from_instance=np.repeat(scene.world_from_instance[:1], FRAMES, axis=0))
    for beta, same in ((1.0, True), (0.0, False)):
        clip = render_clip(
            still, tmp_path / f"{beta}", RenderOptions(cameras=["still"], layout=NoiseLayout(8, 4), beta=beta, only={"noise"})
        )
        a, b = clip.noise("still")[0], clip.noise("still")[1]
        assert np.array_equal(a, b) == same
        if not same:
            assert abs(float((a * b).mean())) < 5 / np.sqrt(a.size)


def test_the_size_of_the_pictures_can_be_chosen(scene, tmp_path):
    clip = render_clip(scene, tmp_path / "big", RenderOptions(size=(96, 128), cameras=["still"], only={"depth"}))
    assert clip.depth("still", 0).shape == (96, 128)
    assert np.allclose(clip.camera("still").intrinsics[0, 0], 2 * scene.camera("still").intrinsics[0, 0])
    assert clip.record.noise is None


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"cameras": ["front"]}, UnknownNameError, "moving, still"),
        ({"size": (50, 64)}, BadValueError, "multiple of 8.*48 or 56"),
        ({"only": {"noise", "normal"}}, UnknownNameError, "normals"),
        ({"only": set()}, BadValueError, "empty"),
        ({"beta": 1.5}, BadValueError, "beta is 1.5"),
        ({"beta": {"*": -1.0}}, BadValueError, r"the beta of \* is -1"),
        ({"beta": {"robto": 1.0}}, UnknownNameError, "ball"),
        ({"threads": 0}, BadValueError, "1 or more"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_written(scene, tmp_path, changes, error, says):
    with pytest.raises(error, match=says) as caught:
        render_clip(scene, tmp_path / "new" / "clip", RenderOptions(**{"layout": NoiseLayout(8, 4)} | changes))
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_scenes_that_cannot_be_one_clip_are_refused(scene):
    with pytest.raises(EmptySceneError, match="camera"):
        plan_of(replace(scene, cameras=()))
    mixed = replace(scene, cameras=(scene.cameras[0], scene.cameras[1].resized((24, 32))))
    with pytest.raises(BadValueError, match=r"48x64 \(moving\), 24x32 \(still\)"):
        plan_of(mixed)
    assert plan_of(mixed, size=(48, 64)).cameras[1].size == (48, 64)
    with pytest.raises(BadValueError, match="camera name"):
        plan_of(replace(scene, cameras=(replace(scene.cameras[0], name="a/b"),)))


def test_an_existing_clip_stays_unless_overwritten(clip, scene, tmp_path):
    with pytest.raises(OutputExistsError):
        render_clip(scene, clip.path)
    output = tmp_path / "clip"
    for seed in (0, 1):
        render_clip(scene, output, RenderOptions(seed=seed, layout=NoiseLayout(8, 4), only={"noise"}, overwrite=True))
    assert json.loads((output / "clip.json").read_text())["seed"] == 1


def test_an_interrupt_in_the_middle_leaves_nothing(scene, tmp_path):
    def interrupt(what, done, total):
        if what == "rendering moving" and done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render_clip(scene, tmp_path / "clip", RenderOptions(only={"depth"}), progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_a_fault_in_a_frame_leaves_nothing_and_is_told(scene, tmp_path, monkeypatch):
    def broken(self, camera, frame):
        raise ValueError(f"frame {frame}")

    monkeypatch.setattr(FrameRenderer, "render", broken)
    with pytest.raises(ValueError, match="frame 0"):
        render_clip(scene, tmp_path / "clip", RenderOptions(only={"depth"}))
    assert list(tmp_path.iterdir()) == []


def test_progress_tells_every_frame_of_every_camera(scene, tmp_path):
    told: list[tuple[str, int, int]] = []
    render_clip(scene, tmp_path / "clip", RenderOptions(only={"edges"}), progress=lambda *step: told.append(step))
    for camera in ("moving", "still"):
        assert [done for what, done, total in told if what == f"rendering {camera}" and total == FRAMES] == list(
            range(FRAMES + 1)
        )


def test_an_empty_scene_is_background_everywhere(scene, tmp_path):
    nothing = dict(world_from_instance=np.zeros((FRAMES, 0, 4, 4)), visible=np.zeros((FRAMES, 0), bool))
    empty = replace(scene, parts=(), instances=(), meshes=(), **nothing)
    clip = render_clip(empty, tmp_path / "empty", RenderOptions(layout=NoiseLayout(8, 16)))
    assert not clip.depth("moving", 0).any() and not clip.instances("moving", 0).any()
    noise = np.asarray(clip.noise("moving"))
    assert abs(noise.mean()) < 5 / np.sqrt(noise[0].size) and abs(noise.var() - 1) < 0.2
    assert read_clip(clip.path).record.instances == []


@pytest.mark.slow
def test_a_longer_clip_has_the_same_frames(tmp_path):
    """What a frame shows depends on that frame's geometry alone."""
    long = moving_scene(9)
    short = long.sliced(slice(0, 9, 2))
    clips = [
        render_clip(s, tmp_path / str(s.frames), RenderOptions(layout=NoiseLayout(8, 4), only={"noise", "edges"}))
        for s in (long, short)
    ]
    assert np.array_equal(clips[0].noise("moving")[::2], clips[1].noise("moving"))
    assert np.array_equal(clips[0].edges("moving", 6), clips[1].edges("moving", 3))


def test_what_models_alone_ask_for_is_written_on_request_only():
    assert set(kinds.names()) - kinds.usual_names() == {
        "flow",
        "albedo",
        "material",
        "light",
        "reflection",
        "gloss",
        "coverage",
        "behind",
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["albedo", "material", "light", "reflection", "gloss"])
def test_what_is_written_on_request_can_be_had_alone_and_are_the_same(clip, scene, tmp_path, kind):
    alone = render_clip(scene, tmp_path / kind, RenderOptions(cameras=["still"], only={kind}, threads=1))
    assert {p.name for p in (alone.path / "still").iterdir()} == {kind}
    assert np.array_equal(getattr(alone, kind)("still", 3), getattr(clip, kind)("still", 3))


def test_albedo_and_material_hold_what_the_meshes_are_made_of(scene, tmp_path):
    made = (Material((0.8, 0.1, 0.1, 1.0), roughness=0.2), Material((0.1, 0.5, 0.3, 1.0), metallic=1.0, roughness=0.4))
    painted = [replace(mesh, material=m) for mesh, m in zip(scene.meshes, (*made, Material()), strict=True)]
    scene = replace(scene, meshes=tuple(painted))
    clip = render_clip(scene, tmp_path / "clip", RenderOptions(cameras=["still"], only={"albedo", "material", "instances"}))
    albedo, material, ids = (read("still", 2) for read in (clip.albedo, clip.material, clip.instances))
    for place, m in enumerate(made):
        seen = np.median(albedo[ids == place + 1], axis=0)
        assert linear_from_srgb(seen / 255) == pytest.approx(m.base_color[:3], abs=0.01)
        assert np.median(material[ids == place + 1], axis=0) == pytest.approx([255 * m.roughness, 255 * m.metallic, 0], abs=0.6)
    nothing = ids == 0
    nothing[1:] &= ids[:-1] == 0
    nothing[:-1] &= ids[1:] == 0
    assert nothing.any() and not albedo[nothing & (np.roll(ids, 1, 1) == 0) & (np.roll(ids, -1, 1) == 0)].any()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("only", "pictures"),
    [({"rgb"}, 0), ({"albedo", "material"}, 0), ({"light", "reflection"}, 0), ({"rgb", "noise"}, 2), ({"noise"}, 2)],
)
def test_pixels_are_rasterized_only_for_frames_whose_pictures_need_it(scene, monkeypatch, only, pictures):
    renderer = FrameRenderer(plan_of(scene, only=only, layout=NoiseLayout(8, 4, temporal_factor=4)))
    sizes, visibility = [], renderer.stage.rasterizer.visibility

    def counted(view):
        sizes.append(view.size)
        return visibility(view)

    monkeypatch.setattr(renderer.stage.rasterizer, "visibility", counted)
    frames = [renderer.render(renderer.plan.cameras[0], frame) for frame in range(FRAMES)]
    assert sizes.count(SIZE) == pictures == sum(frame.noise is not None for frame in frames)
    assert all(set(frame.pictures) == only - {"noise"} for frame in frames)
