"""Facts in a yaml file beside a user's table: read by every command, below the command line, part of the keys."""

import os

import pandas as pd
import pytest
import yaml

from trisynth import data
from trisynth.commandline import beside, composed, enter
from trisynth.commandline.compose import resolved
from trisynth.errors import InputError

FACTS = """\
target: outcome
missing: [n/a]
read: {separator: ","}
columns:
  age (years): {kind: number, bounds: [0, 120], integer: true}
  blood.pressure %: {kind: number}
  Größe [cm]: {kind: number, unit: "${cm}"}
  2019: {categories: [007, 12:30]}
  outcome: {categories: [no, yes]}
"""


@pytest.fixture
def table(tmp_path):
    """A table whose column names cannot be typed as settings, and the facts beside it."""
    path = tmp_path / "odd names.csv"
    rows = {
        "age (years)": [20, 30, 40, 150, 60, 70],
        "blood.pressure %": [1.5, 2.5, "n/a", 4.5, 5.5, 6.5],
        "Größe [cm]": range(160, 166),
        "2019": ["007", "12:30"] * 3,
        "outcome": ["no", "yes"] * 3,
    }
    pd.DataFrame(rows).to_csv(path, index=False)
    path.with_suffix(".yaml").write_text(FACTS, encoding="utf-8")
    return path


def arguments(table, *more: str) -> list[str]:
    return ["dataset=csv", f"dataset.path='{table}'", *more]


def test_any_column_name_can_be_declared(table, capsys):
    config = composed(arguments(table))["dataset"]
    assert capsys.readouterr().err == f"read {table.with_suffix('.yaml')}: target, missing, read, 5 columns\n"
    dataset = data.load(config)
    assert config["name"] == dataset.spec.name == "odd names"
    assert dataset.spec.columns["Größe [cm]"].unit == "${cm}"
    assert list(dataset.X["2019"].cat.categories) == ["007", "12:30"]
    assert dataset.X["age (years)"].isna().sum() == dataset.X["blood.pressure %"].isna().sum() == 1


def test_the_command_line_takes_precedence(table):
    given = ["dataset.target='age (years)'", "dataset.name=mine", "dataset.read.separator=null", "dataset.missing=[]"]
    config = composed(arguments(table, *given, "+dataset.columns.outcome.kind=category"))["dataset"]
    assert (config["target"], config["name"], config["missing"]) == ("age (years)", "mine", [])
    assert config["read"]["separator"] is None
    assert config["read"]["_target_"].endswith("delimited")
    assert config["columns"]["outcome"] == {"categories": ["no", "yes"], "kind": "category"}


def test_without_such_a_file_the_table_has_the_name_of_its_own(table, capsys):
    table.with_suffix(".yaml").unlink()
    assert composed(arguments(table, "dataset.target=outcome"))["dataset"]["name"] == "odd names"
    assert capsys.readouterr().err == ""


def test_keys_contain_the_facts(table):
    before = data.data_key(composed(arguments(table))["dataset"])
    table.with_suffix(".yaml").write_text(FACTS.replace("120", "100"), encoding="utf-8")
    assert data.data_key(composed(arguments(table))["dataset"]) != before


def test_parquet_files_have_such_facts_too(table):
    path = table.with_suffix(".parquet")
    pd.read_csv(table, dtype=str).to_parquet(path)
    table.with_suffix(".yaml").write_text("target: outcome\n")
    assert composed(["dataset=parquet", f"dataset.path='{path}'"])["dataset"]["target"] == "outcome"


def test_a_shipped_data_set_has_no_file_beside_it():
    assert composed(["dataset=pima"])["dataset"]["name"] == "pima"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tagret: outcome", "key='tagret': no such key; did you mean target?"),
        ("path: x.csv", "key='path': no such key. The keys are name, target"),
        ("columns: [a, b]", "columns=['a', 'b']: must hold names and their facts"),
        ("read: x", "read='x': must be a mapping"),
        ("a: [1", "is not valid YAML in line"),
        ("a: 1\na: 2", "is not valid YAML in line 2: 'a' is repeated"),
        ("? [a, b]\n: 1", "a key must be a string"),
        ("just words", "must hold keys such as name, target"),
        (
            "target: outcome\ncolumns: {ag: {kind: number}}",
            "dataset.columns='ag': the table has no such column",
        ),
        ("target: outcome\ncolumns: {age (years): {kin: number}}", "kin='number': no such fact"),
    ],
)
def test_a_mistake_in_it_is_one_line(table, text, message, monkeypatch, capsys):
    monkeypatch.chdir(table.parent)
    table.with_suffix(".yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        enter("prepare", arguments(table))
    *_, line = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2
    assert line.startswith("error: ") and message in line


def test_a_remedy_below_a_fact_corrects_it(table):
    text = "columns:\n  age (years):\n    kind: date\n    format: excel\n    # a question\n    kind: number\n"
    table.with_suffix(".yaml").write_text(f"target: outcome\nduplicates: keep\n{text}duplicates: drop\n")
    facts = beside.read(table.with_suffix(".yaml"))
    assert facts["columns"] == {"age (years)": {"kind": "number"}} and facts["duplicates"] == "drop"
    table.with_suffix(".yaml").write_text("columns:\n  kind: {unit: m}\n  kind: {unit: kg}\n")
    with pytest.raises(InputError, match="'kind' is repeated"):
        beside.read(table.with_suffix(".yaml"))


@pytest.mark.parametrize("cell", ["${oc.env:PLANTED}", r"\${oc.env:PLANTED}", r"\\${oc.env:PLANTED}", "???", "~"])
def test_categories_are_no_references(table, cell, monkeypatch):
    monkeypatch.setenv("PLANTED", "a password")
    rows = pd.DataFrame({"a": [cell, "b"] * 20, "outcome": ["no", "yes", "yes", "no"] * 10})
    rows.to_csv(table, index=False)
    listed = yaml.safe_dump({"target": "outcome", "columns": {"a": {"categories": ["b", cell]}}})
    table.with_suffix(".yaml").write_text(listed)
    config = composed(arguments(table))["dataset"]
    assert config["columns"]["a"]["categories"] == ["b", cell]
    assert data.load(config).X["a"].astype(str).tolist() == rows["a"].tolist()


def test_a_sweep_checks_and_reports_it_before_it_starts(table, capsys):
    beside.announce(["-m", f"dataset.path={table}", "seed=0,1"])
    assert capsys.readouterr().err.count("\n") == 1
    table.with_suffix(".yaml").write_text("tagret: outcome")
    with pytest.raises(InputError, match="tagret"):
        beside.announce([f"dataset.path={table}"])


def test_workers_read_it_without_a_word(table, capsys):
    from trisynth.commandline.compose import compose_only

    given = arguments(table)
    assert resolved(compose_only(given), given, announce=False)["dataset"]["target"] == "outcome"
    assert capsys.readouterr().err == ""


def test_a_number_of_too_many_digits_is_one_line(table):
    table.with_suffix(".yaml").write_text(f"rare: {'9' * 5000}")
    with pytest.raises(InputError, match="a number of too many digits"):
        beside.read(table.with_suffix(".yaml"))


def test_a_bound_of_too_many_digits_is_one_line(table):
    text = f"target: outcome\ncolumns: {{age (years): {{kind: number, bounds: [0, {'9' * 400}]}}}}"
    table.with_suffix(".yaml").write_text(text)
    with pytest.raises(InputError, match=r"bounds=.*must be two numbers"):
        data.prepare(composed(arguments(table))["dataset"])


def test_a_pipe_in_its_place_is_not_waited_for(table):
    table.with_suffix(".yaml").unlink()
    os.mkfifo(table.with_suffix(".yaml"))
    config = composed(arguments(table, "dataset.target=outcome"))["dataset"]
    assert (config["name"], config["columns"]) == ("odd names", {})


@pytest.mark.parametrize("depth", [2_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a: ", "}")])
def test_deep_nesting_is_one_line(table, depth, opening, closing):
    table.with_suffix(".yaml").write_text(f"columns: {opening * depth}{closing * depth}")
    with pytest.raises(InputError, match="is nested too deeply"):
        beside.read(table.with_suffix(".yaml"))


def test_a_reference_to_itself_is_one_line(table):
    table.with_suffix(".yaml").write_text("columns: {a: &a [*a]}")
    with pytest.raises(InputError, match="is not valid YAML"):
        beside.read(table.with_suffix(".yaml"))


def test_a_large_file_is_not_read(table):
    table.with_suffix(".yaml").write_text("note: x\n" * 1_000_000)
    with pytest.raises(InputError, match="has more than 4,000,000 bytes"):
        beside.read(table.with_suffix(".yaml"))


def test_references_that_unfold_without_end_are_refused(table):
    rows = [f"  l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10)}]" for i in range(1, 9)]
    text = "\n".join(["target: outcome", "columns:", "  l0: &l0 [x, x]", *rows])
    table.with_suffix(".yaml").write_text(text)
    with pytest.raises(InputError, match="expands to more than 1,000,000 values"):
        composed(arguments(table))


def test_long_lists_come_back_as_they_were(table, monkeypatch):
    names = [f"c{number}" for number in range(500)] + ["${cm}", "7", "null "]
    text = f"target: outcome\ncolumns:\n  2019: {{categories: [{', '.join(map(repr, names))}]}}\n"
    table.with_suffix(".yaml").write_text(text)
    seen = []
    merge = beside.OmegaConf.merge
    monkeypatch.setattr(beside.OmegaConf, "merge", lambda *given: (seen.append(given[-1]), merge(*given))[-1])
    for _ in range(2):
        assert composed(arguments(table))["dataset"]["columns"]["2019"] == {"categories": names}
    # OmegaConf has one value instead of one for each name.
    assert not any(beside.OmegaConf.is_list(given.columns["2019"].categories) for given in seen)
    given = composed(arguments(table, "+dataset.columns.2019.categories=[a,b]"))
    assert given["dataset"]["columns"]["2019"] == {"categories": ["a", "b"]}
