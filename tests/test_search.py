"""Searches end to end: chosen on validation rows, tested once, and the same when killed and started again."""

import os
import signal
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from trisynth import search
from trisynth.commandline import enter
from trisynth.errors import InputError
from trisynth.experiment.results import Result

TRIALS = 3
SAMPLERS = ("evolution", "random")


def arguments(overrides, folder: Path) -> list[str]:
    quick = [a for a in overrides(folder, "classes", "generator=vae") if not a.startswith("metrics=")]
    fits = ["generator.epochs=1", "generator.min_steps=3", "metrics.fidelity.c2st.folds=2", "searches.seed=[0]"]
    searches = [f"hydra.sweeper.n_trials={TRIALS}", "hydra.launcher.n_jobs=1"]
    return ["experiment=pareto", *quick, *fits, *searches]


def contents(folder: Path) -> dict[str, bytes]:
    """The table of all searches, the output of Optuna for each, and every result."""
    found = [*folder.glob("sweeps/*/results.csv"), *folder.glob("sweeps/*/searches/*/optimization_results.yaml")]
    found += folder.glob("runs/*/result.json")
    return {f"{path.parent.name}/{path.name}": path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def done(overrides, tables, tmp_path_factory, command):
    folder = tmp_path_factory.mktemp("searched")
    # Folders lie where the command is started, so that every start has the same command and name.
    ended = command("search", *relative(arguments(overrides, folder), folder), cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return folder


def relative(given: list[str], folder: Path) -> list[str]:
    return [argument.replace(f"{folder}/", "") for argument in given]


def table(folder: Path) -> pd.DataFrame:
    (path,) = folder.glob("sweeps/*/results.csv")
    return pd.read_csv(path)


def test_each_search_has_its_trials_and_each_front_its_test(done):
    jobs = table(done)
    tried = jobs[jobs["part"] == "validation"]
    assert tried.groupby("sampler")["trial"].apply(list).to_dict() == {s: list(range(TRIALS)) for s in SAMPLERS}
    tested = jobs[(jobs["part"] == "test") & (jobs["sampler"] != "default")]
    assert len(tested) == tried["front"].sum() > 0
    assert (jobs["sampler"] == "default").sum() == 1
    for row in jobs.to_dict("records"):
        result = Result.read(done / "runs", row["key"])
        assert result.config.get("validation", False) == (row["part"] == "validation")
        assert result.config["generator"]["loss"]["beta"] == pytest.approx(row["loss.beta"], rel=1e-5)


def test_the_front_is_the_one_that_optuna_found(done):
    import yaml

    jobs = table(done)
    for sampler in SAMPLERS:
        (path,) = done.glob(f"sweeps/*/searches/*-{sampler}/optimization_results.yaml")
        theirs = sorted(found["params"]["loss.beta"] for found in yaml.safe_load(path.read_text())["solutions"])
        ours = jobs[(jobs["part"] == "validation") & (jobs["sampler"] == sampler) & jobs["front"]]
        assert sorted(ours["loss.beta"]) == pytest.approx(theirs, rel=1e-5)


def test_a_killed_search_started_again_ends_with_the_same_front(done, overrides, until, held, warm, tmp_path):
    given = relative(arguments(overrides, tmp_path), tmp_path)
    line = [*warm, "trisynth.search", *given]
    tried = table(done).query("part == 'validation'")
    paths = {name: str(tmp_path / name) for name in ("raw", "cache", "runs")}
    # Killed in the middle of either search, where a trial that cannot end keeps it.
    for sampler in SAMPLERS:
        keys = tried[tried["sampler"] == sampler].set_index("trial")["key"]
        last = Result.read(done / "runs", keys[2])
        with held({**last.config, "paths": paths}, tmp_path / "cache"):
            process = subprocess.Popen(
                line, cwd=tmp_path, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            until((tmp_path / "runs" / keys[1] / "result.json").exists, process)
            assert process.poll() is None
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    assert not list(tmp_path.glob("sweeps/*/results.csv"))
    assert subprocess.run(line, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    assert contents(tmp_path) == contents(done)


def test_a_search_for_an_unknown_metric_fails_with_its_name(overrides, tmp_path, command):
    given = [*arguments(overrides, tmp_path)[1:3], *overrides(tmp_path, "classes"), "objective=synthetic/roc"]
    sweeper = ["hydra/sweeper=search", "hydra/sweeper/sampler=random", "hydra.sweeper.n_trials=2"]
    sweeper += ["hydra.launcher.n_jobs=1"]
    ended = command("run", "-m", *given, *sweeper, "loss.beta=interval(0.1,1.0)", cwd=tmp_path)
    assert ended.returncode == 1
    assert "2 of 2 jobs failed" in ended.stderr
    assert "objective='synthetic/roc': names a metric that the job lacks" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["validation=false"], "validation=False: must be true: a search must not use the test rows"),
        (["objective=synthetic/roc_auc"], "objective='synthetic/roc_auc': must be a list of mappings"),
        (["searches=null"], "searches=None: must list values of hydra/sweeper/sampler and seed"),
    ],
)
def test_what_cannot_be_searched_is_one_line(overrides, tmp_path, capsys, more, message):
    with pytest.raises(SystemExit) as ended:
        enter("search", [*arguments(overrides, tmp_path), *more])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_every_combination_is_a_search():
    grid = {"seed": [0, 1], "hydra/sweeper/sampler": ["random"], "dataset": ["pima", "saheart"]}
    found = search.plan(grid)
    assert len(found) == 4
    assert found[0] == {"seed": 0, "hydra/sweeper/sampler": "random", "dataset": "pima"}
    for bad in ({"seed": [0]}, {**grid, "seed": []}, {**grid, "seed": 1}, [grid]):
        with pytest.raises(InputError, match="searches"):
            search.plan(bad)


def test_a_failing_search_ends_the_program(tmp_path):
    with pytest.raises(SystemExit):
        search.run(["generator=nothing"], {}, tmp_path / "one")
    assert not (tmp_path / "one").exists()
