"""Planted leaks are caught, and an honest generator is not accused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from trisynth.auditing.canary import audit
from trisynth.data import tensors
from trisynth.data.dataset import Column, Dataset, Spec
from trisynth.errors import InputError
from trisynth.generators.copy import Copy
from trisynth.generators.private.mst import MST
from trisynth.privacy import Budget
from trisynth.privacy.ledger import Ledger

pytest.importorskip("dp_accounting", reason="needs the extra privacy")

COLUMNS = 4


def dataset(rows: int = 60) -> Dataset:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({f"x{i}": rng.integers(0, 5, rows) for i in range(COLUMNS)})
    frame["y"] = pd.Categorical(rng.choice(["a", "b"], rows), ["a", "b", "c"])
    facts = {f"x{i}": Column("number", bounds=(0, 9), integer=True, gaps=False) for i in range(COLUMNS)}
    facts["y"] = Column("category", categories=("a", "b", "c"), gaps=False)
    return Dataset.of(frame, Spec("planted", "y", columns=facts, relations="none"))


class ReadsBounds(MST):
    """MST whose range comes from the rows."""

    def _declare(self, X, y, target, facts, constraints):
        columns = {
            name: fact if fact.categories else replace(fact, bounds=(0.0, float(X.frame[name].max())))
            for name, fact in X.facts.items()
        }
        return super()._declare(replace(X, spec=replace(X.spec, columns=columns)), y, target, facts, constraints)


class LittleNoise(MST):
    """MST with the noise of epsilon 50 under its claim."""

    def _learn(self, records, noise):
        claimed = self._budget
        self._budget = replace(claimed, epsilon=50.0)
        super()._learn(records, noise)
        self.ledger_.budget = claimed

    def _settle(self):
        super()._settle()
        self.spent_["epsilon"] = self.privacy.epsilon


class ChargedOnce(MST):
    """MST that averages many answers to each query and charges one."""

    def _learn(self, records, noise):
        honest = Ledger.noisy

        def averaged(ledger, name, counts, noise):
            honest(ledger, name, counts, noise)
            # The mean of 400 answers.
            return counts + noise.gaussian(ledger.sigma(name) / 20, counts.size).reshape(counts.shape)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Ledger, "noisy", averaged)
            super()._learn(records, noise)


class SavesExactCounts(MST):
    """MST that keeps counts without noise in its saved state."""

    def _learn(self, records, noise):
        super()._learn(records, noise)
        self.exact_ = np.bincount(records.whole("")[1])


class CopiesRows(MST):
    """MST of whose rows one in a hundred is a training row."""

    def _declare(self, *given):
        table, names = super()._declare(*given)
        self.copied_ = table
        return table, names

    def sample(self, n, seed=0):
        rows, rng = super().sample(n, seed), np.random.default_rng(seed)
        rows[rng.random(n) < 0.01] = self.copied_.sample(n, replace=True, random_state=seed, ignore_index=True)
        return rows


LEAKS = {ReadsBounds: 80, LittleNoise: 100, ChargedOnce: 150, SavesExactCounts: 60, CopiesRows: 150}


@pytest.mark.parametrize("leaking", LEAKS)
def test_planted_leaks_are_caught(leaking):
    black_box = leaking is CopiesRows
    found = audit(leaking(Budget(1.0, 1e-4)), dataset(), fits=LEAKS[leaking], white_box=not black_box)
    assert found.claimed <= 1 and not found.holds and found.bound <= found.ceiling
    assert "THE CLAIM DOES NOT HOLD" in found.sentence


def test_noisy_tables_alone_give_a_leak_away():
    found = audit(LittleNoise(Budget(1.0, 1e-4)), dataset(), fits=100, drawn=0)
    assert not found.holds and found.bound <= found.ceiling
    with pytest.raises(InputError, match=r"^drawn=0: must be 1 or more, since Copy has no noisy tables"):
        audit(Copy(), dataset(), fits=20, drawn=0)


def test_refits_share_cells_and_nothing_else():
    make = MST(Budget(1.0, 1e-4)).fits(dataset())
    first, second = make(0), make(1)
    assert first.spent_ == second.spent_ and not np.array_equal(first.counts_, second.counts_)
    assert list(first.sample(5)) == list(dataset().frame)


def test_an_honest_generator_is_not_accused():
    found = audit(MST(Budget(1.0, 1e-4)), dataset(), fits=60)
    assert found.holds and found.ceiling > found.claimed and "is claimed; " in found.sentence


def test_a_generator_without_a_claim_is_only_measured():
    found = audit(Copy(), dataset(), fits=60)
    assert found.claimed == np.inf and found.holds and found.bound > 0


def test_arrays_cannot_be_planted():
    plain = dataset()
    series = replace(plain, X=plain.X.assign(s=tensors.column(np.zeros((60, 3)))))
    with pytest.raises(InputError, match=r"dataset.columns='s': holds arrays or texts, which an audit cannot plant"):
        audit(Copy(), series)
