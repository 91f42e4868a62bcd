"""One sentence that claims no more than its intervals."""

import math
from dataclasses import replace

import pandas as pd
import pytest

from trisynth.report.verdict import Case, cases, sentence, signed
from trisynth.statistics.estimate import Estimate


def case(gain, half, over=None, over_half=0.01, *, count=5, dataset="mine", method="smote"):
    baseline = None if over is None else "threshold"
    against = None if over is None else Estimate(over, over_half, count)
    return Case(dataset, method, "combined", "macro-F1", Estimate(gain, half, count), baseline, against)


def single(gain, over):
    return case(gain, math.nan, over, math.nan, count=1)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], ""),
        (
            [case(0.011, 0.007, -0.075)],
            "Combined rows gain +0.011 ± 0.007 macro-F1 over real rows on mine with smote; "
            "they do not beat the best baseline, tuned threshold (-0.075 ± 0.010).",
        ),
        (
            [case(0.003, 0.009)],
            "Combined rows show no clear gain over real rows on mine with smote (+0.003 ± 0.009 macro-F1).",
        ),
        ([case(-0.03, 0.01)], "Combined rows lose -0.030 ± 0.010 macro-F1 against real rows on mine with smote."),
        (
            [case(0.05, 0.01, 0.02)],
            "Combined rows gain +0.050 ± 0.010 macro-F1 over real rows on mine with smote; "
            "they also beat the best baseline, tuned threshold (+0.020 ± 0.010).",
        ),
        (
            [case(0.012, math.nan, count=1)],
            "Combined rows score +0.012 macro-F1 against real rows on mine with smote; "
            "one seed has no interval, so this may be chance.",
        ),
        (
            [replace(single(0.012, -0.1), balanced=single(0.1, -0.02))],
            "Combined rows score +0.012 macro-F1 against real rows and -0.100 against the best baseline (tuned "
            "threshold), balanced rows +0.100 and -0.020, on mine with smote; one seed has no interval, so this may "
            "be chance.",
        ),
        (
            [case(0.011, 0.007, -0.07), case(0.018, 0.037, -0.06, method="vae")],
            "Combined rows gain over real rows with 1 of 2 generators on mine, at most +0.011 ± 0.007 macro-F1 with "
            "smote; no generator beats the best baseline (tuned threshold).",
        ),
        (
            [case(0.011, 0.007, 0.02), case(0.018, 0.037, -0.06, dataset="other")],
            "Combined rows gain over real rows with 1 of 2 pairs of data set and generator, at most +0.011 ± 0.007 "
            "macro-F1 on mine with smote; 1 of 2 beats the best baseline.",
        ),
        (
            [case(0.01, math.nan, count=1), case(-0.01, math.nan, count=1, method="vae")],
            "Combined rows score above real rows with 1 of 2 generators on mine, at most +0.010 macro-F1 with smote; "
            "one seed has no interval, so this may be chance.",
        ),
    ],
)
def test_the_sentence(found, expected):
    assert sentence(found) == expected


def test_two_seeds_can_agree_by_chance_and_show_no_gain():
    assert "show no clear gain" in sentence([case(0.05, 0.001, count=2)])


def test_nothing_is_never_negative():
    assert signed(Estimate(-0.0001, math.nan, 1)) == "0.000"


def jobs(**columns):
    rows = [
        {"dataset": "mine", "generator": "smote", "method": "smote", "classifier": "a", "seed": seed}
        for seed in (0, 1, 2)
    ]
    return pd.DataFrame(rows).assign(**columns)


def test_gains_are_paired_by_seed_and_against_the_best_baseline():
    found = cases(
        jobs(
            **{
                "real/f1_macro": [0.5, 0.6, 0.7],
                "combined/f1_macro": [0.51, 0.61, 0.71],
                "threshold/f1_macro": [0.55, 0.65, 0.75],
                "duplicated/f1_macro": [0.5, 0.6, 0.7],
            }
        ),
        1 / 3,
    )
    (only,) = found
    assert only.over_real.mean == pytest.approx(0.01)
    assert only.over_real.half == pytest.approx(0.0, abs=1e-9)
    assert only.baseline == "threshold"
    assert only.over_baseline.mean == pytest.approx(-0.04)


def test_without_combined_rows_the_sentence_is_about_the_next_arm():
    (only,) = cases(jobs(**{"real/r2": [0.5] * 3, "synthetic/r2": [0.4] * 3}), 1 / 3)
    assert (only.arm, only.score) == ("synthetic", "R²")


def test_ranking_alone_is_compared_by_roc_auc():
    (only,) = cases(jobs(**{"real/roc_auc": [0.5] * 3, "combined/roc_auc": [0.6] * 3}), 1 / 3)
    assert only.score == "ROC AUC"
