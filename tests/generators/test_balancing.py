"""Generators as samplers of imbalanced-learn: real rows stay, classes become equal, test rows are never resampled."""

import numpy as np
import pandas as pd
import pytest
from imblearn.pipeline import make_pipeline
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import OneHotEncoder

from trisynth import Copula, InputError
from trisynth.generators.independent import Independent


@pytest.fixture
def rows() -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(0)
    n = 120
    X = pd.DataFrame({"age": rng.normal(50, 10, n).round(1), "sex": rng.choice(["f", "m"], n)})
    return X, pd.Series(np.where(rng.random(n) < 0.2, "sick", "well"), name="outcome")


def test_classes_become_equal_and_real_rows_stay(rows):
    X, y = rows
    generator = Independent()
    more, classes = generator.fit_resample(X, y)
    pd.testing.assert_frame_equal(more[: len(X)], X)
    pd.testing.assert_series_equal(classes[: len(y)], y)
    assert len(set(classes.value_counts())) == 1 and classes.name == "outcome"
    assert more.dtypes.equals(X.dtypes) and not hasattr(generator, "schema_")
    again, _ = generator.fit_resample(X, y)
    pd.testing.assert_frame_equal(more, again)


def test_arrays_come_back_as_arrays(rows):
    X, y = rows
    more, classes = Independent().fit_resample(X[["age"]].to_numpy(), (y == "sick").to_numpy().astype(int))
    assert isinstance(more, np.ndarray) and more.shape == (len(classes), 1) and classes.dtype == int
    assert np.bincount(classes).tolist() == [(y == "well").sum()] * 2


def test_one_line_balances_inside_a_cross_validation(rows):
    X, y = rows
    encoder = make_column_transformer((OneHotEncoder(), ["sex"]), remainder="passthrough")
    model = make_pipeline(Copula(), encoder, LogisticRegression())
    scores = cross_val_score(model, X, y, cv=3, scoring="balanced_accuracy", error_score="raise")
    assert len(scores) == 3
    assert model.fit(X, y).predict(X[:7]).shape == (7,)


def test_a_number_has_no_classes(rows):
    X, _ = rows
    with pytest.raises(InputError, match="has no classes to balance"):
        Independent().fit_resample(X[["sex"]], X["age"])
