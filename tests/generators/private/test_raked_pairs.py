"""Raked pairs meet tables beyond a tree, and count as many of them as the noise allows."""

import numpy as np
import pandas as pd
import pytest
from cycles import FACTS, cycle

from trisynth.generators.private.raked_pairs import RakedPairs
from trisynth.generators.private.tables import pairs
from trisynth.privacy import Budget
from trisynth.privacy.ledger import Share

pytest.importorskip("dp_accounting", reason="needs the extra privacy")


def test_tables_of_all_pairs_are_met_without_noise():
    frame = cycle(6000)
    made = RakedPairs(Budget()).fit(frame, target="y", facts=FACTS)
    drawn = made.sample(6000, seed=1)
    for first, second in (("a", "b"), ("a", "c"), ("b", "c")):
        real, own = (pd.crosstab(part["y"], [part[first], part[second]]) for part in (frame, drawn))
        assert np.abs(real - own).sum().sum() / len(frame) < 0.06


def test_fewer_pairs_are_counted_where_noise_is_large():
    rest = {"other": Share(1.0, 10)}
    few = pairs.plan(20, 2, Budget(0.1, 1e-6, rows=2000), rest, 1.0, 4.0)
    many = pairs.plan(20, 2, Budget(10.0, 1e-6, rows=100_000), rest, 1.0, 4.0)
    assert few[pairs.TABLES].times == few[pairs.CHOICES].times == 19
    assert many[pairs.TABLES].times == 190 and pairs.CHOICES not in many


def test_few_pairs_begin_with_a_spanning_tree():
    made = RakedPairs(Budget(0.5, 1e-6, rows=600, seeded=True)).fit(cycle(600), target="y", facts=FACTS)
    assert made.ledger_.charged[pairs.CHOICES] == made.ledger_.charged[pairs.TABLES] == 2
    assert made.spent_["epsilon"] <= 1 and set(made.sample(50)["a"]) <= {"0", "1", "2"}


def test_noisy_tables_are_drawn_towards_a_model_that_fits_them_and_kept_where_it_does_not():
    rng = np.random.default_rng(5)
    model, sigma = rng.uniform(20, 60, (2, 12, 12)), 10.0
    held = pairs.shrunk(model + rng.normal(0, sigma, model.shape), model, sigma)
    assert np.abs(held - model).mean() < 0.4 * sigma
    true = model * rng.choice([0.2, 3.0], model.shape)
    noisy = true + rng.normal(0, sigma, model.shape)
    assert np.corrcoef(pairs.shrunk(noisy, model, sigma).ravel(), true.ravel())[0, 1] > 0.95
    assert pairs.shrunk(noisy, model, 0.0) is noisy
