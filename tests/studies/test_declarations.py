"""Studies declared in conf/experiment: every one has makers, results, a page, and its stage in dvc.yaml."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from trisynth.config import CONF
from trisynth.errors import InputError
from trisynth.report import pages
from trisynth.report.__main__ import main

ROOT = Path(__file__).parents[2]
STUDIES = sorted(pages.declared())
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]


def test_every_study_with_results_has_its_page_in_dvc():
    found = [name for name in STUDIES if (ROOT / "experiments" / name / "results.csv").exists()]
    assert STAGES["study"]["matrix"]["name"] == found


def test_every_experiment_with_results_has_a_page():
    shown = {path.parent.name for path in (ROOT / "experiments").glob("*/results.csv")}
    measured = {name for name in shown if (ROOT / "benchmarks" / f"{name}.py").exists()}
    assert shown - measured == {*STUDIES, "paper"}
    assert all(f"benchmarks.{name}" in (ROOT / "experiments" / name / "README.md").read_text() for name in measured)


def test_sweeps_depend_on_the_settings_of_their_experiment_and_not_on_its_page():
    for name in ("sweep", "law", "weights", "kinds"):
        (keys,) = (keys for entry in STAGES[name]["params"] for path, keys in entry.items() if "experiment" in path)
        assert "study" not in keys
        assert not any("experiment" in path for path in STAGES[name]["deps"] if path.startswith("conf/"))
        for study in STAGES[name].get("matrix", {"study": ["paper" if name == "sweep" else "shrinkage_law"]})["study"]:
            declared = yaml.safe_load((CONF / "experiment" / f"{study}.yaml").read_text())
            settings = {key for key in declared if key not in ("study", "tracking")}
            assert settings == {key.partition(".")[0] for key in keys}


@pytest.mark.parametrize("name", STUDIES)
def test_a_declaration_names_functions(name):
    found = pages.declaration(name)
    assert found["title"] and found["shows"]
    assert all(callable(pages.maker(entry, "study")) for entry in found["shows"])


def test_a_study_of_ones_own_needs_one_yaml(tmp_path):
    (tmp_path / "experiment").mkdir()
    shows = "[{_target_: trisynth.studies.loss_figures.wins, arms: [synthetic]}]"
    (tmp_path / "experiment" / "mine.yaml").write_text(f"study: {{title: Mine, shows: {shows}}}\n")
    rows = [
        {"dataset": dataset, "generator": "vae", "classifier": "forest", "seed": seed, "loss.alpha": 1}
        | {"loss.beta": beta, "loss.gamma": 0, "synthetic/roc_auc": 0.7 + 0.1 * beta}
        for dataset in ("a", "b")
        for seed in range(2)
        for beta in (0, 1)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "results.csv", index=False)
    arguments = ["study", "mine", str(tmp_path / "results.csv"), str(tmp_path / "out"), "--config-dir", str(tmp_path)]
    assert main(arguments) == 0
    page = (tmp_path / "out" / "README.md").read_text()
    assert page.startswith("# Mine\n") and "(wins.png)" in page


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("seed: 0", "must be one of"),
        ("study: {title: T}", "must have a title and a list named shows"),
        ("study: {title: T, shows: [1]}", "a function of the jobs"),
        ("study: {title: T, shows: [{_target_: os.system}]}", "must be a class or function of"),
        ("study: {title: T, shows: [{_target_: trisynth.studies.loss_figures.none}]}", "check the spelling"),
        ("study: {title: T, shows: [{_target_: trisynth.studies.loss_figures.wins, arm: 1}]}", "has no such argument"),
    ],
)
def test_a_wrong_declaration_is_one_clear_line(tmp_path, content, message):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text(content + "\n")
    with pytest.raises(InputError, match=message):
        pages.study("mine", tmp_path / "results.csv", tmp_path / "out", "command", tmp_path)


def test_metrics_have_the_same_names_for_every_study():
    found = [json.loads(path.read_text()) for path in (ROOT / "experiments").glob("*/metrics.json")]
    assert len(found) == len(STUDIES) + 1
    ends = {"mean", "low", "high"}
    for metrics in found:
        assert set(metrics) <= {"jobs", "datasets", "gain", "c2st", "dcr_share"}
        assert set(metrics["gain"]) <= {"synthetic", "combined"}
        assert all(set(estimate) <= ends for estimate in metrics["gain"].values())
