"""Partial rows: what is known stays, what is not is drawn given it, and what cannot be is refused in one line."""

import pandas as pd
import pytest

from trisynth import sampling
from trisynth.commandline import enter
from trisynth.data import texts
from trisynth.data.dataset import Column, Dataset, Spec
from trisynth.errors import InputError
from trisynth.generators import completion
from trisynth.generators.circuit import Circuit

COLUMNS = ["age", "dose", "sex", "stage", "outcome"]


@pytest.fixture
def complete(overrides, tmp_path):
    """Writes partial rows, completes them by the command and reads what it wrote."""

    def run(partial: pd.DataFrame, *more: str, task: str = "classes", kind: str = "csv") -> pd.DataFrame:
        given, out = tmp_path / f"partial.{kind}", tmp_path / f"completed.{kind}"
        partial.to_csv(given, index=False) if kind == "csv" else partial.to_parquet(given)
        found = [*overrides(tmp_path, task, "generator=circuit"), f"given={given}", f"out={out}", *more]
        sampling.main(found)
        return pd.read_csv(out) if kind == "csv" else pd.read_parquet(out)

    return run


@pytest.fixture
def refused(overrides, tmp_path, capsys):
    """The one line of a command that must fail."""

    def run(partial: pd.DataFrame | None, *more: str, generator: str = "circuit") -> str:
        given, out = tmp_path / "partial.csv", tmp_path / "x.csv"
        if partial is not None:
            partial.to_csv(given, index=False)
        with pytest.raises(SystemExit) as end:
            known = overrides(tmp_path, "classes", f"generator={generator}")
            enter("synthesize", [*known, f"given={given}", f"out={out}", *more])
        err = capsys.readouterr().err
        assert end.value.code == 2 and err.count("\n") == 1 and not out.exists()
        return err

    return run


def test_tables_with_texts_or_arrays_cannot_be_completed(refused):
    kinds = {"kind": "text", "generate": "true"}
    more = [f"+dataset.columns.sex.{name}={value}" for name, value in kinds.items()]
    for generator in ("composed", "circuit"):
        line = refused(pd.DataFrame({"age": [60]}), *more, generator=generator)
        assert "given='sex': holds texts or arrays, and no generator completes" in line


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_known_cells_stay_and_all_others_are_filled(complete, kind):
    partial = pd.DataFrame({"sex": ["male", None, "female"], "age": [60, 41, 33], "outcome": ["sick", None, "well"]})
    made = complete(partial, "n=4", kind=kind)
    assert list(made.columns) == COLUMNS and len(made) == 12
    assert not made[["sex", "age", "outcome"]].isna().any().any()
    for name in partial:
        repeated = partial[name].repeat(4).reset_index(drop=True)
        known = repeated.notna()
        assert (made[name][known].astype(repeated.dtype) == repeated[known]).all()


def test_without_n_each_row_is_completed_once(complete):
    assert len(complete(pd.DataFrame({"sex": ["male", "female"]}))) == 2


def test_the_same_seed_gives_the_same_rows(complete):
    partial = pd.DataFrame({"sex": ["male"] * 20})
    one, other, third = (complete(partial, f"seed={seed}") for seed in (0, 0, 1))
    assert one.equals(other) and not one.equals(third)


def test_targets_follow_what_is_known(complete, tables):
    real = pd.read_csv(tables["classes"])
    made = complete(pd.DataFrame({"age": [30, 80]}), "n=500")
    shares = (made["outcome"] == "sick").groupby(made["age"]).mean()
    expected = (real["outcome"] == "sick").groupby(real["age"] > 55).mean()
    assert shares[30] < expected[False] + 0.1 and shares[80] > expected[True] - 0.1
    assert shares[80] - shares[30] > 0.3


def test_a_numeric_target_is_known_or_drawn(complete):
    made = complete(pd.DataFrame({"cost": [10.5, None], "sex": ["female", "female"]}), "n=5", task="number")
    assert (made["cost"][:5] == 10.5).all()
    assert len(set(made["cost"][5:])) > 1


def test_rows_come_in_parts_that_differ(complete, monkeypatch):
    monkeypatch.setattr(completion, "_CHUNK", 7)
    made = complete(pd.DataFrame({"sex": ["male"]}), "n=20")
    assert len(made) == 20
    assert not made[:7].equals(made[7:14].reset_index(drop=True))


@pytest.mark.parametrize(
    ("partial", "message"),
    [
        ({"weight": [1]}, "has no column weight; use each of these at most once: age, dose, sex, stage, outcome"),
        ({"sex": ["other"]}, "not a declared category in 1 of 1 cells of column sex; known: female, male"),
        ({"age": [30.5]}, "not a whole number in 1 of 1 cells of column age"),
        ({"age": ["old"]}, "not a number in 1 of 1 cells of column age"),
        ({"age": ["inf"]}, "infinite in 1 of 1 cells of column age"),
        ({"outcome": ["dead"]}, "not a declared category in 1 of 1 cells of column outcome; known: sick, well"),
        ({"sex": []}, "has no rows"),
        (None, "cannot be read"),
    ],
)
def test_what_is_not_of_the_data_set_is_refused(refused, partial, message):
    line = refused(None if partial is None else pd.DataFrame(partial))
    assert message in line and "given=" in line


def test_a_value_beyond_the_declared_bounds_is_refused(refused):
    partial = pd.DataFrame({"age": [200.0]})
    assert "outside [0, 120]" in refused(partial, "+dataset.columns.age.bounds=[0,120]")


def test_a_generator_without_conditionals_is_refused(refused):
    line = refused(pd.DataFrame({"sex": ["male"]}), generator="copula")
    assert "generator='copula': cannot complete given rows; use generator=circuit" in line


@pytest.mark.parametrize("n", ["{sick: 3}", "0"])
def test_given_rows_are_completed_a_number_of_times(refused, n):
    assert "must be the number of completions of each given row" in refused(pd.DataFrame({"sex": ["male"]}), f"n={n}")


def test_texts_cannot_be_given_and_a_table_without_a_target_is_completed(tmp_path):
    table = pd.DataFrame({"note": ["x y"] * 30, "size": range(30), "site": ["a", "b", "c"] * 10})
    spec = Spec("notes", None, None, {"note": Column("text", generate=True)})
    dataset = Dataset(table.assign(note=texts.column(table["note"]), site=table["site"].astype("category")), None, spec)
    partial = str(tmp_path / "partial.parquet")
    table[["note"]].to_parquet(partial)
    with pytest.raises(InputError, match=r"given=.*: column note holds texts, which cannot be given; leave it out"):
        completion.read(partial, dataset)
    table[["site"]][:2].to_parquet(partial)
    known = completion.read(partial, dataset)
    assert completion.beyond(*known, dataset) == []
    generator = Circuit().fit(dataset.X[["size", "site"]])
    assert pd.concat(completion.completed(generator, *known, 3, 0))["site"].tolist() == ["a"] * 3 + ["b"] * 3


def test_an_error_of_the_generator_names_the_given_rows():
    class Refusing:
        def conditional(self, X, y, seed):
            raise InputError("X", "area", "is computed from others; give them, too")

    rows = pd.DataFrame({"area": [1.0]})
    with pytest.raises(InputError, match="given='area': is computed from others; give them, too"):
        next(completion.completed(Refusing(), rows, pd.Series([None]), 1, 0))


def test_a_number_beyond_the_training_rows_is_said_in_a_line(complete, capsys):
    complete(pd.DataFrame({"age": [200.0, 50.0, None]}))
    lines = [line for line in capsys.readouterr().err.splitlines() if "beyond" in line]
    assert len(lines) == 1 and "1 of 3 cells of column age lies beyond its range" in lines[0]
    complete(pd.DataFrame({"age": [50.0]}))
    assert "beyond" not in capsys.readouterr().err


@pytest.mark.parametrize("dtype", ["int8", "Int8", "int8[pyarrow]", "float16"])
def test_a_number_that_its_column_cannot_hold_is_refused(tmp_path, dtype):
    dataset = Dataset(pd.DataFrame({"size": pd.Series(range(30), dtype=dtype)}), None, Spec("sizes", None, None, {}))
    partial = tmp_path / "partial.csv"
    partial.write_text("size\n100\n")
    assert completion.read(str(partial), dataset)[0]["size"].tolist() == [100]
    partial.write_text("size\n100\n99999\n")
    with pytest.raises(InputError, match=r"number that does not fit into \S+ in 1 of 2 cells of column size"):
        completion.read(str(partial), dataset)
