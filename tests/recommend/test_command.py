"""The command reads a table by its name, refuses mistakes in one line, and continues what was interrupted."""

import json
import shutil

import pytest

from trisynth.errors import InputError
from trisynth.recommend import __main__ as door
from trisynth.recommend import pool
from trisynth.recommend.search import Search


@pytest.fixture
def arguments(tables, tmp_path, monkeypatch):
    """A command line for one cheap candidate whose trials run in this process."""
    monkeypatch.setattr(door, "Pool", lambda n_jobs: pool.InProcess())
    folders = [f"paths.{name}={tmp_path / name}" for name in ("raw", "cache", "runs", "sweeps")]
    less = ["generator=independent", "classifier=logistic", "recommend.amounts=[1]", "recommend.repeats=1"]
    less += ["recommend.folds=5", "recommend.choosing=2", "~metrics.fidelity", "report=none", "dataset.name=mine"]
    return [str(tables["classes"]), "--target", "outcome", "--budget=1h", *less, *folders]


def test_a_file_and_options_become_settings():
    given = door.parse(["mine.csv", "--target", "y", "--budget=90s", "seed=3", "--metric", "roc_auc"])
    assert {"dataset=csv", "dataset.path=mine.csv", "dataset.target=y", "recommend.budget=90s", "seed=3"} <= set(given)
    assert "dataset=parquet" in door.parse(["mine.parquet", "--target", "y"])
    assert not [each for each in door.parse(["dataset=pima"]) if each.startswith("dataset.")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["a.csv", "b.csv"], "argument='b.csv': is a second table besides a.csv"),
        (["a.csv", "--target"], "option='--target': needs a value"),
        (["a.csv", "--target", "--budget=3s"], "option='--target': needs a value"),
    ],
)
def test_a_mistake_is_one_line(line, message):
    with pytest.raises(InputError) as error:
        door.parse(line)
    assert str(error.value).startswith(message)


def test_it_ends_with_sentences_and_mirrors_its_trials(arguments, database, tmp_path, capsys):
    shutil.copy(database, tmp_path / "mlflow.db")
    uri = f"tracking.uri=sqlite:///{tmp_path / 'mlflow.db'}"
    door.main([*arguments, "tracking=sqlite", uri])
    text = capsys.readouterr().out
    assert max(map(len, text.partition("\nrecommendation: ")[0].splitlines())) <= 80
    assert "Synthetic rows could not be shown to help" in _words(text)
    assert "All trials ran" in text
    assert "to draw independent: trisynth synthesize dataset=csv dataset.path=" in text
    (folder,) = (tmp_path / "sweeps").iterdir()
    assert {path.name for path in folder.iterdir()} >= {"recommendation.json", "trials.csv", "results.csv"}
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    runs = client.search_runs([client.get_experiment_by_name("trisynth").experiment_id])
    (parent,) = [run for run in runs if run.data.tags.get("trisynth.sweep") == folder.name]
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert len(children) == len(list((tmp_path / "runs").glob("*/result.json"))) == 10


def _words(text: str) -> str:
    return " ".join(text.split())


def test_a_search_that_is_stopped_at_once_says_that_there_is_no_report(arguments, tmp_path, monkeypatch, capsys):
    def interrupted(search):
        raise KeyboardInterrupt

    monkeypatch.setattr(Search, "_choose", interrupted)
    with pytest.raises(KeyboardInterrupt):
        door.main([*arguments, "tracking=none", "report=html"])
    text = _words(capsys.readouterr().err)
    assert "The answer so far: No verdict yet: after " in text
    assert "to start and read the table, and no trial has begun." in text
    assert "report: none, because no candidate has finished a trial" in text


def test_an_interrupted_search_leaves_its_best_answer_and_is_continued(arguments, tmp_path, monkeypatch, capsys):
    confirm = Search._confirm

    def interrupted(search):
        raise KeyboardInterrupt

    monkeypatch.setattr(Search, "_confirm", interrupted)
    with pytest.raises(KeyboardInterrupt):
        door.main([*arguments, "tracking=none"])
    assert "The answer so far: Not confirmed yet: " in capsys.readouterr().err.replace("\n", " ")
    (folder,) = (tmp_path / "sweeps").iterdir()
    before = json.loads((folder / "recommendation.json").read_text())
    assert not before["finished"]
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").glob("*/result.json")}
    monkeypatch.setattr(Search, "_confirm", confirm)
    door.main([*arguments, "tracking=none", "recommend.budget=2h"])
    assert "Continued: 4 finished jobs are read. The answer so far: Not confirmed yet" in _words(
        capsys.readouterr().err
    )
    assert json.loads((folder / "recommendation.json").read_text())["finished"]
    assert kept == {path: path.stat().st_mtime_ns for path in kept}


def test_a_budget_admits_private_generators_alone():
    for option in (["epsilon=2"], ["--epsilon", "2"], ["privacy.epsilon=2"]):
        overrides = door.parse(["dataset=framingham", *option])
        assert overrides[0] == "+recommend=private"
        found = door.configured(overrides)["recommend"]["candidates"]
        assert set(found) == {"raked_pairs", "dp_circuit", "label_triples", "dp_vae"}
        assert all(each["privacy"]["epsilon"] == 2 for each in found.values())
    assert door.parse(["dataset=framingham"])[0] == "+recommend=default"
    with pytest.raises(InputError, match=r"^privacy\.epsilon='1': applies only to"):
        door.configured(door.parse(["dataset=framingham", "generator=circuit", "epsilon=1"]))


@pytest.mark.parametrize("epsilon", ["a", "", "nan", "inf", "0", "-1", "[1]", "true"])
def test_a_wrong_budget_is_refused_before_the_search(epsilon):
    with pytest.raises(InputError, match=r"^privacy\.epsilon=.*: must be a number above 0"):
        door.configured(door.parse(["dataset=framingham", f"epsilon={epsilon}"]))


@pytest.mark.parametrize(
    "options",
    [
        ["epsilon=1", "recommend=default"],
        ["epsilon=1", "+generator@recommend.candidates.smote=smote"],
        ["++privacy.epsilon=1", "+generator@recommend.candidates.smote=smote"],
        ["recommend=private", "+generator@recommend.candidates.smote=smote"],
        ["epsilon=1", "recommend.candidates.label_triples.privacy={_target_: trisynth.privacy.budget.Budget}"],
    ],
)
def test_a_candidate_without_guarantee_is_refused_beside_a_budget(options):
    with pytest.raises(
        InputError, match=r"^recommend\.candidates='\w+': has no guarantee to compare with privacy\.epsilon=1"
    ):
        door.configured(door.parse(["dataset=framingham", *options]))


@pytest.mark.parametrize("option", ["++privacy.epsilon=1", "privacy=dp", "privacy.rows=99"])
def test_however_a_budget_is_written_the_panel_is_private(option):
    found = door.configured(door.parse(["dataset=framingham", option]))["recommend"]["candidates"]
    assert set(found) == {"raked_pairs", "dp_circuit", "label_triples", "dp_vae"}


def test_facts_that_a_private_fit_lacks_are_named_together_before_the_search(tmp_path, monkeypatch):
    monkeypatch.setattr(door, "Pool", lambda n_jobs: pool.InProcess())
    monkeypatch.setattr(Search, "run", lambda search: pytest.fail("the search has begun"))
    table, facts = tmp_path / "own.csv", tmp_path / "own.yaml"
    table.write_text("a,y\n" + "".join(f"{i % 7},{'nj'[i % 2]}\n" for i in range(60)))
    columns = "a: {kind: number, bounds: [0, 9]}, y: {kind: category, categories: [j, n], gaps: false}"
    facts.write_text(f"confirmed: false\ncolumns: {{{columns}}}\n")
    folders = [f"paths.{name}={tmp_path / name}" for name in ("raw", "cache", "runs", "sweeps")]
    with pytest.raises(InputError) as error:
        door.main([str(table), "--target", "y", "epsilon=1", "tracking=none", "report=none", *folders])
    line = str(error.value)
    assert line.startswith("dataset.confirmed=False: ") and "\n" not in line
    assert "declare rows in the data set's yaml" in line and "dataset.columns" not in line.split("gaps:")[-1]
    assert "must be declared for a private fit: gaps" in line and str(facts) in line
