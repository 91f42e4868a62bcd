"""Sweeps end to end: every job ends in a file, and the same command resumes what was killed."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from omegaconf import OmegaConf

from trisynth.errors import InputError
from trisynth.experiment.results import Result
from trisynth.sweeps import callback as callbacks
from trisynth.sweeps import folder as sweeps

JOBS = 8
CONFIG = {
    "dataset": {"name": "patients"},
    "generator": {"_target_": "trisynth.generators.smote.SMOTE"},
    "classifier": {"name": "logistic"},
    "seed": 0,
}


def contents(folder: Path) -> dict[str, bytes]:
    """Every result and the table of a sweep, by its path."""
    found = [*(folder / "runs").glob("*/result.json"), *(folder / "sweeps").glob("*/results.csv")]
    return {f"{path.parent.name}/{path.name}": path.read_bytes() for path in found}


def start(folder: Path, line: list[str], environment: dict[str, str]) -> subprocess.Popen:
    """A sweep in a process group of its own, so that all of it can be killed at once."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment}
    return subprocess.Popen(line, cwd=folder, start_new_session=True, **pipes)


def test_every_job_has_a_result_and_the_table_has_them_all(finished):
    first = finished["starts"][0]
    assert first["code"] == 0, first["err"]
    (path,) = (finished["folder"] / "sweeps").glob("*/results.csv")
    table = pd.read_csv(path)
    assert len(table) == table["key"].nunique() == JOBS
    assert set(map(tuple, table[["generator", "classifier", "seed"]].to_numpy())) == {
        (g, c, s) for g in ("independent", "copula") for c in ("logistic", "knn") for s in (0, 1)
    }
    assert {"real/f1_macro", "synthetic/f1_macro", "combined/accuracy", "gain/f1_macro"} <= set(table.columns)
    for row in table.to_dict("records"):
        result = Result.read(finished["folder"] / "runs", row["key"])
        assert result.metrics["real/f1_macro"] == pytest.approx(row["real/f1_macro"], abs=1e-6)
        folder = finished["folder"] / "runs" / row["key"]
        assert {"result.json", "timings.json", "config.yaml", "overview.png"} <= {p.name for p in folder.iterdir()}


def test_progress_counts_and_the_table_is_shown(finished):
    first = finished["starts"][0]
    assert re.search(rf"{JOBS}/{JOBS} {JOBS} done .*left: 0 s", first["err"])
    assert "results.csv" in first["out"]


def test_a_finished_sweep_runs_nothing_again(finished):
    first, second = finished["starts"]
    assert second["code"] == 0
    assert f"nothing to run: all {JOBS} jobs were finished before" in second["out"]
    assert first["files"] == second["files"]


def test_a_sweep_is_complete_only_while_nothing_it_depends_on_changes(tmp_path):
    table, runs = tmp_path / "mine.csv", tmp_path / "runs"
    table.write_text("a,b")
    sweep = sweeps.Sweep(tmp_path / "sweep", runs)
    sweeps.State(sweep.folder / "jobs" / "0", "seed=0").write("some-key", "done")
    Result("some-key", "one job", CONFIG, {"real/f1_macro": 0.5}).write(runs)
    assert sweep.finish()[1] == []
    known = sweeps.fingerprint(["seed=0,1"], [str(table)])
    assert not sweep.is_complete(known)
    sweep.complete(known)
    assert sweep.is_complete(sweeps.fingerprint(["seed=0,1"], [str(table)]))
    assert not sweep.is_complete(sweeps.fingerprint(["seed=0,2"], [str(table)]))
    table.write_text("a,c")
    assert not sweep.is_complete(sweeps.fingerprint(["seed=0,1"], [str(table)]))
    (runs / "some-key" / "result.json").unlink()
    assert not sweep.is_complete(known)


@pytest.mark.parametrize(
    "name", ["sweep/results.csv", "sweep/complete.json", "runs/some-key/result.json", "runs/some-key/timings.json"]
)
@pytest.mark.parametrize("damage", ["0.5", "half", "empty", "list"])
def test_a_damaged_file_of_a_finished_sweep_is_found(tmp_path, name, damage, capsys):
    sweep = sweeps.Sweep(tmp_path / "sweep", tmp_path / "runs")
    sweeps.State(sweep.folder / "jobs" / "0", "seed=0").write("some-key", "done")
    Result("some-key", "one job", CONFIG, {"real/f1_macro": 0.5}, timings={"fit": 0.5}).write(sweep.runs)
    sweep.finish()
    sweep.complete("f")
    assert sweep.is_complete("f") and sweep.keys() == {"0": "some-key"}
    text = (tmp_path / name).read_text()
    changes = {"0.5": text.replace("0", "1", 1), "half": text[: len(text) // 2], "empty": "", "list": "[]"}
    (tmp_path / name).write_text(changes[damage])
    assert not sweep.is_complete("f")
    if name.endswith("csv"):
        assert (sweep.folder / "results.csv.damaged-1").read_text() == changes[damage]
        assert "has changed since it was written; it was moved to" in capsys.readouterr().err
    if name.endswith("complete.json"):
        with pytest.raises(InputError, match="run its command again"):
            sweep.keys()


def test_fits_are_shared_between_classifiers(finished):
    assert len(list((finished["folder"] / "cache" / "generator").glob("[0-9a-f]*"))) == 4


def test_states_say_how_each_job_ended(finished):
    (folder,) = (finished["folder"] / "sweeps").iterdir()
    states = sweeps.Sweep(folder, finished["folder"] / "runs").states()
    assert sorted(states) == [str(i) for i in range(JOBS)]
    assert {state["state"] for state in states.values()} == {"done"}
    assert all("classifier=" in state["overrides"] for state in states.values())


def test_killed_at_any_moment_and_started_again_ends_with_the_same_bytes(
    finished, config, until, held, warm, warm_workers, tmp_path
):
    def moved(argument):
        return argument.replace(str(finished["folder"]), str(tmp_path)) if "paths." in argument else argument

    again = [*map(moved, finished["overrides"]), "tracking=none", "tracking.figure=false"]
    again = [
        argument for argument in again if not argument.startswith("tracking.uri=") and argument != "tracking=sqlite"
    ]
    # One job cannot end, so that the sweep is killed in its middle.
    with held(config("generator=copula", "seed=1"), tmp_path / "cache"):
        process = start(tmp_path, [*warm, "trisynth.run", "-m", *again], warm_workers)
        until(lambda: any((tmp_path / "runs").glob("*/result.json")), process)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    before = contents(tmp_path)
    assert 1 <= len(before) < JOBS
    # The second start is left alone.
    process = start(tmp_path, [*warm, "trisynth.run", "-m", *again], warm_workers)
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert re.search(r"\d cached", err)
    assert before.items() <= contents(tmp_path).items()
    reference = contents(finished["folder"])
    assert {k: v for k, v in contents(tmp_path).items() if k.endswith("result.json")} == {
        k: v for k, v in reference.items() if k.endswith("result.json")
    }
    assert [v for k, v in contents(tmp_path).items() if k.endswith("csv")] == [
        v for k, v in reference.items() if k.endswith("csv")
    ]


@pytest.mark.parametrize("second", ["seed=0,1", "seed=0,1,2,3,4"])
def test_two_starts_at_once_in_one_folder_end_one_after_the_other(
    overrides, config, until, held, warm, warm_workers, light, tmp_path, second
):
    """Before, each deleted and counted the statuses of the other: -3 of 2 jobs were lost."""

    def begin(seeds):
        given = overrides(tmp_path, "classes", seeds, "hydra.launcher.n_jobs=1", light)
        line = [*warm, "trisynth.run", "-m", *given, f"hydra.sweep.dir={tmp_path / 'same, of both'}"]
        return start(tmp_path, line, warm_workers)

    # The first sweep cannot end before the second has started.
    with held(config("seed=1"), tmp_path / "cache"):
        one = begin("seed=0,1")
        until(lambda: any((tmp_path / "runs").glob("*/result.json")), one)
        two = begin(second)
        said = two.stderr.readline()
    assert said.startswith("waiting: another sweep runs in "), said + two.stderr.read()
    _, err = one.communicate()
    assert one.returncode == 0, err
    assert "2/2 2 done" in err and "error" not in err
    out, err = two.communicate()
    assert two.returncode == 0, err
    if second == "seed=0,1":
        assert "nothing to run: all 2 jobs were finished before" in out
    else:
        assert "5/5 3 done, 2 cached" in err and "error" not in err


def test_a_failing_job_fails_neither_the_others_nor_silently(overrides, command, light, tmp_path):
    given = overrides(
        tmp_path, "classes", "generator=smote", "generator.k_neighbors=-1,3,2", "hydra.launcher.n_jobs=1", light
    )
    done = command("run", "-m", *given, cwd=tmp_path)
    assert done.returncode == 1
    assert "2 done, 1 failed" in done.stderr
    assert re.search(r"failed: .*generator.k_neighbors=-1.*: must be a whole number", done.stderr)
    assert "error: 1 of 3 jobs failed; rerun to repeat only these" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(contents(tmp_path)) == 3
    (table,) = (tmp_path / "sweeps").glob("*/results.csv")
    assert len(pd.read_csv(table)) == 2


@pytest.fixture
def sweep(tmp_path, monkeypatch):
    """A callback in the middle of a sweep of two jobs, and its configuration."""
    cfg = OmegaConf.create(
        {
            "paths": {"runs": str(tmp_path / "runs"), "sweeps": str(tmp_path), "raw": str(tmp_path)},
            "tracking": {"uri": None},
            "hydra": {
                "sweep": {"dir": str(tmp_path / "mine")},
                "overrides": {"task": [], "hydra": []},
                "runtime": {"config_sources": []},
            },
        }
    )
    monkeypatch.setattr(callbacks, "count_jobs", lambda _: 2)
    callback = callbacks.Sweep()
    callback.on_multirun_start(cfg)
    yield callback, cfg, lambda i: sweeps.State(tmp_path / "mine" / "jobs" / str(i), f"seed={i}")
    callback.stop.set()


def test_a_job_without_a_status_is_reported(sweep, capsys):
    callback, cfg, state = sweep
    state(0).write(None, "failed", "Traceback\nValueError: planted")
    state(2).write("of-another-sweep", "done")
    with pytest.raises(SystemExit) as exit_:
        callback.on_multirun_end(cfg)
    err = capsys.readouterr().err
    assert exit_.value.code == 1
    assert "failed: seed=0: ValueError: planted" in err
    assert "error: 1 of 2 jobs exited without reporting a status; rerun to resume" in err


def test_what_goes_wrong_in_a_callback_is_not_swallowed(sweep, capsys, monkeypatch):
    callback, cfg, _ = sweep

    def breaks(self):
        raise RuntimeError("planted")

    monkeypatch.setattr(sweeps.Sweep, "finish", breaks)
    with pytest.raises(SystemExit) as exit_:
        callback.on_multirun_end(cfg)
    assert exit_.value.code == 1
    assert "planted" in capsys.readouterr().err


def test_a_result_that_was_deleted_meanwhile_is_left_out(tmp_path):
    folder = sweeps.Sweep(tmp_path / "mine", tmp_path / "runs")
    sweeps.State(tmp_path / "mine" / "jobs" / "0", "seed=0").write("gone", "done")
    assert folder.finish() == ([], [])
    assert not (tmp_path / "mine" / "results.csv").exists()


def test_half_a_state_is_no_state(tmp_path):
    place = tmp_path / "mine" / "jobs" / "0"
    place.mkdir(parents=True)
    (place / sweeps.STATE).write_text(json.dumps({"key": "x"})[:4])
    assert sweeps.Sweep(tmp_path / "mine", tmp_path / "runs").states() == {}


def test_a_new_start_forgets_old_states_and_keeps_the_table(tmp_path):
    folder = sweeps.Sweep(tmp_path / "mine", tmp_path / "runs")
    sweeps.State(tmp_path / "mine" / "jobs" / "0", "seed=0").write(None, "failed", "old")
    (tmp_path / "mine" / "results.csv").write_text("key,dataset\n")
    folder.clear()
    assert folder.states() == {}
    assert (tmp_path / "mine" / "results.csv").exists()


@pytest.mark.parametrize(
    "name",
    ["jobs/thesis.txt", "jobs/3/chapter.txt", "results.csv", "plan.json", "summary.txt", "gains.png", "complete.json"],
)
def test_a_folder_of_the_user_stays_as_it_was(tmp_path, name):
    mine = tmp_path / "myproject"
    (mine / name).parent.mkdir(parents=True)
    (mine / name).write_text("years of work")
    with pytest.raises(InputError, match=r"^hydra.sweep.dir=.*: holds .*, which no sweep wrote; nothing was"):
        sweeps.Sweep(mine, tmp_path / "runs").clear()
    assert [path for path in mine.rglob("*") if path.is_file()] == [mine / name]
    assert (mine / name).read_text() == "years of work"


def test_the_command_leaves_a_folder_of_the_user_as_it_was(tmp_path, overrides, command):
    mine = tmp_path / "myproject" / "jobs" / "thesis.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("years of work")
    given = [*overrides(tmp_path, "classes", "seed=0,1"), f"hydra.sweep.dir={tmp_path / 'myproject'}"]
    done = command("run", "-m", *given, cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert "hydra.sweep.dir=" in done.stderr and "holds jobs, which no sweep wrote" in done.stderr
    assert mine.read_text() == "years of work"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("hydra.launcher.n_jobs=0",), "hydra.launcher.n_jobs=0: must be a whole number of jobs"),
        (("hydra/launcher=slurm", "hydra.launcher.cluster=x"), "hydra.launcher.cluster='x': must be one of"),
        (
            (
                *("hydra.launcher.n_jobs=0", "hydra/sweeper=search", "hydra.sweeper.n_trials=2"),
                "hydra.sweeper.storage=sqlite:///search.db",
            ),
            "hydra.launcher.n_jobs=0: must be a whole number of jobs",
        ),
    ],
)
def test_a_sweep_that_is_refused_leaves_nothing(tmp_path, overrides, command, more, message):
    arguments = overrides(tmp_path, "classes", "seed=0,1", *more)
    before = sorted(tmp_path.rglob("*"))
    done = command("run", "-m", *arguments, cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.splitlines()[-1].startswith(f"error: {message}"), done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_a_refused_start_leaves_the_folder_of_another_sweep(tmp_path):
    folder = tmp_path / "sweeps" / "mine"
    sweep = sweeps.Sweep(folder, tmp_path / "runs")
    made = sweep.absent()
    assert made == [folder, folder.parent]
    sweep.claim(pytest.fail).release()
    for name in ("notes.txt", "multirun.yaml"):
        (folder / name).write_text("mine")
    sweep.withdraw(made)
    assert [path.name for path in folder.rglob("*")] == ["notes.txt"]
    # A sweep has begun.
    sweep.claim(pytest.fail).release()
    sweeps.mark(folder)
    before = sorted(folder.rglob("*"))
    sweep.withdraw(made)
    assert sorted(folder.rglob("*")) == before


def test_a_start_that_waited_for_a_refused_one_makes_the_folder_again(tmp_path):
    folder = tmp_path / "sweeps" / "mine"
    first, second = (sweeps.Sweep(folder, tmp_path / "runs") for _ in range(2))
    made = first.absent()
    held = first.claim(pytest.fail)

    def refused():
        first.withdraw(made)
        held.release()
        assert not folder.exists()

    lock = second.claim(refused)
    assert lock.is_locked and (folder / "jobs" / ".lock").exists()
    lock.release()


def test_a_file_of_the_user_among_the_statuses_stays(tmp_path):
    folder = sweeps.Sweep(tmp_path / "mine", tmp_path / "runs")
    folder.clear()
    sweeps.mark(tmp_path / "mine")
    sweeps.State(tmp_path / "mine" / "jobs" / "0", "seed=0").write(None, "failed", "old")
    for name in ("note.txt", "0/note.txt"):
        (tmp_path / "mine" / "jobs" / name).write_text("mine")
    folder.clear()
    assert folder.states() == {}
    assert {p.read_text() for p in (tmp_path / "mine").rglob("note.txt")} == {"mine"}
    assert len(list((tmp_path / "mine").rglob("note.txt"))) == 2


@pytest.mark.parametrize("left", ["table", "statuses"])
def test_a_sweep_of_an_earlier_version_is_continued(tmp_path, left):
    mine = tmp_path / "mine"
    (mine / "jobs" / "0").mkdir(parents=True)
    (mine / "jobs" / "0" / "state.json").write_text("{}")
    (mine / "plan.json").write_text("{}")
    if left == "table":
        (mine / "results.csv").write_text("key,dataset\n")
    sweeps.Sweep(mine, tmp_path / "runs").clear()
    assert not (mine / "jobs" / "0").exists() and not (mine / "plan.json").exists()
    assert (mine / "results.csv").exists() == (left == "table")


@pytest.mark.parametrize("linked", ["jobs", "jobs/0"])
def test_nothing_is_deleted_where_a_link_leads(tmp_path, linked):
    mine, place = tmp_path / "mine", tmp_path / "sweep"
    sweeps.mark(mine)
    sweeps.State(mine / "jobs" / "0", "seed=0").write(None, "done")
    (place / linked).parent.mkdir(parents=True)
    (place / linked).symlink_to(mine / linked)
    before = sorted(map(str, mine.rglob("*")))
    with pytest.raises(InputError, match=rf"^hydra.sweep.dir=.*: holds links \({linked}\)"):
        sweeps.Sweep(place, tmp_path / "runs").clear()
    assert sorted(map(str, mine.rglob("*"))) == before
