"""What stands along walls: within the wall, where nothing else is, grain upright."""

import numpy as np
import pytest

from sim2real.prepare.random_scenes.builder import Stage
from sim2real.prepare.random_scenes.materials import Look, Looks, upright
from sim2real.prepare.random_scenes.tall_things import stand_along
from sim2real.prepare.random_scenes.wall_things import row_of_books
from sim2real.prepare.random_scenes.walls import Wall, folds
from sim2real.scene.records import Material

TALL = {"panel": "slats", "cabinet": "front", "door": "leaf", "curtain": "curtain", "shelf": "board"}


def furnished(seed, *, depth_m=1.0):
    """The things along a wall of 6 by 2.6 metres: (class, lowest, highest corner) in the wall's coordinates."""
    wall, stage = Wall("back", np.eye(4), 6.0, 2.6), Stage(np.random.default_rng(seed), 1)
    rng = np.random.default_rng([seed, 1])
    for _ in range(3):
        stand_along(rng, Looks(None), stage, wall, depth_m=depth_m)
    found = []
    for index, (instance, motion) in enumerate(zip(stage.instances, stage.world_from_instance()[0], strict=True)):
        points = []
        for part in stage.parts:
            if part.instance == index:
                to_wall = motion @ part.instance_from_mesh
                points.append(stage.meshes[part.mesh].vertices @ to_wall[:3, :3].T + to_wall[:3, 3])
        points = np.concatenate(points)
        found.append((instance.class_name, points.min(axis=0), points.max(axis=0)))
    return found


SEEDS = range(12)


@pytest.mark.parametrize("seed", SEEDS)
def test_tall_things_stay_on_their_wall_and_off_each_other(seed):
    things = furnished(seed)
    for class_name, low, high in things:
        assert class_name in TALL
        assert low[0] > -3.0
        assert high[0] < 3.0
        assert low[2] >= 0
        assert high[2] < 2.6
        assert high[1] <= 1e-9  # on the room's side
        assert low[1] > -0.35
        assert high[2] - low[2] > 0.9
    for k, (_, low, high) in enumerate(things):
        for _, other_low, other_high in things[:k]:
            assert min(high[0], other_high[0]) - max(low[0], other_low[0]) < 0.02


def test_every_kind_is_there_and_books_only_where_there_is_room():
    assert {thing[0] for seed in SEEDS for thing in furnished(seed)} == set(TALL)
    assert "shelf" not in {thing[0] for seed in SEEDS for thing in furnished(seed, depth_m=0.2)}


def test_upright_grain_stands_at_its_scale():
    texture = np.zeros((40, 100, 3), np.uint8)
    texture[::4] = 200  # ten lines along u over 0.2 m
    lying = Look(Material((1.0, 1.0, 1.0, 1.0), texture), 0.5)
    standing = upright(lying)
    turned = standing.material.texture
    assert turned.shape == (100, 40, 3)
    assert standing.period_m == pytest.approx(0.2)
    assert (turned == turned[:1]).all()  # lines along v
    assert (turned[0, :, 0] == 200).sum() == 10
    plain = Look(Material((0.5, 0.5, 0.5, 1.0), None), 0.5)
    assert upright(plain) is plain
    print_ = Look(lying.material, None)
    assert upright(print_) is print_  # of fixed UVs


def test_books_stand_in_a_row():
    looks = [Looks(None).printed(np.random.default_rng(k)) for k in range(3)]
    books = row_of_books(np.random.default_rng(5), looks, 0.4)
    spans = []
    for book in books:
        points = book.mesh.vertices + book.thing_from_mesh[:3, 3]
        low, high = points.min(axis=0), points.max(axis=0)
        assert low[2] == pytest.approx(0)
        assert high[1] < 0
        spans.append((low[0], high[0]))
    assert len(spans) > 10
    assert -0.4 <= spans[0][0]
    assert spans[-1][1] <= 0.4
    assert all(a[1] <= b[0] for a, b in zip(spans, spans[1:], strict=False))


def test_cloth_hangs_before_the_wall():
    cloth = folds(np.random.default_rng(0), 1.0, 0.8, (0.1, 2.0))
    low, high = cloth.vertices.min(axis=0), cloth.vertices.max(axis=0)
    np.testing.assert_allclose([low[0], high[0], low[2], high[2]], [0.6, 1.4, 0.1, 2.0])
    assert high[1] < 0
    assert low[1] > -0.12
