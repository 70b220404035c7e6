from __future__ import annotations

import numpy as np
import pytest
import torch

from sim2real.errors import BadValueError, MissingFileError, MissingPackageError
from sim2real.flow import DisFlow, RaftFlow, estimated_flow
from sim2real.flow.estimated import returns
from tests.flow.pictures import SIZE, disc_before_wall, panned

pytest.importorskip("cv2")


@pytest.mark.parametrize("shift", [(0.1, 0.0), (2.4, -1.3), (9.0, 4.0)])
def test_the_motion_of_a_textured_picture_is_found(shift):
    there, back = estimated_flow(panned(0, (0, 0)), panned(0, shift), DisFlow())
    inner = (slice(16, -16), slice(16, -16))
    for flow, true in ((there, shift), (back, (-shift[0], -shift[1]))):
        miss = (flow.forward[inner] - torch.tensor(true)).norm(dim=-1)
        assert float(miss.median()) < 0.1
        assert float(flow.visible[inner].float().mean()) > 0.95


def test_pictures_that_are_equal_have_no_motion():
    picture = panned(3, (0, 0))
    there, back = estimated_flow(picture, picture, DisFlow())
    assert not there.forward.any()
    assert not back.forward.any()
    assert there.visible.all()


def test_the_same_bits_come_out_twice():
    pair = panned(0, (0, 0)), panned(0, (3.3, 1.2))
    assert np.array_equal(DisFlow()(*pair), DisFlow()(*pair))


def test_what_a_moving_disc_reveals_is_not_believed():
    before, was_disc = disc_before_wall(0)
    now, is_disc = disc_before_wall(1)
    back, _ = estimated_flow(now, before, DisFlow())
    revealed = torch.from_numpy(was_disc & ~is_disc)
    far = torch.from_numpy(~(was_disc | is_disc))
    assert float(back.visible[revealed].float().mean()) < 0.5
    assert float(back.visible[far].float().mean()) > 0.9


def test_a_motion_returns_only_where_the_way_back_is_its_opposite():
    there = torch.full((*SIZE, 2), 3.0)
    assert returns(there, -there)[:-8, :-8].all()
    assert not returns(there, -there)[-2:].any()  # leads outside
    assert not returns(there, there).any()


def test_bad_pictures_and_missing_weights_are_one_line(tmp_path, monkeypatch):
    with pytest.raises(BadValueError, match="the second picture's size"):
        DisFlow()(panned(0, (0, 0)), panned(0, (0, 0), (64, 64)))
    with pytest.raises(BadValueError, match="at least 16 pixels"):
        DisFlow()(np.zeros((8, 64, 3), np.uint8), np.zeros((8, 64, 3), np.uint8))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises((MissingFileError, MissingPackageError), match="RAFT|pip install"):
        RaftFlow()


def test_raft_runs_from_a_weights_file(tmp_path):
    try:
        models = pytest.importorskip("torchvision.models.optical_flow")
    except RuntimeError as error:
        pytest.skip(f"torchvision is not for this torch: {error}")
    torch.save(models.raft_small(weights=None).state_dict(), tmp_path / "raft_small.pth")
    flow = RaftFlow(tmp_path / "raft_small.pth", updates=2)(panned(0, (0, 0)), panned(0, (1, 0)))
    assert flow.shape == (*SIZE, 2)
    assert np.isfinite(flow).all()
