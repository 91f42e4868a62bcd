"""Corrected intervals and bounds: closed forms, and their level where folds share training rows."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from trisynth.statistics.resampling import difference, estimate


def alarms(share: float, tables: int = 2000, rows: int = 60, folds: int = 6) -> float:
    """Rate of lower ends above zero where a gain is zero on average, but moves with held and less with training rows.

    The correction is approximate: were both to move it alike, it would not suffice.
    """
    rng = np.random.default_rng(1)
    fold = np.arange(rows) % folds
    found = 0
    for z in rng.normal(size=(tables, rows)):
        gains = np.array([z[fold == k].mean() + 0.3 * z[fold != k].mean() for k in range(folds)])
        found += estimate(gains, share, 0.9).low > 0
    return found / tables


def test_overlapping_training_rows_raise_no_more_false_alarms_than_promised():
    assert alarms(share=1 / 6) < 0.06
    assert alarms(share=0.0) > 0.08, "the uncorrected bound holds its level, too: the check above cannot fail"


def test_the_interval_is_nadeau_and_bengios():
    values = np.array([0.70, 0.72, 0.69, 0.75, 0.71])
    found = estimate(values, 1 / 3)
    half = t.ppf(0.975, 4) * math.sqrt((1 / 5 + 1 / 2) * values.var(ddof=1))
    assert found.mean == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((found.mean - half, found.mean + half))


def test_without_overlap_the_interval_is_students():
    values = np.random.default_rng(0).normal(size=12)
    low, high = t.interval(0.95, 11, values.mean(), values.std(ddof=1) / math.sqrt(12))
    found = estimate(values, 1e-12)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_one_seed_has_no_interval_and_equal_scores_have_a_narrow_one():
    assert math.isnan(estimate([0.5], 1 / 3).half)
    assert estimate([0.5, 0.5], 1 / 3).half == 0


def test_differences_are_paired_by_seed_over_common_seeds():
    one = pd.Series({0: 0.9, 1: 0.1, 2: 0.5})
    other = pd.Series({1: 0.0, 0: 0.8, 7: 1.0})
    found = difference(one, other, 1 / 3)
    assert found.mean == pytest.approx(0.1)
    assert found.half == pytest.approx(0, abs=1e-12)
    assert found.count == 2
