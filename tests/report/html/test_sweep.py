"""Report of a sweep: intervals, several data sets, and the job whose rows are shown."""

import json

import numpy as np
import pandas as pd
import pytest

from trisynth.commandline import composed
from trisynth.experiment.run import run_job
from trisynth.recommend.recommendation import Recommendation
from trisynth.report.html.job import best_job, write_recommendation, write_sweep


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep")
    rng = np.random.default_rng(5)
    table = pd.DataFrame({"age": rng.integers(20, 90, 150), "sex": rng.choice(["f", "m"], 150)})
    table["number"] = table["age"] * 2.5 + rng.normal(0, 9, 150).round(2)
    table["classes"] = np.where(table["number"] > 130, "high", "low")
    table.to_csv(folder / "mine.csv", index=False)
    given = ["dataset=csv", f"dataset.path={folder / 'mine.csv'}", "generator=independent", "classifier=logistic"]
    given += ["tracking=none", "arms=minimal", "metrics=minimal"]
    given += [f"paths.{name}={folder / name}" for name in ("raw", "cache", "runs", "sweeps")]
    results = []
    for task in ("classes", "number"):
        for seed in range(3):
            config = composed([*given, f"dataset.name={task}", f"dataset.target={task}", f"seed={seed}"])
            results.append(run_job(config)[0])
    pages = write_sweep(results, config, folder / "sweep", ["trisynth run -m", "seed=0,1,2"])
    return results, pages, config


def test_each_data_set_has_its_page_with_intervals(sweep):
    results, pages, _ = sweep
    assert [path.name for path in pages] == ["report-classes.html", "report-number.html"]
    for path, own in zip(pages, (results[:3], results[3:]), strict=True):
        content = json.loads(path.with_suffix(".json").read_text())
        assert content["arms"]["seeds"] == 3 and content["made"]["seeds"] == [0, 1, 2]
        row = next(row for row in content["arms"]["rows"] if row["arm"] == "combined")
        metric = "r2" if content["data"]["task"] == "regression" else "f1_macro"
        assert row["score"]["mean"] == pytest.approx(
            np.mean([result.metrics[f"combined/{metric}"] for result in own]), abs=1e-4
        )
        assert row["over_real"]["low"] < row["over_real"]["mean"] < row["over_real"]["high"]
        assert " to " in path.read_text()
    assert json.loads(pages[1].with_suffix(".json").read_text())["figures"]["classes"] is None


def test_the_rows_of_the_best_generator_are_shown():
    jobs = pd.DataFrame(
        {
            "key": list("abcd"),
            "seed": [1, 0, 1, 0],
            "method": ["vae", "vae", "circuit", "circuit"],
            "combined/f1_macro": [0.9, 0.1, 0.7, 0.6],
        }
    )
    assert best_job(jobs) == "d"
    assert best_job(jobs.drop(columns="combined/f1_macro")) == "b"


@pytest.fixture
def recommendation(tmp_path):
    def make(given, **changes):
        gain = {"gain": 0.021, "lower": 0.009, "upper": 0.032}
        trials = pd.DataFrame(
            [
                {"candidate": "arf", "amount": "1.0", "baseline": "real", "stage": "choose", "copying": False, **gain},
                {"candidate": "smote", "amount": "1.0", "baseline": "real", "stage": "choose", "copying": True, **gain},
            ]
        ).assign(folds=4, problem="")
        tables = pd.DataFrame({"candidate": ["arf"], "copying": [False], "fidelity/c2st_boosting": [0.6]})
        tables["copying/memorised"] = 0.26
        arms = pd.DataFrame([{"arm": "real", "score": 0.7, "folds": 4}, {"arm": "arf", "score": 0.721, **gain}])
        fields = {
            "verdict": "Use arf, one synthetic row per real row: +0.021 macro-F1.",
            "sharing": "Share a table of arf.",
            "surer": "About 2,000 rows would halve the interval.",
            "use": None,
            "beats_baselines": True,
            "share": None,
            "trials": trials,
            "arms": arms.fillna({"folds": 4}),
            "tables": tables,
            "data": {},
            "metric": "f1_macro",
            "budget": 60.0,
            "seconds": 12.0,
            "finished": False,
            "config": {"seed": 0, "recommend": {"copying": {"memorised": 0.5, "identical": 0.05}}},
            "job": given,
            "notes": ["Notes are kept <b>plain</b>."],
        }
        return Recommendation(**(fields | changes))

    return make


def test_a_recommendation_shows_its_sentences_candidates_and_intervals(sweep, recommendation, tmp_path):
    path = write_recommendation(recommendation(sweep[2]), tmp_path, ["trisynth recommend", "budget=1min"])
    html, content = path.read_text(), json.loads(path.with_suffix(".json").read_text())
    for text in ("Use arf, one synthetic row", "Share a table of arf.", "About 2,000 rows", "The search has not ended"):
        assert text in html
    assert "&lt;b&gt;plain" in html and "+0.021 <small>(+0.009 to +0.032)</small>" in html
    assert [each["copying"] for each in content["search"]["candidates"]] == [False, None]
    assert content["search"]["candidates"][0]["scores"]["Memorised share"] == 0.26
    assert "if its memorised share is above 0.5" in html
    assert content["title"] == "number: recommendation" and content["made"]["seeds"] == [0]
    assert content["made"]["command"] == "trisynth recommend budget=1min"


def test_a_recommendation_without_a_finished_trial_has_no_report(recommendation, tmp_path):
    assert write_recommendation(recommendation(None), tmp_path, []) is None
    assert not list(tmp_path.iterdir())


def test_candidates_are_compared_on_the_same_folds(sweep, recommendation, tmp_path):
    given = recommendation(sweep[2])
    row = {"candidate": "arf", "amount": "1.0", "stage": "confirm", "copying": False, "folds": 12, "problem": ""}
    gains = [{"baseline": "real", "gain": 0.055}, {"baseline": "class_weight", "gain": -0.014}]
    confirmed = pd.DataFrame([row | each | {"lower": -0.1, "upper": 0.1} for each in gains])
    trials = pd.concat([given.trials.assign(baseline="class_weight"), confirmed], ignore_index=True)
    without = pd.DataFrame({"candidate": ["vae"], "copying": [False]})
    found = recommendation(sweep[2], trials=trials, tables=pd.concat([without, given.tables], ignore_index=True))
    path = write_recommendation(found, tmp_path, [])
    search = json.loads(path.with_suffix(".json").read_text())["search"]
    shown = {each["name"]: each["trial"] for each in search["candidates"]}
    assert shown["arf"]["gain"]["mean"] == 0.021 and shown["arf"]["stage"] == "choose"
    assert search["labels"] == ["C2ST", "Memorised share"]
    html = path.read_text()
    assert "+0.055" not in html and "trials of each generator" not in html


def test_the_page_rounds_a_number_once(sweep, recommendation, tmp_path):
    gain = {"gain": -0.00149, "lower": -0.01149, "upper": 0.00849}
    arms = pd.DataFrame(
        [{"arm": "real", "score": 0.7, "folds": 4}, {"arm": "arf", "score": 0.69851, "folds": 4, **gain}]
    )
    path = write_recommendation(recommendation(sweep[2], arms=arms), tmp_path, [])
    assert "−0.001 <small>(−0.011 to +0.008)</small>" in path.read_text()
