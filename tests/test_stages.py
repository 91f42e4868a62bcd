"""The stages by hand: each writes its folder whole, from the same configuration as a run."""

import json

import pandas as pd
import pytest

from trisynth import stages
from trisynth.commandline import composed, enter


@pytest.fixture
def arguments(overrides, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *more, task="classes": overrides(tmp_path, task, *more)


def test_prepare_writes_the_table_and_what_cleaning_found(arguments, tmp_path, capsys):
    # The table is shared by many tests, which would read a yaml beside it.
    stages.main(["prepare", *arguments(), f"out={tmp_path / 'facts.yaml'}"])
    folder = tmp_path / "data" / "prepared" / "classes"
    table = pd.read_parquet(folder / "table.parquet")
    assert list(table.columns) == ["age", "dose", "sex", "stage", "outcome"]
    assert len(table) == 150
    assert {"column", "problem", "cells", "treatment"} <= set(pd.read_csv(folder / "report.csv").columns)
    shown = capsys.readouterr().out
    assert "150 rows, classification of outcome" in shown
    assert "age: number" in shown and "sex: category" in shown


def test_a_column_kind_can_be_overridden(arguments, tmp_path, capsys):
    stages.main(["prepare", *arguments("+dataset.columns.age.kind=category"), f"out={tmp_path / 'facts.yaml'}"])
    table = pd.read_parquet(tmp_path / "data" / "prepared" / "classes" / "table.parquet")
    assert isinstance(table["age"].dtype, pd.CategoricalDtype)


@pytest.mark.parametrize(
    ("task", "names"), [("classes", {"real", "synthetic", "balanced"}), ("number", {"real", "synthetic"})]
)
def test_generate_writes_real_synthetic_and_balanced_rows(arguments, tmp_path, task, names):
    stages.main(["generate", *arguments(task=task)])
    folder = tmp_path / "data" / "synthetic" / task
    tables = {path.stem: pd.read_parquet(path) for path in folder.glob("*.parquet")}
    about = json.loads((folder / "about.json").read_text())
    assert set(tables) == names
    assert about["rows"] == {name: len(table) for name, table in tables.items()}
    assert about["generator"] == "independent"
    assert len(tables["real"]) == len(tables["synthetic"])
    if "balanced" in names:
        real = tables["real"]["outcome"].value_counts()
        assert len(tables["balanced"]) == real.max() - real.min()
        assert set(tables["balanced"]["outcome"]) == {real.idxmin()}


def test_stages_write_the_same_bytes_again(arguments, tmp_path):
    seen = []
    for _ in range(2):
        stages.main(["generate", *arguments()])
        seen.append({p.name: p.read_bytes() for p in (tmp_path / "data").rglob("*.*") if p.is_file()})
    assert seen[0] == seen[1]


def test_collect_of_a_table_without_a_source_reports_it(arguments, capsys):
    stages.main(["collect", *arguments()])
    assert "nothing to download" in capsys.readouterr().out


def test_a_stage_means_what_a_run_means(arguments):
    assert composed(arguments("seed=4"))["seed"] == 4


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        ([], "error: command='': no such command. The commands are "),
        (["prepar", "dataset=pima"], "error: command='prepar': no such command; did you mean prepare? "),
        (["prepare", "dataset=pim"], "error: dataset='pim': no such choice; did you mean pima?"),
        (["prepare", "dataset=csv"], "error: dataset.path='???': is missing"),
    ],
)
def test_mistakes_are_one_line(argv, line, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as exit_:
        enter(*argv[:1] or [""], argv[1:])
    err = capsys.readouterr().err
    assert exit_.value.code == 2
    assert err.startswith(line)
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_tables_of_one_stem_are_told_apart(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = pd.DataFrame({"x": [i * i % 7 for i in range(40)], "y": ["a", "b"] * 20})
    (tmp_path / "other").mkdir()
    rows.to_csv("mine.csv", index=False)
    rows.rename(columns={"x": "z"}).to_csv("other/mine.csv", index=False)
    rows.rename(columns={"x": "w"}).to_parquet("mine.parquet")
    for kind, path in (("csv", "mine.csv"), ("csv", "other/mine.csv"), ("parquet", "mine.parquet")):
        stages.main(["prepare", f"dataset={kind}", f"dataset.path={path}", "dataset.target=y"])
    assert "data/prepared/mine holds the table mine.csv" in capsys.readouterr().out
    folders = sorted((tmp_path / "data" / "prepared").iterdir(), key=lambda folder: len(folder.name))
    assert [folder.name for folder in folders][:2] == ["mine", "mine.parquet"]
    assert [next(iter(pd.read_parquet(folder / "table.parquet"))) for folder in folders] == ["x", "w", "z"]
    assert (tmp_path / "mine.parquet.yaml").exists() and composed(["dataset=csv", "dataset.path=mine.csv"])
    named = composed(["dataset=parquet", "dataset.path=mine.parquet"])["dataset"]["name"]
    assert named == "mine.parquet"
