"""Synthetic rows repeat no training row in all near-unique columns."""

import numpy as np
import pandas as pd
import pytest

from trisynth.generators.circuit import Circuit
from trisynth.generators.copy import Copy
from trisynth.generators.smote import SMOTE
from trisynth.generators.trees.cart import CART


def people(rows: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    born = pd.Timestamp("1940-01-01") + pd.to_timedelta(rng.integers(0, 9_000, rows), "D")
    weight = np.round(rng.normal(75, 12, rows), 1)
    weight[:40] = np.nan
    X = pd.DataFrame({"born": born, "seen": born + pd.to_timedelta(rng.integers(9_000, 9_900, rows), "D")})
    return X.assign(weight=weight, y=rng.choice(["a", "b"], rows))


def repeated(made: pd.DataFrame, real: pd.DataFrame) -> int:
    keys = ["born", "seen", "weight"]
    return len(made[keys].drop_duplicates().merge(real[keys].drop_duplicates(), on=keys))


@pytest.mark.parametrize("generator", [SMOTE(), CART()])
def test_no_row_is_repeated(generator):
    X = people()
    made = generator.fit(X, target="y", rare=5).sample(1_500)
    assert not repeated(made, X)
    assert made.equals(generator.sample(1_500)) and len(made) == 1_500


def test_copies_and_public_tables_keep_their_rows():
    X = people()
    assert repeated(Copy().fit(X, target="y").sample(300), X)
    assert SMOTE().fit(X, target="y", rare=0).guards_.rows is None


def test_a_class_of_one_row_ends():
    X = people().assign(y=["b"] + ["a"] * 299)
    made = SMOTE().fit(X, target="y").sample({"a": 5, "b": 5})
    assert len(made) == 10


def test_zeros_that_many_rows_share_are_drawn_as_often_as_in_the_table():
    rng = np.random.default_rng(0)
    dry = rng.random(400) < 0.4
    rain = pd.DataFrame({name: np.where(dry, 0.0, rng.gamma(1, 20, 400).round(2)) for name in ("a", "b", "c")})
    rows = Circuit().fit(rain.assign(y=rng.choice(["n", "y"], 400)), target="y", rare=5).sample(1_000)
    assert abs((rows[["a", "b", "c"]] == 0).all(axis=1).mean() - dry.mean()) < 0.07
