"""Generators as samplers of imbalanced-learn: real rows stay, classes become equal, test rows are never resampled."""

import numpy as np
import pandas as pd
import pytest
from imblearn.pipeline import make_pipeline
from scipy.sparse import csr_matrix
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


@pytest.mark.parametrize("kind", [np.asarray, lambda X: X.astype(object)])
def test_columns_of_objects_are_read_as_what_their_cells_are(rows, kind):
    X, y = rows
    more, _ = Copula().fit_resample(kind(X), y)
    drawn = pd.DataFrame(np.asarray(more)[len(X) :]).infer_objects()
    assert not drawn.isna().any(axis=None) and drawn[0].dtype == float
    assert drawn[0].between(X["age"].min(), X["age"].max()).mean() > 0.9


def test_more_than_twenty_classes_are_classes(rows):
    X, _ = rows
    y = np.random.default_rng(1).integers(0, 30, len(X))
    _, classes = Independent().fit_resample(X, y)
    assert len(set(np.unique(classes, return_counts=True)[1])) == 1 and classes.dtype == y.dtype


def test_one_column_of_classes_keeps_its_shape(rows):
    X, y = rows
    _, plain = Independent().fit_resample(X, y)
    _, table = Independent().fit_resample(X, y.to_frame())
    pd.testing.assert_frame_equal(table, plain.to_frame())
    assert Independent().fit_resample(X, y.to_numpy()[:, None])[1].tolist() == plain.to_numpy()[:, None].tolist()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda X, y: (csr_matrix(X[["age"]]), y), "X='csr_matrix': is sparse"),
        (lambda X, y: (np.zeros((len(X), 2, 2)), y), r"X=\(120, 2, 2\): must have two dimensions"),
        (lambda X, y: (X, np.column_stack([y, y])), r"y=\(120, 2\): must have one class"),
        (lambda X, y: (X, y.where(y == "sick")), "missing"),
    ],
)
def test_other_shapes_are_refused_in_one_line(rows, change, line):
    with pytest.raises(InputError, match=line):
        Independent().fit_resample(*change(*rows))
