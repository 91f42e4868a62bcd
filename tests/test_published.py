"""Scores of the published comparisons: known answers of planted tables."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("xgboost", reason="the benchmark requires xgboost")

from benchmarks.published import scores
from benchmarks.published.tables import Table


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    a = rng.normal(size=600)
    return pd.DataFrame({"a": a, "b": a + 0.1 * rng.normal(size=600), "c": np.where(a > 0, "x", "y")})


def test_copies_score_one_and_independent_columns_do_not(real):
    free = pd.DataFrame({name: real[name].sample(frac=1, random_state=i).to_numpy() for i, name in enumerate(real)})
    assert scores.shape(real, real, ["c"]) == scores.trend(real, real, ["c"]) == 1
    assert scores.shape(real, free, ["c"]) == 1
    assert scores.trend(real, free, ["c"]) < 0.8
    assert scores.c2st(real, real, ["c"]) > 0.9
    assert scores.c2st(real, free, ["c"]) < 0.3


def test_copies_are_found(real):
    half, others = real[:300].reset_index(drop=True), real[300:].reset_index(drop=True)
    assert scores.copy_share(half, half, others, ["c"]) == 1
    assert scores.singling_out(half, half) == 1
    assert scores.singling_out(half, others) == 0


def test_a_useful_table_trains_a_useful_classifier(real):
    table = Table("planted", "c", real[:400], real[400:])
    assert scores.utility(table, real[:400], "short") > 0.95
