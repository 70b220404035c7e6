"""The noise of the example scenes, frame by frame, as it was before the house was put in order: seeds keep their meaning."""

from pathlib import Path

import numpy as np
import pytest

from sim2real.noise import NoiseLayout, SurfaceNoise, charts_of
from sim2real.raster import rasterizer, view_of
from sim2real.scene import LoadOptions, load, triangles_of

ROOT = Path(__file__).parents[2]
FRAMES = np.load(Path(__file__).with_name("frames.npz"))
LAYOUTS = {"latents": NoiseLayout(factor=8, channels=4), "pixels": NoiseLayout(factor=1, channels=1)}
SEED, SIZE = 3, (96, 128)


@pytest.mark.parametrize("name", ["cameras", "mirrored", "tabletop"])
def test_every_frame_has_the_noise_that_it_always_had(name):
    scene = load(ROOT / "scenes" / f"{name}.yaml", LoadOptions(size=SIZE))
    triangles = triangles_of(scene)
    charts, views = charts_of(scene, triangles), rasterizer(triangles)
    noises = {kind: SurfaceNoise(charts, triangles, layout, seed=SEED) for kind, layout in LAYOUTS.items()}
    wanted = [key for key in FRAMES.files if key.startswith(f"{name}/")]
    assert len(wanted) >= 2 * len(scene.cameras)
    for key in wanted:
        _, camera_name, kind, frame = key.split("/")
        camera, k = scene.camera(camera_name), int(frame)
        view = view_of(scene, camera, k)
        values = noises[kind].frame(views.visibility(view), view).numpy()
        assert np.allclose(values, FRAMES[key], atol=1e-5), key
