"""Held-out rows prefer small leaves where columns depend in detail, and large ones where they do not."""

import numpy as np

from trisynth.generators.trees.growing import grow
from trisynth.generators.trees.leaf_size import _coarser, chosen_size

SIZES = (5, 20, 80)


def chosen(make, rows: int = 3_000, seed: int = 0) -> int:
    rng = np.random.default_rng(seed)
    x = rng.random(rows)
    cells = [np.zeros(rows, np.int64), x, make(x, rng)]
    return chosen_size(cells, np.ones(rows), SIZES, rng, 0)


def test_independent_columns_take_the_largest_leaf():
    assert chosen(lambda x, rng: rng.random(len(x))) == 80


def test_a_detailed_dependence_takes_the_smallest_leaf():
    assert chosen(lambda x, rng: np.sin(200 * x)) == 5


def test_missing_cells_are_outcomes_of_their_own():
    assert chosen(lambda x, rng: np.where(np.sin(200 * x) > 0, np.nan, 1 + np.sin(200 * x))) < 80


def test_coarser_leaves_have_enough_rows():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 1_000))
    tree, predictors = grow([x], y, np.ones(1_000), 5, 0)
    nodes = tree.apply(np.ascontiguousarray(predictors.features([x], [0]).T))
    for size, ends in zip(SIZES, _coarser(tree, SIZES), strict=True):
        assert np.unique(ends[nodes], return_counts=True)[1].min() >= size
    assert (_coarser(tree, SIZES)[0][nodes] == nodes).all()
