"""A database is made whole or not at all, one process writes at a time, and no living process loses its runs."""

import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from trisynth.errors import InputError
from trisynth.experiment.results import Result
from trisynth.tracking import Mirror, database, replay
from trisynth.tracking.content import KEY
from trisynth.tracking.database import changes, is_alive, own_writer
from trisynth.tracking.mirror import COMPLETE, PARENT, SWEEP, WRITER

mlflow = pytest.importorskip("mlflow")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

MIRROR = """
    import sys
    from trisynth.tracking import Mirror
    uri, runs, raw, sweep, *keys = sys.argv[1:]
    mirror = Mirror({"uri": uri, "experiment": "trisynth"}, {"runs": runs, "raw": raw, "sweeps": runs}, sweep or None)
    for key in keys:
        mirror.job_of(key)
    sys.exit(1 if mirror.close() else 0)
"""


@pytest.fixture
def script(warm):
    def start(source: str, *arguments: object, **options) -> subprocess.Popen:
        line = [*warm, "-c", textwrap.dedent(source), *map(str, arguments)]
        return subprocess.Popen(line, text=True, **options)

    return start


def runs_of(uri: str) -> list:
    client = mlflow.MlflowClient(uri)
    return client.search_runs([client.get_experiment_by_name("trisynth").experiment_id])


@pytest.fixture
def paths(finished):
    return {name: str(finished["folder"] / name) for name in ("raw", "cache", "runs", "sweeps")}


@pytest.fixture
def keys(paths):
    return sorted(path.parent.name for path in Path(paths["runs"]).glob("*/result.json"))


@pytest.fixture
def uri(finished, tmp_path):
    """Address of a copy of a mirrored sweep's database."""
    shutil.copy(finished["folder"] / "mlflow.db", tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


@pytest.fixture
def empty(uri, finished):
    """Address of a database without runs, which takes less time than a new one."""
    client = mlflow.MlflowClient(uri)
    for run in runs_of(uri):
        client.delete_run(run.info.run_id)
    return uri


def test_a_new_database_is_made_without_waiting_for_the_disk_and_then_used_with_it(tmp_path):
    from sqlalchemy import create_engine, text

    uri = f"sqlite:///{tmp_path}/mlflow.db"
    kinds = []
    for _ in range(2):
        database.connect(uri)
        engine = create_engine(uri)
        with engine.connect() as connection:
            kinds.append(connection.execute(text("PRAGMA synchronous")).scalar())
        engine.dispose()
    assert 0 not in kinds
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as made:
        assert made.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_process_killed_while_it_makes_the_database_leaves_none(script, tmp_path):
    process = script(
        """
        import os, signal, sys
        from pathlib import Path
        from trisynth.tracking import database
        import mlflow.store.db.utils as utils
        upgrade = utils._upgrade_db
        def killed(engine):
            os.kill(os.getpid(), signal.SIGKILL)
        utils._upgrade_db = killed
        with database.writer_lock(sys.argv[1]):
            database.connect(sys.argv[1])
        """,
        f"sqlite:///{tmp_path / 'mlflow.db'}",
    )
    assert process.wait() == -signal.SIGKILL
    left = [path.name for path in tmp_path.iterdir()]
    assert any(".new-" in name for name in left) and "mlflow.db" not in left
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    with database.writer_lock(uri):
        client = database.connect(uri)
    assert client.search_experiments()
    assert not [path for path in tmp_path.iterdir() if ".new-" in path.name]


def test_parallel_first_starts_mirror_everything_once(script, paths, keys, tmp_path):
    uri = f"sqlite:///{tmp_path / 'new.db'}"
    # Every process has its own job, and one that all have.
    started = [script(MIRROR, uri, paths["runs"], paths["raw"], "", keys[0], key) for key in keys[1:4]]
    assert [process.wait() for process in started] == [0, 0, 0]
    runs = runs_of(uri)
    assert Counter(run.data.tags[KEY] for run in runs) == Counter(keys[:4])
    assert all(run.data.tags[COMPLETE] == "1" for run in runs)


def test_only_an_unfinished_run_whose_writer_has_ended_is_deleted(empty, paths, keys):
    client = mlflow.MlflowClient(empty)
    experiment = client.get_experiment_by_name("trisynth").experiment_id
    source = "from trisynth.tracking.database import own_writer; print(own_writer(), flush=True); input()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    holder = subprocess.Popen([sys.executable, "-c", source], text=True, **pipes)
    other = holder.stdout.readline().strip()
    made = {
        name: client.create_run(experiment, 1, {KEY: key} | ({WRITER: writer} if writer else {}), name).info.run_id
        for name, key, writer in (
            ("living", keys[1], other),
            ("own", keys[2], own_writer()),
            ("earlier version", keys[3], None),
            ("elsewhere", keys[4], f"another-host {int(time.time())} /tmp/x"),
            ("elsewhere, long ago", keys[5], "another-host 1000 /tmp/x"),
        )
    }

    def left():
        mirror = Mirror({"uri": empty, "experiment": "trisynth"}, paths)
        mirror.job_of(keys[0])
        assert mirror.close() is None
        there = {run.info.run_id for run in runs_of(empty)}
        return {name for name, run in made.items() if run in there}

    assert left() == {"living", "own", "elsewhere"}
    holder.kill()
    holder.communicate()
    assert left() == {"own", "elsewhere"}


def test_a_writer_is_alive_until_its_process_ends():
    assert is_alive(own_writer())
    for dead in (None, "", "x", "host", f"{database.socket.gethostname()} 5 /nowhere/at/all"):
        assert not is_alive(dead)


def test_a_record_that_mlflow_refuses_is_reported_and_the_next_ones_are_mirrored(empty, paths, keys, tmp_path, capsys):
    mirror = Mirror({"uri": empty, "experiment": "trisynth"}, paths)
    results = [Result.read(paths["runs"], key) for key in keys[:3]]
    first = Result(**{**vars(results[0]), "digests": {}})
    for result in (first, *results[1:]):
        mirror.job(result)
    assert mirror.problem is None
    assert mirror.close()
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and err.startswith("error: result=") and "it is not in the mirror" in err
    complete = [run.data.tags[KEY] for run in runs_of(empty) if COMPLETE in run.data.tags]
    assert sorted(complete) == keys[1:3]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a folder in which no file can be made")
def test_a_database_in_a_folder_that_takes_no_file_is_reported(capsys):
    paths = dict.fromkeys(("runs", "raw", "cache", "sweeps"), "runs")
    mirror = Mirror({"uri": "sqlite:////proc/x.db", "experiment": "trisynth"}, paths)
    mirror.job(Result("abc", "one", {"dataset": {"name": "d"}, "seed": 0}, {"real/auc": 0.5}))
    assert mirror.close()
    assert capsys.readouterr().err.count("\n") == 1


def test_what_is_no_address_is_refused_and_a_device_is_not_to_be_moved(tmp_path):
    with pytest.raises(InputError, match=r"^tracking\.uri="):
        Mirror({"uri": {"_target_": "os.system"}, "experiment": "trisynth"}, {})
    assert "move" not in database.remedy("sqlite:////dev/null", "it is not a database")


ODD = ("a/b", "c//d", "..", "/", "x" * 400, '[it\'s "odd"]', "a\nb", "日本")


def test_names_that_mlflow_dislikes_are_mirrored(empty, paths, keys, tmp_path):
    result = Result.read(paths["runs"], keys[0])
    metrics = {f"real/recall_{name}": 0.5 for name in ODD} | {"gain/f1_macro": 0.1}
    config = {**result.config, "dataset": {**result.config["dataset"], "name": ODD[5] * 100}}
    odd = Result(**{**vars(result), "metrics": metrics, "config": config, "name": ODD[5] * 100})
    folder = tmp_path / "sweeps" / ODD[5]
    folder.mkdir(parents=True)
    for _ in range(2):
        mirror = Mirror({"uri": empty, "experiment": "trisynth"}, {**paths, "sweeps": str(folder.parent)}, folder.name)
        mirror.job(odd)
        assert mirror.close() is None
    (child,) = (run for run in runs_of(empty) if KEY in run.data.tags)
    (parent,) = (run for run in runs_of(empty) if SWEEP in run.data.tags)
    assert parent.info.run_name == ODD[5]
    assert sum(name.startswith("real/recall_") for name in child.data.metrics) == len(ODD)


def test_replay_beside_a_running_sweep_makes_no_duplicates(script, empty, paths, keys, finished, tmp_path):
    (sweep,) = (finished["folder"] / "sweeps").iterdir()
    running = tmp_path / "sweeps" / sweep.name
    shutil.copytree(sweep, running, ignore=shutil.ignore_patterns("*.csv", "*.txt", "*.png", "complete.json"))
    there = {**paths, "sweeps": str(running.parent)}
    tracking = {"uri": empty, "experiment": "trisynth"}
    # The sweep's own process, in the middle of its jobs.
    line = [empty, paths["runs"], paths["raw"], running.name, *keys[:3]]
    held = MIRROR.replace("sys.exit(", "print(flush=True); input(); sys.exit(")
    process = script(held, *line, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == "\n"
    assert replay(tracking, there, [there["sweeps"]]) == 0
    (parent,) = (run for run in runs_of(empty) if SWEEP in run.data.tags)
    assert parent.info.status == "RUNNING"
    process.communicate("\n")
    assert process.returncode == 0
    shutil.copy(sweep / "results.csv", running)
    assert replay(tracking, there, [there["sweeps"]]) == 0
    children = [run for run in runs_of(empty) if KEY in run.data.tags]
    assert sorted(run.data.tags[KEY] for run in children) == keys
    assert {run.data.tags[PARENT] for run in children} == {parent.info.run_id}


def test_a_search_inside_a_sweep_is_replayed_under_its_own_parent(empty, paths, keys, finished, tmp_path):
    (sweep,) = (finished["folder"] / "sweeps").iterdir()
    inner = tmp_path / "sweeps" / "outer" / "searches" / "inner"
    shutil.copytree(sweep, inner)
    assert replay({"uri": empty, "experiment": "trisynth"}, paths, [str(tmp_path / "sweeps")]) == 0
    assert [run.info.run_name for run in runs_of(empty) if SWEEP in run.data.tags] == ["inner"]
    assert len([run for run in runs_of(empty) if KEY in run.data.tags]) == len(keys)


def test_a_damaged_table_of_a_sweep_is_reported_and_does_not_reach_the_parent(
    empty, paths, keys, finished, tmp_path, capsys
):
    (sweep,) = (finished["folder"] / "sweeps").iterdir()
    changed = tmp_path / "sweeps" / "changed"
    shutil.copytree(sweep, changed)
    table = (changed / "results.csv").read_text()
    number = table.splitlines()[1].split(",")[-1]
    (changed / "results.csv").write_text(table.replace(number, f"1{number}", 1))
    assert replay({"uri": empty, "experiment": "trisynth"}, paths, [str(changed.parent)]) == 1
    assert "is not that of its result); run its sweep again; it is not in the mirror" in capsys.readouterr().err
    (parent,) = (run for run in runs_of(empty) if SWEEP in run.data.tags)
    assert not parent.data.metrics
    assert len([run for run in runs_of(empty) if KEY in run.data.tags]) == len(keys)


@pytest.mark.parametrize("content", ["", "no table", 'key,dataset,generator\n\x00"', "[]"])
def test_a_table_that_is_none_is_reported_in_one_line(empty, paths, content, tmp_path, capsys):
    (tmp_path / "sweeps" / "odd").mkdir(parents=True)
    (tmp_path / "sweeps" / "odd" / "results.csv").write_text(content)
    replay({"uri": empty, "experiment": "trisynth"}, {**paths, "runs": str(tmp_path)}, [str(tmp_path / "sweeps")])
    assert capsys.readouterr().err.count("\n") <= 1


def test_a_broken_database_is_one_line_with_the_remedy(paths, keys, tmp_path, capsys):
    (tmp_path / "mlflow.db").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    mirror = Mirror({"uri": f"sqlite:///{tmp_path / 'mlflow.db'}", "experiment": "trisynth"}, paths)
    mirror.job_of(keys[0])
    assert mirror.close()
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert f"move {tmp_path / 'mlflow.db'} away and run `trisynth mirror`, which makes a new one" in err


def test_the_counter_of_changes_tells_what_another_process_wrote(tmp_path):
    uri = f"sqlite:///{tmp_path / 'some.db'}"
    assert changes(uri) is None
    with closing(sqlite3.connect(tmp_path / "some.db")) as base:
        base.execute("create table runs (name text)")
        base.commit()
        first = changes(uri)
        assert first is not None
        assert changes(uri) == first
        base.execute("insert into runs values ('a')")
        base.commit()
        assert changes(uri) != first
        base.execute("pragma journal_mode=wal")
        assert changes(uri) is None
    assert changes("http://localhost:1") is None
