"""Synthetic rows as a file: exactly the requested rows, in one file, written whole or not at all."""

import errno
import os

import pandas as pd
import pytest

from trisynth import sampling
from trisynth.commandline import enter
from trisynth.generators.base import Generator
from trisynth.sampling import chunks, rows


@pytest.fixture
def table(overrides, tmp_path, capsys):
    """Runs the command and reads what it wrote."""

    def run(n: str | None, name: str = "out.parquet", *more: str) -> pd.DataFrame:
        out = tmp_path / name
        asked = [] if n is None else [f"n={n}"]
        sampling.main([*overrides(tmp_path, "classes", *more), *asked, f"out={out}"])
        return pd.read_parquet(out) if out.suffix == ".parquet" else pd.read_csv(out)

    return run


@pytest.fixture
def mistake(overrides, tmp_path, capsys):
    """Runs a command that must fail with one line, which it returns."""

    def run(*arguments: str) -> str:
        with pytest.raises(SystemExit) as exit_:
            enter("synthesize", [*overrides(tmp_path, "classes"), *arguments])
        err = capsys.readouterr().err
        assert exit_.value.code == 2
        assert err.count("\n") == 1
        return err

    return run


@pytest.mark.parametrize("n", [1, 7, 151])
@pytest.mark.parametrize("name", ["out.parquet", "out.csv"])
def test_exactly_n_rows_in_the_real_columns(table, n, name):
    made = table(str(n), name)
    assert len(made) == n
    assert list(made.columns) == ["age", "dose", "sex", "stage", "outcome"]


def test_without_n_as_many_rows_as_the_data_set_has(table):
    assert len(table(None)) == 150


def test_a_mapping_is_met_exactly(table):
    made = table("{sick: 5, well: 3}")
    assert made["outcome"].value_counts().to_dict() == {"sick": 5, "well": 3}


def test_labels_stay_text():
    assert rows("{yes: 5, no: 3, 1: 2, null: 4}") == {"yes": 5, "no": 3, "1": 2, "null": 4}
    assert rows("12") == 12


@pytest.mark.parametrize("text", ["-1", "{a: -1}", "1.5", "many", "", "{a: 1", "{a:1}", "{a: {b: 1}}", "[1, 2]"])
def test_what_is_no_number_of_rows_is_refused(mistake, tmp_path, text):
    assert "must be a number of rows" in mistake(f"n={text}", f"out={tmp_path / 'x.csv'}")
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize("text", ["0", "{}", "{sick: 0}"])
def test_a_file_without_rows_is_refused(mistake, tmp_path, text):
    assert "without rows" in mistake(f"n={text}", f"out={tmp_path / 'x.csv'}")
    assert not (tmp_path / "x.csv").exists()


def test_an_unknown_class_is_named_with_the_known_ones(mistake, tmp_path):
    line = mistake("n={sepsis: 5}", f"out={tmp_path / 'x.csv'}")
    assert "sepsis" in line and "sick, well" in line
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("out=", "must name the file to write"),
        ("out=x.xlsx", "must end in .parquet or .csv"),
        ("out=x", "must end in .parquet or .csv"),
    ],
)
def test_the_file_must_be_named_and_of_a_known_kind(mistake, argument, message):
    assert message in mistake("n=5", argument)


def test_the_file_that_is_read_is_not_overwritten(mistake, tables, tmp_path, monkeypatch):
    mine, partial = tmp_path / "mine.csv", tmp_path / "partial.csv"
    mine.write_bytes(tables["classes"].read_bytes())
    partial.write_text("age\n40\n")
    monkeypatch.chdir(tmp_path)
    for arguments in (["out=mine.csv"], ["out=partial.csv", "given=./partial.csv", "generator=circuit"]):
        assert "is the input file" in mistake(f"dataset.path={mine}", *arguments)
    assert mine.read_bytes() == tables["classes"].read_bytes() and partial.read_text() == "age\n40\n"


@pytest.mark.parametrize("budget", ["privacy.epsilon=3", "privacy=dp"])
def test_a_budget_that_the_generator_does_not_read_is_refused(mistake, tmp_path, budget):
    message = mistake(budget, "generator=copula", f"out={tmp_path / 'rows.csv'}")
    assert message.startswith(f"error: {budget.partition('=')[0]}=")
    assert "applies only to" in message and "dp_vae" in message
    assert not (tmp_path / "rows.csv").exists()


def test_a_missing_folder_is_made_and_named(table, tmp_path, capsys):
    assert len(table("3", "a/b/out.csv")) == 3
    assert f"made the folder {tmp_path / 'a' / 'b'}" in capsys.readouterr().out
    table("3", "a/b/out.csv")
    assert "made the folder" not in capsys.readouterr().out


def test_an_unwritable_folder_is_one_line(mistake, tmp_path):
    (tmp_path / "file").touch()
    assert "cannot be written" in mistake("n=5", f"out={tmp_path / 'file' / 'x.csv'}")


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_a_full_disk_leaves_the_old_file_alone(table, mistake, tmp_path, monkeypatch, name):
    table("5", name)
    before = (tmp_path / name).read_bytes()
    original = Generator.sample

    def full(self, n, seed=0):
        if seed != first:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return original(self, n, seed)

    monkeypatch.setattr(sampling, "CHUNK", 10)
    first = sampling.seeds.integer(0, "synthesize", 0)
    monkeypatch.setattr(Generator, "sample", full)
    assert "No space left on device" in mistake("n=25", f"out={tmp_path / name}")
    assert (tmp_path / name).read_bytes() == before
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(f".{name}")] == []


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_the_same_seed_gives_the_same_bytes(table, tmp_path, name):
    contents = []
    for seed in (0, 0, 1):
        table("40", name, f"seed={seed}")
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1] != contents[2]


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_many_rows_come_in_chunks(table, monkeypatch, tmp_path, name):
    asked = []
    original = Generator.sample

    def counted(self, n, seed=0):
        asked.append(n)
        return original(self, n, seed)

    monkeypatch.setattr(Generator, "sample", counted)
    monkeypatch.setattr(sampling, "CHUNK", 40)
    made = table("100", name)
    first = (tmp_path / name).read_bytes()
    assert asked == [40, 40, 20]
    assert len(made) == 100
    # Chunks differ from each other.
    assert not made[:40].equals(made[40:80].reset_index(drop=True))
    table("100", name)
    assert (tmp_path / name).read_bytes() == first


def test_a_mapping_comes_in_chunks_too(monkeypatch):
    monkeypatch.setattr(sampling, "CHUNK", 10)
    assert list(chunks({"a": 25, "b": 3, "c": 0})) == [{"a": 10}, {"a": 10}, {"a": 5}, {"b": 3}, {"c": 0}]
    assert list(chunks(10)) == [10]
    assert list(chunks(0)) == [0]


def test_a_users_parquet_file_is_a_data_set(tables, tmp_path):
    pd.read_csv(tables["classes"]).to_parquet(tmp_path / "train.parquet")
    given = ["dataset=parquet", f"dataset.path={tmp_path / 'train.parquet'}", "dataset.target=outcome"]
    paths = [f"paths.{name}={tmp_path / name}" for name in ("cache", "raw")]
    sampling.main([*given, *paths, "generator=copula", "n={sick: 4}", f"out={tmp_path / 'x.parquet'}"])
    made = pd.read_parquet(tmp_path / "x.parquet")
    assert made["outcome"].astype(str).tolist() == ["sick"] * 4


def test_the_command_in_a_process_of_its_own(overrides, command, tmp_path):
    done = command("sampling", *overrides(tmp_path), "n={sick: 2, well: 1}", "out=mine/x.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "3 rows of classes by independent: mine/x.csv" in done.stdout
    assert len(pd.read_csv(tmp_path / "mine" / "x.csv")) == 3
