import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sim2real.diffusion.windows import WindowedTransformer, window_starts


@given(st.integers(1, 80), st.integers(1, 12), st.integers(0, 11), st.integers(1, 3))
def test_windows_cover_an_axis_and_overlap_enough(length, window, overlap, multiple):
    length, window, overlap = length * multiple, window * multiple, min(overlap, window - 1) * multiple
    starts = window_starts(length, window, overlap, multiple)
    assert starts[0] == 0 and all(start % multiple == 0 for start in starts)
    assert starts[-1] == max(0, length - window)
    assert all(0 < b - a <= window - overlap for a, b in zip(starts, starts[1:], strict=False))


class Pointwise(torch.nn.Module):
    """Stands for a denoiser that treats every place alike."""

    def __init__(self, config):
        super().__init__()
        self.config = config

    def forward(self, hidden_states, timestep, encoder_hidden_states, control_hidden_states, **rest):
        assert timestep.shape == hidden_states.shape[:1] == encoder_hidden_states.shape[:1]
        return (2 * hidden_states + control_hidden_states[:, :1] + timestep[0],)


def arguments(frames, h, w, channels=3):
    generator = torch.Generator().manual_seed(0)
    return {
        "hidden_states": torch.randn(1, channels, frames, h, w, generator=generator),
        "timestep": torch.tensor([7.0]),
        "encoder_hidden_states": torch.zeros(1, 6, 4),
        "control_hidden_states": torch.randn(1, 5, frames, h, w, generator=generator),
    }


@pytest.mark.parametrize("shape", [(1, 2, 2), (4, 8, 8), (9, 14, 22), (5, 8, 30)])
def test_blending_a_pointwise_model_changes_nothing(transformer, shape):
    windowed = WindowedTransformer(Pointwise(transformer.config), (4, 8, 8), (2, 2, 4), batch=3)
    given_ = arguments(*shape)
    whole = Pointwise(transformer.config)(**given_)[0]
    assert torch.allclose(windowed(**given_)[0], whole, atol=1e-5)


def test_a_shifted_grid_changes_nothing_for_a_pointwise_model(transformer):
    windowed = WindowedTransformer(Pointwise(transformer.config), (4, 8, 8), (2, 2, 4))
    given_ = arguments(6, 8, 22)
    told = []
    windowed.on_windows, windowed.phases = told.append, (0, 1)
    assert torch.allclose(windowed(**given_)[0], Pointwise(transformer.config)(**given_)[0], atol=1e-5)
    assert told[-1] == windowed.count(6, 8, 22, (0, 1)) > windowed.count(6, 8, 22, (0,))


def test_one_window_is_the_model_itself(transformer):
    given_ = arguments(4, 8, 8, channels=48)
    given_["control_hidden_states"] = torch.randn(1, 112, 4, 8, 8)
    alone = transformer(**given_, return_dict=False)[0]
    windowed = WindowedTransformer(transformer, (4, 8, 8), (2, 4, 4))
    assert windowed.dtype == torch.float32 and windowed.config is transformer.config
    assert torch.allclose(windowed(**given_)[0], alone, atol=1e-5)


def test_a_far_away_change_reaches_only_windows_that_see_it(transformer):
    windowed = WindowedTransformer(transformer, (4, 8, 8), (2, 4, 4))
    given_ = arguments(4, 8, 32, channels=48)
    given_["control_hidden_states"] = torch.zeros(1, 112, 4, 8, 32)
    before = windowed(**given_)[0]
    given_["hidden_states"] = given_["hidden_states"].clone()
    given_["hidden_states"][..., -1] += 1
    after = windowed(**given_)[0]
    assert torch.equal(before[..., :24], after[..., :24]) and not torch.equal(before, after)
