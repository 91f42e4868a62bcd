"""The whole table: rows, target, report, and every mistake that a declaration can contain."""

import numpy as np
import pandas as pd
import pytest

from trisynth.data.cleaning.clean import REPORT, clean
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
    dataset, report = clean(raw, table(task=None, **facts) | {"duplicates": "drop"})
    assert list(report.columns) == REPORT
    found = {(row.column, row.problem): row.cells for row in report.itertuples()}
    assert found == {
        ("id", "declared as ignored"): 6,
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


@pytest.mark.parametrize(("duplicates", "rows"), [("keep", [1, 1, 1, 2]), ("drop", [1, 1, 2])])
def test_duplicates_go_on_request_and_contradictions_stay(table, duplicates, rows):
    raw = pd.DataFrame({"a": [1, 1, 1, 2], "y": ["n", "n", "y", "y"]})
    dataset, report = clean(raw, table() | {"duplicates": duplicates})
    assert dataset.X["a"].tolist() == rows
    found = report.set_index("problem")
    assert found["cells"].to_dict() == {"exact duplicate": 1, "same features, another target": 2}
    assert found["treatment"].tolist() == ["kept, as declared" if duplicates == "keep" else "dropped", "kept"]


@pytest.mark.parametrize("seed", range(3))
def test_equal_rows_are_counted_as_pandas_does(table, seed):
    rng = np.random.default_rng(seed)
    raw = pd.DataFrame(rng.choice([0.5, 1.5, np.nan], (60, 4)), columns=list("abcd")).assign(
        y=rng.choice(["n", "y"], 60)
    )
    raw.loc[:2, "y"] = None
    kept = raw.dropna(subset="y")
    again = kept.duplicated()
    mixed = kept[~again].drop(columns="y").duplicated(keep=False)
    for duplicates in ("keep", "drop"):
        dataset, report = clean(raw, table() | {"duplicates": duplicates})
        found = report.set_index("problem")["cells"]
        assert found["exact duplicate"] == again.sum()
        assert found["same features, another target"] == mixed.sum()
        assert len(dataset) == len(kept) - (duplicates == "drop") * again.sum()


def test_people_who_share_answers_are_people(table):
    raw = pd.DataFrame({"id": [f"P{i:04}" for i in range(40)], "a": ["x", "z"] * 20, "y": ["n", "y"] * 20})
    assert len(clean(raw, table() | {"duplicates": "drop"})[0]) == 40
    assert len(clean(raw.iloc[[*range(40), 3]], table() | {"duplicates": "drop"})[0]) == 40
    assert list(clean(raw, table())[0].X) == ["a"]


@pytest.mark.parametrize("duplicates", [None, "keep", "drop"])
@pytest.mark.parametrize("kind", ["identifier", "text"])
def test_rows_that_differ_where_it_is_withheld_are_not_equal(table, kind, duplicates):
    raw = pd.DataFrame({"w": [f"{i} words" for i in range(40)], "a": ["x", "z"] * 20, "y": ["n", "y", "y", "y"] * 10})
    facts = table(w={"kind": kind}) | {"duplicates": duplicates}
    dataset, report = clean(raw, facts)
    found = report.set_index("problem")["cells"]
    assert len(dataset) == 40 and "exact duplicate" not in found
    # Two people with the same answers contradict each other; two people with other notes do not.
    assert found.get("same features, another target", 0) == (2 if kind == "identifier" else 0)
    again, report = clean(raw.iloc[[*range(40), 3, 5]], facts)
    assert report.set_index("problem")["cells"]["exact duplicate"] == 2
    assert len(again) == (40 if duplicates == "drop" else 42)


def test_a_table_without_a_target_is_cleaned_alike(table):
    raw = pd.DataFrame({"a": [1.5, 2.5, 2.5], "b": ["u", "v", "v"]})
    dataset, _ = clean(raw, table(target=None, task=None))
    assert dataset.y is None and dataset.spec.task is None and list(dataset.X) == ["a", "b"]


def test_what_holds_identifiers_only_is_one_line(table):
    raw = pd.DataFrame({"id": range(40), "mail": [f"a{i}@b.org" for i in range(40)], "y": ["n", "y"] * 20})
    with pytest.raises(InputError, match=r"no column is left to learn from: id \(identifier\), mail \(identifier\)"):
        clean(raw, table())


def test_facts_of_public_data_are_not_asked_about(table):
    raw = pd.DataFrame({"a": ["AA", "aa", "x"] * 10, "b": [-9, 1, 2] * 10, "y": ["n", "y", "y"] * 10})
    declared = {"a": {"kind": "category"}, "b": {"kind": "number"}, "y": {"kind": "category"}}
    known = {"source": {"package": "p"}, "duplicates": "drop"}
    assert [*clean(raw, table(**declared) | known)[1]["problem"]] == ["exact duplicate"]
    problems = " ".join(clean(raw, table())[1]["problem"])
    assert "may be codes for missing cells: -9" in problems and "spellings that may be one value" in problems


def test_an_all_missing_column_is_kept_and_reported(table):
    dataset, report = clean(pd.DataFrame({"a": ["", "?"], "b": [1, 2], "y": ["n", "y"]}), table())
    assert dataset.X["a"].isna().all()
    assert "all missing" in report["problem"].tolist()


def test_a_category_of_texts_is_pointed_out(table):
    towns = [f"town {i // 2.5:.0f}" for i in range(60)]
    raw = pd.DataFrame({"town": towns, "size": np.linspace(0, 1, 60), "y": ["n", "y", "y"] * 20})
    assert [*clean(raw, table())[1]["problem"]] == ["category of 24 values"]


def test_an_identifier_is_no_feature(table):
    raw = pd.DataFrame({"number": range(30), "size": np.linspace(0, 1, 30), "y": ["n", "y"] * 15})
    dataset, report = clean(raw, table())
    assert list(dataset.X) == ["size"]
    assert report[["column", "problem", "remedy"]].to_numpy().tolist() == [
        ["number", "identifiers (they are row numbers)", "kind: category"]
    ]
    assert list(clean(raw, table(number={"kind": "number"}))[0].X) == ["number", "size"]


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
    raw = pd.DataFrame({"a": np.arange(len(values)) / 2, "y": values})
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


def test_declared_duplicates_are_not_asked_about():
    raw = pd.DataFrame({"a": ["1", "1", "2", "3"], "y": ["u", "u", "v", ""]})
    cfg = {"name": "t", "target": "y", "duplicates": "keep"}
    _, report = clean(raw, cfg)
    assert report.loc[report["problem"] == "exact duplicate", "remedy"].tolist() == [""]
    assert report.loc[report["column"] == "y", "problem"].tolist() == ["row without target"]


def test_an_empty_fact_settles_a_question():
    answers = ["yes", "Yes", "no", "no", "unknown"] * 12
    raw = pd.DataFrame({"a": ["-9", *map(str, range(50, 109))], "b": answers, "y": ["u", "v"] * 30})
    cfg = {"name": "t", "target": "y"}
    assert clean(raw, cfg)[1]["remedy"].str.contains("missing|values").sum() == 3
    settled = {"a": {"missing": []}, "b": {"missing": [], "values": {}}}
    assert not clean(raw, {**cfg, "columns": settled})[1]["remedy"].str.contains("missing|values").any()
