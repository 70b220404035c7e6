from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from sim2real.metrics.labels import border_counts, ciede2000, color_errors, instance_borders
from sim2real.scene.colors import srgb_from_lab

# L1 a1 b1, L2 a2 b2, difference: the test data of Sharma, Wu and Dalal 2005, table 1
SHARMA = """
50.0000 2.6772 -79.7751 50.0000 0.0000 -82.7485 2.0425
50.0000 3.1571 -77.2803 50.0000 0.0000 -82.7485 2.8615
50.0000 2.8361 -74.0200 50.0000 0.0000 -82.7485 3.4412
50.0000 -1.3802 -84.2814 50.0000 0.0000 -82.7485 1.0000
50.0000 -1.1848 -84.8006 50.0000 0.0000 -82.7485 1.0000
50.0000 -0.9009 -85.5211 50.0000 0.0000 -82.7485 1.0000
50.0000 0.0000 0.0000 50.0000 -1.0000 2.0000 2.3669
50.0000 -1.0000 2.0000 50.0000 0.0000 0.0000 2.3669
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0009 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0010 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0011 7.2195
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0012 7.2195
50.0000 -0.0010 2.4900 50.0000 0.0009 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0010 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0011 -2.4900 4.7461
50.0000 2.5000 0.0000 50.0000 0.0000 -2.5000 4.3065
50.0000 2.5000 0.0000 73.0000 25.0000 -18.0000 27.1492
50.0000 2.5000 0.0000 61.0000 -5.0000 29.0000 22.8977
50.0000 2.5000 0.0000 56.0000 -27.0000 -3.0000 31.9030
50.0000 2.5000 0.0000 58.0000 24.0000 15.0000 19.4535
50.0000 2.5000 0.0000 50.0000 3.1736 0.5854 1.0000
50.0000 2.5000 0.0000 50.0000 3.2972 0.0000 1.0000
50.0000 2.5000 0.0000 50.0000 1.8634 0.5757 1.0000
50.0000 2.5000 0.0000 50.0000 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
"""


def test_color_differences_are_the_published_ones():
    rows = np.array([line.split() for line in SHARMA.strip().splitlines()], np.float64)
    assert len(rows) == 34
    a, b = rows[:, :3], rows[:, 3:6]
    assert np.abs(ciede2000(a, b) - rows[:, 6]).max() < 5.1e-5
    assert np.allclose(ciede2000(a, b), ciede2000(b, a), atol=1e-9)
    assert not ciede2000(a, a).any()


@pytest.fixture(scope="module")
def instances():
    ids = np.zeros((96, 128), np.int64)
    ids[10:50, 10:60] = 1
    ids[40:90, 50:120] = 2
    ids[60:66, 70:76] = 3
    return ids


@pytest.fixture(scope="module")
def render(instances):
    lab = np.array([[80.0, 0, 0], [50, 50, 30], [40, -30, 20], [60, 10, -50]])
    return np.rint(255 * np.clip(srgb_from_lab(lab), 0, 1)).astype(np.uint8)[instances]


def test_the_color_of_each_instance_is_judged_by_its_mean(instances, render):
    grain = np.random.default_rng(0).integers(-15, 16, render.shape)
    changed = np.clip(render + grain, 0, 255).astype(np.uint8)
    kept = color_errors(changed, render, instances)
    assert set(kept) == {1, 2}, "background, and what covers 36 pixels, do not count"
    assert max(kept.values()) < 1.5
    changed[instances == 2] = render[instances == 1][0]
    off = color_errors(changed, render, instances)
    assert off[1] == kept[1] and off[2] > 40


def test_borders_of_the_render_agree_with_themselves(instances, render):
    found = border_counts(render, render, instances)
    assert found.borders > 200 and found.edges > 200
    assert found.share_kept == found.share_explained == found.agreement == 1


def test_a_border_that_dissolves_is_missed_and_an_edge_from_nowhere_is_seen(instances, render):
    dissolved = render.copy()
    dissolved[instances == 1] = render[0, 0]
    lost = border_counts(dissolved, render, instances)
    assert lost.share_kept < 0.8 and lost.share_explained == 1
    invented = render.copy()
    invented[20:40:2, 20:40] = 0
    more = border_counts(invented, render, instances)
    assert more.share_kept == 1 and more.share_explained < 0.9


def test_borders_may_be_two_pixels_off_and_not_six(instances, render):
    near, far = (border_counts(np.roll(render, by, (0, 1)), render, instances).share_kept for by in ((1, 1), (6, 6)))
    assert near > 0.98 and far < 0.4


def test_noise_has_edges_everywhere_and_yet_does_not_agree(instances, render):
    rng = np.random.default_rng(0)
    noise = np.clip(128 + 90 * ndimage.gaussian_filter(rng.standard_normal((96, 128, 1)), (1, 1, 0)) * 4, 0, 255)
    found = border_counts(np.repeat(noise, 3, -1).astype(np.uint8), render, instances)
    assert found.share_kept > 0.8 and found.agreement < 0.6


def test_a_border_that_the_render_does_not_show_is_not_asked_for(instances, render):
    twins = np.where(instances[..., None] == 1, render[0, 0], render)
    shown = border_counts(render, twins, instances)
    assert 0 < shown.borders < border_counts(render, render, instances).borders
    geometric = instance_borders(instances)
    assert border_counts(render, twins, instances, creases=geometric).share_explained == 1


def test_counts_of_frames_add_up(instances, render):
    one = border_counts(render, render, instances)
    assert (one + one).borders == 2 * one.borders and (one + one).share_kept == 1
