"""Missing cells, frequent numbers and categories keep their fractions where rows are interpolated."""

import numpy as np
import pandas as pd
import pytest

from trisynth.generators.smote import SMOTE, SMOTENC


def table(seed: int = 0, rows: int = 500) -> pd.DataFrame:
    """Columns with many zeros, a code that stands apart, gaps and rare spellings."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({"claim": np.where(rng.random(rows) < 0.8, 0.0, np.round(rng.gamma(2, 900, rows), 2))})
    X["pressure"] = np.where(rng.random(rows) < 0.03, -9.0, rng.integers(95, 190, rows).astype(float))
    X["lactate"] = np.where(rng.random(rows) < 0.15, np.nan, np.round(rng.gamma(3, 1, rows), 2))
    X["smoker"] = rng.choice(np.array(["no", "yes", "Yes", None], dtype=object), rows, p=[0.6, 0.2, 0.03, 0.17])
    return X.assign(y=rng.choice(["a", "b"], rows, p=[0.8, 0.2]))


@pytest.mark.parametrize("generator", [SMOTE(), SMOTENC()])
def test_fractions_stay(generator):
    X = table()
    made = generator.fit(X, target="y").sample(3_000)
    for real, other in ((X, made),):
        for name, value in (("claim", 0.0), ("pressure", -9.0), ("smoker", "no"), ("smoker", "Yes")):
            assert (real[name] == value).mean() == pytest.approx((other[name] == value).mean(), abs=0.025), name
        for name in ("lactate", "smoker"):
            assert real[name].isna().mean() == pytest.approx(other[name].isna().mean(), abs=0.025), name
    # Nothing lies between a code or a zero and the other values.
    assert not made["pressure"].between(-8.9, 94).any()
    assert made.loc[made["claim"] > 0, "claim"].min() >= X.loc[X["claim"] > 0, "claim"].min() / 2
    assert list(made.dtypes) == list(X.dtypes)


def test_without_the_search_the_method_is_that_of_the_paper():
    X = table()
    made = SMOTE().fit(X, target="y", relations=False).sample(3_000)
    assert made["pressure"].between(-8.9, 94).any()


def test_pooled_categories_stay_hidden():
    X = table()
    X["ward"] = np.where(np.arange(len(X)) < 3, "secret", np.where(np.arange(len(X)) % 2, "A", "B"))
    made = SMOTE().fit(X, target="y").sample(1_000)
    assert set(made["ward"]) == {"A", "B"}
    assert made["ward"].eq("A").mean() == pytest.approx(0.5, abs=0.06)


def test_a_column_that_is_all_missing_stays_so():
    X = table().assign(empty=np.nan)
    made = SMOTE().fit(X, target="y").sample(50)
    assert made["empty"].isna().all()


def test_marks_do_not_show_among_the_relations():
    fitted = SMOTE().fit(table(), target="y")
    assert fitted.relations_.marked and not fitted.summary()


def answers(likert: int, continuous: int) -> tuple[pd.DataFrame, list]:
    """Answers from 1 to 5 to questions on three scales."""
    rng = np.random.default_rng(1)
    scales = rng.normal(size=(400, 3))
    X = pd.DataFrame({f"q{i}": np.rint(3 + scales[:, i % 3] + rng.normal(size=400)).clip(1, 5) for i in range(likert)})
    X = X.astype(int)
    items = list(X)
    for i in range(continuous):
        X[f"x{i}"] = scales[:, i].round(2)
    return X.assign(y=np.where(scales[:, 0] > 0, "a", "b")), items


@pytest.mark.parametrize("continuous", [0, 2])
def test_rows_of_few_whole_numbers_are_not_copied(continuous):
    X, items = answers(12, continuous)
    made = SMOTE().fit(X, target="y").sample(1_000)
    real = set(X[items].itertuples(index=False, name=None))
    assert np.mean([row in real for row in made[items].itertuples(index=False, name=None)]) < 0.5
    for name in items:
        assert (X[name] == 3).mean() == pytest.approx((made[name] == 3).mean(), abs=0.06)


def test_missing_answers_keep_their_fraction():
    X, _ = answers(6, 1)
    X.loc[np.random.default_rng(2).random(len(X)) < 0.2, "q0"] = np.nan
    made = SMOTE().fit(X, target="y").sample(2_000)
    assert made["q0"].isna().mean() == pytest.approx(X["q0"].isna().mean(), abs=0.025)
    assert set(made["q0"].dropna()) == {1, 2, 3, 4, 5}
