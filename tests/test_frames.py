"""Three lines of Python: a table in, rows like it out, scores and finished jobs as tidy tables."""

import inspect
import io
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml

import trisynth
from trisynth import Circuit, Column, Copula, Independent, InputError, evaluate, load_runs, synthesize
from trisynth.config import CONF, locate
from trisynth.data import sequences, tensors


def table(rows: int = 300, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    age = rng.integers(20, 90, rows)
    return pd.DataFrame(
        {
            "age": age,
            "sick": np.where(age + rng.normal(0, 15, rows) > 60, "yes", "no"),
            "dose": np.round(rng.gamma(2.0, 3.0, rows), 1).astype("float32"),
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 90, rows), unit="D"),
            "smoker": rng.random(rows) < 0.3,
        }
    )


def alike(rows: pd.DataFrame, real: pd.DataFrame) -> bool:
    return list(rows) == list(real) and list(rows.dtypes) == list(real.dtypes)


@pytest.mark.parametrize("target", ["sick", "age", None])
def test_rows_have_the_columns_order_and_dtypes_of_the_table(target):
    real = table()
    rows = Copula().fit(real, target=target).sample(50)
    assert alike(rows, real) and len(rows) == 50
    assert alike(Copula().fit(real, target=target).sample(0), real)


def test_a_target_apart_comes_last():
    real = table()
    rows = Copula().fit(real.drop(columns="sick"), real["sick"]).sample(9)
    assert list(rows) == ["age", "dose", "since", "smoker", "sick"]


def test_without_a_target_there_are_no_classes_to_ask_for():
    generator = Copula().fit(table())
    assert len(generator.labels_) == 1 and generator.counts_.tolist() == [300]
    with pytest.raises(InputError, match=r"^n=.*: without a target, rows have no classes"):
        generator.sample({"yes": 3})


def test_whole_numbers_of_many_values_are_a_number_as_on_the_command_line():
    real = table(400).assign(income=lambda t: 1000 + 7 * t.index)
    generator = Copula().fit(real, target="income")
    assert generator.numeric_target_ and generator.sample(30)["income"].dtype == "int64"
    few = real.assign(income=real["income"] % 20)
    assert not Copula().fit(few, target="income").numeric_target_
    declared = {"income": Column(kind="number")}
    assert Copula().fit(few, target="income", facts=declared).numeric_target_
    assert not Copula().fit(few, target="income", facts={"income": {"kind": "category"}}).numeric_target_


def test_a_target_is_aligned_by_its_index():
    real = table()
    X, y = real.drop(columns="sick"), real["sick"]
    expected = Copula().fit(X, y).sample(40)
    assert Copula().fit(X, y.sample(frac=1, random_state=1)).sample(40).equals(expected)
    assert Copula().fit(X, y.tolist()).sample(40).rename(columns={"target": "sick"}).equals(expected)


X, Y = table().drop(columns="sick"), table()["sick"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"X": X, "y": Y.to_frame()}, r"^y=\['sick'\]: must be one column, not a DataFrame; give y\['sick'\]$"),
        ({"X": X, "y": "sick"}, "^y='sick': .*to name a column of X, use target="),
        ({"X": X, "y": Y.set_axis(Y.index + 1)}, "^y='sick': has a different index from X"),
        ({"X": X, "y": Y.iloc[1:]}, "^y=299: must have one value per row of X, 300"),
        ({"X": X, "y": Y.rename("age")}, "^y='age': has the name of a column of X"),
        ({"X": table(), "target": "sic"}, "^target='sic': X has no such column; did you mean sick?"),
        ({"X": table(), "target": ["sick"]}, r"^target=\['sick'\]: X has no such column"),
        ({"X": table(), "y": Y, "target": "sick"}, "^target='sick': cannot be combined with y"),
        ({"X": table()[["sick"]], "target": "sick"}, "^X=.*no column besides the target"),
        ({"X": table().assign(sick=None), "target": "sick"}, "^target='sick': has 300 missing or infinite values"),
        ({"X": np.zeros((9, 2))}, r"^X='ndarray': must be a DataFrame; .* by pd.DataFrame\(X\)$"),
        ({"X": table().iloc[:0]}, "^X=.*must be a DataFrame with rows and columns"),
        ({"X": table()[["age", "age"]]}, "^X=.*column names must be unique"),
        ({"X": table(), "seed": None}, "^seed=None: must be a whole number, 0 or more$"),
        ({"X": table(), "seed": -1}, "^seed=-1: must be"),
        ({"X": table(), "seed": "a"}, "^seed='a': must be"),
        ({"X": table(), "seed": True}, "^seed=True: must be"),
        ({"X": table(), "facts": {"agee": Column()}}, "^facts='agee': the table has no such column; did you mean age?"),
        ({"X": table(), "facts": {"sick": Column(kind="number")}}, "^facts.sick.kind='number': the column holds"),
        ({"X": table(), "facts": {"age": {"kid": 1}}}, "^facts.age.kid=1: no such fact"),
    ],
)
def test_wrong_arguments_end_in_one_line(arguments, message):
    with pytest.raises(InputError, match=message) as error:
        Independent().fit(**arguments)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("seed", [None, -1, "a", True, 1.0])
def test_a_wrong_seed_of_a_sample_ends_in_one_line(seed):
    generator = Independent().fit(table())
    with pytest.raises(InputError, match=r"^seed="):
        generator.sample(3, seed)


# The functions


def test_synthesize_takes_a_name_or_a_generator():
    real = table()
    rows = synthesize(real, target="sick", n=40, generator="copula", seed=3)
    assert rows.equals(synthesize(real, target="sick", n=40, generator=Copula(), seed=3)) and alike(rows, real)
    assert len(synthesize(real, generator="independent")) == len(real)
    assert synthesize(real, target="sick", n={"yes": 5}, generator="copula")["sick"].eq("yes").all()
    wrong = {"copla": r"did you mean copula\?$", "marginals": "is now called independent$", Copula: "", 3: ""}
    for name, remedy in wrong.items():
        with pytest.raises(InputError, match=f"^generator=.*{remedy}"):
            synthesize(real, generator=name)


def test_the_default_is_the_circuit():
    generator = inspect.signature(synthesize).parameters["generator"].default
    assert locate(yaml.safe_load((CONF / f"generator/{generator}.yaml").read_text())["_target_"]) is Circuit


@pytest.mark.parametrize("target", ["sick", "age"])
def test_evaluate_is_tidy_and_sees_what_is_wrong(target):
    train, test = table(150, 1), table(150, 2)
    found = {
        name: evaluate(train, test, rows, target, "logistic")
        for name, rows in {
            "copies": train,
            "independent": synthesize(train, target, generator="independent"),
        }.items()
    }
    for scores in found.values():
        assert list(scores) == ["group", "metric", "value", "floor", "ceiling"]
        assert set(scores["group"]) == {"real", "synthetic", "combined", "gain", "fidelity", "copying"}
        assert not scores.duplicated(["group", "metric"]).any()
    copies, independent = (scores.set_index(["group", "metric"]) for scores in found.values())
    share = ("copying", "identical_match_share")
    assert copies.loc[share, "value"] == copies.loc[share, "ceiling"] == 1 > independent.loc[share, "value"]
    score = ("synthetic", "roc_auc" if target == "sick" else "r2")
    assert copies.loc[score, "value"] == copies.loc[("real", score[1]), "value"] > independent.loc[score, "value"]


@pytest.mark.parametrize("target", ["sick", 7])
def test_names_of_columns_need_not_be_texts(target):
    real = table(120).rename(columns={"age": 7})
    rows = synthesize(real, target, generator="copula")
    assert alike(rows, real)
    assert len(evaluate(real[:60], real[60:], rows, target, "logistic"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="dose"), r"^synthetic=\['dose'\]: synthetic and real_train must have the same"),
        (lambda t: t.assign(age="old"), "^synthetic='age': holds numbers in real_train"),
        (lambda t: t.iloc[:0], "^synthetic="),
        (lambda t: t.assign(sort=1.5), "^synthetic='sort': holds texts in real_train and float64 here"),
        (
            lambda t: t.assign(age=tensors.column(np.zeros((60, 4)))),
            "^synthetic='age': must hold int64, as in real_train, but holds arrays of 4 elements",
        ),
    ],
)
def test_tables_that_do_not_fit_each_other_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        real = table(60).assign(sort="red")
        evaluate(real, real, change(real), "sick")


@pytest.mark.parametrize(
    ("cells", "held"),
    [
        (tensors.column(np.zeros((60, 3, 3))), "arrays of 9 elements"),
        (sequences.column([np.zeros(4)] * 60), "series of 1 channels"),
        (pd.Series(list(np.zeros((60, 4)))), "arrays as objects; make the column by trisynth.data.tensors.column"),
    ],
)
def test_arrays_of_another_size_or_kind_are_refused(cells, held):
    real = table(60).assign(image=tensors.column(np.zeros((60, 2, 2))))
    with pytest.raises(
        InputError, match=f"^synthetic='image': must hold arrays of 4 elements, as .*, but holds {held}"
    ):
        evaluate(real, real, real.assign(image=cells), "sick")


def test_load_runs_has_one_row_per_job(finished):
    runs = load_runs(finished["folder"] / "runs")
    assert len(runs) == 8 and runs["key"].is_unique
    assert list(runs)[:8] == [
        "key",
        "dataset",
        "generator",
        "classifier",
        "seed",
        "loss.alpha",
        "loss.beta",
        "loss.gamma",
    ]
    assert set(runs["generator"]) == {"independent", "copula"} and runs["real/f1_macro"].notna().all()
    sweep = next((finished["folder"] / "sweeps").glob("*/results.csv"))
    for path in (sweep, sweep.parent):
        assert set(load_runs(path)["key"]) == set(runs["key"])


def test_load_runs_of_an_empty_folder_ends_in_one_line(tmp_path):
    with pytest.raises(InputError, match=r"^path=.*holds no finished job"):
        load_runs(tmp_path)


# The package


def test_every_generator_is_exported():
    targets = [yaml.safe_load(path.read_text())["_target_"] for path in (CONF / "generator").glob("*.yaml")]
    assert {target.rpartition(".")[2] for target in targets} < set(trisynth.__all__)
    assert all(getattr(trisynth, target.rpartition(".")[2]) is locate(target) for target in targets)


def test_dir_and_all_name_what_can_be_imported():
    assert set(trisynth.__all__) < set(dir(trisynth))
    assert all(hasattr(trisynth, name) for name in trisynth.__all__)
    with pytest.raises(AttributeError, match="no attribute 'circus'"):
        trisynth.circus  # noqa: B018


LIGHT = """
import json, sys
import trisynth
print(json.dumps(sorted(sys.modules)))
from trisynth import Copula, synthesize
import pandas as pd
df = pd.DataFrame({"a": [1, 2, 3] * 9, "y": list("uvw") * 9})
import trisynth.sampling
print(list(trisynth.synthesize(df, target="y", n=5, generator="copula")), len(synthesize(df, n=2, generator=Copula())))
"""


def test_the_import_is_light_and_works_from_any_folder(tmp_path):
    done = subprocess.run([sys.executable, "-c", LIGHT], cwd=tmp_path, capture_output=True, text=True, check=True)
    modules, printed = done.stdout.splitlines()
    assert not {"pandas", "numpy", "sklearn", "torch", "hydra"} & set(json.loads(modules))
    assert printed == "['a', 'y'] 2" and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("results.csv", b""),
        ("results.csv", b"\x89PNG\x00\xff"),
        ("other.txt", b"a,b\n1,2\n"),
        ("k/result.json", b'{"key": "k", "name": "n", "config": 3, "metrics": {}}'),
        ("k/result.json", b"{"),
    ],
)
def test_load_runs_of_a_damaged_file_ends_in_one_line(tmp_path, name, content):
    (tmp_path / "k").mkdir()
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=r"^path="):
        load_runs(tmp_path / name if name == "other.txt" else tmp_path)


def test_load_runs_keeps_names_that_pandas_takes_for_missing(tmp_path):
    (tmp_path / "results.csv").write_text("key,dataset,real/auc\nk,NA,\n")
    (row,) = load_runs(tmp_path).to_dict("records")
    assert row["dataset"] == "NA" and pd.isna(row["real/auc"])


def test_load_runs_of_no_path_ends_in_one_line():
    with pytest.raises(InputError, match=r"^path=None"):
        load_runs(None)


@pytest.mark.parametrize(("target", "parameter"), [("m", "target"), ("n", "real_test")])
def test_evaluate_refuses_a_target_that_differs_or_is_absent(target, parameter):
    rows = pd.DataFrame({"a": range(40), "n": range(40)})
    with pytest.raises(InputError) as caught:
        evaluate(rows, rows.assign(n="text"), rows, target)
    assert caught.value.parameter == parameter


def clients(rows: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "client": [f"C{i:06d}" for i in rng.choice(10**6, rows, replace=False)],
            "spend": np.round(rng.gamma(2, 20, rows), 2),
            "left": rng.choice(["yes", "no"], rows),
            "remark": [f"called on day {i} of the year" for i in range(rows)],
        }
    )


def test_identifiers_are_fresh_and_free_text_is_empty(caplog):
    real = clients()
    made = synthesize(real, target="left", generator="independent")
    assert list(made) == list(real) and list(made.dtypes) == list(real.dtypes)
    assert made["client"].is_unique and not set(made["client"]) & set(real["client"])
    assert made["remark"].isna().all()
    assert "client: identifiers" in caplog.text and "remark: free text" in caplog.text
    assert list(pd.concat([real, made]).dtypes) == list(real.dtypes)


def test_a_declared_kind_has_precedence():
    real = clients().assign(number=range(200)).drop(columns=["client", "remark"])
    assert not set(synthesize(real, target="left", generator="independent")["number"]) & set(range(200))
    facts = {"number": Column(kind="number")}
    made = synthesize(real, target="left", generator="independent", facts=facts, rare=0)
    assert set(made["number"]) <= set(range(200))


def test_identifiers_are_no_features_of_an_evaluation():
    real = clients(300)
    made = synthesize(real[:200], target="left", generator="independent")
    scores = evaluate(real[:200], real[200:], made, "left", classifier="logistic")
    bare = [table.drop(columns=["client", "remark"]) for table in (real[:200], real[200:], made)]
    alone = evaluate(*bare, "left", classifier="logistic")
    assert scores.equals(alone)


def test_rows_without_a_target_are_compared():
    rng = np.random.default_rng(3)
    rows = pd.DataFrame({"a": rng.normal(size=120), "b": rng.choice(["x", "y"], 120), "c": rng.integers(0, 30, 120)})
    made = Independent().fit(rows[:60]).sample(60)
    scores = evaluate(rows[:60], rows[60:], made, None)
    assert set(scores["group"]) == {"fidelity", "copying"}
    assert scores.set_index("metric").loc["identical_match_share", "ceiling"] == 1


class Terminal(io.StringIO):
    """Stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_which_score_is_computed(monkeypatch, capsys):
    real = table(40)[["age", "sick"]]
    scores = evaluate(real, real, real, "sick", classifier="logistic")
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    pd.testing.assert_frame_equal(evaluate(real, real, real, "sick", classifier="logistic"), scores)
    # Whether earlier steps are shown depends on the time that they take.
    assert "identical texts" in sys.stderr.getvalue()


def test_declared_texts_are_scored_as_texts():
    rng = np.random.default_rng(0)
    words = {"ill": ["pain", "cough", "fever", "chest", "night"], "well": ["walk", "garden", "sleep", "sun", "meal"]}
    y = rng.choice(list(words), 120)
    notes = [" ".join(rng.choice(words[label], 8)) for label in y]
    real, facts = pd.DataFrame({"note": notes, "y": y}), {"note": {"kind": "text", "generate": True}}
    scores = evaluate(real[:60], real[60:], real[:60], "y", classifier="logistic", facts=facts).set_index("metric")
    found = scores.loc["accuracy"].set_index("group")["value"]
    assert found["synthetic"] > 0.9 and any("ngram" in name for name in scores.index)
    with pytest.raises(InputError, match="synthetic='note': holds texts in real_train and float64 here"):
        evaluate(real[:60], real[60:], real[:60].assign(note=1.5), "y", classifier="logistic", facts=facts)
