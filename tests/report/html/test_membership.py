"""Membership attack of the report, against tables whose truth is known."""

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from trisynth.data.dataset import Dataset, Spec
from trisynth.report.html.membership import delong, membership


def rows(seed: int, n: int = 400) -> Dataset:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, 4)), columns=list("abcd"))
    return Dataset.of(frame.assign(y=rng.permutation(n) % 2), Spec("made", "y", "classification"))


def test_copies_are_found_and_fresh_rows_are_not():
    train, test = rows(0), rows(1)
    copied = membership(train, test, train, 0)
    assert copied["auc"] > 0.99
    fresh = membership(train, test, rows(2), 0)
    assert fresh["low"] < 0.5 < fresh["high"]


def test_interval_is_that_of_the_roc_auc():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(200):
        positive, negative = rng.normal(0.5, 1, 60), rng.normal(0, 1, 80).round(1)
        auc, error = delong(positive, negative)
        labels = np.repeat([1, 0], [60, 80])
        assert np.isclose(auc, roc_auc_score(labels, np.concatenate([positive, negative])))
        found.append((auc, error))
    aucs, errors = np.array(found).T
    assert np.isclose(errors.mean(), aucs.std(), rtol=0.15)
