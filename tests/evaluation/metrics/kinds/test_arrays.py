"""Metrics of images and series: known values, and planted faults that they must find."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from trisynth.data import tensors
from trisynth.data.arrays.multimodal_cohort import PREVALENCE, bayes_accuracy, posterior, simulate
from trisynth.data.dataset import Column, Dataset, Spec
from trisynth.encoders.table import TableEncoder
from trisynth.evaluation.metrics.context import Context
from trisynth.evaluation.metrics.kinds.arrays import (
    Autocorrelation,
    CrossKind,
    CrossKindDependence,
    DiscriminativeScore,
    Frechet,
    cubic_mmd,
    frechet,
)

FACTS = {"pulse": Column("tensor", shape=(12, 2), axes=("time", "channel")), "image": Column("tensor", shape=(8, 8))}
SPEC = Spec("cohort", "diagnosis", columns=FACTS)


def cohort(n: int, seed: int) -> Dataset:
    rows = simulate(n, seed)
    return Dataset.of(rows.assign(diagnosis=pd.Categorical(rows["diagnosis"], categories=list(PREVALENCE))), SPEC)


def shuffled(dataset: Dataset, name: str) -> Dataset:
    """Exchange the cells of one column between rows."""
    order = np.random.default_rng(0).permutation(len(dataset))
    return replace(dataset, X=dataset.X.assign(**{name: dataset.X[name].iloc[order].reset_index(drop=True)}))


@pytest.fixture(scope="module")
def parts() -> tuple[Dataset, Dataset, TableEncoder]:
    train = cohort(600, 1)
    return train, cohort(500, 2), TableEncoder().fit(train.X)


def score(metric, parts, synthetic: Dataset) -> dict[str, float]:
    return metric.score(Context(*parts[:2], synthetic, parts[2], seed=0))


def changed(dataset: Dataset, name: str, cells: np.ndarray) -> Dataset:
    return replace(dataset, X=dataset.X.assign(**{name: tensors.column(cells)}))


def test_other_rows_of_the_same_distribution_pass(parts):
    fresh = cohort(500, 3)
    assert score(DiscriminativeScore(2, 60), parts, fresh)["discriminative_score"] < 0.15
    found = score(Autocorrelation(), parts, fresh)
    assert found["autocorrelation_error"] < 0.03 and found["cross_correlation_error"] < 0.1
    assert score(CrossKind(), parts, fresh)["cross_kind_gap"] < 0.06


def test_series_without_memory_are_found(parts):
    fresh = cohort(500, 3)
    cells = tensors.values(fresh.X["pulse"]).copy()
    rng = np.random.default_rng(0)
    noise = changed(fresh, "pulse", rng.permuted(cells, axis=0))
    assert score(Autocorrelation(), parts, noise)["autocorrelation_error"] > 0.04
    assert score(DiscriminativeScore(2, 200), parts, noise)["discriminative_score"] > 0.2


def test_images_of_another_class_are_far_in_features(parts):
    fresh = cohort(500, 3)
    near = score(Frechet(4, 60), parts, fresh)
    same = fresh.take(np.flatnonzero(fresh.y == "sepsis"))
    far = score(Frechet(4, 60), parts, same)
    assert near["frechet_distance"] < 0.5 * far["frechet_distance"]
    assert abs(near["kernel_distance"]) < 0.2 * far["kernel_distance"]
    # Images of one class are typical of the data, and do not cover it.
    assert near["feature_precision"] > 0.8 and far["feature_precision"] > 0.8
    assert far["feature_recall"] < near["feature_recall"] - 0.05


@pytest.mark.parametrize("name", ["image", "pulse"])
def test_cells_exchanged_between_rows_break_the_dependence_across_kinds(parts, name):
    fresh = cohort(500, 3)
    gaps = [score(CrossKind(), parts, rows)["cross_kind_gap"] for rows in (fresh, shuffled(fresh, name))]
    assert gaps[1] > 1.3 * gaps[0]


def test_tables_and_tables_without_classes_have_no_such_scores(parts):
    flat = [replace(part, X=part.X.drop(columns=["pulse", "image"])) for part in (*parts[:2], cohort(90, 3))]
    context = Context(*flat, TableEncoder().fit(flat[0].X), 0)
    for metric in (DiscriminativeScore(), Autocorrelation(), Frechet(), CrossKind()):
        assert metric.score(context) == {}
    plain = Spec("cohort", None, None, columns=FACTS)
    free = [replace(part, y=None, spec=plain) for part in (*parts[:2], cohort(90, 3))]
    assert Frechet().score(Context(*free, parts[2], 0)) == {}


def test_frechet_distance_of_known_gaussians():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(50_000, 2)), 3 + 2 * rng.normal(size=(50_000, 2))
    # |mean gap|^2 + sum of (1 - 2)^2
    assert frechet(a, b) == pytest.approx(18 + 2, rel=0.02)
    assert frechet(a, a) == pytest.approx(0, abs=1e-6)
    # One feature: E k(x, y) = 1 + 3 E x^2 E y^2 + (third moments of x and y), for independent draws with E x = 0.
    a, b = rng.normal(size=(4_000, 1)), 2 * rng.normal(size=(4_000, 1))
    assert cubic_mmd(a, b) == pytest.approx(3 * (1 - 4) ** 2, rel=0.15)


@pytest.mark.filterwarnings("error")
def test_frechet_distance_of_constant_features():
    a = np.ones((10, 3))
    assert frechet(a, a) == 0
    assert frechet(a, 0 * a) == pytest.approx(3)


def test_the_posterior_of_the_cohort_is_calibrated_and_its_kinds_add_up():
    rows = simulate(3000, 5)
    p = posterior(rows)
    assert p.sum(axis=1) == pytest.approx(np.ones(3000))
    truth = pd.Categorical(rows["diagnosis"], categories=list(PREVALENCE)).codes
    for c in range(3):
        assert p[:, c].mean() == pytest.approx((truth == c).mean(), abs=0.025)
        likely = p[:, c] > 0.5
        assert (truth[likely] == c).mean() == pytest.approx(p[likely, c].mean(), abs=0.04)
    alone = [bayes_accuracy(2000, kinds=(kind,)) for kind in ("vitals", "pulse", "image")]
    assert max(alone) < bayes_accuracy(2000) and min(alone) > max(PREVALENCE.values())


def test_cross_kind_needs_two_groups(parts):
    spec = Spec("images", None, None, columns={"image": FACTS["image"]})
    alone = [Dataset(part.X[["image"]], None, spec) for part in (*parts[:2], cohort(90, 3))]
    assert CrossKind().score(Context(*alone, TableEncoder().fit(alone[0].X), 0)) == {}


def test_kinds_that_are_permuted_by_themselves_are_found_independent(parts):
    fresh = cohort(500, 3)
    good = score(CrossKindDependence(), parts, fresh)
    bad = score(CrossKindDependence(), parts, shuffled(shuffled(fresh, "image"), "pulse"))
    assert good["cross_kind_auc"] == pytest.approx(good["cross_kind_auc_base"], abs=0.08)
    assert good["cross_kind_auc"] - 0.1 > bad["cross_kind_auc"] and bad["cross_kind_auc_base"] > 0.6
    plain = [replace(part, X=part.X[["age"]]) for part in (*parts[:2], fresh)]
    assert score(CrossKindDependence(), (*plain[:2], parts[2]), plain[2]) == {}


def test_notes_of_the_cohort_leave_all_other_cells_as_they_are():
    with_note = simulate(200, 5, note=True)
    assert with_note.drop(columns="note").equals(simulate(200, 5))
    assert (
        with_note["note"]
        .str.fullmatch(r"(No complaints|Reports [a-z, ]+)\. (Looks well|(Mild|Marked) distress)\.")
        .all()
    )
    best = bayes_accuracy(1500, 1, ("note",))
    assert 0.75 < best < bayes_accuracy(1500, 1, ("vitals", "note"))
