"""Membership attack of the report, against tables whose truth is known."""

import numpy as np
import pandas as pd

from trisynth.data.dataset import Dataset, Spec
from trisynth.report.html.membership import membership


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
