"""HunyuanVideo's guidance: distilled in the first, a part of the pipeline in 1.5."""

from __future__ import annotations

import pytest

from sim2real.clip import read_clip
from sim2real.diffusion import family_of
from sim2real.diffusion.inputs import noise_source
from sim2real.diffusion.pipelines.loading import forget_pipeline
from sim2real.errors import BadValueError
from tests.diffusion.families.kit import heard, options_for
from tests.diffusion.families.tiny import tiny_families
from tests.diffusion.families.tiny.hunyuan import save_hunyuan, save_hunyuan15

pytestmark = pytest.mark.slow


def test_a_negative_prompt_that_would_be_ignored_is_refused(tmp_path):
    folder = save_hunyuan(tmp_path / "tiny")
    options = options_for(folder, tiny_families()["hunyuan-video"], large={"negative_prompt": "blur"})
    with pytest.raises(BadValueError, match="--negative-prompt is 'blur', must be left out .* its guidance is distilled"):
        family_of(folder).check(options)


@pytest.mark.parametrize(("guidance", "passes"), [(1.0, 1), (4.0, 2)])
def test_guidance_reaches_the_guider(tmp_path, make_clip, guidance, passes):
    tiny, folder = tiny_families()["hunyuan-video1.5"], save_hunyuan15(tmp_path / "tiny")
    clip = read_clip(make_clip(factor=16, channels=32, latents=[0, 4], size=(64, 96), frames=5))
    family = family_of(folder)
    model = family.load(options_for(folder, tiny, large={"guidance": guidance}))
    inputs = model.inputs(clip, "front", noise_source(clip, "front", family.layout, "clip", 0))
    with heard(model.pipeline, family, tiny) as found:
        assert len(list(model.run(inputs, lambda done, total: None))) == 5
    assert model.pipeline.guider.guidance_scale == guidance and len(found.denoiser) == passes * tiny.steps
    forget_pipeline()
