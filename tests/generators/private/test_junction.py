"""A junction tree gives the tables of the product of its factors, and meets those that are measured."""

from itertools import combinations

import numpy as np
import pytest

from trisynth.generators.private.tables.junction import JunctionTree, Measured, cells, cliques

SIZES = [3, 4, 2, 5, 3]
# A cycle of four columns, and a fifth one that hangs on it.
SCOPES = [(0, 1), (1, 2), (2, 3), (0, 3), (3, 4)]


def shape(scope: tuple[int, ...]) -> list[int]:
    return [SIZES[column] for column in scope]


def summed(whole: np.ndarray, scope: tuple[int, ...]) -> np.ndarray:
    return whole.sum(tuple(column for column in range(len(SIZES)) if column not in scope))


@pytest.fixture
def whole() -> np.ndarray:
    return 1000 * np.random.default_rng(0).dirichlet(np.full(np.prod(SIZES), 0.3)).reshape(SIZES)


@pytest.fixture
def model() -> JunctionTree:
    rng = np.random.default_rng(1)
    return JunctionTree.of(SIZES, 100.0, {scope: rng.normal(size=shape(scope)) for scope in SCOPES})


def test_a_cycle_is_triangulated():
    assert [set(each) for each in cliques(SIZES, SCOPES)] == [{3, 4}, {0, 1, 2}, {0, 2, 3}]
    assert cells(SIZES, SCOPES) == 5 * 3 + 3 * 4 * 2 + 3 * 2 * 5
    assert cells(SIZES, [(0,), (1,)]) == sum(SIZES)


@pytest.mark.parametrize("first", range(len(SIZES)))
def test_every_table_is_that_of_the_enumerated_product(model, first):
    product = np.ones(SIZES)
    for scope, factor in model.factors.items():
        product = product * np.exp(factor).reshape([SIZES[c] if c in scope else 1 for c in range(len(SIZES))])
    product *= 100 / product.sum()
    for scope in (scope for k in (1, 2, 3) for scope in combinations(range(len(SIZES)), k) if first in scope):
        np.testing.assert_allclose(model.table(scope), summed(product, scope), atol=1e-9)
        np.testing.assert_allclose(model.rooted(first).table(scope), summed(product, scope), atol=1e-9)


def test_exact_tables_are_met_and_further_ones_do_not_disturb_them(whole):
    measured = {scope: Measured(scope, summed(whole, scope), 1.0) for scope in SCOPES}
    made = JunctionTree.of(SIZES, 1000.0, {scope: np.zeros(shape(scope)) for scope in SCOPES[:3]})
    for scope in SCOPES[3:]:
        before = made.table((0, 1, 2))
        made = made.grown(scope)
        np.testing.assert_allclose(made.table((0, 1, 2)), before)
    made.fit(measured, 200)
    for scope, each in measured.items():
        np.testing.assert_allclose(made.table(scope), each.table, atol=1e-3)


def test_two_measurements_are_weighted_by_their_precision(whole):
    table = summed(whole, (0,))
    both = Measured((0,), table, 3.0).joined(Measured((0,), table + 4, 1.0))
    assert both.weight == 4
    np.testing.assert_allclose(both.table, table + 1)


def test_rows_follow_the_tables_and_given_cells_stay(model):
    rooted, rng = model.rooted(4), np.random.default_rng(2)
    given = rng.choice(3, 40_000, p=rooted.table((4,)) / 100)
    drawn = rooted.draw(40_000, rng, {4: given})
    assert (drawn[4] == given).all()
    for scope in combinations(range(len(SIZES)), 2):
        own = np.zeros(shape(scope))
        np.add.at(own, tuple(drawn[column] for column in scope), 100 / 40_000)
        assert np.abs(own - rooted.table(scope)).sum() < 4
