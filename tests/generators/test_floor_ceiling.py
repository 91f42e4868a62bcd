"""The floor keeps columns and no dependence; the ceiling keeps rows."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from tables import apart

from trisynth.generators.copy import Copy
from trisynth.generators.independent import Independent

pytestmark = pytest.mark.usefixtures("unprotected")


def rows(n=600):
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    X = pd.DataFrame({"x": x, "twice": 2 * x, "kind": np.where(x > 0, "high", "low")})
    X["gap"] = X["x"].mask(x > 1)
    return X, pd.Series(np.where(x > 0.5, "ill", "well"), name="y")


def test_marginals_keep_every_column_and_lose_every_pair():
    X, y = rows()
    drawn, labels = apart(Independent().fit(X, y, relations=False).sample(6000))
    assert stats.ks_2samp(drawn["x"], X["x"]).statistic < 0.03
    exact, _ = apart(Independent().fit(X, y, rare=0).sample(6000))
    assert set(exact["x"]) <= set(X["x"])
    assert abs(drawn["kind"].eq("high").mean() - X["kind"].eq("high").mean()) < 0.03
    assert abs(drawn["gap"].isna().mean() - X["gap"].isna().mean()) < 0.03
    assert abs(drawn["x"].corr(drawn["twice"])) < 0.05 < X["x"].corr(X["twice"])
    assert abs(drawn["x"].corr(drawn["gap"].isna().astype(float))) < 0.05
    assert abs(drawn.loc[labels == "ill", "x"].mean() - drawn.loc[labels == "well", "x"].mean()) < 0.15


def test_copy_gives_training_rows_of_the_label():
    X, y = rows()
    drawn, labels = apart(Copy().fit(X, y).sample({"ill": 300, "well": 10}))
    real = set(map(tuple, X.assign(y=y).fillna(-99).to_numpy()))
    assert set(map(tuple, drawn.assign(y=labels).fillna(-99).to_numpy())) <= real


def test_copy_gives_every_row_before_any_row_twice():
    X, y = rows()
    drawn, _ = apart(Copy().fit(X, y).sample(len(X)))
    pd.testing.assert_series_equal(drawn["x"].sort_values(ignore_index=True), X["x"].sort_values(ignore_index=True))
    counts = Copy().fit(X, y).sample({"ill": 2 * (y == "ill").sum() + 1})["x"].value_counts()
    assert set(counts) == {2, 3}


def test_numeric_target_of_independent_rows_is_unrelated_to_the_columns():
    X, _ = rows()
    drawn, y = apart(Independent().fit(X, X["x"].rename("y")).sample(3000))
    assert abs(drawn["x"].corr(y)) < 0.06
    drawn, y = apart(Copy().fit(X, X["x"].rename("y")).sample(300))
    assert (drawn["x"] == y).all()
