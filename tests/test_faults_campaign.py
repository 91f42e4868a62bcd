"""The campaign finds faults that are planted, and none in what is there."""

import json
import re
import subprocess
import sys
import textwrap
import time
import types

import pytest
from benchmarks.faults import __main__ as command
from benchmarks.faults import damages, races, sizes, subject
from benchmarks.faults.subject import Row

from trisynth.experiment import results
from trisynth.experiment.results import Result

RESULT = {
    "dataset": {"name": "patients"},
    "generator": {"_target_": "trisynth.generators.smote.SMOTE"},
    "classifier": {"name": "logistic"},
    "seed": 3,
}


@pytest.fixture(scope="module")
def harmed(tmp_path_factory):
    return damages.Subject(tmp_path_factory.mktemp("harmed"))


@pytest.fixture
def campaign(harmed, monkeypatch):
    """A few damages of one kind."""
    monkeypatch.setattr(damages, "Subject", lambda _: harmed)
    return lambda count, kind: damages.campaign(count, 0, (kind,))[0]


@pytest.mark.parametrize("kind", ["runs", "cache", "sweeps", "generator"])
def test_damages_are_healed_or_refused(campaign, kind):
    row = campaign(8, kind)
    assert row.wrong == [] and row.good == row.tried == 8


def test_a_record_that_is_read_without_a_check_is_found(campaign, monkeypatch):
    def unchecked(path):
        try:
            return json.loads(path.read_text()) | {"digest": None} if path.exists() else None
        except ValueError:
            return None

    monkeypatch.setattr(results, "_whole", unchecked)
    monkeypatch.setattr(results, "_shaped", lambda content, _: {k: v for k, v in content.items() if k != "digest"})
    assert campaign(80, "runs").wrong


def test_a_sweep_that_is_taken_as_complete_without_a_check_is_found(campaign, monkeypatch):
    monkeypatch.setattr(damages.Sweep, "is_complete", lambda *_: True)
    assert any("accepted" in line for line in campaign(8, "sweeps").wrong)


def test_a_process_that_outlives_its_parent_is_found_and_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(subject, "LIMIT", 0.2)
    source = """
        import subprocess, sys, time
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(10_000)"])
        print("ready", flush=True)
        time.sleep(10_000)
    """
    line = [sys.executable, "-c", textwrap.dedent(source)]
    process = subprocess.Popen(line, start_new_session=True, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    assert len(subject.kill(process)) == 1
    process.communicate()
    # The kernel ends a killed process in its own time; one that was not killed would be waited for in vain.
    while subject.members(process.pid):
        time.sleep(0.01)


def test_a_differing_result_is_found(tmp_path):
    Result("abc", "one", RESULT, {"real/f1_macro": 0.5}).write(tmp_path / "runs")
    expected = subject.results(tmp_path)
    assert subject.unlike(tmp_path, expected, mirror=False) == []
    Result("abc", "one", RESULT, {"real/f1_macro": 0.6}).write(tmp_path / "runs")
    Result("def", "two", RESULT, {"real/f1_macro": 0.6}).write(tmp_path / "runs")
    found = subject.unlike(tmp_path, expected, mirror=False)
    assert found == ["runs/abc/result.json differs", "runs/def/result.json differs"]


def test_a_slow_mirror_is_found(monkeypatch):
    monkeypatch.setattr(sizes, "LEAST_PER_SECOND", 1e9)
    row = sizes.mirror(20, jobs=3)
    assert row.wrong and all("in a second" in line for line in row.wrong)


def test_pages_are_compared_without_their_times_and_what_is_left_counts(tmp_path):
    (tmp_path / "runs" / "a").mkdir(parents=True)
    page = "<td>2026-01-02 03:04 UTC</td><b>{}</b>"
    (tmp_path / "runs" / "a" / "report.html").write_text(page.format(1))
    before = races.pages(tmp_path)
    (tmp_path / "runs" / "a" / "report.html").write_text(page.format(1).replace("03:04", "05:06"))
    assert races.pages(tmp_path) == before
    (tmp_path / "runs" / "a" / ".report.html.tmp-0123456789abcdef").write_text("<td>")
    assert len(races.pages(tmp_path)) == 2
    (tmp_path / "runs" / "a" / "report.html").write_text(page.format(2))
    assert races.pages(tmp_path)["runs/a/report.html"] != before["runs/a/report.html"]


def test_the_table_has_a_row_for_each_part_and_keeps_the_others(tmp_path, monkeypatch):
    rows = {"races": Row("races", "x", 3, 3), "disk": Row("full disk", "y", 2, 1, ["lost"])}
    steps = {part: ((row.part, row.what), lambda row=row: row) for part, row in rows.items()}
    monkeypatch.setattr(command, "plan", lambda options: [steps[part] for part in options.parts])
    monkeypatch.setattr(command, "commit", lambda: "abc")
    assert command.main(["--parts", "races", "--out", str(tmp_path)]) == 0
    assert command.main(["--parts", "races", "disk", "--missing", "--out", str(tmp_path)]) == 1
    lines = (tmp_path / "faults.csv").read_text().splitlines()
    assert lines[1:] == ["races,x,,3,3,,,abc", "full disk,y,,2,1,lost,,abc"]
    steps["races"] = steps["disk"]
    assert command.main(["--parts", "races", "--missing", "--out", str(tmp_path)]) == 0


def test_every_row_of_the_committed_table_is_of_a_part_that_is_there():
    options = types.SimpleNamespace(parts=command.PARTS, seed=0, kills=1, damages=1, processes=1, disks=1)
    options.__dict__.update(callables=1, jobs=1, runs=1)
    known = {first for first, _ in command.plan(options)} | {("full disk", races.DISKS[1])}
    assert set(command._read(command.output.HERE / "faults.csv").index) <= known
    assert known >= set(command.BEFORE)


def test_every_test_that_the_page_names_is_there():
    text = (
        (command.output.ROOT / "benchmarks" / "README.md")
        .read_text()
        .partition("| fault | before | after | tests |")[2]
    )
    rows = [line for line in text.partition("\n\n")[0].splitlines() if line.endswith(".py` |")]
    named = {name for row in rows for name in re.findall(r"`([\w/]+\.py)`", row.split("|")[4])}
    assert len(rows) == 17
    without = [name for name in named if "\ndef test_" not in (command.output.ROOT / "tests" / name).read_text()]
    assert without == []
