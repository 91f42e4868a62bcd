"""A run that is ended by rows reads as one that is ended by MLflow's calls."""

import math
import sqlite3

import pytest

from trisynth.tracking import ending
from trisynth.tracking.database import connect
from trisynth.tracking.ending import Ending

pytest.importorskip("mlflow")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
METRICS = [
    *(("gain/f1_macro", 0.25, 7000, 0), ("fidelity/ks", math.inf, 7000, 0), ("fidelity/tv", -math.inf, 7000, 0)),
    *(("train/loss", 3.0 - step, 7000, step) for step in range(3)),
    *(("train/other", value, 7000, step) for step, value in ((2, 1.0), (0, 5.0), (1, math.nan))),
    ("copying/none", math.nan, 7000, 0),
]
PARAMS, TAGS = {"dataset": "classes", "seed": "0"}, {"complete": "1"}


@pytest.fixture
def uri(tmp_path):
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


@pytest.fixture
def client(uri):
    return connect(uri)


@pytest.fixture
def started(client):
    return lambda: client.create_run("0", 5000, {"writer": "me"}, "a job").info.run_id


def seen(client, run):
    found = client.get_run(run)
    histories = {
        name: sorted((m.step, m.timestamp, repr(m.value)) for m in client.get_metric_history(run, name))
        for name in found.data.metrics
    }
    latest = {name: repr(value) for name, value in found.data.metrics.items()}
    data = found.data
    return found.info.status, found.info.start_time, found.info.end_time, latest, data.params, data.tags, histories


@pytest.mark.parametrize(("metrics", "params"), [(METRICS, PARAMS), ([], {})])
def test_rows_read_as_calls(client, uri, started, monkeypatch, metrics, params):
    by_rows, by_calls = started(), started()
    Ending(client, uri).write(by_rows, 9000, metrics, params, TAGS)
    # As if the database were a server's.
    monkeypatch.setattr(ending, "file_of", lambda _: None)
    monkeypatch.setattr(ending, "METRICS_PER_CALL", 3)
    Ending(client, uri).write(by_calls, 9000, metrics, params, TAGS)
    assert seen(client, by_rows) == seen(client, by_calls)
    assert seen(client, by_rows)[0] == "FINISHED"


def test_an_ending_is_written_as_a_whole_or_not_at_all(client, uri, started, tmp_path):
    run = started()
    before = seen(client, run)
    with sqlite3.connect(tmp_path / "mlflow.db") as base:
        base.execute("create trigger full before insert on tags begin select raise(abort, 'disk is full'); end")
    base.close()
    with pytest.raises(Exception, match="disk is full"):
        Ending(client, uri).write(run, 9000, METRICS, PARAMS, TAGS)
    assert seen(client, run) == before
