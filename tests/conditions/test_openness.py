"""What is hidden from places in a picture by others in it."""

import numpy as np
import pytest

from sim2real.conditions.openness import hidden, hidden_reference, offsets_around


@pytest.mark.parametrize("seed", range(3))
def test_the_kernel_equals_its_numpy_twin(seed):
    rng = np.random.default_rng(seed)
    y, x = np.indices((31, 40 + 3 * seed)) * 0.05
    points = np.stack([x, y, rng.uniform(0, 0.6, x.shape)], axis=-1).astype(np.float32)
    normals = rng.standard_normal(points.shape) + [0, 0, 2]
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    normals = (normals * (rng.random(x.shape) > 0.1)[..., None]).astype(np.float32)
    offsets = offsets_around(7, 5, 15.0)
    expected = hidden_reference(points, normals, offsets, (0.3, 1.0))
    assert hidden(points, normals, offsets, (0.3, 1.0)) == pytest.approx(expected, abs=1e-4)
    assert 0.1 < expected[..., 1].mean() < 0.9 and (expected[..., 0] <= expected[..., 1]).all()
    assert (expected[(normals == 0).all(axis=-1)] == 0).all()


def test_looking_around_begins_beside_a_place_and_ends_at_the_farthest():
    offsets = offsets_around(16, 6, 40.0)
    lengths = np.linalg.norm(offsets, axis=-1)
    assert offsets.shape == (16, 6, 2) and np.all(np.diff(lengths, axis=1) > 0)
    assert lengths[:, 0].max() < 1.5 and lengths[:, -1] == pytest.approx(40, abs=0.8)
    assert np.abs(offsets.sum(axis=(0, 1))).max() == 0
