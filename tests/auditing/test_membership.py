"""Membership attacks find copies, and nothing where the rows are independent of the training rows."""

import numpy as np
import pandas as pd
import pytest

from trisynth.audit import table
from trisynth.auditing import membership
from trisynth.auditing.membership import Attack, attacks, rate_at, shadow_attack
from trisynth.data.dataset import Dataset, Spec
from trisynth.generators.copy import Copy
from trisynth.generators.independent import Independent


def rows(n: int, seed: int) -> Dataset:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4))
    frame = pd.DataFrame(x, columns=list("abcd")).assign(y=pd.Categorical(np.where(x[:, 0] > 0, "u", "v")))
    return Dataset.of(frame, Spec("normal", "y"))


def test_copies_are_recognised_and_fresh_rows_are_not():
    train, test = rows(400, 0), rows(400, 1)
    copied, fresh = attacks(train, test, train, 0), attacks(train, test, rows(400, 2), 0)
    assert list(copied) == list(fresh) == ["distance", "domias"]
    for found in copied.values():
        assert found.auc > 0.9 and found.low > 0.85 and found.tpr["tpr_at_1_percent"][0] > 0.2
    for found in fresh.values():
        assert found.low <= 0.5 <= found.high and found.tpr["tpr_at_1_percent"][1] <= 0.05


def test_copies_among_many_rows_are_recognised():
    train = rows(6000, 0)
    for found in attacks(train, rows(1500, 1), train, 0, most=300).values():
        assert found.low > 0.9


def test_rows_that_are_left_out_are_counted(monkeypatch):
    monkeypatch.setattr(membership, "MOST", 50)
    found = attacks(rows(60, 0), rows(60, 1), rows(200, 2), 0, Remembers().fit(rows(60, 0)))
    assert {name: attack.used for name, attack in found.items()} == {"distance": 0.25, "domias": 0.25, "likelihood": 1}
    assert all(line.endswith(("used", "0.25", "1.00")) for line in table(found).splitlines())


class Remembers(Independent):
    """A generator whose likelihood is that of its training rows alone."""

    def fit(self, X, *given, **settings):
        self.known = set(map(tuple, X.X.round(6).to_numpy()))
        return self

    def log_likelihood(self, X, y=None):
        return np.array([0.0 if tuple(row) in self.known else -np.inf for row in X.round(6).to_numpy()])


def test_the_likelihood_of_a_generator_is_an_attack():
    train, test = rows(200, 0), rows(200, 1)
    found = attacks(train, test, rows(200, 2), 0, Remembers().fit(train))
    assert found["likelihood"].auc == 1.0 and found["likelihood"].tpr["tpr_at_0.1_percent"][0] == 1.0


@pytest.mark.parametrize(("generator", "low", "high"), [(Copy(), 0.85, 1.0), (Independent(), 0.35, 0.65)])
def test_shadow_models(generator, low, high):
    found = shadow_attack(generator, rows(240, 0), 0, shadows=8)
    assert low <= found.auc <= high and found.low <= found.auc <= found.high


def test_rates_are_those_of_the_threshold():
    others = np.arange(1000.0)
    assert rate_at(np.array([995.0, 990.5, 10.0, 989.0]), others, 0.01)[0] == 0.5
    found, low, high = rate_at(np.full(50, 2000.0), others, 0.001)
    assert found == 1 and high == 1 and low == pytest.approx(0.025 ** (1 / 50))
    assert Attack.of(others, others).auc == 0.5
