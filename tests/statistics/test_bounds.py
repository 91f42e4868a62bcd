"""The bound holds its level where folds share training rows, and the plain one does not."""

import numpy as np
import pytest
from scipy import stats

from trisynth.statistics.bounds import lower_bound


def test_by_hand():
    gains = np.array([0.1, 0.2, 0.3])
    error = np.sqrt((1 / 3 + 0.25) * 0.01)
    assert lower_bound(gains, 0.25, 0.95) == pytest.approx(0.2 - stats.t.ppf(0.95, 2) * error)


def test_equal_gains_leave_no_doubt():
    assert lower_bound(np.full(5, 0.25), 0.1, 0.95) == 0.25


def test_a_higher_confidence_is_a_lower_bound():
    gains = np.random.default_rng(0).normal(size=8)
    assert lower_bound(gains, 0.1, 0.99) < lower_bound(gains, 0.1, 0.9) < gains.mean()


def alarms(share: float, tables: int = 2000, rows: int = 60, folds: int = 6) -> float:
    """Rate of bounds above zero where a gain is zero on average, but moves with held rows and less with training rows.

    The correction is approximate: were both to move it alike, it would not suffice.
    """
    rng = np.random.default_rng(1)
    fold = np.arange(rows) % folds
    found = 0
    for z in rng.normal(size=(tables, rows)):
        gains = np.array([z[fold == k].mean() + 0.3 * z[fold != k].mean() for k in range(folds)])
        found += lower_bound(gains, share, 0.95) > 0
    return found / tables


def test_overlapping_training_rows_raise_no_more_false_alarms_than_promised():
    assert alarms(share=1 / 5) < 0.06
    assert alarms(share=0.0) > 0.08, "the uncorrected bound would do as well: the check above shows nothing"
