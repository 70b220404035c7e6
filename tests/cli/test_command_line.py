from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

from sim2real import __version__, kinds
from sim2real.cli import main
from sim2real.cli.main import COMMANDS
from sim2real.cli.shared import reading_record
from sim2real.cli.types import Choices, Intrinsics, Names, Shares, Size
from sim2real.clip import Clip, command_for, read_clip

SCENE = """
frames: 4
fps: 8
size: [48, 64]
objects:
  - name: ball
    primitive: sphere
    radius: 0.3
  - name: floor
    primitive: plane
    half_size: [2, 2]
cameras:
  - name: front
    fov_deg: 60
    position: [0, -2, 1]
    look_at: [0, 0, 0]
"""


@pytest.fixture
def scene_file(tmp_path) -> Path:
    path = tmp_path / "scene.yaml"
    path.write_text(SCENE)
    return path


def run(*arguments: object):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def one_line(result) -> str:
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("error: ")
    return lines[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_examples(name):
    result = run(name, "--help")
    assert result.exit_code == 0
    assert f"sim2real {name} " in result.output.split("Examples:")[1]
    command = main.get_command(click.Context(main), name)
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{name} {option.name} has no help"


def test_the_commands_are_listed_in_the_order_of_use():
    output = run("--help").output
    places = [output.index(f"\n  {name} ") for name in COMMANDS]
    assert places == sorted(places)
    assert run("--version").output == f"sim2real, version {__version__}\n"


def test_help_takes_less_than_half_a_second():
    command = [sys.executable, "-c", "from sim2real.cli import main; main(['--help'])"]
    times = []
    for _ in range(3):
        before = os.times()
        subprocess.run(command, check=True, capture_output=True)
        after = os.times()
        times.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert min(times) < 0.5


def test_every_kind_of_picture_has_a_module_that_computes_it_and_a_format_that_stores_it():
    from sim2real.clip.formats import FORMATS

    folder = Path(kinds.__file__).parent / "render" / "kinds"
    assert {kind.name for kind in kinds.pictures()} == {path.stem for path in folder.glob("[a-z]*.py")}
    assert {kind.stored for kind in kinds.pictures()} <= set(FORMATS)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["paint"], 2, "paint"),
        (["render"], 2, "SCENE"),
        (["render", "absent.yaml"], 2, "--output"),
        (["render", "absent.yaml", "-o", "out", "--size", "480"], 2, "480x720"),
        (["render", "absent.yaml", "-o", "out", "--only", "depht"], 2, "depth"),
        (["render", "absent.yaml", "-o", "out", "--only", "albido"], 2, ", ".join(kinds.names())),
        (["render", "absent.yaml", "-o", "out", "--intrinsics", "1,2"], 2, "fx,fy,cx,cy"),
        (["render", "absent.yaml", "-o", "out", "--beta", "2"], 2, "from 0 to 1"),
        (["render", "absent.yaml", "-o", "out"], 1, "absent.yaml"),
        (["render", "absent.yaml", "-o", "out", "--for", "wan-vice"], 1, "wan-vace"),
        (["inspect", "absent.glb"], 1, "absent.glb"),
        (["generate", "absent"], 1, "clip folder"),
        (["view", "absent"], 1, "clip folder"),
    ],
)
def test_a_fault_is_one_line_that_says_what_would_be_right(arguments, code, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == code
    assert says in one_line(result)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["inspect"], ["render", "-o", "out"], ["generate"], ["evaluate"], ["view"]])
def test_what_the_system_refuses_is_no_bug_of_ours(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(command[0], "x" * 300, *command[1:])
    assert result.exit_code == 1 and "File name too long" in one_line(result)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--camera", "frnt"], "did you mean 'front'"),
        (["--frames", "9"], "1 to 4"),
        (["--size", "50x64", "--factor", "8"], "multiple of 8"),
        (["--demo", "demo_0"], "--demo"),
    ],
)
def test_what_does_not_fit_the_scene_is_one_line_and_leaves_nothing(scene_file, options, says):
    result = run("render", scene_file, "-o", scene_file.parent / "out", *options)
    assert result.exit_code == 1
    assert says in result.stderr.strip().splitlines()[-1]
    assert "Traceback" not in result.stderr
    assert [p.name for p in scene_file.parent.iterdir()] == ["scene.yaml"]


def test_render_makes_a_clip_and_says_where(scene_file):
    output = scene_file.parent / "out" / "clip"
    result = run("render", scene_file, "-o", output, "--for", "wan-vace", "--frames", "3", "--seed", "5", "--beta", "0.9")
    assert result.exit_code == 0, result.stderr
    clip = read_clip(output)
    assert (clip.frames, clip.cameras, clip.record.seed) == (3, ["front"], 5)
    assert clip.noise("front").shape == (2, 16, 6, 8)
    assert clip.record.scene.options == {"frames": 3}
    for name in ("sheet.png", "report.html", "front/rgb.mp4"):
        assert str(output / name) in result.stdout
        assert (output / name).is_file()
    again = run("render", scene_file, "-o", output)
    assert again.exit_code == 1
    assert "--overwrite" in one_line(again)


def test_layout_options_override_the_model(scene_file):
    output = scene_file.parent / "clip"
    options = ["--factor", "4", "--channels", "5", "--only", "noise"]
    assert run("render", scene_file, "-o", output, *options).exit_code == 0
    assert read_clip(output).noise("front").shape == (4, 5, 12, 16)


def test_beta_may_be_told_by_class_and_in_both_spellings(scene_file):
    folder = scene_file.parent
    only = ["--factor", "4", "--frames", "1", "--only", "noise"]

    def noise_of(name, *options):
        result = run("render", scene_file, "-o", folder / name, *only, *options)
        assert result.exit_code == 0, result.stderr
        return read_clip(folder / name)

    by_beta = noise_of("beta", "--beta", "ball=1,background=0")
    by_degradation = noise_of("degradation", "--degradation", "ball=0,background=1")
    assert by_beta.record.noise.beta == {"ball": 1, "background": 0} == by_degradation.record.noise.beta
    assert np.array_equal(by_beta.noise("front"), by_degradation.noise("front"))
    assert noise_of("number", "--degradation", "0").record.noise.beta == 1
    both = run("render", scene_file, "-o", folder / "both", *only, "--beta", "1", "--degradation", "0")
    assert both.exit_code == 1 and "left out beside --beta" in one_line(both)
    wrong = run("render", scene_file, "-o", folder / "wrong", *only, "--beta", "bal=1")
    assert wrong.exit_code == 1 and "did you mean 'ball'" in wrong.stderr


def test_bake_and_export_say_what_they_made(scene_file):
    folder = scene_file.parent
    baked = run("bake", scene_file, "-o", folder / "baked", "--level", "3", "--channels", "2")
    assert baked.exit_code == 0, baked.stderr
    assert str(folder / "baked" / "scene.glb") in baked.stdout and "2 of 8x8, 2 channels" in baked.stdout
    assert "--overwrite" in one_line(run("bake", scene_file, "-o", folder / "baked"))
    layout = ["--factor", "8", "--channels", "16", "--only", "noise"]
    assert run("render", scene_file, "-o", folder / "clip", *layout).exit_code == 0
    exported = run("export", folder / "clip", "--to", "gwtf", "-o", folder / "noises.npy")
    assert exported.exit_code == 0 and exported.stdout.strip() == f"{folder / 'noises.npy'}  4 x 6 x 8 x 16"
    assert np.load(folder / "noises.npy").shape == (4, 6, 8, 16)
    wrong = run("export", folder / "clip", "--to", "latents", "--for", "embedded", "-o", folder / "a.pt")
    assert wrong.exit_code == 1 and "--factor 1 --channels 3" in one_line(wrong)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_knows_both_words_for_help_and_names_no_endless_range(command):
    short, long = run(command, "-h"), run(command, "--help")
    assert short.exit_code == long.exit_code == 0 and short.output == long.output
    assert (
        "-h, --help" in long.output
        and str(2**63 - 1) not in long.output
        and "..." not in long.output.split("Commands:")[-1][-400:]
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_both_words_are_known_whatever_context_a_command_is_given_first(command):
    found = main.get_command(click.Context(main), command)
    assert found is not None
    found._help_option = None  # as if it had been imported only now
    assert found.get_help_option(click.Context(found)).opts == ["-h", "--help"]  # without the context of its group
    assert run(command, "-h").exit_code == 0


def test_a_folder_that_may_not_be_listed_is_one_line(tmp_path, monkeypatch):
    def refused(folder):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr("pathlib.Path.iterdir", refused)
    assert "scene cannot be read: Permission denied" in one_line(run("inspect", tmp_path))


def test_what_is_mistyped_or_a_folder_is_answered_with_what_may_be_meant(scene_file):
    wrong = run("rendr", scene_file)
    assert wrong.exit_code == 2 and "No such command 'rendr'; did you mean 'render'?" in one_line(wrong)
    folder = scene_file.parent
    for command in (["render", folder, "-o", folder / "clip"], ["inspect", folder]):
        said = one_line(run(*command))
        assert "the scene is a folder, must be a file, or a folder of rosbag2; it holds scene.yaml" in said
    assert run("render", scene_file, "-o", folder / "clip", "--only", "depth", "--frames", 1).exit_code == 0
    assert "a clip that is rendered already: see sim2real generate" in one_line(run("inspect", folder / "clip"))
    (folder / "empty").mkdir()
    said = one_line(run("generate", folder / "clip", "--model", folder / "empty"))
    assert "the model cannot be read: it has no model_index.json" in said
    assert "configuration of a dataset not found" in one_line(run("dataset", folder / "no.yaml", "-o", folder / "d"))


@pytest.mark.parametrize(
    ("model", "options", "says"),
    [
        ("wan-vace", ["--frames", 3], "the number of frames is 3, must be 4 n + 1 for wan-vace"),
        ("wan-vace", ["--frames", 1, "--size", "40x64"], "the size is 40x64, must be multiples of 16 for wan-vace"),
        ("wan", ["--frames", 3, "--factor", 4], None),
        ("embedded", ["--frames", 3], None),
    ],
)
def test_rendering_says_at_once_what_the_model_will_not_take(model, options, says, scene_file):
    done = run("render", scene_file, "-o", scene_file.parent / "clip", "--for", model, "--only", "noise", *options)
    assert done.exit_code == 0
    notes = [line for line in done.stderr.splitlines() if line.startswith("note: sim2real generate will not take this clip: ")]
    assert len(notes) == (says is not None) and (says is None or says in notes[0])


def test_view_rebuilds_the_sheet_and_the_report(scene_file):
    output = scene_file.parent / "clip"
    run("render", scene_file, "-o", output, "--only", "noise,depth")
    for name in ("sheet.png", "report.html"):
        (output / name).unlink()
    result = run("view", output, "--columns", "2")
    assert result.exit_code == 0, result.stderr
    assert (output / "sheet.png").is_file() and (output / "report.html").is_file()


def test_inspect_lists_cameras_and_instances(scene_file):
    text = run("inspect", scene_file)
    assert text.exit_code == 0, text.stderr
    for expected in ("front", "48x64", "ball", "floor", "4 at 8 fps", "light      sun and sky"):
        assert expected in text.output
    facts = json.loads(run("inspect", scene_file, "--json").stdout)
    assert facts["frames"] == 4
    assert [i["id"] for i in facts["instances"]] == [1, 2]
    hidden = SCENE.replace("    radius: 0.3\n", "    radius: 0.3\n    visible: [[0, 1]]\n")
    scene_file.write_text(f"{hidden}\nlight: {{panorama: lobby}}\n")
    text = run("inspect", scene_file).output
    assert "still, in 2 of 4 frames" in text and "light      panorama lobby" in text
    rows = [line for line in text.splitlines() if line.endswith(("class", " floor", " ball")) and len(line) > 40]
    assert len(rows) == 3 and len({line.rindex(" ") for line in rows}) == 1


def test_debug_shows_the_traceback(scene_file):
    for place in (["--debug", "inspect", "absent.yaml"], ["inspect", "absent.yaml", "--debug"]):
        assert "Traceback" in run(*place).stderr


def test_an_unforeseen_fault_is_one_line_too(scene_file, monkeypatch):
    import sim2real.scene

    def broken(*_, **__):
        raise ZeroDivisionError("a\nb")

    monkeypatch.setattr(sim2real.scene, "load", broken)
    result = run("inspect", scene_file)
    assert result.exit_code == 70
    assert "ZeroDivisionError: a b" in one_line(result)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_render_leaves_nothing(scene_file, number, code):
    scene_file.write_text(SCENE.replace("frames: 4", "frames: 4000"))
    output = scene_file.parent / "clip"
    # a shell that starts tests in the background has SIGINT ignored, and children inherit that
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    arguments = ["render", str(scene_file), "-o", str(output), "--only", "noise,depth"]
    call = f"{heed}; from sim2real.cli import main; main({arguments!r})"
    with subprocess.Popen([sys.executable, "-c", call], stderr=subprocess.PIPE, text=True) as process:
        try:
            deadline = time.monotonic() + 100
            while not list(scene_file.parent.glob(".clip.*.tmp/front/depth/*.exr")):
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.05)
            process.send_signal(number)
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == code
    assert said.strip().splitlines()[-1].startswith("error: ")
    assert "Traceback" not in said
    assert [p.name for p in scene_file.parent.iterdir()] == ["scene.yaml"]


@pytest.mark.slow
def test_surfaces_and_light_are_written_for_models_that_need_them_and_on_request(scene_file):
    def kinds(*options):
        output = scene_file.parent / "clip"
        assert run("render", scene_file, "-o", output, "--overwrite", "--frames", 1, *options).exit_code == 0
        return {path.name for path in (output / "front").iterdir() if path.is_dir()}

    usual = {"rgb", "depth", "normals", "edges", "instances"}
    assert kinds() == usual | {"albedo", "material", "light", "reflection", "gloss", "coverage", "behind"}
    assert kinds("--for", "wan-vace", "--size", "48x64") == usual
    assert kinds("--for", "wan-vace", "--only", "albedo") == {"albedo"}


def test_option_types_parse_what_they_say():
    assert Size().convert("480x720", None, None) == (480, 720)
    assert Intrinsics().convert("600,601.5,320,240", None, None) == (600, 601.5, 320, 240)
    assert Choices(kinds.names).convert("noise, depth", None, None) == {"noise", "depth"}
    assert Names().convert("robot, panda0_*", None, None) == ("robot", "panda0_*")
    assert Shares().convert("0.9", None, None) == 0.9
    assert Shares().convert("robot=1, a=b=0.5,*=.9", None, None) == {"robot": 1, "a=b": 0.5, "*": 0.9}
    for kind, bad in (
        (Size(), "0x5"),
        (Size(), "x"),
        (Intrinsics(), "0,1,2,3"),
        (Intrinsics(), "a,b,c,d"),
        (Choices(kinds.names), ","),
        (Names(), "robot,,table"),
        (Names(), ""),
        (Shares(), "robot"),
        (Shares(), "robot=1,0.5"),
        (Shares(), "robot=1,robot=0.5"),
        (Shares(), "robot=2"),
    ):
        with pytest.raises(click.BadParameter):
            kind.convert(bad, None, None)


@pytest.mark.parametrize("command", [["generate"], ["run", "scene.yaml", "--use", "restyle"]])
def test_looks_and_materials_are_listed_without_a_clip(command):
    result = run(*command, "--look", "list")
    assert result.exit_code == 0, result.stderr
    for expected in ("loft", "night-market", "oak", "plaster", "brushed aluminum"):
        assert expected in result.output
    assert max(map(len, result.output.splitlines())) <= 110


def test_cameras_are_those_that_there_are():
    from sim2real.camera_effects import NAMES

    option = next(o for o in main.get_command(click.Context(main), "generate").params if o.name == "camera_effects")
    assert tuple(option.type.choices) == NAMES


def test_progress_off_a_terminal_is_one_line_per_stage(capsys):
    from sim2real.cli import progress

    with progress.shown() as report:
        for done in range(4):
            report("painting", done, 3)
        report("drying", 1, 1)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["painting", "drying"]


def wan_index(folder, kind):
    """A folder that says it is Wan-VACE: with a folder per part, or half of it."""
    parts = {"transformer": ["diffusers", "WanVACETransformer3DModel"], "vae": ["diffusers", "AutoencoderKLWan"]}
    parts["text_encoder"] = ["transformers", "UMT5EncoderModel"]
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "WanVACEPipeline", **dict(sorted(parts.items()))}))
    for name in parts if kind == "TINY" else ["transformer"]:
        (folder / name).mkdir()
    if kind == "TINY":
        sampler = {"_class_name": "UniPCMultistepScheduler", "prediction_type": "flow_prediction", "use_flow_sigmas": True}
        (folder / "scheduler").mkdir()
        (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(sampler))
    return folder


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--only", "rgb,depth"], "noise, albedo, material, light, reflection, normals, edges, instances"),
        (["--factor", "8"], "--factor is 8"),
        (["--look", "loft"], "--use restyle"),
        (["--keep", "ball"], "--use restyle"),
        (["--use", "restyle", "--look", "lofty"], "did you mean 'loft'"),
        (["--use", "restyle", "--look", "floor=oka"], "did you mean 'oak'"),
        (["--use", "restyle", "--look", "flor=oak"], "did you mean 'floor'"),
        (["--use", "restyle", "--keep", "ball,bal"], "did you mean 'ball'"),
        (["--prompt", "a kitchen"], "reads no text"),
        (["--for", "wan-vace", "--size", "48x64", "--use", "restyle"], "belongs to the embedded model"),
        (["--for", "TINY", "--size", "48x64"], "the number of frames is 4, must be 4 n + 1"),
        (["--for", "TINY", "--size", "40x64"], "the size is 40x64, must be multiples of 16"),
        (["--for", "HALF"], "the model cannot be read: it lacks text_encoder, vae"),
    ],
)
def test_run_refuses_what_leaves_no_footage_before_it_renders(scene_file, tmp_path_factory, options, says):
    folder = tmp_path_factory.mktemp("model")
    options = [wan_index(folder, option) if option in ("TINY", "HALF") else option for option in options]
    result = run("run", scene_file, "-o", scene_file.parent / "clip", *options)
    assert result.exit_code == 1
    assert says in one_line(result)
    assert [p.name for p in scene_file.parent.iterdir()] == ["scene.yaml"]


@pytest.mark.slow
def test_run_generates_footage_after_rendering(scene_file, monkeypatch):
    import sim2real.diffusion

    called: dict = {}

    def generate(clip, options, progress):
        called.update(vars(options), clip=clip)
        folder = clip / "front" / "generated" / "fake-0"
        (folder / "frames").mkdir(parents=True)
        from sim2real.clip import VideoWriter, images

        with VideoWriter(folder / "video.mp4", 8.0) as video:
            for frame in range(4):
                picture = np.full((48, 64, 3), 50 * frame, np.uint8)
                images.write_png(folder / "frames" / f"{frame:06d}.png", picture)
                video.write(picture)
        (folder / "settings.json").write_text("{}")

    monkeypatch.setattr(sim2real.diffusion, "generate", generate)
    output = scene_file.parent / "clip"
    restyle = ["--use", "restyle", "--look", "loft", "--keep", "ball,fl*", "--camera-effects", "webcam"]
    result = run("run", scene_file, "-o", output, "--steps", "3", "--seed", "2", *restyle)
    assert result.exit_code == 0, result.stderr
    assert (called["clip"], called["steps"], called["seed"], called["model"]) == (output, 3, 2, "embedded")
    assert (called["use"], called["look"], called["keep"]) == ("restyle", "loft", ("ball", "fl*"))
    assert (called["camera_effects"], called["device"]) == ("webcam", "cpu")
    assert str(output / "front" / "generated" / "fake-0" / "video.mp4") in result.stdout
    assert "generated" in (output / "report.html").read_text()


def test_the_progress_of_several_clips_says_which_one_it_is_of(scene_file, monkeypatch):
    import sim2real.diffusion

    folders = [scene_file.parent / name for name in ("one", "two")]
    for folder in folders:
        assert run("render", scene_file, "-o", folder, "--only", "depth", "--frames", 1).exit_code == 0
    monkeypatch.setattr(sim2real.diffusion, "check_clip", lambda clip, options: None)
    monkeypatch.setattr(sim2real.diffusion, "generate", lambda clip, options, progress: progress("generate front", 1, 1))
    done = run("generate", *folders)
    assert done.exit_code == 0, done.stderr
    assert [line.partition(": 1 in")[0] for line in done.stderr.splitlines() if "generate" in line] == [
        f"{folder}: generate front" for folder in folders
    ]


def test_the_command_that_is_offered_makes_the_same_clip_again(scene_file):
    before, after = scene_file.parent / "before", scene_file.parent / "CLIP"
    reading = ["--frames", 2, "--stride", 2, "--size", "24x32", "--fps", 5, "--orbit", "--camera", "front"]
    noise = ["--seed", 7, "--beta", 0.12345678, "--factor", 4, "--channels", 2, "--only", "noise"]
    assert run("render", scene_file, "-o", before, *noise, *reading).exit_code == 0
    clip = read_clip(before)
    words = shlex.split(command_for(clip, [], last=["--only", "noise"]))
    words[words.index("CLIP")] = str(after)
    result = run(*words[1:])
    assert result.exit_code == 0, result.stderr
    again = read_clip(after)
    assert again.record.noise == clip.record.noise and again.cameras == clip.cameras == ["front"]
    assert np.array_equal(again.noise("front"), clip.noise("front"))


READ_WITH = {
    "states": ("model.xml", ["--states", "my states.npy"]),
    "demo": ("demos.hdf5", ["--demo", "demo_3"]),
    "asset_root": ("scene.yaml", ["--asset-root", "a b/c"]),
    "groups": ("model.xml", ["--groups", "0,2"]),
    "light": ("mug.glb", ["--light", "studio:30"]),
    "intrinsics": ("scene.yaml", ["--intrinsics", "50,60.5,-1,2"]),
    "orbit": ("scene.yaml", ["--orbit", "--stride", "3"]),
    "frames": ("scene.yaml", ["--frames", "9", "--fps", "12.5"]),
    "size": ("scene.yaml", ["--size", "48x64"]),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", READ_WITH)
def test_the_command_that_is_offered_reads_the_source_in_the_same_way(scene_file, name):
    command = main.get_command(click.Context(main), "render")

    def parsed(words) -> dict:
        return command.make_context("render", [str(word) for word in words]).params

    source, words = READ_WITH[name]
    asked = parsed([source, "-o", "CLIP", *words])
    assert asked[name] not in (None, False)
    assert run("render", scene_file, "-o", scene_file.parent / "clip", "--only", "edges").exit_code == 0
    record = read_clip(scene_file.parent / "clip").record
    written = json.loads(json.dumps(reading_record(Path(source), asked)))
    told = record.model_copy(update={"scene": record.scene.model_copy(update={"path": source, "options": written})})
    told = shlex.split(command_for(Clip(scene_file.parent / "clip", told), []))
    found = parsed(told[2:])
    how = asked.keys() - {"cameras"}
    assert {key: found[key] for key in how} == {key: asked[key] for key in how} | {"size": (48, 64)}


def test_a_readers_own_options_are_those_of_the_scene_that_is_given(tmp_path):
    shown = run("render", "model.xml", "--help").output
    assert "--states FILE" in shown and "--groups G,..." in shown and "--demo NAME" not in shown
    assert "--demo NAME" in run("inspect", "demos.h5", "--help").output
    assert "SCENE --help shows them" in run("render", "--help").output
    (tmp_path / "gear.stl").touch()
    foreign = run("inspect", tmp_path / "gear.stl", "--states", "s.npy")
    assert foreign.exit_code == 1
    assert "--states is given, must be left out for a mesh file, or used with: .xml, .mjcf" in one_line(foreign)
    unknown = run("inspect", tmp_path / "gear.stl", "--stats", "s.npy")
    assert unknown.exit_code == 2 and "--stats" in one_line(unknown)
    before = run("inspect", "--states", "s.npy", tmp_path / "absent.xml")
    assert before.exit_code == 1 and "absent.xml" in one_line(before)
