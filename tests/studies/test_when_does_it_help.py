"""Gains by the number of training rows: planted gains, tables that are too small, and the worth in rows."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trisynth.errors import InputError
from trisynth.studies.ranking import generators_picture, generators_table
from trisynth.studies.when_does_it_help import gains, gains_picture, gains_table, smoothed, worth

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def jobs():
    """Real scores that grow by 0.05 as n doubles; combined rows add 0.03 at 50, nothing later."""
    rows = []
    for i in range(8):
        for n in (50, 100, 200):
            for generator in ("copula", "circuit"):
                real = 0.7 + 0.05 * math.log2(n / 50) + 0.005 * i
                gain = 0.03 * (n == 50) + RNG.normal(0, 0.001)
                row = {"dataset": f"d{i}", "generator": generator, "classifier": "boosting", "seed": 0, "train_rows": n}
                row |= {"data/train_rows": min(n, 150) if i == 7 else n, "real/roc_auc": real}
                row |= {"combined/roc_auc": real + gain, "balanced/roc_auc": real - 0.01}
                row |= {"duplicated/roc_auc": real + 0.01, "class_weight/roc_auc": real + 0.02}
                rows.append(row | {"synthetic/roc_auc": real - 0.1 * (generator == "copula") + RNG.normal(0, 0.001)})
    return pd.DataFrame(rows)


def test_gains_are_over_real_duplicated_and_the_best_baseline(jobs):
    found = gains(jobs)
    first = found[(found["arm"] == "combined") & (found["n"] == 50)]
    assert first[["over_real", "over_duplicated", "over_best"]].mean().to_numpy() == pytest.approx(
        [0.03, 0.02, 0.01], abs=0.002
    )
    assert found[found["n"] == 200]["dataset"].nunique() == 7
    assert (found.loc[found["arm"] == "balanced", "over_real"] < 0).all()


def test_a_gain_is_worth_the_rows_that_the_learning_curve_needs_for_it(jobs):
    # 0.03 of the 0.05 that twice the rows add.
    assert worth(gains(jobs), "boosting", 50).mean == pytest.approx(50 * (2**0.6 - 1), rel=0.05)
    assert abs(worth(gains(jobs), "boosting", 100).mean) < 5
    assert math.isnan(worth(gains(jobs), "boosting", 200).mean)


def test_the_table_marks_what_is_worth_the_effort(jobs):
    table = gains_table(jobs)
    marked = {(row[1], row[2]) for place, row in enumerate(table.rows) if (place, 5) in table.bold}
    assert marked == {("combined", 50)}


def test_the_pictures_are_drawn_and_the_contours_follow_the_points(jobs):
    assert gains_picture(jobs).figure.axes
    points = np.array([[0.0, 0.0], [10.0, 10.0]])
    assert smoothed(points, np.array([1.0, -1.0]), points) == pytest.approx([1, -1], abs=0.01)
    assert generators_picture(jobs).figure.axes
    assert [row[0] for row in generators_table(jobs).rows] == ["circuit", "copula"]


def test_a_size_that_one_classifier_lacks_has_no_place_on_its_axes(jobs):
    stopped = jobs[jobs["train_rows"] < 200].assign(classifier="logistic")
    axes = gains_picture(pd.concat([jobs, stopped], ignore_index=True)).figure.axes
    panels = [each for each in axes if each.get_xlabel() == "training rows"]
    assert [len(each.get_xticks()) for each in panels] == [3, 3, 3, 2, 2, 2]


def test_what_is_missing_is_named(jobs):
    with pytest.raises(InputError, match="has no duplicated/roc_auc"):
        gains(jobs.drop(columns="duplicated/roc_auc"))
    with pytest.raises(InputError, match="no table has as many training rows"):
        gains(jobs.assign(**{"data/train_rows": 3}))


def test_the_readme_states_what_the_committed_table_has():
    root = Path(__file__).parents[2]
    table = pd.read_csv(root / "paper_figures/studies/when_does_it_help/gains.csv")
    combined = table[(table["arm"] == "combined") & (table["generator"] == "all")].set_index(["classifier", "n"])
    least, most = sorted(-combined["over_best"])[:: len(combined) - 1]
    sizes = combined.index.get_level_values("n")
    readme = " ".join((root / "README.md").read_text().split())
    assert f"added to {sizes.min()} to {sizes.max():,} training rows, lose {least:.3f} to {most:.3f} ROC AUC" in readme
    mean, high = combined.loc[("boosting", 50), ["over_best", "over_best_high"]]
    assert f"−{-mean:.3f} ± {high - mean:.3f})" in readme
