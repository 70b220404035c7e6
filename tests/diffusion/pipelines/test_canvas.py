"""Several cameras as one picture."""

from __future__ import annotations

import numpy as np
import pytest

from sim2real.clip import CameraRecord, ClipRecord, NoiseRecord, SceneRecord, new_folder, read_clip, write_record
from sim2real.clip.footage import write_footage
from sim2real.clip.images import NoiseWriter, write_depth, write_png
from sim2real.clip.within import part_of
from sim2real.diffusion.pipelines.canvas import CANVAS, canvas_of

SIZE, NAMES = (16, 24), ("left", "right", "top")


@pytest.fixture
def rig(tmp_path):
    """Three cameras, 3 frames, pictures that tell camera and frame."""
    rng = np.random.default_rng(1)
    k = np.array([[20.0, 0, 12], [0, 20.0, 8], [0, 0, 1]])
    camera = CameraRecord(intrinsics=k, world_from_camera=np.broadcast_to(np.eye(4), (3, 4, 4)))
    record = ClipRecord(
        scene=SceneRecord(path="scene.yaml", sha256=""),
        seed=3,
        fps=12,
        frames=3,
        size=SIZE,
        cameras=dict.fromkeys(NAMES, camera),
        noise=NoiseRecord(factor=8, channels=4, beta=1, latent_frames=[0, 1, 2], method="test"),
    )
    with new_folder(tmp_path / "rig") as work:
        write_record(work / "clip.json", record)
        for name in NAMES:
            for kind in ("rgb", "depth"):
                (work / name / kind).mkdir(parents=True)
            for frame in range(3):
                write_png(work / name / "rgb" / f"{frame:06d}.png", rng.integers(0, 256, (*SIZE, 3), np.uint8))
                write_depth(work / name / "depth" / f"{frame:06d}.exr", rng.random(SIZE, np.float32))
            with NoiseWriter(work / name / "noise.npy", (3, 4, 2, 3)) as noise:
                for latent in range(3):
                    noise.write(latent, rng.standard_normal((4, 2, 3), np.float32))
    return read_clip(tmp_path / "rig")


@pytest.mark.parametrize(("rows", "columns"), [(2, 2), (1, 3), (3, 1)])
def test_every_camera_is_found_again_where_its_tile_is(rig, rows, columns):
    canvas = canvas_of(rig, rows, columns)
    assert canvas.cameras == [CANVAS] and canvas.record.size == (rows * SIZE[0], columns * SIZE[1])
    latents = canvas.latents(CANVAS, slice(0, 3))
    for name in NAMES:
        where = canvas.tile(name)
        for kind in ("rgb", "depth"):
            assert np.array_equal(canvas.picture(CANVAS, kind, 1)[where], rig.picture(name, kind, 1))
        cells = tuple(slice(side.start // 8, side.stop // 8) for side in where)
        assert np.array_equal(latents[:, :, cells[0], cells[1]], rig.noise(name))
    tiles = {canvas.tile(name)[0].start + 1000 * canvas.tile(name)[1].start for name in NAMES}
    assert len(tiles) == 3


def test_a_tile_without_a_camera_is_black_and_has_noise_that_does_not_depend_on_how_it_is_asked_for(rig):
    canvas = canvas_of(rig, 2, 2)
    assert not canvas.picture(CANVAS, "rgb", 0)[16:, 24:].any()
    whole = canvas.latents(CANVAS, slice(0, 3))[:, :, 2:, 3:]
    assert np.array_equal(canvas.latents(CANVAS, [2])[:, :, 2:, 3:], whole[2:]) and abs(whole.std() - 1) < 0.3
    assert len({whole[k].tobytes() for k in range(3)}) == 3


def test_footage_of_all_cameras_is_put_together(rig):
    films = {name: np.random.default_rng(k).integers(0, 256, (3, *SIZE, 3), np.uint8) for k, name in enumerate(NAMES)}
    for name, film in films.items():
        write_footage(rig, rig.folder(name) / "generated" / "a-0", iter(film), {})
    canvas = canvas_of(rig, 2, 2)
    for name, film in films.items():
        assert np.array_equal(canvas.footage("a-0")(1)[canvas.tile(name)], film[1])
        assert np.array_equal(canvas.footage("rgb")(2)[canvas.tile(name)], rig.rgb(name, 2))


def test_a_part_of_a_canvas_is_the_canvas_of_the_parts(rig):
    canvas = canvas_of(rig, 1, 3)
    part = part_of(canvas, 1, 2)
    assert part.frames == 2 and part.has(CANVAS, "depth") and not part.has(CANVAS, "edges")
    assert np.array_equal(part.rgb(CANVAS, 0), canvas.picture(CANVAS, "rgb", 1))
