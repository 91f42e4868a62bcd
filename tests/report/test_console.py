"""Tables of at most 80 columns without broken words, and one sentence at their end."""

import numpy as np
import pandas as pd
import pytest

from trisynth.experiment.results import Result
from trisynth.report import console

ARMS = ("real", "synthetic", "combined", "balanced", "duplicated", "oversampled", "class_weight", "threshold")


def frame(datasets=("framingham",), generators=("borderline_smote",), seeds=3, **settings):
    rng = np.random.default_rng(0)
    rows = [
        {"key": f"{d}{g}{c}{s}", "dataset": d, "generator": g, "classifier": c, "seed": s}
        for d in datasets
        for g in generators
        for c in ("logistic", "boosting")
        for s in range(seeds)
    ]
    scores = {f"{arm}/f1_macro": rng.uniform(0.4, 0.6, len(rows)) for arm in ARMS}
    found = {"fidelity/c2st_boosting": 0.7, "copying/dcr_share": 0.5, "copying/identical_match_share": 0.0}
    return pd.DataFrame(rows).assign(**settings, **scores, **found)


@pytest.fixture
def result():
    metrics = {f"{arm}/{m}": 0.5 for arm in ARMS for m in ("accuracy", "precision_macro", "f1_macro", "roc_auc")}
    metrics |= {"combined/f1_macro": 0.52, "fidelity/ks": 0.03, "fidelity/ks_floor": 0.1, "fidelity/ks_ceiling": 0.01}
    config = {
        "dataset": {"name": "mine"},
        "generator": {"_target_": "trisynth.generators.smote.Smote"},
        "classifier": {"name": "forest"},
        "seed": 0,
    }
    return Result("key", "mine smote forest seed=0", config, metrics, {}, {arm: {"a": 1000, "b": 234} for arm in ARMS})


def test_a_job_shows_all_training_sets_with_their_gain_and_one_sentence(result):
    text = console.job_summary(result)
    assert max(map(len, text.splitlines())) <= 80
    for name in ("real", "balanced", "oversampling", "class weights", "tuned threshold", "1,234"):
        assert name in text
    assert any(line.startswith(" combined") and line.endswith("+0.020") for line in text.splitlines())
    assert any("fidelity/ks" in line and "0.100  0.030    0.010" in line for line in text.splitlines())
    assert " ".join(text.split()).endswith(
        "Combined rows score +0.020 macro-F1 against real rows and +0.020 against the best baseline (duplicated real), "
        "balanced rows 0.000 and 0.000, on mine with smote; one seed has no interval, so this may be chance."
    )


@pytest.mark.parametrize(("seeds", "few"), [(1, False), (2, True), (5, False)])
def test_few_seeds_are_pointed_out(seeds, few):
    assert ("So few seeds give wide intervals" in console.sweep_summary(frame(seeds=seeds), 1 / 3)) is few


@pytest.mark.parametrize(
    "jobs",
    [
        frame(),
        frame(seeds=1),
        frame(("hypothyroid", "paper_cohort"), ("independent", "borderline_smote")),
        pd.concat([frame(**{"loss.alpha": a, "generator.min_samples_leaf": m}) for a in (0.0, 1.0) for m in (5, 10)]),
    ],
)
def test_a_sweep_fits_80_columns_and_breaks_no_number(jobs):
    text = console.sweep_summary(jobs, 1 / 3)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert text.count("tuned threshold") >= 1
    assert ("±" in text) == (len(set(jobs["seed"])) > 1)
    sentence = text.strip().split("\n\n")[-1]
    assert sentence.startswith("Combined rows") and sentence.endswith(".")


def test_a_setting_that_was_varied_names_its_rows():
    jobs = pd.concat([frame(**{"loss.alpha": alpha}) for alpha in (0.0, 1.0)], ignore_index=True)
    assert set(console.methods(jobs)["method"]) == {"borderline_smote (alpha 0)", "borderline_smote (alpha 1)"}
    jobs = pd.concat([frame(test_size=size) for size in (0.2, 0.5)], ignore_index=True)
    assert set(console.methods(jobs)["dataset"]) == {"framingham (test_size 0.2)", "framingham (test_size 0.5)"}


def test_of_many_settings_the_best_are_shown_and_the_rest_are_counted():
    jobs = pd.concat([frame(**{"loss.alpha": float(alpha)}) for alpha in range(13)], ignore_index=True)
    text = console.sweep_summary(jobs, 1 / 3)
    assert "3 more settings are in the results" in text
    assert text.count("combined") == 10


def test_trials_of_a_search_are_no_generators_to_count():
    jobs = pd.concat([frame(**{"loss.alpha": alpha}) for alpha in (0.0, 1.0)], ignore_index=True)
    assert "of 2 generators" in console.sweep_summary(jobs, 1 / 3)
    assert console.sweep_summary(jobs, 1 / 3, searched=True).strip().endswith("narrows them.")


def test_a_sweep_without_any_headline_score_has_a_short_summary():
    jobs = frame().drop(columns=[f"{arm}/f1_macro" for arm in ARMS])
    assert console.sweep_summary(jobs, 1 / 3).strip().startswith("Mean ± half")


def test_the_description_of_a_job_has_the_cells_of_its_summary(result):
    summary, description = (
        " ".join(line for line in draw(result).splitlines() if "─" not in line).split()
        for draw in (console.job_summary, console.job_description)
    )
    assert description == summary
