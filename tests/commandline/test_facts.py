"""The yaml of facts is written once, is read as the facts that were inferred, and each of its lines can be changed."""

from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from trisynth import commandline, data, stages
from trisynth.commandline import beside
from trisynth.errors import InputError
from trisynth.generators.private.mst import MST
from trisynth.privacy import Budget

NAMES = ["age (years)", "BMI [kg/m2]", "100%", "größe", "年龄", "4", 'O\'Neil "q"', "a.b: c", "null", "note #1", "x\ty"]


def write(folder):
    columns = {name: [20 + (i * (k + 3)) % 37 for i in range(120)] for k, name in enumerate(NAMES)}
    columns["weight"] = [f"{50.5 + i % 40} kg" for i in range(120)]
    columns["day"] = [f"{1 + i % 28:02}.01.2024" for i in range(120)]
    columns |= {"sex": ["M", "male", "f", "unknown"] * 30, "y": ["No", "no", "Yes"] * 40}
    pd.DataFrame(columns).to_csv(folder / "mine.csv", index=False)


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A prepared table, its yaml, and the dtypes of its columns."""
    folder = tmp_path_factory.mktemp("prepared")
    write(folder)
    with chdir(folder):
        stages.main(["prepare", "dataset=csv", "dataset.path=mine.csv", "dataset.target=y"])
        return folder, (folder / "mine.yaml").read_text(), dict(cleaned().X.dtypes)


def cleaned(*overrides):
    return data.prepare(commandline.composed(["dataset=csv", "dataset.path=mine.csv", *overrides])["dataset"])[0]


def test_what_is_written_is_what_was_inferred(table, capsys):
    before = cleaned("dataset.target=y")
    stages.main(["prepare", "dataset=csv", "dataset.path=mine.csv", "dataset.target=y"])
    assert "facts: mine.yaml (read by every command)" in capsys.readouterr().out
    after = cleaned()
    assert after.digest == before.digest and after.columns.keys() == before.columns.keys()
    assert after.spec.name == "mine" and (table / "data" / "prepared" / "mine" / "table.parquet").exists()
    facts = beside.read(table / "mine.yaml")
    assert facts["columns"]["weight"] == {"kind": "number", "format": "1.0 kg"}
    assert facts["columns"]["day"] == {"kind": "date", "format": "%d.%m.%Y"}
    assert set(facts["columns"]) == {*NAMES, "weight", "day", "sex", "y"}


def test_remedies_are_not_spoken_of_where_there_are_none(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("mine.csv").write_text("a,y\n" + "".join(f"{i / 7},{'nk'[i % 2]}\n" for i in range(20)))
    for expected in ("Correct it where it is wrong.\n", "add out=FILE.yaml.\n"):
        stages.main(["prepare", "dataset=csv", "dataset.path=mine.csv", "dataset.target=y"])
        shown = capsys.readouterr().out
        assert shown.endswith(expected) and "remedy" not in shown


def test_one_cell_is_singular(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("mine.csv").write_text("a,y\n" + "".join(f"{'x' if i == 40 else i / 7},{'nk'[i % 2]}\n" for i in range(90)))
    stages.main(["prepare", "dataset=csv", "dataset.path=mine.csv", "dataset.target=y"])
    assert "- 1 cell: " in capsys.readouterr().out and "# 1 cell: " in Path("mine.yaml").read_text()


def test_the_file_of_a_user_is_never_overwritten(table, capsys):
    (table / "mine.yaml").write_text("target: y\ncolumns:\n  sex: {kind: ignore}\n")
    stages.main(["prepare", "dataset=csv", "dataset.path=mine.csv"])
    shown = capsys.readouterr().out
    assert "mine.yaml is kept as it is" in shown and "to change that:" in shown and "To apply a remedy above" in shown
    assert (table / "mine.yaml").read_text().startswith("target: y\n")
    stages.main(["prepare", "dataset=csv", "dataset.path=mine.csv", "out=other.yaml"])
    assert beside.read(table / "other.yaml")["columns"]["sex"] == {"kind": "ignore"}
    with pytest.raises(InputError, match=r"out='other.yaml': exists"):
        stages.main(["prepare", "dataset=csv", "dataset.path=mine.csv", "out=other.yaml"])


@pytest.mark.parametrize("name", NAMES)
def test_one_line_corrects_one_column_whatever_its_name(prepared, monkeypatch, name):
    folder, written, before = prepared
    monkeypatch.chdir(folder)
    lines = written.splitlines()
    keys = {i: beside.load(line) for i, line in enumerate(lines) if line.startswith("  ") and line[2] not in " #"}
    key = next(i for i, found in keys.items() if name in found)
    assert lines[key + 1] == "    kind: number"
    lines[key + 1] = "    kind: category"
    (folder / "mine.yaml").write_text("\n".join(lines))
    after = cleaned().X.dtypes
    changed = [column for column in before if before[column] != after[column]]
    assert changed == [name]


def test_lines_that_settle_doubts_work_when_their_sign_is_removed(table):
    stages.main(["prepare", "dataset=csv", "dataset.path=mine.csv", "dataset.target=y"])
    file = table / "mine.yaml"
    asked = file.read_text()
    assert set(cleaned().X["sex"].cat.categories) == {"M", "male", "f", "unknown"}
    assert '    # missing: ["unknown"]' in asked and '    # values: {"M": "male"}' in asked
    file.write_text(asked.replace("    # missing:", "    missing:").replace("    # values:", "    values:"))
    settled = cleaned()
    assert list(settled.X["sex"].cat.categories) == ["f", "male"] and settled.X["sex"].isna().sum() == 30
    assert set(settled.classes) in ({"No", "Yes"}, {"no", "Yes"})
    assert not settled.report["remedy"].str.contains("missing|values").any()


def test_a_table_without_a_target_says_so(table):
    stages.main(["prepare", "dataset=csv", "dataset.path=mine.csv", "dataset.target=null"])
    assert "target: null" in (table / "mine.yaml").read_text()
    assert cleaned().y is None


def test_how_the_file_was_read_is_kept_for_later_commands(table):
    cells = pd.DataFrame({"性別": ["男", "女"] * 20, "年齢": range(20, 60), "y": ["陽性", "陰性"] * 20})
    (table / "mine.csv").write_bytes(cells.to_csv(index=False, sep=";").encode("shift_jis"))
    how = ["dataset.read.encoding=shift_jis", "dataset.relations=none"]
    before = cleaned("dataset.target=y", *how)
    stages.main(["prepare", "dataset=csv", "dataset.path=mine.csv", "dataset.target=y", *how])
    facts = beside.read(table / "mine.yaml")
    assert facts["read"] == {"encoding": "shift_jis"} and facts["relations"] == "none"
    assert cleaned().digest == before.digest


def test_a_column_that_the_table_lacks_is_one_line(table):
    (table / "mine.yaml").write_text("target: y\ncolumns:\n  wieght: {kind: number}\n")
    with pytest.raises(InputError, match=r"dataset.columns='wieght'.*did you mean weight\?"):
        cleaned()


@pytest.mark.parametrize("name", ["mine.csv", "mine.csv.gz", "mine.parquet", "mine"])
def test_the_file_beside_a_table_has_its_name(name):
    assert beside.place(f"folder/{name}").name == "mine.yaml" and beside.name_of(name) == "mine"


@pytest.mark.parametrize(("target", "task"), [("null", None), ("'100%'", "regression"), ("y", "classification")])
def test_the_task_of_one_target_is_not_that_of_another(table, target, task):
    stages.main(["prepare", "dataset=csv", "dataset.path=mine.csv", "dataset.target=y"])
    assert cleaned(f"dataset.target={target}").spec.task == task


def test_the_list_of_findings_fits_a_terminal_and_its_remedies_can_be_pasted(table, capsys):
    stages.main(["prepare", "dataset=csv", "dataset.path=mine.csv", "dataset.target=y"])
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 or line.startswith("    ") for line in lines[:-4])
    column = lines.index("sex: category")
    remedies = [line for line in lines[column + 1 :] if line.startswith("    ")]
    assert '    missing: ["unknown"]' in remedies
    file = table / "mine.yaml"
    written = file.read_text().splitlines()
    for remedy in remedies[:2]:
        written.insert(written.index("  sex:") + 1, remedy)
    file.write_text("\n".join(written) + "\n")
    assert set(cleaned().X["sex"].cat.categories) <= {"male", "f"}


def test_what_a_private_fit_needs_is_proposed_in_comments(prepared):
    _, written, _ = prepared
    assert "# rows: 120  # as read, not private until confirmed" in written
    assert written.count("    # integer: true  # as seen") == len(NAMES)
    weight = written[written.index("  weight:") : written.index("  day:")]
    assert "integer" not in weight and "rows" not in beside.load(written)


def test_the_private_file_of_the_docs_declares_all_that_a_fit_needs(tmp_path, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "visits.yaml").write_text(page.split("```yaml\n# visits.yaml")[1].split("```")[0].partition("\n")[2])
    cells = [
        (20 + i, i / 10, f"2020-03-{1 + i % 28:02}", ("medicine", "other")[i % 2], ("no", "yes")[i % 2])
        for i in range(60)
    ]
    rows = [",".join(map(str, row)) for row in cells]
    (tmp_path / "visits.csv").write_text("\n".join(["age,crp (mg/L),admitted,ward,readmitted", *rows]))
    dataset = data.prepare(commandline.composed(["dataset=csv", "dataset.path=visits.csv"])["dataset"])[0]
    MST(Budget(1.0)).require_declared(dataset)
    with pytest.raises(InputError, match=r"^privacy\.delta=None: .*rows: 5000"):
        MST(Budget(1.0)).require_declared(replace(dataset, spec=replace(dataset.spec, rows=None)))
