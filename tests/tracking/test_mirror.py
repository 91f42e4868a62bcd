"""MLflow mirrors what lies on disk, no more and no less, and can be replayed at any time."""

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace

import pandas as pd
import pytest

from trisynth import commandline
from trisynth.experiment.results import Result, table
from trisynth.experiment.run import run_job
from trisynth.report.artefacts import writers
from trisynth.tracking import Mirror, main, replay
from trisynth.tracking.content import KEY
from trisynth.tracking.database import absolute
from trisynth.tracking.mirror import COMPLETE, PARENT, SWEEP
from trisynth.tracking.names import mlflow_name

mlflow = pytest.importorskip("mlflow")
# MLflow's own imports warn about the versions of its own libraries.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
JOBS = 8


def runs_of(uri: str) -> list:
    client = mlflow.MlflowClient(uri)
    experiment = client.get_experiment_by_name("trisynth")
    return client.search_runs([experiment.experiment_id])


@pytest.fixture(scope="module")
def uri(finished):
    return f"sqlite:///{finished['folder'] / 'mlflow.db'}"


@pytest.fixture
def paths(finished):
    return {name: str(finished["folder"] / name) for name in ("raw", "cache", "runs", "sweeps")}


def results(finished) -> list[Result]:
    root = finished["folder"] / "runs"
    return [Result.read(root, path.name) for path in sorted(root.iterdir())]


def test_one_parent_and_a_child_for_each_job_even_after_two_starts(finished, uri):
    runs = runs_of(uri)
    (parent,) = (run for run in runs if SWEEP in run.data.tags)
    children = [run for run in runs if run is not parent]
    assert len(children) == JOBS
    assert {run.data.tags[PARENT] for run in children} == {parent.info.run_id}
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert {run.info.run_name for run in children} == {result.name for result in results(finished)}
    (folder,) = (finished["folder"] / "sweeps").iterdir()
    assert parent.info.run_name == folder.name
    shown = {a.path for a in mlflow.MlflowClient(uri).list_artifacts(parent.info.run_id)}
    assert shown == {"results.csv", "summary.txt", "gains.png"}
    assert "Combined rows" in parent.data.tags["mlflow.note.content"]


def test_a_report_made_after_its_run_is_added(config, capsys, database, tmp_path):
    shutil.copy(database, tmp_path / "own.db")
    given = config("tracking=sqlite", f"tracking.uri=sqlite:///{tmp_path / 'own.db'}", "tracking.figure=false")
    result, _ = run_job(given)
    commandline.show(result, given)
    (run,) = runs_of(given["tracking"]["uri"])
    names = ("report.html", "report.json")
    for name in names:
        (tmp_path / "runs" / result.key / name).write_text("later")
    commandline.show(result, given | {"report": {"html": True}})
    assert "report: " in capsys.readouterr().out
    kept = {a.path for a in mlflow.MlflowClient(given["tracking"]["uri"]).list_artifacts(run.info.run_id)}
    assert set(names) <= kept


def test_the_parent_sums_up_its_jobs(finished, uri):
    (parent,) = (run for run in runs_of(uri) if SWEEP in run.data.tags)
    assert parent.data.params == {
        "dataset": "classes",
        "generator": "copula, independent",
        "classifier": "knn, logistic",
        "seed": "0, 1",
    }
    every = [result.metrics["gain/f1_macro"] for result in results(finished)]
    assert parent.data.metrics["F1_gain"] == pytest.approx(sum(every) / JOBS, abs=1e-5)
    cell = [r.metrics["gain/f1_macro"] for r in results(finished) if " copula " in r.name]
    assert parent.data.metrics["F1_gain/classes/copula"] == pytest.approx(sum(cell) / len(cell), abs=1e-5)


def test_start_and_end_are_those_of_the_jobs(finished, uri):
    runs = runs_of(uri)
    for run in runs:
        if KEY in run.data.tags:
            seconds = Result.read(finished["folder"] / "runs", run.data.tags[KEY]).seconds(finished["folder"] / "runs")
            assert run.info.end_time - run.info.start_time == pytest.approx(1000 * sum(seconds.values()), abs=2)
    (parent,) = (run for run in runs if SWEEP in run.data.tags)
    children = [run.info for run in runs if run is not parent]
    assert parent.info.end_time == max(run.end_time for run in children)
    assert parent.info.start_time <= parent.info.end_time


def test_a_child_run_has_the_values_of_its_result(finished, uri):
    client = mlflow.MlflowClient(uri)
    mirrored = {run.data.tags[KEY]: run for run in runs_of(uri) if KEY in run.data.tags}
    for result in results(finished):
        run = mirrored[result.key]
        metrics = run.data.metrics
        for name, value in result.metrics.items():
            assert metrics[mlflow_name(name)] == value
        for prefix in ("real/", "synthetic/", "combined/", "gain/", "fidelity/", "copying/", "seconds/"):
            assert any(name.startswith(prefix) for name in metrics), prefix
        row = table([result]).iloc[0]
        named = {name: str(row[name]) for name in ("dataset", "generator", "classifier", "seed")}
        assert run.data.params == named
        assert run.data.tags.items() >= {name: named[name] for name in ("dataset", "generator", "classifier")}.items()
        assert metrics["F1_gain"] == result.metrics["gain/f1_macro"]
        assert sorted(metrics)[0].startswith("F1_")
        assert {"mlflow.user", "mlflow.source.name", "mlflow.source.type"} <= run.data.tags.keys()
        assert result.name in run.data.tags["mlflow.note.content"]
        (source,) = run.inputs.dataset_inputs
        assert source.dataset.name == "classes"
        assert source.dataset.digest == result.digests["real_train"]
        names = {artifact.path for artifact in client.list_artifacts(run.info.run_id)}
        assert {"result.json", "config.yaml", "overview.png"} <= names


def content(uri: str) -> dict:
    """Content of a database, without its own identifiers and times."""
    runs = runs_of(uri)
    names = {run.info.run_id: run.info.run_name for run in runs}
    tags = (KEY, COMPLETE, SWEEP, "dataset", "generator", "classifier")
    return {
        run.info.run_name: (
            run.data.params,
            run.data.metrics,
            {name: run.data.tags.get(name) for name in tags},
            names.get(run.data.tags.get(PARENT)),
            run.info.status,
            [(i.dataset.name, i.dataset.digest) for i in run.inputs.dataset_inputs],
        )
        for run in runs
    }


def test_replay_rebuilds_the_same_runs(uri, paths, tmp_path, capsys):
    new = f"sqlite:///{tmp_path / 'new.db'}"
    assert replay({"uri": new, "experiment": "trisynth"}, paths, [paths["sweeps"]]) == 0
    assert capsys.readouterr().out == f"{JOBS} results of {paths['runs']} are in {new}\n"
    assert content(new) == content(uri)
    assert replay({"uri": new, "experiment": "trisynth"}, paths, [paths["sweeps"]]) == 0
    assert len(runs_of(new)) == JOBS + 1


@pytest.mark.parametrize("option", ["--runs", "--sweeps"])
def test_a_folder_that_is_not_there_is_refused(option, capsys):
    with pytest.raises(SystemExit):
        main([option, "nowhere"])
    assert capsys.readouterr().err.startswith(f"error: {option}='nowhere': no such folder; see trisynth mirror --help")


def test_a_replay_of_nothing_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([]) == 0
    assert capsys.readouterr().out == "no results in runs\n"
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def copied(finished, tmp_path):
    """A copy of the database, to be harmed."""
    shutil.copy(finished["folder"] / "mlflow.db", tmp_path / "copy.db")
    return tmp_path / "copy.db"


def test_a_run_that_was_killed_half_way_is_made_again(finished, copied, paths):
    uri = f"sqlite:///{copied}"
    client = mlflow.MlflowClient(uri)
    victim = next(run for run in runs_of(uri) if KEY in run.data.tags)
    client.delete_tag(victim.info.run_id, COMPLETE)
    (folder,) = (finished["folder"] / "sweeps").iterdir()
    mirror = Mirror({"uri": uri, "experiment": "trisynth"}, paths, folder.name)
    mirror.job_of(victim.data.tags[KEY])
    assert mirror.problem is None
    runs = [run for run in runs_of(uri) if run.data.tags.get(KEY) == victim.data.tags[KEY]]
    assert len(runs) == 1
    assert runs[0].info.run_id != victim.info.run_id
    assert runs[0].data.metrics == victim.data.metrics


def test_a_locked_database_is_one_clear_line_and_loses_nothing(finished, copied, paths, capsys, config):
    result = results(finished)[0]
    lock = sqlite3.connect(copied)
    lock.execute("BEGIN EXCLUSIVE")
    try:
        changed = config() | {"tracking": {"uri": f"sqlite:///{copied}", "experiment": "other"}, "paths": paths}
        with pytest.raises(SystemExit) as exit_:
            commandline.show(result, changed)
    finally:
        lock.rollback()
        lock.close()
    err = capsys.readouterr().err
    assert exit_.value.code == 1
    assert err.count("\n") == 1
    assert err.startswith("error: tracking.uri=") and "database is locked" in err and "results are safe" in err


@pytest.mark.parametrize("uri", ["sqlite:////proc/nowhere/mlflow.db", "nonsense://x"])
def test_an_unusable_address_is_reported_once(finished, paths, capsys, uri):
    mirror = Mirror({"uri": uri, "experiment": "trisynth"}, paths, "mine")
    for result in results(finished)[:3]:
        mirror.job(result)
    assert mirror.close()
    assert capsys.readouterr().err.count("error: tracking.uri=") == 1


def test_relative_addresses_do_not_depend_on_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert absolute("sqlite:///mlflow.db") == f"sqlite:///{tmp_path}/mlflow.db"
    assert absolute("http://127.0.0.1:5000") == "http://127.0.0.1:5000"


@pytest.fixture
def server(tmp_path):
    """Address of an MLflow server with a database of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    store = ["--backend-store-uri", f"sqlite:///{tmp_path}/server.db", "--artifacts-destination", str(tmp_path)]
    line = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", port, "--workers", "1", *store]
    with (tmp_path / "log.txt").open("w") as log:
        # MLflow's own job workers are seven more processes.
        environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        process = subprocess.Popen(line, cwd=tmp_path, stdout=log, stderr=log, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                urllib.request.urlopen(f"{address}/health").close()
                break
            except OSError:
                assert process.poll() is None, (tmp_path / "log.txt").read_text()
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait()


def test_a_server_is_as_good_as_a_database(server, finished, paths):
    assert replay({"uri": server, "experiment": "trisynth"}, paths, [paths["sweeps"]]) == 0
    runs = runs_of(server)
    assert len(runs) == JOBS + 1
    child = next(run for run in runs if KEY in run.data.tags)
    assert (
        child.data.metrics["real/f1_macro"] == Result.read(paths["runs"], child.data.tags[KEY]).metrics["real/f1_macro"]
    )
    names = {artifact.path for artifact in mlflow.MlflowClient(server).list_artifacts(child.info.run_id)}
    assert {"result.json", "config.yaml"} <= names


def test_the_generator_is_a_model_where_requested(config, database, tmp_path):
    shutil.copy(database, tmp_path / "mlflow.db")
    wanted = config(f"tracking.uri=sqlite:///{tmp_path}/mlflow.db", "tracking.model=true")
    result, _ = run_job(wanted, writers=writers(wanted))
    mirror = Mirror(wanted["tracking"], wanted["paths"])
    mirror.job(result)
    assert mirror.close() is None
    (run,) = runs_of(wanted["tracking"]["uri"])
    client = mlflow.MlflowClient(wanted["tracking"]["uri"])
    place = client.download_artifacts(run.info.run_id, "model", str(tmp_path))
    rows = mlflow.pyfunc.load_model(place).predict(pd.DataFrame({"rows": [7]}))
    assert len(rows) == 7
    assert "outcome" in rows


@pytest.mark.parametrize("change", [{"path": "gone.csv"}, {"read": {"_target_": "no_such_package.read"}}])
def test_a_result_is_mirrored_where_its_table_is_gone(finished, paths, database, tmp_path, change):
    shutil.copy(database, tmp_path / "new.db")
    (result, *_) = results(finished)
    mirror = Mirror({"uri": f"sqlite:///{tmp_path}/new.db", "experiment": "trisynth"}, paths)
    mirror.job(replace(result, config={**result.config, "dataset": {**result.config["dataset"], **change}}))
    assert mirror.close() is None
    (run,) = runs_of(f"sqlite:///{tmp_path}/new.db")
    assert run.inputs.dataset_inputs[0].dataset.name == result.config["dataset"]["name"]


def test_a_server_never_receives_what_a_link_leads_to(config, database, tmp_path, capsys):
    shutil.copy(database, tmp_path / "own.db")
    given = config("tracking=sqlite", f"tracking.uri=sqlite:///{tmp_path / 'own.db'}", "tracking.figure=false")
    result, _ = run_job(given)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "runs" / result.key / "extra.txt").symlink_to(tmp_path / "secret")
    mirror = Mirror(given["tracking"], given["paths"])
    mirror.job(result)
    assert "extra.txt': is a link, not a file of the result" in mirror.close()
    assert "it is not in the mirror" in capsys.readouterr().err
    assert not list(tmp_path.glob("mlartifacts/**/extra.txt"))
