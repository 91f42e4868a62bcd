"""A schema reads any column as a number or a category, and gives it back as it was."""

import numpy as np
import pandas as pd
import pytest
from columns import COLUMNS, same
from hypothesis import given
from hypothesis import strategies as st

from trisynth.data.dataset import Column
from trisynth.data.kinds import learn
from trisynth.data.schema import Schema

finite = st.floats(allow_nan=False, allow_infinity=False)
whole = st.integers(-(2**53), 2**53)


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(COLUMNS)


def round_trip(values: pd.Series) -> pd.Series:
    schema = learn(values)
    return schema.restore(schema.canonical(values))


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_column_comes_back_as_it_was(column):
    found = round_trip(column)
    assert found.dtype == column.dtype
    same(found, column)


def test_table_comes_back_as_it_was(table):
    schema = Schema.learn(table)
    canonical = schema.canonical(table)
    kinds = {str(dtype) for dtype in canonical.dtypes}
    assert kinds == {"float64", "category"}
    same(schema.restore(canonical), table)
    assert schema.restore(canonical).columns.equals(table.columns)
    flipped = canonical[canonical.columns[::-1]]
    same(schema.restore(flipped), table)


def test_index_is_kept(table):
    table = table.set_index(pd.Index([3, 3, *range(28)]))
    schema = Schema.learn(table)
    assert schema.canonical(table).index.equals(table.index)
    assert schema.restore(schema.canonical(table)).index.equals(table.index)


@given(st.lists(finite, min_size=1, max_size=20))
def test_any_floats_come_back(values):
    real = pd.Series(values)
    back = round_trip(real)
    np.testing.assert_allclose(back, real, rtol=1e-12, atol=real.abs().max() * 1e-300)
    assert back.between(real.min(), real.max()).all()


@given(st.lists(whole, min_size=1, max_size=20))
def test_any_whole_numbers_come_back(values):
    for dtype in ("int64", "Int64", "float64"):
        real = pd.Series(values, dtype=dtype)
        pd.testing.assert_series_equal(round_trip(real), real, check_exact=True)


@given(st.lists(st.integers(-(10**7), 10**7), min_size=1, max_size=20), st.integers(0, 6))
def test_any_decimals_come_back(values, decimals):
    real = pd.Series(values) / 10**decimals
    pd.testing.assert_series_equal(round_trip(real), real, check_exact=True)


@given(st.lists(st.one_of(st.text(max_size=5), st.none(), st.booleans(), st.integers(0, 3)), min_size=1, max_size=20))
def test_any_objects_come_back(values):
    real = pd.Series(values, dtype=object)
    # Python takes 1 and True for one value, and so do pandas' categories.
    assert [None if pd.isna(value) else value for value in round_trip(real)] == values


@given(
    st.lists(finite, min_size=2, max_size=10),
    st.lists(st.floats(allow_infinity=False), min_size=1, max_size=10),
)
def test_restored_numbers_are_in_range(seen, drawn):
    schema = learn(pd.Series(seen))
    restored = schema.restore(pd.Series(drawn)).dropna()
    assert restored.between(min(seen), max(seen)).all()


@given(st.lists(st.integers(0, 99), min_size=2, max_size=10), st.lists(st.floats(-10, 110), min_size=1, max_size=10))
def test_restored_numbers_are_on_the_step(seen, drawn):
    for scale in (1, 10, 100):
        restored = learn(pd.Series(seen) / scale).restore(pd.Series(drawn) / scale)
        assert (restored == np.round(restored, int(np.log10(scale)))).all()


def test_canonical_numbers_can_be_squared():
    for top in (1e101, 1e308, np.finfo(float).max):
        schema = learn(pd.Series([-top, 0.0, top]))
        canonical = schema.canonical(pd.Series([-top, 0.0, top]))
        assert np.isfinite(canonical**2).all()
        np.testing.assert_array_equal(schema.restore(canonical), [-top, 0.0, top])


def test_infinity_is_missing_and_does_not_stretch_the_range():
    values = pd.Series([1.0, np.inf, 3.0, -np.inf])
    schema = learn(values)
    assert (schema.lower, schema.upper) == (1.0, 3.0)
    assert schema.canonical(values).isna().tolist() == [False, True, False, True]


def test_unknown_category_is_missing():
    schema = learn(pd.Series(["a", "b", None]))
    assert schema.canonical(pd.Series(["b", "z", None])).isna().tolist() == [False, True, True]


def test_numbers_can_be_read_as_categories():
    schema = learn(pd.Series([2, 1, 2]), Column(kind="category"))
    assert list(schema.categories) == [1, 2]
    assert schema.restore(schema.canonical(pd.Series([1, 2]))).tolist() == [1, 2]


def test_integers_beyond_float_precision_stay_in_range():
    top = 2**63 - 1
    values = pd.Series([top - 5, top])
    assert round_trip(values).between(top - 5, top).all()


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([1.0, 2.0], 1.0),
        ([0.5, 2.0], 0.1),
        ([0.25], 0.01),
        ([1 / 3], 0.0),
        ([1e300, 1.0], 0.0),
        ([1e-9], 0.0),
        ([0.1 + 0.2], 0.0),
    ],
)
def test_step_of_decimals(values, step):
    assert learn(pd.Series(values)).step == pytest.approx(step)


@pytest.mark.parametrize(("frequency", "step"), [("D", 86_400), ("3h", 3600), ("90s", 1), ("7min", 60), ("1ms", 0.001)])
def test_step_of_dates(frequency, step):
    assert learn(pd.Series(pd.date_range("2020-01-01", periods=9, freq=frequency))).step == step
