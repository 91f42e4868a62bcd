"""The whole table: rows, target, report, and every mistake that a declaration can contain."""

import numpy as np
import pandas as pd
import pytest

from trisynth.data.clean import REPORT, clean
from trisynth.errors import InputError


@pytest.fixture
def raw():
    return pd.DataFrame(
        {
            "id": ["1", "2", "3", "4", "5", "6"],
            "age": ["30", "30", "40", "50", "", "999"],
            "sex": ["f", "F", "m", "m", "f", "x"],
            "constant": ["1"] * 6,
            "y": ["a", "a", "b", "a", "?", "b"],
        }
    )


@pytest.fixture
def facts():
    return {
        "id": {"kind": "ignore"},
        "age": {"bounds": [0, 120], "unit": "years"},
        "sex": {"categories": ["m", "f"]},
    }


def test_every_finding_is_treated_and_reported(raw, table, facts):
    dataset, report = clean(raw, table(task=None, **facts))
    assert list(report.columns) == REPORT
    found = {(row.column, row.problem): row.cells for row in report.itertuples()}
    assert found == {
        ("id", "declared as ignored"): 6,
        ("y", "missing cell"): 1,
        ("age", "missing cell"): 1,
        ("age", "outside [0, 120]"): 1,
        ("sex", "another spelling of a category"): 1,
        ("sex", "not a declared category"): 1,
        ("y", "row without target"): 1,
        ("(rows)", "exact duplicate"): 1,
        ("constant", "constant"): 4,
    }
    assert report["share"].between(0, 1).all()
    assert dataset.y.tolist() == ["a", "b", "a", "b"]
    assert dataset.X["age"].tolist() == [30, 40, 50, pd.NA]
    assert dataset.X.index.tolist() == dataset.y.index.tolist() == [0, 1, 2, 3]
    assert dict(dataset.X.dtypes.astype(str)) == {"age": "Int64", "sex": "category", "constant": "int64"}
    assert "id" not in dataset.spec.columns
    assert dataset.spec.columns["age"].unit == "years"


def test_duplicates_go_and_contradictions_stay(table):
    raw = pd.DataFrame({"a": [1, 1, 1, 2], "y": ["n", "n", "y", "y"]})
    dataset, report = clean(raw, table())
    assert dataset.X["a"].tolist() == [1, 1, 2]
    assert report.set_index("problem")["cells"].to_dict() == {
        "exact duplicate": 1,
        "same features, another target": 2,
    }


def test_rows_equal_but_for_the_spelling_are_duplicates(table):
    raw = pd.DataFrame({"a": ["x", "X ", "z"], "b": ["1", "1.0", "2"], "y": ["n", "N", "y"]})
    assert len(clean(raw, table())[0]) == 2


def test_an_all_missing_column_is_kept_and_reported(table):
    dataset, report = clean(pd.DataFrame({"a": ["", "?"], "b": [1, 2], "y": ["n", "y"]}), table())
    assert dataset.X["a"].isna().all()
    assert "all missing" in report["problem"].tolist()


def test_a_category_of_texts_is_pointed_out(table):
    texts = [f"text {i // 1.5:.0f}" for i in range(60)]
    report = clean(pd.DataFrame({"remark": texts, "sex": ["f", "m"] * 30, "y": ["n", "y", "y"] * 20}), table())[1]
    assert [*report["problem"]] == ["category of 40 values"]


def test_an_identifier_is_pointed_out(table):
    raw = pd.DataFrame({"number": range(30), "size": np.linspace(0, 1, 30), "y": ["n", "y"] * 15})
    report = clean(raw, table())[1]
    assert report[["column", "problem"]].to_numpy().tolist() == [["number", "every value distinct"]]


@pytest.mark.parametrize(
    ("task", "values", "expected", "dtype"),
    [
        (None, range(21), "regression", "float64"),
        (None, [0, 1] * 10, "classification", "category"),
        (None, ["a", "b"] * 10, "classification", "category"),
        ("regression", [0, 1] * 10, "regression", "float64"),
        ("classification", range(21), "classification", "category"),
    ],
)
def test_the_task_is_inferred_unless_declared(table, task, values, expected, dtype):
    raw = pd.DataFrame({"a": range(len(values)), "y": values})
    dataset = clean(raw, table(task=task))[0]
    assert dataset.spec.task == expected
    assert str(dataset.y.dtype) == dtype


def test_a_regression_target_keeps_only_finite_numbers_in_bounds(table):
    raw = pd.DataFrame({"a": range(5), "y": ["1", "inf", "?", "-3", "2.5"]})
    dataset = clean(raw, table(task="regression", y={"bounds": [0, 10]}))[0]
    assert dataset.y.tolist() == [1.0, 2.5]


def test_classes_without_rows_are_no_classes(table):
    raw = pd.DataFrame({"a": range(2), "y": ["n", "y"]})
    dataset = clean(raw, table(y={"categories": ["y", "maybe", "n"]}))[0]
    assert list(dataset.y.cat.categories) == ["y", "n"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": "Y2"}, r"dataset\.target='Y2'.*did you mean y2x\?"),
        ({"target": "zzz"}, r"dataset\.target='zzz'.*there are a, b, y, y2x"),
        ({"task": "ranking"}, r"dataset\.task='ranking'"),
        ({"columns": {"aa": {}}}, r"dataset\.columns='aa'.*did you mean a\?"),
        ({"columns": {"a": {"kinds": "number"}}}, r"dataset\.columns\.a\.kinds=.*did you mean kind\?"),
        ({"columns": {"a": {"kind": "real"}}}, r"dataset\.columns\.a\.kind='real'"),
        ({"columns": {"a": {"bounds": [2, 1]}}}, r"dataset\.columns\.a\.bounds=\[2, 1\]"),
        ({"columns": {"a": {"bounds": [2]}}}, r"dataset\.columns\.a\.bounds=\[2\]"),
        ({"columns": {"y": {"kind": "ignore"}}}, r"dataset\.columns\.y\.kind='ignore'"),
        ({"columns": {c: {"kind": "ignore"} for c in ("a", "b", "y2x")}}, "no column besides the target"),
        ({"columns": {"y": {"categories": ["u"]}}}, "has the one value u in all 2 rows"),
        ({"missing": ["u", "v"]}, "0 usable rows left"),
    ],
)
def test_a_wrong_declaration_is_one_clear_line(table, change, message):
    raw = pd.DataFrame({"a": [1, 2, 3], "b": [4, 5, 6], "y": ["u", "u", "v"], "y2x": [1, 2, 3]})
    with pytest.raises(InputError, match=message) as caught:
        clean(raw, table() | change)
    assert "\n" not in str(caught.value)


def test_two_columns_of_one_name_are_refused(table):
    with pytest.raises(InputError, match=r"dataset\.columns='a'.*names two columns"):
        clean(pd.DataFrame([[1, 2, 3]], columns=["a", "a", "y"]), table())


def test_cleaning_is_idempotent(raw, table, facts):
    first = clean(raw, table(**facts))[0]
    again = clean(first.X.assign(y=first.y), table(age=facts["age"], sex=facts["sex"]))[0]
    pd.testing.assert_frame_equal(first.X, again.X)
    pd.testing.assert_series_equal(first.y, again.y)
