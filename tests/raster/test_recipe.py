"""What docs/rasterizers.md shows works, where pytorch3d is there."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from sim2real.raster import interpolate, rasterizer
from sim2real.render.bake_record import texels

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "rasterizers.md").read_text(encoding="utf-8")


def test_the_page_says_how_to_choose_who_makes_pictures() -> None:
    assert "--rgb pyrender" in PAGE and "--rgb mitsuba" in PAGE
    for link in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / link).is_file()


@pytest.mark.slow
def test_the_recipes_for_pytorch3d_give_our_noise_and_the_baked_texels(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pytorch3d", reason="pytorch3d is not installed (no Linux package; build it from its source)")
    monkeypatch.chdir(ROOT)
    names: dict = {}
    for source in re.findall(r"^```python\n(.*?)^```$", PAGE, flags=re.S | re.M):
        exec(compile(source, "docs/rasterizers.md", "exec"), names)
    triangles, view, charts = names["triangles"], names["view"], names["charts"]
    ours = rasterizer(triangles).fragments(view)
    same = (names["fragments"].face == ours.face) & (ours.face >= 0)
    assert same.sum() > 0.97 * (ours.face >= 0).sum()
    assert torch.allclose(names["fragments"].depth[same], ours.depth[same], rtol=1e-3)
    assert (names["seen"].face == ours.face).float().mean() > 0.97
    assert float(names["noise"].std()) == pytest.approx(1, abs=0.15)
    k = torch.as_tensor(view.intrinsics)
    uv = interpolate(ours, ours.camera_vertices, torch.as_tensor(triangles.faces), k, torch.as_tensor(charts.coordinates))
    uv, face, painted = uv.permute(1, 2, 0).numpy(), ours.face.numpy(), names["painted"].numpy()
    equal = total = 0
    for part, texture in zip(np.unique(triangles.face_part), names["baked"].textures, strict=True):
        mine = same.numpy() & (np.append(triangles.face_part, -1)[face] == part)
        expected = texels(np.load(names["folder"] / texture.file), uv[mine])
        equal, total = equal + int((painted[mine] == expected).all(-1).sum()), total + int(mine.sum())
    assert total > 1000 and equal > 0.97 * total
