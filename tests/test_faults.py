"""Bad input: one clear line on stderr, a status that is not zero, and nothing lost or half-written."""

import errno
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from trisynth import commandline
from trisynth.commandline import one_line_errors
from trisynth.experiment.run import run_job
from trisynth.report.artefacts import writers

FILES = {
    "empty.csv": "",
    "header.csv": "age,outcome\n",
    "ragged.csv": "age,outcome\n1,sick\n2,well,3\n",
    "one.csv": "age,outcome\n" + "".join(f"{i},well\n" for i in range(20)),
    "small.csv": "age,outcome\n" + "".join(f"{i},well\n" for i in range(20)) + "3,sick\n",
    "binary.csv": "\x00\x01\x02\x03",
}
ERROR = re.compile(r"error: [\w.]+=.+: .+\n")

# What is wrong, what the line must say.
FAULTS = {
    "unknown dataset": (["dataset=framinghm"], "dataset='framinghm': no such choice; did you mean framingham?"),
    "unknown generator": (["generator=copul"], "generator='copul': no such choice; did you mean copula?"),
    "unknown setting": (["sed=1"], "did you mean seed?"),
    "missing path": (["dataset=csv", "dataset.path=???"], "dataset.path='???': is missing"),
    "missing file": (["dataset.path=nothing.csv"], "dataset.path='nothing.csv': cannot be read"),
    "a folder": (["dataset.path=."], "dataset.path='.': cannot be read"),
    "empty file": (["dataset.path=empty.csv"], "dataset.path='empty.csv': is empty"),
    "only a header": (["dataset.path=header.csv"], "0 usable rows left"),
    "ragged file": (["dataset.path=ragged.csv"], "line 3 has 3 cells and the first has 2"),
    "binary file": (["dataset.path=binary.csv"], "binary.csv"),
    "unknown target": (
        ["dataset.target=outcom"],
        "dataset.target='outcom': the table has no such column; did you mean",
    ),
    "texts as numbers": (["dataset.path=small.csv", "dataset.task=regression"], "outcome holds no numbers; set"),
    "dashes": (["--generator=smote"], "settings have no dashes: generator=smote"),
    "misspelt option": (["--config-dri=x"], "did you mean --config-dir?"),
    "no setting": (["generator"], "argument='generator': must have the form NAME=VALUE"),
    "a bare file": (["small.csv"], "add dataset=csv dataset.path=small.csv dataset.target=COLUMN"),
    "several values": (["seed=1,2"], "seed='1,2': must be one value for this command"),
    "former group": (["metrics.privacy.nearest.max_rows=9"], "is now called metrics.copying.nearest.max_rows"),
    "one class": (["dataset.path=one.csv"], "one value well"),
    "class too small": (["dataset.path=small.csv"], "class 'sick' has a single row"),
    "alpha below zero": (["generator=vae", "loss.alpha=-1"], "loss.alpha=-1: must be"),
    "alpha no number": (["generator=vae", "loss.alpha=much"], "loss.alpha='much': must be"),
    "seed below zero": (["seed=-1"], "seed=-1: must be a whole number"),
    "test size too large": (["test_size=2"], "test_size=2: must lie between 0 and 1"),
    "test size not a number": (["test_size=half"], "test_size='half': must lie between 0 and 1"),
    "unknown argument": (["+generator.depth=3"], "depth=3: Independent has no such argument"),
    "bad argument": (["classifier.classification.C=-1"], "error: classifier.classification.C=-1: "),
    "bad argument of a generator": (["generator=smote", "generator.k_neighbors=0"], "error: generator.k_neighbors=0: "),
    "foreign target": (
        ["generator._target_=os.system"],
        "_target_='os.system': must be a class or function of trisynth",
    ),
    "misspelt target": (["generator._target_=trisynth.generators.copula.Copla"], "no such class or function"),
    "ratio below zero": (["arms.combined.ratio=-1"], "arms.combined.ratio=-1: must be 0 or more"),
    "unknown metric": (
        ["metrics.utility.ranking._target_=trisynth.evaluation.metrics.utility.Luck"],
        "no such class or function",
    ),
    "unwritable results": (["paths.runs=one.csv/runs"], "cannot be written (Not a directory)"),
    "unwritable cache": (["paths.cache=one.csv/cache"], "cannot be written (Not a directory)"),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def left(folder: Path) -> set[str]:
    """Files that a failed command left behind, but for whole entries of the store and the note of the failure."""
    found = (p for p in folder.rglob("*") if p.is_file() and p.name not in FILES and p.suffix != ".lock")
    whole = {p for p in found if not (p.parent / "manifest.json").exists()}
    return {str(p.relative_to(folder)) for p in whole if p.name != "failure.json"}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_mistake_is_one_line_and_leaves_nothing(fault, folder, overrides, monkeypatch, capsys):
    given, message = FAULTS[fault]
    argv = overrides(folder, "classes", *given)
    monkeypatch.setattr(sys, "argv", ["run", *argv])
    with pytest.raises(SystemExit) as exit_, commandline.one_line_errors():
        run_job(commandline.composed(argv))
    shown = capsys.readouterr()
    assert exit_.value.code == 2
    assert ERROR.fullmatch(shown.err), shown.err
    assert message in shown.err
    assert shown.out == ""
    assert left(folder) == set()
    assert {name: (folder / name).read_text() for name in FILES} == FILES


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG])
def test_a_disk_that_is_full_for_a_library_is_one_line(number, capsys):
    with pytest.raises(SystemExit) as ended, one_line_errors():
        raise OSError(number, os.strerror(number), "multirun.yaml")
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("error: multirun.yaml: ")


@pytest.mark.parametrize("make", [lambda: np.ones(10**15), lambda: torch.ones(10**15)])
def test_settings_that_no_memory_holds_are_one_line(make, capsys):
    with pytest.raises(SystemExit) as ended, one_line_errors():
        make()
    assert ended.value.code == 1
    err = capsys.readouterr().err
    assert err.startswith("error: not enough memory (") and err.count("\n") == 1


def test_other_errors_keep_their_traceback():
    with pytest.raises(RuntimeError, match="another"), one_line_errors():
        raise RuntimeError("another")


def test_a_wrong_hash_is_refused_and_the_file_is_not_kept(folder, monkeypatch, capsys):
    from trisynth.data import collect

    monkeypatch.setattr(collect, "_archive", lambda *_: folder)
    monkeypatch.setattr(collect, "_member", lambda *_: b"other content")
    argv = ["dataset=saheart", f"paths.raw={folder / 'raw'}", f"paths.runs={folder / 'runs'}", "tracking=none"]
    with pytest.raises(SystemExit) as exit_, commandline.one_line_errors():
        run_job(commandline.composed([*argv, f"paths.cache={folder / 'cache'}"]))
    err = capsys.readouterr().err
    assert exit_.value.code == 2
    assert ERROR.fullmatch(err) and "dataset.source.sha256=" in err and "so it is not used" in err
    assert left(folder) == set()


def test_an_earlier_result_survives_a_later_failure(folder, config, monkeypatch):
    good = config(f"paths.runs={folder / 'runs'}", f"paths.cache={folder / 'cache'}")
    result, cached = run_job(good)
    assert not cached
    before = (folder / "runs" / result.key / "result.json").read_bytes()
    with pytest.raises(ValueError, match="seed"):
        run_job(good | {"seed": -1})
    assert (folder / "runs" / result.key / "result.json").read_bytes() == before
    assert run_job(good) == (result, True)


def test_a_damaged_result_is_reported_moved_and_made_again(folder, config, capsys):
    good = config(f"paths.runs={folder / 'runs'}", f"paths.cache={folder / 'cache'}")
    result, _ = run_job(good)
    path = folder / "runs" / result.key / "result.json"
    before = path.read_text()
    path.write_text(before.replace('"seed": 0', '"seed": 1'))
    again, cached = run_job(good)
    assert (again, cached) == (result, False)
    assert path.read_text() == before
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "is damaged (its digest differs); it was moved to" in err
    assert (folder / "runs" / "damaged" / f"{result.key}-1" / "result.json").is_file()
    assert run_job(good) == (result, True)


def test_what_fails_on_the_way_is_noted_and_retried(folder, config):
    def breaks(*_):
        raise RuntimeError("planted")

    good = config("tracking.figure=true")
    with pytest.raises(RuntimeError, match="planted"):
        run_job(good, writers=[breaks])
    (note,) = folder.rglob("failure.json")
    assert "RuntimeError: planted" in note.read_text()
    result, cached = run_job(good, writers=writers(good))
    assert not cached
    assert {p.name for p in note.parent.iterdir()} == {
        *("config.yaml", "manifest.json", "notes.txt", "overview.png", "result.json", "timings.json")
    }
    assert note.parent.name == result.key


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dataset=framinghm"], "did you mean framingham?"),
        (["seed=-1"], "seed=-1: must be a whole number"),
        (["-m", "sed=1,2"], "did you mean seed?"),
        (["-m", "seed=1,2", "paths.sweeps=one.csv/x"], "paths.sweeps='one.csv/x/sweep-"),
    ],
)
def test_the_command_itself(arguments, message, folder, overrides, command):
    flags = [a for a in arguments if a.startswith("-")]
    given = overrides(folder, "classes", *(a for a in arguments if not a.startswith("-")))
    done = command("run", *flags, *given, cwd=folder)
    assert done.returncode == 2
    assert ERROR.fullmatch(done.stderr), done.stderr
    assert message in done.stderr
    assert done.stdout == ""
    # The folder of a sweep, with Hydra's file and the lock, is made before its jobs are composed.
    assert not [path for path in left(folder) if not path.endswith(("multirun.yaml", "jobs/.lock"))]
