"""AIM measures what its model misses, within its budget and the size of its model."""

import numpy as np
import pandas as pd
import pytest
from cycles import FACTS, cycle, misfit

from trisynth.errors import InputError
from trisynth.generators.private.aim import _ROUNDS, AIM, _exact, _workload
from trisynth.privacy import Budget

pytest.importorskip("dp_accounting", reason="needs the extra privacy")


def test_tables_of_all_pairs_are_met_without_noise():
    frame = cycle(6000)
    assert misfit(frame, AIM(Budget()).fit(frame, target="y", facts=FACTS).sample(6000, seed=1)) < 0.03


def test_tables_of_all_pairs_are_met_with_a_budget():
    frame = cycle(6000)
    made = AIM(Budget(1.0, 1e-6, seeded=True)).fit(frame, target="y", facts=FACTS)
    # One column has no dependence that a tree could hide: all pairs of the cycle have to be found.
    assert misfit(frame, made.sample(6000, seed=1)) < 0.06
    assert made.ledger_.left(_ROUNDS) == pytest.approx(0, abs=1e-6 * made.ledger_.rho)


def test_the_budget_of_a_round_grows_where_nothing_more_is_found():
    made = AIM(Budget(1.0, 1e-6, seeded=True)).fit(cycle(6000), target="y", facts=FACTS)
    # Without that, there would be sixteen rounds for each of four columns.
    assert made.ledger_.charged[_ROUNDS] < 2 * 40


def test_the_model_stays_within_its_cells():
    frame = pd.concat([cycle(3000).drop(columns="y").add_suffix(str(i)) for i in range(3)], axis=1)
    facts = {name: FACTS["a"] for name in frame}
    made = AIM(Budget(3.0, 1e-6, seeded=True), max_cells=1000).fit(frame, facts=facts)
    assert sum(table.size for table in made.model_.tables) <= 1000
    assert set(made.sample(20)) == set(frame)


def test_tables_that_serve_more_of_the_workload_weigh_more():
    weights = _workload(3, labelled=True)
    # Three tables (column, column, label): the label is in all of them, and a column in two.
    assert weights[3,] == 3 and weights[0,] == 2 and weights[0, 3] == 5 and weights[0, 1, 3] == 3 + 2 + 2
    assert set(_workload(2, labelled=False)) == {(0,), (1,), (0, 1)}


def test_tables_of_parts_are_sums_of_those_with_the_label():
    rng = np.random.default_rng(0)
    both = rng.integers(0, 9, (2, 3, 4)).astype(float)
    secret = {0: both.sum(2), 1: both.sum(1), (0, 1): both}
    np.testing.assert_array_equal(_exact((0, 1, 2), secret, 2), np.moveaxis(both, 0, -1))
    np.testing.assert_array_equal(_exact((0, 1), secret, 2), both.sum(0))
    np.testing.assert_array_equal(_exact((1, 2), secret, 2), both.sum(1).T)
    np.testing.assert_array_equal(_exact((2,), secret, 2), both.sum((1, 2)))


def test_too_small_a_model_is_refused():
    with pytest.raises(InputError, match=r"generator\.max_cells=5"):
        AIM(Budget(1.0, 1e-6), max_cells=5).fit(cycle(50), target="y", facts=FACTS)
