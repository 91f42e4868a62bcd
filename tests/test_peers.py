"""The peers' harness: exact classes, limits that hold, cells that are run once and again only when they must."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml
from benchmarks.peers import frame, grid, process, report, run, scores, worker
from benchmarks.peers.adapters import tables

from trisynth.cache import Store, write_atomic
from trisynth.config import CONF
from trisynth.data import load, split
from trisynth.experiment.job import Job

FEWER = ("~metrics.fidelity.moments", "~metrics.fidelity.divergences")


@pytest.fixture
def job(config) -> Job:
    return Job.from_config(config("arms=default", "metrics=default", *FEWER))


@pytest.fixture
def train(job):
    return split(load(job.dataset), 0)[0]


scores_of = scores.synthetic


def letters(rng):
    return lambda n: pd.DataFrame({"y": rng.choice(["a", "b", "c"], n, p=[0.7, 0.28, 0.02]), "x": rng.normal(size=n)})


def test_rows_are_drawn_until_every_class_has_its_count():
    rows, drawn = worker.by_class(letters(np.random.default_rng(0)), "y", {"a": 40, "b": 50, "c": 10})
    assert rows["y"].value_counts().to_dict() == {"a": 40, "b": 50, "c": 10}
    assert drawn % 100 == 0
    assert drawn > 100


def test_a_class_that_a_peer_lost_stays_lost():
    draw = letters(np.random.default_rng(0))
    rows, drawn = worker.by_class(lambda n: draw(n).query("y != 'c'"), "y", {"a": 40, "b": 50, "c": 10})
    assert rows["y"].value_counts().to_dict() == {"a": 40, "b": 50}
    assert drawn < 1000


def test_missing_cells_come_back_from_a_table_that_has_none():
    given = pd.DataFrame({"a": [1.0, None, 3.0], "b": ["u", "v", np.nan]})
    kinds = {"a": "number", "b": "category"}
    filled, known = tables.complete(given, kinds)
    assert not filled.isna().any(axis=None)
    assert known == {**kinds, "a__missing": "category"}
    pd.testing.assert_frame_equal(tables.restored(filled, kinds), given, check_dtype=False)


def test_kinds_follow_the_dtypes(train):
    assert process.kinds(train.X) == {"age": "integer", "dose": "number", "sex": "category", "stage": "category"}


def test_a_process_returns_rows_and_what_they_cost(train, tmp_path):
    about = {
        "generator": "independent",
        "seed": 3,
        "config": {"_target_": "trisynth.generators.independent.Independent"},
    }
    process.fit_and_sample(process.OWN, "own", train, [len(train), {"sick": 7}], about, tmp_path)
    first, second = (pd.read_parquet(tmp_path / f"rows-{i}.parquet") for i in range(2))
    assert first["outcome"].value_counts().to_dict() == train.y.value_counts().to_dict()
    assert second["outcome"].tolist() == ["sick"] * 7
    cost = json.loads((tmp_path / "cost.json").read_text())
    assert 0 < cost["fit_cpu_seconds"] < 10
    assert cost["import_megabytes"] < cost["peak_megabytes"] < 2000
    assert cost["drawn_rows"] == len(train)


def test_a_fit_beyond_its_cpu_seconds_is_ended(train, tmp_path, monkeypatch):
    monkeypatch.setattr(process, "SECONDS", 1)
    # The limit under test is one of CPU time; a busy machine may take any time for it.
    monkeypatch.setattr(process, "PATIENCE", 10**6)
    endless = {"_target_": "trisynth.generators.neural.vae.VAE", "min_steps": 10**9}
    about = {"generator": "vae", "seed": 0, "config": endless}
    with pytest.raises(process.DidNotFinishError, match="did not finish"):
        process.fit_and_sample(process.OWN, "own", train, [len(train)], about, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_failing_fit_reports_the_cause(train, tmp_path):
    about = {"generator": "copula", "seed": 0, "config": {"_target_": "trisynth.generators.copula.Copula", "prior": -1}}
    with pytest.raises(process.DidNotFinishError, match=r"failed: .*prior"):
        process.fit_and_sample(process.OWN, "own", train, [len(train)], about, tmp_path)


def test_a_peers_rows_take_the_columns_step_and_range(train):
    rows = train.X.assign(outcome=train.y.astype(object))
    rows["age"] = rows["age"].astype(float) + 0.3
    rows.loc[0, "age"] = 1e6
    rows.loc[1, "outcome"] = "dead"
    made = scores.as_dataset(rows, train)
    assert len(made) == len(train) - 1
    assert made.X.dtypes.equals(train.X.dtypes)
    assert made.y.dtype == train.y.dtype
    assert made.X["age"].max() == train.X["age"].max()


@pytest.fixture
def quick(monkeypatch, tmp_path, job):
    """Cells of the small table, kept in a folder of the test; the list grows with every fit."""
    fits = []

    def fake(environment, adapter, train, requests, about, folder):
        fits.append(about["generator"])
        if about["generator"] == "sdv_ctgan":
            raise process.DidNotFinishError(process.OUT_OF_TIME)
        train.X.assign(outcome=train.y).to_parquet(folder / "rows-0.parquet", index=False)
        cost = dict.fromkeys(("fit_cpu_seconds", "sample_cpu_seconds", "peak_megabytes", "import_megabytes"), 1.0)
        (folder / "cost.json").write_text(json.dumps({**cost, "drawn_rows": len(train)}))

    monkeypatch.setattr(process, "fit_and_sample", fake)
    monkeypatch.setattr(run, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(grid, "TABLES", ("classes",))
    monkeypatch.setattr(scores, "_PROBES", ("classes",))
    monkeypatch.setattr(scores, "jobs", lambda generator, table, number: {"logistic": replace(job, seed=number)})
    run.parts.cache_clear()
    yield fits
    run.parts.cache_clear()


@pytest.fixture
def done(quick, tmp_path):
    """Result of a cell that is run if it must be."""
    store = Store(tmp_path / "cache")
    return lambda *name: run.run(cell(*name), store, "raw", scores.fingerprint(store, "raw"))


def cell(name: str, number: int = 0) -> grid.Cell:
    return grid.Cell(next(g for g in grid.generators() if g.name == name), "classes", number)


def test_a_finished_cell_is_left_alone_until_its_code_changes(quick, done, monkeypatch):
    first = done("sdv_copula")
    assert done("sdv_copula") == first
    assert quick == ["sdv_copula"]
    monkeypatch.setattr(scores, "KEPT", ("roc_auc",))
    again = done("sdv_copula")
    assert quick == ["sdv_copula"], "other scores need no other fit"
    assert again["key"] != first["key"]
    monkeypatch.setattr(run, "_code", lambda path: "another adapter")
    done("sdv_copula")
    assert quick == ["sdv_copula"] * 2


def test_code_that_scores_the_same_makes_no_result_stale(done, monkeypatch):
    first = done("sdv_copula")
    looked = []
    monkeypatch.setattr(scores, "code_digest", lambda *modules: "written better")
    monkeypatch.setattr(scores, "synthetic", lambda *given: looked.append(given) or scores_of(*given))
    assert done("sdv_copula") == first
    assert len(looked) == 1, "other code is looked at"
    monkeypatch.setattr(scores, "code_digest", lambda *modules: "written worse")
    monkeypatch.setattr(scores, "synthetic", lambda *given: {**scores_of(*given), "rows": {}})
    assert done("sdv_copula")["key"] != first["key"]


def test_a_damaged_result_is_made_again(done):
    first = done("sdv_copula")
    write_atomic(run.path(cell("sdv_copula")), '{"generator": "sdv_c')
    assert done("sdv_copula")["arms"] == first["arms"]


def test_what_did_not_finish_is_not_tried_again(quick, done):
    assert done("sdv_ctgan")["status"] == process.OUT_OF_TIME
    assert done("sdv_ctgan")["status"] == process.OUT_OF_TIME
    assert done("sdv_ctgan", 1)["status"].startswith("not tried: classes")
    assert quick == ["sdv_ctgan"]


def test_copies_never_win(done, tmp_path):
    for name in (grid.REAL, "sdv_copula", "sdv_ctgan", "independent"):
        done(name)
    cells = frame.cells(run.RESULTS)
    means = frame.by_table(cells).set_index("generator")
    # The stub returns the training rows: no loss, and every one of them a copy.
    assert means.loc["sdv_copula", "auc_loss"] == pytest.approx(0, abs=0.02)
    assert means.loc["sdv_copula", "copies"] == 1
    assert means.loc["sdv_copula", "copier"] and not means.loc["sdv_copula", "compared"]
    report.write(run.RESULTS, tmp_path / "out")
    page = (tmp_path / "out" / "README.md").read_text()
    assert "CTGAN (SDV): did not finish within 10 minutes: classes." in page
    assert "**" not in page.partition("## Loss")[2].partition("## Rare")[0]


def test_shape_is_the_mean_over_columns_and_the_target_as_in_sdmetrics():
    result = json.loads((run.RESULTS / "pima" / "sdv_ctgan-0.json").read_text())
    assert result["columns"] == 8 and "numbers" not in result
    # Eight numbers and the target, whose counts are those requested; a mean of two means had 0.871 over three splits.
    far = result["fidelity"]["ks"], result["fidelity"]["tv"]
    assert frame.shape(result) == pytest.approx(1 - (8 * far[0] + far[1]) / 9)
    pima = frame.by_table(frame.cells(run.RESULTS)).set_index(["table", "generator"]).loc[("pima", "sdv_ctgan")]
    assert pima["shape"] == pytest.approx(0.772, abs=1e-3)


def test_numbers_of_the_committed_tables_are_those_of_their_declarations():
    for table, numbers in grid.NUMBERS.items():
        declared = yaml.safe_load((CONF / "dataset" / f"{table}.yaml").read_text())
        kinds = [facts["kind"] for name, facts in declared["columns"].items() if name != declared["target"]]
        # fars declares only columns that are not as they seem.
        assert table == "fars" or kinds.count("number") == numbers


def test_a_generator_on_few_tables_is_neither_compared_nor_called_a_copier():
    cell = {"split": 0, "status": "done", "train_rows": 100}
    rows = [{"table": t, "generator": "smote", "memorised": 0.7} | cell for t in "abcd"]
    rows += [{"table": t, "generator": "circuit", "memorised": 0.1} | cell for t in "abcd"]
    rows += [{"table": "a", "generator": "gan", "memorised": 0.6} | cell]
    found = frame.by_table(pd.DataFrame(rows)).drop_duplicates("generator").set_index("generator")
    assert found["copier"].to_dict() == {"smote": True, "circuit": False, "gan": False}
    assert found["compared"].to_dict() == {"smote": False, "circuit": True, "gan": False}


def test_differences_from_the_flagship_are_paired_and_adjusted():
    rng = np.random.default_rng(0)
    rows = [
        {
            "table": f"t{i}",
            "generator": name,
            "c2st": 0.5 + 0.1 * (name == "gan") + 0.01 * rng.random(),
            "compared": True,
        }
        for i in range(12)
        for name in ("circuit", "gan", "vae")
    ]
    found = frame.differences(pd.DataFrame(rows), "c2st", "circuit")
    assert found.loc["gan", "mean"] == pytest.approx(0.1, abs=0.01) and found.loc["gan", "tables"] == 12
    assert found.loc["gan", "p"] == pytest.approx(2 * 2**-11) and found.loc["vae", "p"] > 0.05


def test_rare_classes_are_compared_pair_by_pair():
    keys = [f"{arm}_{score}" for arm in ("synthetic", "combined", "balanced") for score in ("f1", "pr")]
    level = {"stroke": 0.3, "magic": 0.8, "pima": 0.5}
    gain = {"stroke": 0.1, "magic": -0.2}
    cells = [
        {"table": table, "generator": name, "split": split, "status": "done"}
        | dict.fromkeys(keys, level[table] + (name == "circuit") * gain.get(table, 9.0))
        for table, split, name in itertools.product(level, (0, 1), ("smote", "circuit"))
        if (table, name) != ("pima", "smote")
    ]
    said = report._beside_smote(pd.DataFrame(cells))
    # Two tables: the t quantile of one degree of freedom times the standard error, .15.
    assert said.count("−0.050 ± 1.906") == len(keys)
    assert report._beside_smote(pd.DataFrame(cells[:1])) == ""


def test_other_splits_of_a_table_that_was_not_finished_are_no_news():
    late, untried = process.OUT_OF_TIME, f"not tried: pima {process.OUT_OF_TIME}"
    rows = [("sdv_ctgan", "pima", late), ("sdv_ctgan", "pima", untried), ("sdv_ctgan", "magic", untried)]
    said = report._failed(pd.DataFrame(rows, columns=["generator", "table", "status"])).splitlines()
    assert said == [f"- CTGAN (SDV): {late}: pima.", f"- CTGAN (SDV): {untried}: magic."]


def test_work_goes_split_by_split_and_the_slowest_peer_comes_last():
    order = list(grid.cells(None, None, None))
    assert [c.split for c in order] == sorted(c.split for c in order)
    first = [c for c in order if c.split == 0]
    assert {c.generator.name for c in first[-len(grid.TABLES) :]} == {"forest_diffusion"}
    assert len(order) == len(set(order))
    every = len(grid.TABLES) * len(grid.SPLITS)
    assert {name: sum(c.generator.name == name for c in order) for name in ("circuit", "sdv_ctgan", "ctgan")} == {
        "circuit": every,
        "sdv_ctgan": every,
        "ctgan": len(grid.TABLES) - 1,
    }
    assert len(list(grid.cells(["ctgan"], None, None))) == every


def test_every_peer_has_pins_and_an_adapter():
    for peer in grid.PEERS:
        pins = process.requirements(peer.environment).read_text().splitlines()
        assert all("==" in line for line in pins)
        assert (process.HERE / "adapters" / f"{peer.adapter}.py").is_file()
