"""The stated density of the simulator is the distribution of its rows."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.integrate import quad
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.naive_bayes import GaussianNB

from trisynth.data import paper_cohort as cohort
from trisynth.data.bayes import bayes_score
from trisynth.errors import InputError

FEATURES, CLASSES = list(cohort.FEATURES), list(cohort.CLASSES)


@pytest.fixture(scope="module")
def rows():
    return cohort.simulate(60_000, 7)


@pytest.fixture(scope="module")
def bayes():
    return bayes_score(100_000, 0)


def test_equal_seeds_give_equal_bytes():
    one, same, other = (cohort.simulate(500, seed).to_csv() for seed in (1, 1, 2))
    assert one == same != other


def test_every_row_lies_in_the_declared_range(rows, shipped):
    columns = shipped("paper_cohort")["columns"]
    for name, (low, high, _) in cohort.RANGES.items():
        assert columns[name]["bounds"] == [low, high]
        assert rows[name].between(low, high).all()
    assert columns["diagnosis"]["categories"] == CLASSES


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("feature", FEATURES)
def test_each_marginal_integrates_to_one_and_fits_the_rows(rows, name, feature):
    law = cohort.MARGINALS[name][FEATURES.index(feature)]
    low, high, _ = cohort.RANGES[feature]
    density = lambda x: float(np.exp(cohort._marginal(np.array([x]), feature, *law)[1][0]))  # noqa: E731
    assert quad(density, low, high, limit=200)[0] == pytest.approx(1, abs=1e-6)
    sample = rows.loc[rows["diagnosis"] == name, feature].to_numpy()
    score = cohort._marginal(sample, feature, *law)[0]
    assert stats.kstest(score, "norm").pvalue > 1e-4


@pytest.mark.parametrize("name", CLASSES)
def test_copula_scores_have_the_stated_correlation(rows, name):
    sample = rows.loc[rows["diagnosis"] == name, FEATURES].to_numpy()
    laws = zip(FEATURES, cohort.MARGINALS[name], strict=True)
    scores = [cohort._marginal(sample[:, j], f, *law)[0] for j, (f, law) in enumerate(laws)]
    assert np.linalg.eigvalsh(cohort.correlation(name)).min() > 0.1
    np.testing.assert_allclose(np.corrcoef(scores), cohort.correlation(name), atol=4 / np.sqrt(len(sample)))


def test_the_joint_density_integrates_to_one():
    """Importance sampling with independent heavy-tailed proposals, which do not depend on the simulator."""
    rng, n = np.random.default_rng(0), 400_000
    proposals = {"age": (57, 18), "bmi": (3.3, 0.22), "glucose": (4.7, 0.28), "cholesterol": (5.15, 0.27)}
    proposals["systolic_bp"] = (122, 25)
    draws, log_proposal = {}, np.zeros(n)
    for name, (centre, spread) in proposals.items():
        law = stats.t(4, centre, spread)
        t = law.rvs(n, random_state=rng)
        logarithmic = cohort.RANGES[name][2]
        draws[name] = np.exp(t) if logarithmic else t
        log_proposal += law.logpdf(t) - (t if logarithmic else 0)
    joint = cohort.log_density(pd.DataFrame(draws))
    weights = np.exp(joint - log_proposal[:, None])
    mean, error = weights.mean(axis=0), weights.std(axis=0) / np.sqrt(n)
    assert (error < 0.01).all()
    np.testing.assert_allclose(mean, list(cohort.PREVALENCE.values()), atol=5 * error.max())


def test_the_density_is_zero_outside_the_ranges():
    row = cohort.simulate(1, 0).assign(age=17.9)
    assert np.isneginf(cohort.log_density(row)).all()


def test_the_posterior_is_calibrated(rows):
    p = cohort.posterior(rows)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    for c, name in enumerate(CLASSES):
        hit = (rows["diagnosis"] == name).to_numpy()
        for part in np.array_split(np.argsort(p[:, c]), 10):
            error = np.sqrt(p[part, c].mean() * (1 - p[part, c].mean()) / len(part)) + 1e-6
            assert abs(hit[part].mean() - p[part, c].mean()) < 5 * error


def test_no_fitted_model_beats_the_bayes_score(bayes):
    train, test = cohort.simulate(4000, 11), cohort.simulate(20_000, 12)
    scale = train[FEATURES].std()
    models = [LogisticRegression(max_iter=500), GaussianNB()]
    for model in models:
        model.fit(train[FEATURES] / scale, train["diagnosis"])
        reached = (model.predict(test[FEATURES] / scale) == test["diagnosis"]).mean()
        assert 0.6 < reached < bayes.loc["accuracy", "value"] + 3 * np.sqrt(0.25 / len(test))


def test_the_macro_f1_rule_beats_the_most_probable_class(bayes, rows):
    plain = f1_score(rows["diagnosis"], np.array(CLASSES)[cohort.posterior(rows).argmax(axis=1)], average="macro")
    best = bayes.loc["macro_f1"]
    assert best["value"] > plain
    assert (bayes["standard_error"] < 0.005).all()


def test_a_number_of_rows_below_one_is_refused():
    with pytest.raises(InputError, match=r"dataset\.read\.n=0"):
        cohort.simulate(0)
