"""What a config may say, and the rows that come of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim2real.dataset.config import Rgb, Variations, read_config
from sim2real.dataset.plan import Row, make_plan, read_plan, write_plan
from sim2real.errors import BadKeyError, MissingFileError, Sim2RealError, UnknownNameError, UnreadableFileError
from sim2real.kinds import RGB_RENDERERS

SHIPPED = Path(__file__).parents[2] / "assets" / "models" / "embedded"


def planned(folder: Path, **config: object) -> tuple[Row, ...]:
    for name in ("a.yaml", "b.yaml"):
        (folder / name).write_text(f"# {name}\n")
    (folder / "config.yaml").write_text(json.dumps({"sources": [{"scene": "a.yaml"}], **config}))
    return make_plan(read_config(folder / "config.yaml"), folder)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("sources: [{scene: a, frmes: 5}]", r"line 1: sources\[0\].frmes: unknown key; did you mean 'frames'"),
        ("sources: []", "must have at least 1"),
        ("seed: 3", "sources: is missing"),
        ("sources: [{scene: a}]\nvariations: {sample: 3, luk: [keep]}", "line 2: variations.luk: unknown key"),
        ("sources: [{scene: a}]\nvariations: {look: [loft]}", r"must be {grid: {KNOB"),
        ("sources: [{scene: a}]\nvariations: {grid: {seed: {min: 3, max: 4}}}", r"spans go with sample: N \(seed\)"),
        ("sources: [{scene: a}]\nvariations: {grid: {}, sample: 3}", "is a grid and more"),
        ("sources: [{scene: a}]\nvariations: {sample: 2, seed: {min: 4, max: 3}}", "min is 4, must be at most max"),
        ("sources: [{scene: a}]\nvariations: {grid: {look: [loft]}}", "add generate"),
        ("sources: [{scene: a}]\ngenerate: {use: kep}", "must be one of: keep, restyle; did you mean 'keep'"),
        ("sources: [{scene: a}]\nrgb: blender", "must be one of: ours, pyrender, mitsuba"),
        ("sources: [{scene: a}]\nrgb: pyrender\nrgb_samples: 8", "rgb_samples: is given, must be left out, or rgb: mitsuba"),
        ("sources: [{lerobot: a}]\nrgb: mitsuba", "asks for rgb, which needs a scene"),
        ("sources: [{scene: a}]\nformats: [coc]", "must be among: coco, youtube_vis"),
        ("sources: [{scene: a}]\ngate: {sharpness: 1}", "must be among: detail, driven, borders"),
        ("sources: [{scene: a.yaml}]\nformats: [coco, robomimic]", "has robomimic, which needs actions: a.yaml has none"),
        ("sources: [{scene: a}]\ngate: {labels: 2}", "has labels: 2, must be at most 1"),
        ("sources: [{scene: a}]\ngate: {color: -1}", "has color: -1, must be at least 0"),
        ("sources: [{scene: a}]\ngenerate: {look: loft}", "has a look, .* it goes with use: restyle, or prompt: auto"),
        ("sources: [{scene: a}]\nvariations: {sample: 2, look: [loft]}\ngenerate: {}", "it goes with use: restyle"),
        ("sources: [{scene: a}]\nframes: .inf", "frames: is inf"),
        ("- a", "must be a mapping"),
        ("sources: [{scene: a}", "not YAML"),
    ],
)
def test_what_is_wrong_in_a_config_is_said_in_one_line(config, says, tmp_path):
    (tmp_path / "config.yaml").write_text(config)
    with pytest.raises(BadKeyError, match=says) as caught:
        read_config(tmp_path / "config.yaml")
    assert "\n" not in str(caught.value)


def test_a_grid_has_every_combination_once_and_in_order(tmp_path):
    grid = {"seed": [3, 1], "use": ["keep", "restyle"], "light": ["lab"]}
    rows = planned(tmp_path, variations={"grid": grid}, generate={})
    found = [(row.seed, row.generate and row.generate["use"], row.reading["light"]) for row in rows]
    assert found == [(3, "keep", "lab"), (3, "restyle", "lab"), (1, "keep", "lab"), (1, "restyle", "lab")]
    assert len({row.clip_id for row in rows}) == 4


def test_a_look_is_of_restyled_clips_and_combinations_that_come_out_equal_are_made_once(tmp_path):
    grid = {"use": ["keep", "restyle"], "look": ["loft", "lab"]}
    rows = planned(tmp_path, variations={"grid": grid}, generate={})
    assert [(row.generate or {}).get("look") for row in rows] == [None, "loft", "lab"]


def test_a_look_is_kept_where_a_prompt_is_written_from_it(tmp_path, monkeypatch):
    monkeypatch.setattr("sim2real.dataset.plan.check_footage", lambda *_: None)
    (row,) = planned(tmp_path, generate={"model": "wan-vace", "prompt": "auto", "look": "loft"})
    assert row.generate == {"use": "keep", "model": "wan-vace", "prompt": "auto", "look": "loft"}


@pytest.mark.parametrize(
    ("config", "error", "says"),
    [
        ({"variations": {"grid": {"light": ["lab", "nope"]}}}, UnknownNameError, "unknown light 'nope'; valid: model"),
        ({"variations": {"grid": {"light": ["lab", "nope.exr"]}}}, MissingFileError, "panorama not found"),
        ({"sources": [{"scene": "a.yaml", "light": "nope"}]}, UnknownNameError, "unknown light 'nope'"),
        ({"variations": {"grid": {"sensor": ["phone", "nope"]}}}, UnknownNameError, "unknown sensor 'nope'"),
        ({"sensor": "nope.yaml"}, MissingFileError, "sensor file not found"),
    ],
)
def test_lights_and_sensors_that_are_not_there_are_refused_before_anything_is_made(config, error, says, tmp_path):
    with pytest.raises(error, match=says):
        planned(tmp_path, **config)


def test_files_of_sensors_are_found_beside_the_configuration_and_clips_are_called_the_same_wherever_it_lies(tmp_path):
    names = []
    for folder in (tmp_path / "here", tmp_path / "there"):
        folder.mkdir()
        (folder / "mine.yaml").write_text("like: phone\n")
        (row,) = planned(folder, sensor="mine.yaml")
        assert row.values["sensor"] == str(folder / "mine.yaml")
        names.append(row.clip_id)
    assert names[0] == names[1]


def test_files_of_one_name_in_two_folders_are_two_and_lights_may_be_turned(tmp_path):
    import OpenEXR

    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        (folder / "mine.yaml").write_text("like: phone\n")
        pixels = {"RGB": np.ones((4, 8, 3), np.float32)}
        OpenEXR.File({"type": OpenEXR.scanlineimage}, pixels).write(str(folder / "sky.exr"))
    sensors = planned(tmp_path, variations={"grid": {"sensor": ["one/mine.yaml", "two/mine.yaml"]}})
    lights = planned(tmp_path, variations={"grid": {"light": ["one/sky.exr", "two/sky.exr", "two/sky.exr:90", "lab:90"]}})
    assert len({row.clip_id for row in sensors}) == 2 and len({row.clip_id for row in lights}) == 4
    assert lights[2].reading["light"] == f"{tmp_path / 'two' / 'sky.exr'}:90" and lights[3].reading["light"] == "lab:90"


def test_models_of_one_name_in_two_folders_make_two_clips_that_are_called_the_same_wherever_all_of_it_lies(tmp_path):
    names = []
    for folder in (tmp_path / "here", tmp_path / "there"):
        for model in ("one/mine", "two/mine"):
            (folder / model).parent.mkdir(parents=True)
            (folder / model).symlink_to(SHIPPED, target_is_directory=True)
        rows = planned(folder, variations={"grid": {"model": ["one/mine", "two/mine"]}}, generate={})
        names.append([row.clip_id for row in rows])
        assert [row.generate["model"] for row in rows] == [str(folder / "one" / "mine"), str(folder / "two" / "mine")]
    assert names[0] == names[1] and len(set(names[0])) == 2


def test_who_makes_rgb_is_said_once_or_takes_turns_and_paths_are_of_mitsuba_alone(tmp_path):
    (usual,), (traced,) = planned(tmp_path), planned(tmp_path, rgb="mitsuba", rgb_samples=8)
    assert "rgb" not in usual.values and traced.clip_id != usual.clip_id
    assert (traced.values["rgb"], traced.values["rgb_samples"]) == ("mitsuba", 8)
    turns = planned(tmp_path, rgb_samples=8, variations={"grid": {"rgb": ["ours", "mitsuba"]}})
    assert [(row.values["rgb"], row.values.get("rgb_samples")) for row in turns] == [("ours", None), ("mitsuba", 8)]
    assert Rgb.__args__ == RGB_RENDERERS


@pytest.mark.slow
@given(count=st.integers(1, 12), seed=st.integers(0, 2**40), low=st.floats(0, 0.5), high=st.floats(0.5, 1))
def test_samples_stay_within_their_spans_and_depend_on_the_seed_alone(tmp_path_factory, count, seed, low, high):
    folder = tmp_path_factory.mktemp("plan")
    knobs = {"sample": count, "beta": {"min": low, "max": high}, "clutter": {"min": 2, "max": 5}, "light": ["lab", "city"]}
    rows, again = (planned(folder, variations=knobs, seed=seed) for _ in range(2))
    assert rows == again
    assert len(rows) == count
    for row in rows:
        assert low - 1e-6 <= row.values["beta"] <= high + 1e-6
        assert row.values["clutter"] in (2, 3, 4, 5)
        assert row.reading["light"] in ("lab", "city")


def test_clips_keep_their_names_when_more_sources_come_after_them(tmp_path):
    few = planned(tmp_path, variations={"sample": 4})
    more = planned(tmp_path, variations={"sample": 4}, sources=[{"scene": "a.yaml"}, {"scene": "b.yaml"}])
    assert [row.clip_id for row in more[:4]] == [row.clip_id for row in few]
    assert len({row.clip_id for row in more}) == 8


@pytest.mark.parametrize(
    "change",
    [{"size": [32, 48]}, {"frames": 2}, {"cameras": ["front"]}, {"seed": 5}, {"generate": {"steps": 4}}, {"clutter": 2}],
)
def test_what_changes_the_clip_changes_its_name(change, tmp_path):
    assert planned(tmp_path)[0].clip_id != planned(tmp_path, **change)[0].clip_id


@pytest.mark.parametrize("change", [{"formats": ["coco"]}, {"gate": {"borders": 0.9}}, {"limit_s": 5}])
def test_what_is_done_with_a_clip_does_not_change_its_name(change, tmp_path):
    assert planned(tmp_path)[0].clip_id == planned(tmp_path, **change)[0].clip_id


def test_camera_files_are_found_beside_the_scene(tmp_path):
    (row,) = planned(tmp_path, sources=[{"scene": "a.yaml", "camera_file": "real/camera.json", "track_scale": 0.5}])
    assert row.reading["camera_file"] == str(tmp_path / "real" / "camera.json")
    assert row.reading["track_scale"] == 0.5


def test_a_pattern_finds_files_in_natural_order(tmp_path):
    for number in (10, 2, 1):
        (tmp_path / f"demo{number}.yaml").write_text(str(number))
    (tmp_path / "config.yaml").write_text("sources: [{scene: 'demo*.yaml'}]")
    rows = make_plan(read_config(tmp_path / "config.yaml"), tmp_path)
    assert [Path(row.scene).stem for row in rows] == ["demo1", "demo2", "demo10"]


def test_a_source_that_is_not_there_is_named(tmp_path):
    (tmp_path / "config.yaml").write_text("sources: [{scene: nowhere/*.xml}]")
    with pytest.raises(MissingFileError, match=r"nowhere/\*.xml"):
        make_plan(read_config(tmp_path / "config.yaml"), tmp_path)


def test_demonstrations_are_chosen_by_name_or_pattern(tmp_path):
    import h5py

    with h5py.File(tmp_path / "demo.hdf5", "w") as file:
        for number in (0, 1, 10, 2):
            file[f"data/demo_{number}/states"] = np.zeros((3, 5))
    for demo, found in (
        ("*", ["demo_0", "demo_1", "demo_2", "demo_10"]),
        (["demo_1*", "demo_0"], ["demo_0", "demo_1", "demo_10"]),
    ):
        (tmp_path / "config.yaml").write_text(json.dumps({"sources": [{"scene": "demo.hdf5", "demo": demo}]}))
        rows = make_plan(read_config(tmp_path / "config.yaml"), tmp_path)
        assert [row.reading["demo"] for row in rows] == found
    (tmp_path / "config.yaml").write_text(json.dumps({"sources": [{"scene": "demo.hdf5", "demo": "demo_7"}]}))
    with pytest.raises(UnknownNameError, match="demo_7"):
        make_plan(read_config(tmp_path / "config.yaml"), tmp_path)


def test_a_plan_is_read_back_as_it_was_written(tmp_path):
    rows = planned(tmp_path, variations={"sample": 5, "camera_jitter": [{"position_m": 0.01}]}, generate={}, formats=["coco"])
    write_plan(tmp_path / "plan.parquet", rows)
    assert read_plan(tmp_path / "plan.parquet") == rows


@pytest.mark.slow
@given(data=st.binary(max_size=200), cut=st.integers(0, 3000))
def test_a_damaged_plan_is_refused_in_one_line(tmp_path_factory, data, cut):
    folder = tmp_path_factory.mktemp("plan")
    write_plan(folder / "plan.parquet", planned(folder))
    whole = (folder / "plan.parquet").read_bytes()
    damaged = whole[:cut] + data + whole[cut + len(data) :]
    (folder / "plan.parquet").write_bytes(damaged)
    try:
        read_plan(folder / "plan.parquet")
    except UnreadableFileError as error:
        assert "\n" not in str(error)


@pytest.mark.slow
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["sources", "scene", "variations", "grid", "sample", "seed", "look", "generate", "formats", "gate", "size"]
                )
                | st.text(max_size=6),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_config_ends_in_anything_but_a_line(tmp_path_factory, config):
    folder = tmp_path_factory.mktemp("config")
    (folder / "config.yaml").write_text(json.dumps(config))
    try:
        make_plan(read_config(folder / "config.yaml"), folder)
    except Sim2RealError as error:
        assert "\n" not in str(error)


def test_variations_without_anything_make_one_clip():
    assert Variations().knobs == {}
