import numpy as np
import torch

from sim2real.raster import rasterizer
from sim2real.scene import Triangles


def test_a_square_in_front_of_the_camera_is_where_it_should_be() -> None:
    v = np.array([[-1, -1, 2], [1, -1, 2], [1, 1, 2], [-1, 1, 2]], np.float32)
    f = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    t = Triangles(v, f, np.zeros((2, 3, 2), np.float32), np.zeros((2, 3, 3), np.float32), np.zeros(2, np.int32), np.zeros(4, np.int32), np.ones(1, np.int32))
    k = np.array([[8.0, 0, 8], [0, 8, 8], [0, 0, 1]])
    out = rasterizer(t).fragments(np.eye(4)[None], k, (16, 16))
    expected = torch.full((16, 16), -1, dtype=torch.int32)
    assert ((out.face >= 0).sum()) == 64
    assert torch.equal(out.depth[4:12, 4:12], torch.full((8, 8), 2.0))
    assert expected[0, 0] == out.face[0, 0]
