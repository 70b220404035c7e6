from __future__ import annotations

import numpy as np
import OpenEXR
import pytest
import torch

from sim2real.clip.images import write_flow
from sim2real.errors import BadValueError, MissingFileError, UnreadableFileError
from sim2real.flow import Flow, flow_files, inverted_flow, motion_of_depth, read_flow

SIZE = (48, 64)


def motion(seed=0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((*SIZE, 2)).astype(np.float32)


def exr(path, channels):
    with OpenEXR.File({"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}, channels) as file:
        file.write(str(path))


@pytest.mark.parametrize("names", [("X", "Y"), ("R", "G"), ("ViewLayer.Vector.X", "ViewLayer.Vector.Y")])
def test_motion_in_an_exr_is_read_as_it_was_written(tmp_path, names):
    true = motion()
    extra = {"Z": np.ones(SIZE, np.float32)}
    exr(tmp_path / "a.exr", extra | {n: np.ascontiguousarray(true[..., k]) for k, n in enumerate(names)})
    found, visible = read_flow(tmp_path / "a.exr", SIZE)
    assert np.array_equal(found.numpy(), true)
    assert visible is None


def test_motion_in_arrays_is_read_as_it_was_written(tmp_path):
    true, seen = motion(), np.random.default_rng(1).random(SIZE) < 0.5
    np.save(tmp_path / "a.npy", true)
    write_flow(tmp_path / "b.npz", true, seen)
    np.savez(tmp_path / "c.npz", true)
    assert np.array_equal(read_flow(tmp_path / "a.npy", SIZE)[0].numpy(), true)
    found, visible = read_flow(tmp_path / "b.npz", SIZE)
    assert np.array_equal(found.numpy(), true)
    assert visible is not None
    assert np.array_equal(visible.numpy(), seen)
    assert np.array_equal(read_flow(tmp_path / "c.npz", SIZE)[0].numpy(), true)
    assert [f.name for f in flow_files(tmp_path)] == ["a.npy", "b.npz", "c.npz"]


def test_vectors_that_are_not_finite_have_no_counterpart(tmp_path):
    true = motion()
    true[3, 4] = np.nan
    np.save(tmp_path / "a.npy", true)
    found, visible = read_flow(tmp_path / "a.npy", SIZE)
    assert visible is not None
    assert visible.sum() == SIZE[0] * SIZE[1] - 1
    assert not visible[3, 4]
    assert torch.isfinite(found).all()


def test_files_without_motion_are_one_line(tmp_path):
    np.save(tmp_path / "a.npy", motion()[..., :1])
    with pytest.raises(BadValueError, match=r"the shape of the motion is \(48, 64, 1\), must be \(48, 64, 2\)"):
        read_flow(tmp_path / "a.npy", SIZE)
    np.savez(tmp_path / "b.npz", forward=motion(), visible=np.ones((2, 2), bool))
    with pytest.raises(BadValueError, match="the shape of visible"):
        read_flow(tmp_path / "b.npz", SIZE)
    (tmp_path / "c.npz").write_bytes(b"no archive")
    exr(tmp_path / "d.exr", {"Z": np.ones(SIZE, np.float32)})
    (tmp_path / "e.exr").write_bytes(b"")
    for name in ("c.npz", "d.exr", "e.exr"):
        with pytest.raises(UnreadableFileError, match="the motion cannot be read"):
            read_flow(tmp_path / name, SIZE)
    with pytest.raises(MissingFileError):
        flow_files(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingFileError, match="npz"):
        flow_files(tmp_path / "empty")


def test_the_inverse_of_a_smooth_motion_leads_back():
    y, x = torch.meshgrid(torch.arange(SIZE[0]) + 0.5, torch.arange(SIZE[1]) + 0.5, indexing="ij")
    forward = torch.stack([0.06 * (x - 32) + 2.3, 0.03 * (y - 20) - 0.02 * (x - 32)], -1)
    back = inverted_flow(Flow(forward, torch.ones(SIZE, dtype=torch.bool)))
    # x' = 1.06 (x - 32) + 34.3 and so on, solved for (x, y)
    true_x = (x - 34.3) / 1.06 + 32
    true_y = (y - 20 + 0.02 * (true_x - 32)) / 1.03 + 20
    miss = (back.forward - torch.stack([true_x - x, true_y - y], -1)).norm(dim=-1)
    seen = (true_x > 1) & (true_x < 63) & (true_y > 1) & (true_y < 47)
    assert back.visible[seen].all()
    assert float(miss[seen].max()) < 1e-3


def test_what_a_forward_motion_uncovers_is_not_visible_in_the_inverse():
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    disc = (x - 20) ** 2 + (y - 24) ** 2 < 10**2
    forward = torch.from_numpy(np.where(disc[..., None], np.array([8.0, 0]), 0).astype(np.float32))
    after = (x - 28) ** 2 + (y - 24) ** 2 < 10**2
    back = inverted_flow(Flow(forward, torch.from_numpy(disc | ~after)))
    inner = torch.from_numpy((x - 28) ** 2 + (y - 24) ** 2 < 8**2)
    uncovered = torch.from_numpy(disc & ~((x - 28) ** 2 + (y - 24) ** 2 < 12**2))
    assert back.visible[inner].all()
    assert (back.forward[inner] == torch.tensor([-8.0, 0.0])).all()
    assert float(back.visible[uncovered].float().mean()) < 0.1


def test_motion_of_depth_is_the_parallax_of_a_plane_and_knows_what_is_hidden():
    k = np.array([[60.0, 0, 32], [0, 60.0, 24], [0, 0, 1]])
    moved = np.eye(4)
    moved[0, 3] = 0.5  # the target camera is half a metre further right
    wall = np.full(SIZE, 6.0)
    there = motion_of_depth(wall, wall, k, k, np.eye(4), moved)
    assert there.forward.numpy()[..., 0] == pytest.approx(-5.0, abs=1e-5)
    assert there.visible[:, 6:].all()
    assert not there.visible[:, :4].any()
    post = wall.copy()
    post[:, 30:34] = 2.0  # hides a strip of the wall in the target
    hidden = motion_of_depth(wall, post, k, k, np.eye(4), moved)
    assert not hidden.visible[:, 36:38].any()
    assert hidden.visible[:, 45:].all()


def test_the_infinite_moves_by_rotation_alone_and_what_stands_still_not_at_all():
    k = np.array([[60.0, 0, 32], [0, 60.0, 24], [0, 0, 1]])
    turned = np.eye(4)
    turned[:3, :3] = [[np.cos(0.1), 0, np.sin(0.1)], [0, 1, 0], [-np.sin(0.1), 0, np.cos(0.1)]]
    moved = turned.copy()
    moved[:3, 3] = [1.0, 2.0, 3.0]
    sky = np.zeros(SIZE)
    a, b = (motion_of_depth(sky, sky, k, k, np.eye(4), pose) for pose in (turned, moved))
    assert torch.equal(a.forward, b.forward)
    assert float(a.forward[24, 32, 0]) == pytest.approx(-60 * np.tan(0.1), abs=0.2)
    assert not motion_of_depth(sky + 2.0, sky + 2.0, k, k, moved, moved).forward.any()
