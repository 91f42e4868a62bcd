"""Scores of the published comparisons: known answers of planted tables, and cells of other packages."""

import json

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("xgboost", reason="the benchmark requires xgboost")

from benchmarks.output import Cells
from benchmarks.peers import process
from benchmarks.published import peers, scores
from benchmarks.published.figure import picture
from benchmarks.published.peers import PEERS
from benchmarks.published.summary import SCORES, over_seeds
from benchmarks.published.tables import Table

from trisynth.cache import Store


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    a = rng.normal(size=600)
    return pd.DataFrame({"a": a, "b": a + 0.1 * rng.normal(size=600), "c": np.where(a > 0, "x", "y")})


def test_copies_score_one_and_independent_columns_do_not(real):
    free = pd.DataFrame({name: real[name].sample(frac=1, random_state=i).to_numpy() for i, name in enumerate(real)})
    assert scores.shape(real, real, ["c"]) == scores.trend(real, real, ["c"]) == 1
    assert scores.shape(real, free, ["c"]) == 1
    assert scores.trend(real, free, ["c"]) < 0.8
    assert scores.c2st(real, real, ["c"]) > 0.9
    assert scores.c2st(real, free, ["c"]) < 0.3


def test_copies_are_found(real):
    half, others = real[:300].reset_index(drop=True), real[300:].reset_index(drop=True)
    assert scores.copy_share(half, half, others, ["c"]) == 1
    assert scores.singling_out(half, half) == 1
    assert scores.singling_out(half, others) == 0


def test_a_useful_table_trains_a_useful_classifier(real):
    table = Table("planted", "c", real[:400], real[400:])
    assert scores.utility(table, real[:400], "short") > 0.95


def test_seeds_give_an_interval_and_one_seed_gives_none():
    rows = [("a", "x", 0.1), ("a", "x", 0.2), ("a", "x", 0.3), ("a", "y", 0.5)]
    cells = pd.DataFrame(rows, columns=["table", "generator", "trend"]).reindex(
        columns=["table", "generator", *SCORES], fill_value=np.nan
    )
    found = over_seeds(cells)
    assert found.loc[("a", "x"), "trend"] == "0.2000 ± 0.2484"
    assert found.loc[("a", "y"), "trend"] == "0.5000" and found.loc[("a", "y"), "shape"] == "-"


PIN = "pyseq_cart==0.1.0a5"


@pytest.fixture
def planted(real):
    counts = pd.Series(np.arange(600) % 7, name="d").astype(float)
    counts[0] = counts.mean()
    frame = real.assign(d=counts)
    return Table("planted", "c", frame[:400].reset_index(drop=True), frame[400:].reset_index(drop=True))


@pytest.fixture
def fits(planted, monkeypatch):
    """Fits of a peer that draws its training rows in another order; the list grows with every fit."""
    done = []

    def fake(environment, adapter, table, requests, about, folder, seconds):
        done.append(len(table))
        table.sample(requests[0], random_state=0).to_parquet(folder / "rows-0.parquet", index=False)
        cost = {"fit_cpu_seconds": 1.0, "sample_cpu_seconds": 2.0, "peak_megabytes": 9.0, "import_megabytes": 5.0}
        (folder / "cost.json").write_text(json.dumps(cost))

    monkeypatch.setattr(process, "fit_and_sample_table", fake)
    return done


def run(planted, tmp_path):
    return peers.measured(planted, PEERS["pyseq_cart"], 0, "short", Store(tmp_path), 60)


def test_a_peer_that_copies_is_measured_as_a_copier(planted, fits, tmp_path):
    found = run(planted, tmp_path)
    assert fits == [400, 200]
    assert found["status"] == peers.DONE
    assert found["version"] == PIN
    assert found["copy_share"] == found["shape"] == 1
    assert found["c2st_train"] > 0.9
    assert (found["fit_cpu_s"], found["sample_cpu_s"], found["peak_mb"]) == (1, 2, 4)
    assert run(planted, tmp_path) == found
    assert fits == [400, 200], "rows of an earlier run are taken again"


def test_a_long_fit_has_no_second_one(planted, fits, tmp_path, monkeypatch):
    monkeypatch.setattr(peers, "_LONG", 2)
    found = run(planted, tmp_path)
    assert fits == [400]
    assert "copy_share" not in found


@pytest.mark.parametrize(
    ("cause", "log", "said"),
    [
        (process.OUT_OF_TIME, "", "did not end within 60 CPU seconds"),
        (process.OUT_OF_TIME, " 5%| 36/80 [0]\r 6%| 37/80 [0]", "did not end within 60 CPU seconds: step 37 of 80"),
        ("failed: cause", process.BY_THE_CLOCK, "did not end within 1800 seconds by the clock of a busy machine"),
        ("failed: cause", "", "failed: cause"),
    ],
)
def test_a_cell_without_scores_has_the_reason(planted, tmp_path, monkeypatch, cause, log, said):
    def fails(*_):
        error = process.DidNotFinishError(cause)
        error.log = log
        raise error

    monkeypatch.setattr(process, "fit_and_sample_table", fails)
    assert run(planted, tmp_path) == {"grid": "short", "version": PIN, "cap_s": 60, "status": said}


def test_a_peer_that_did_not_end_is_tried_again_only_with_a_higher_limit(tmp_path):
    cells = Cells(tmp_path / "cells.csv", ("table", "generator", "seed"))
    adult, magic = ("adult", "utrees", 0), ("magic", "utrees", 0)
    assert peers.too_slow("utrees", cells, 60) is None
    assert not peers.settled(magic, cells, 60)
    cells.add(adult, {"status": "failed: cause", "cap_s": 60})
    assert peers.too_slow("utrees", cells, 60) is None
    cells.add(magic, {"status": "did not end within 60 CPU seconds", "cap_s": 60})
    assert peers.too_slow("utrees", cells, 60) == "it did not end within 60 CPU seconds on magic"
    assert peers.too_slow("utrees", cells, 61) is peers.too_slow("nrgboost", cells, 60) is None
    assert peers.settled(magic, cells, 60)
    assert not peers.settled(magic, cells, 61)
    assert peers.settled(adult, cells, 61)
    lines = peers.without_scores(cells)
    assert lines[:2] == ["utrees on adult: failed: cause", "utrees on magic: did not end within 60 CPU seconds"]
    assert len(lines) == len(PEERS) + 1
    cells.add(magic, {"status": peers.DONE, "cap_s": 600})
    assert len(cells) == 2


def test_numbers_of_a_peer_take_step_and_range_and_counts_are_whole(planted):
    train = planted.train
    rows = train.assign(d=train["d"] + 0.3, a=train["a"] * 9)
    made = peers.restored(rows, train, planted.categories)
    assert made["a"].max() == train["a"].max()
    assert made["d"][1:].mod(1).eq(0).all()
    assert peers.restored(train, train, planted.categories)["d"][0] == train["d"][0] != round(train["d"][0])


@pytest.mark.parametrize("peer", PEERS.values(), ids=PEERS)
def test_every_peer_has_a_pin_and_an_adapter(peer):
    assert "==" in peer.version
    assert (process.HERE / "adapters" / f"{peer.adapter}.py").exists()


def test_the_picture_has_a_mark_for_every_measured_peer(tmp_path):
    scores = {"seed": 0, "c2st_train": 0.5, "c2st_heldout": 0.6}
    ours = pd.DataFrame([{"table": table, "generator": "cart", **scores} for table in ("adult", "magic")])
    late = {"table": "magic", "generator": "utrees", "seed": 0, "c2st_train": np.nan, "c2st_heldout": np.nan}
    theirs = pd.DataFrame([{"table": "magic", "generator": "pyseq_cart", **scores}, late])
    labels = [text.get_text() for text in picture(ours, theirs).legends[0].get_texts()]
    assert PEERS["pyseq_cart"].label in labels
    assert PEERS["utrees"].label not in labels
    assert len(picture(ours).legends[0].get_texts()) == len(labels) - 1
