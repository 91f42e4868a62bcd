"""One column: kinds, dtypes and treatments, each with what it reports."""

import numpy as np
import pandas as pd
import pytest

from trisynth.data.cleaning.columns import clean_column
from trisynth.data.dataset import Column
from trisynth.errors import InputError


def run(cells, missing=("?",), **facts):
    notes = {}
    raw = cells if isinstance(cells, pd.Series) else pd.Series(cells, name="c")
    cleaned = clean_column(raw, Column(**facts), missing, lambda problem, n, *how: notes.update({problem: n}))
    return cleaned.cells, notes


@pytest.mark.parametrize(
    ("cells", "dtype"),
    [
        (["1", "2"], "int64"),
        (["0", "1", "0"], "int64"),
        (["1", ""], "Int64"),
        (["1.0", "2.0"], "int64"),
        (["1.5", "?"], "float64"),
        (["1e3", "-.5"], "float64"),
        (["a", "1"], "category"),
        (["1_000", "2"], "category"),
        ([True, False], "category"),
        (["", None], "float64"),
        (pd.Series([1.0, np.nan], name="c"), "Int64"),
        (pd.Series([1, 2], dtype="int8", name="c"), "int64"),
        (pd.Series([1, None], dtype="Int64", name="c"), "Int64"),
        (pd.Series(["a", None], dtype="category", name="c"), "category"),
        (["9007199254740993", "2"], "int64"),
    ],
)
def test_the_kind_follows_from_the_cells(cells, dtype):
    assert str(run(cells)[0].dtype) == dtype


def test_missing_texts_and_numbers_are_found_in_every_spelling():
    column, notes = run(["1", "?", " ? ", "", None, "-9", "-9.0", "nan"], missing=("?", -9))
    assert column.tolist() == [1] + [pd.NA] * 7
    assert notes == {"missing cell": 7}
    column, notes = run(pd.Series([1.5, -9.0, np.nan], name="c"), missing=(-9,))
    assert column.isna().tolist() == [False, True, True]
    assert notes == {"missing cell": 2}


def test_numbers_outside_bounds_and_infinities_go_missing():
    column, notes = run(["0", "5", "10", "11", "inf"], bounds=(0.0, 10.0))
    assert column.tolist() == [0, 5, 10, pd.NA, pd.NA]
    assert notes == {"infinite": 1, "outside [0, 10]": 1}


def test_a_declared_number_loses_its_texts_and_a_declared_integer_its_fractions():
    column, notes = run(["1", "2.5", "many"], kind="number", integer=True)
    assert column.tolist() == [1, 2, pd.NA]
    assert notes == {"not a number": 1, "not a whole number": 1}


def test_integer_false_keeps_whole_numbers_as_floats():
    assert str(run(["1", "2"], integer=False)[0].dtype) == "float64"


def test_spellings_are_merged_into_the_declared_category():
    cells = ["Male", "male ", "ＭＡＬＥ", "female", "FEMALE", "other"]
    column, notes = run(cells, kind="category", categories=("male", "female"))
    assert column.tolist() == ["male"] * 3 + ["female"] * 2 + [np.nan]
    assert list(column.cat.categories) == ["male", "female"]
    assert notes == {"spaces around a text": 1, "another spelling of a category": 3, "not a declared category": 1}


def test_undeclared_spellings_stay_apart_and_are_shown():
    cells = ["café", "Cafe\u0301", "CAFÉ", "tea", "tea"]
    for order in (cells, cells[::-1], cells * 2):
        assert list(run(order)[0].cat.categories) == ["CAFÉ", "Café", "café", "tea"]
    assert [*run(["AA", "aa", "AA", "ab"])[1]] == ["spellings that may be one value: 'AA' (2), 'aa' (1)"]
    assert run(cells, values={"CAFÉ": "Café", "café": "Café"})[1] == {"another text, as declared": 2}


def test_categories_of_codes_stay_texts():
    assert list(run(["10", "9", "01"], kind="category")[0].cat.categories) == ["01", "10", "9"]
    assert list(run(pd.Series([1.0, 2.0], name="c"), kind="category")[0].cat.categories) == ["1", "2"]


def test_texts_among_few_numbers_make_categories_and_among_many_are_missing():
    column, notes = run(["1", "2", "many"])
    assert str(column.dtype) == "category" and notes == {}
    column, notes = run([*map(str, range(30, 60)), "unknown", ">90"])
    assert str(column.dtype) == "Int64" and column.isna().sum() == 2
    assert notes == {"not a number": 2}


def test_dates_become_dates_and_compound_cells_are_refused():
    dates = pd.date_range("2020", periods=2)
    assert run(dates.to_series(name="c"))[0].tolist() == dates.tolist()
    with pytest.raises(InputError, match=r"dataset\.columns\.c\.kind.*kind=ignore"):
        run([[1], [2]])


def test_no_cell_is_judged_by_the_others():
    """An outlier changes nothing: with and without it, every other cell comes out the same."""
    cells = [str(value) for value in range(50)] * 2
    assert run([*cells, "1e12"])[0].tolist()[:100] == run(cells)[0].tolist()


def test_offsets_that_differ_are_told():
    cells = [f"2024-{month:02}-01T10:00:00+0{1 + (3 < month < 9)}:00" for month in range(1, 13)]
    _, notes = run(cells)
    assert notes == {"offsets from UTC differ (+01:00, +02:00)": 12}
