import ast
import json
from pathlib import Path

import pytest

import sim2real
from sim2real import kinds
from sim2real.diffusion import GenerateOptions, LargeModelOptions, families, family_of, layout_for
from sim2real.diffusion.families.table import facts_of
from sim2real.errors import BadValueError, UnknownNameError


def test_embedded_noise_is_per_pixel_and_per_frame():
    layout = layout_for(None)
    assert layout == layout_for("embedded")
    assert (layout.factor, layout.channels, layout.latent_frames(7)) == (1, 3, list(range(7)))


def test_hub_ids_are_found_whatever_their_case():
    layout = layout_for("wan-ai/wan2.1-vace-1.3b-DIFFUSERS")
    assert (layout.factor, layout.channels, len(layout.latent_frames(49))) == (8, 16, 13)


def test_folders_are_recognized_by_what_is_in_them(tmp_path):
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "CogVideoXPipeline"}))
    assert family_of(tmp_path).name == "cogvideox"
    (tmp_path / "sim2real.json").write_text("{}")
    assert family_of(tmp_path).name == "embedded"


def test_unknown_names_list_the_valid_ones(tmp_path):
    with pytest.raises(UnknownNameError, match="did you mean 'wan-vace'.*embedded"):
        layout_for("wan-vaze")
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "FluxPipeline"}))
    with pytest.raises(BadValueError, match="FluxPipeline.*CONTRIBUTING"):
        layout_for(tmp_path)


def test_families_need_kinds_that_clips_hold():
    for family in families().values():
        assert "noise" in family.needs and set(family.needs) <= set(kinds.names())
    more = {name for name, family in families().items() if set(family.needs) - kinds.usual_names()}
    assert more == {"embedded", "cosmos-diffusion-renderer"}


def test_every_family_names_a_pipeline_and_samplers_of_diffusers():
    import diffusers

    for family in families().values():
        assert hasattr(diffusers, family.pipeline)
        assert all(hasattr(diffusers, name) for name in family.schedulers)
        axes = family.latent_axes  # frames may be the batch
        assert sorted(axes) in (sorted("BCTHW"), sorted("CTHW"))


@pytest.mark.slow
def test_nothing_outside_of_the_families_asks_which_one_it_has():
    package = Path(sim2real.__file__).parent
    names = {*families(), *(family.pipeline for family in families().values())}
    for file in package.rglob("*.py"):
        if "families" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare):
                compared = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
                assert not compared & names, f"{file}:{node.lineno}"


def test_families_that_hold_facts_alone_do_not_run():
    assert not family_of("wan-fun-control").runs and family_of("wan-vace").runs and family_of(None).runs


def test_two_families_of_one_pipeline_are_told_apart_by_their_vae(tmp_path):
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "WanPipeline"}))
    (tmp_path / "vae").mkdir()
    for channels, name in ((16, "wan"), (48, "wan-ti2v")):
        (tmp_path / "vae" / "config.json").write_text(json.dumps({"z_dim": channels}))
        assert family_of(tmp_path).name == name


def test_facts_of_every_family_are_plain_and_say_what_was_verified():
    for family in families().values():
        facts = json.loads(json.dumps(facts_of(family)))
        assert facts["name"] == family.name and facts["verified"] and facts["follows"]
        assert all(row["hub_id"] and row["license"] for row in facts["checkpoints"])


FROM_A_VIDEO = sorted(name for name, family in families().items() if getattr(family, "strength", None) is not None)


@pytest.mark.parametrize("family", FROM_A_VIDEO)
def test_a_strength_that_leaves_no_step_is_refused_by_every_family_that_begins_from_a_video(family):
    asked = GenerateOptions(model=family, steps=4, large=LargeModelOptions(strength=0.1))
    with pytest.raises(BadValueError, match="--strength is 0.1, must be at least 0.25 with --steps 4"):
        families()[family].check(asked)
