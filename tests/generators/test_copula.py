"""The copula keeps each class's marginals and its dependence, whatever kinds of columns carry it."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import ndtr, ndtri
from tables import apart

from trisynth.errors import InputError
from trisynth.generators import copula
from trisynth.generators.copula import Copula, Marginal


def normals(rho, n=4000, seed=0):
    rng = np.random.default_rng(seed)
    first, noise = rng.normal(size=(2, n))
    return first, rho * first + np.sqrt(1 - rho**2) * noise


def one_class(X):
    return X, pd.Series("all", index=X.index)


def latent_correlation(X, **arguments):
    generator = Copula(**arguments).fit(*one_class(X))
    factor = generator.factors_[0]
    return (factor @ factor.T)[0, 1]


@pytest.mark.parametrize("rho", [-0.9, 0.0, 0.5])
def test_recovers_the_correlation_under_any_increasing_map(rho):
    u, v = normals(rho)
    plain = latent_correlation(pd.DataFrame({"u": u, "v": v}))
    bent = latent_correlation(pd.DataFrame({"u": np.exp(u), "v": v**3}))
    assert plain == pytest.approx(rho, abs=0.04)
    assert bent == pytest.approx(plain, abs=1e-9)


@pytest.mark.parametrize("threshold", [-1.5, 0.0, 0.8])
def test_undoes_the_loss_by_categories(threshold):
    """The latent correlation of a cut column is that of the uncut one (polyserial correlation)."""
    u, v = normals(0.6, 20_000)
    # The commoner category comes first: the sign of the latent follows it.
    cut = np.where(v > threshold, "high", "low")
    sign = 1 if threshold > 0 else -1
    assert latent_correlation(pd.DataFrame({"u": u, "v": cut})) * sign == pytest.approx(0.6, abs=0.05)


def test_synthetic_rows_have_the_class_means_of_a_category():
    u, v = normals(0.7, 10_000)
    X = pd.DataFrame({"u": u, "kind": np.select([v < -0.5, v < 1], ["low", "middle"], "high")})
    drawn, _ = apart(Copula().fit(*one_class(X[["u"]].assign(kind=np.where(v > 0.4, "yes", "no")))).sample(40_000))
    real = X["u"].groupby(np.where(v > 0.4, "yes", "no")).mean()
    np.testing.assert_allclose(drawn.groupby("kind")["u"].mean(), real, atol=0.06)
    drawn, _ = apart(Copula().fit(*one_class(X)).sample(40_000))
    np.testing.assert_allclose(
        drawn["kind"].value_counts(normalize=True).sort_index(),
        X["kind"].value_counts(normalize=True).sort_index(),
        atol=0.02,
    )


def test_classes_have_their_own_marginals_and_dependence():
    u, v = normals(0.9, 3000)
    X = pd.DataFrame({"u": np.append(u, u + 10), "v": np.append(v, -v)})
    y = pd.Series(["up"] * 3000 + ["down"] * 3000)
    drawn, labels = apart(Copula().fit(X, y).sample({"up": 5000, "down": 5000}))
    up, down = drawn[labels == "up"], drawn[labels == "down"]
    assert up.corr(method="spearman").iloc[0, 1] > 0.85 and down.corr(method="spearman").iloc[0, 1] < -0.85
    assert down["u"].min() > up["u"].max() - 5
    for part, real in ((up, X[:3000]), (down, X[3000:])):
        assert max(stats.ks_2samp(part[name], real[name]).statistic for name in X) < 0.03


def test_gaps_depend_on_other_columns_as_they_did():
    u, v = normals(0.0)
    X = pd.DataFrame({"u": u, "v": np.where(u > 0.5, np.nan, v)})
    drawn, _ = apart(Copula().fit(*one_class(X)).sample(10_000))
    assert drawn["v"].isna().mean() == pytest.approx(X["v"].isna().mean(), abs=0.02)
    assert drawn["u"][drawn["v"].isna()].mean() > 0.8 > -0.2 > drawn["u"][drawn["v"].notna()].mean()


def test_point_masses_stay_and_nothing_appears_beside_them():
    rng = np.random.default_rng(0)
    dose = np.where(rng.random(5000) < 0.6, 0.0, 50 + rng.random(5000))
    few = rng.choice([0.0, 7.5, 100.0], 5000, p=[0.5, 0.3, 0.2])
    generator = Copula().fit(*one_class(pd.DataFrame({"dose": dose, "few": few})))
    for n in (2000, 200_000):
        drawn, _ = apart(generator.sample(n))
        assert (drawn["dose"] == 0).mean() == pytest.approx(0.6, abs=0.04)
        assert drawn["dose"].between(1e-9, 49).mean() < 3 / 5000
        assert set(drawn["few"]) == {0.0, 7.5, 100.0}


def test_smooth_numbers_are_not_copied():
    u, v = normals(0.5, 500)
    drawn, _ = apart(Copula().fit(*one_class(pd.DataFrame({"u": u, "v": v}))).sample(500))
    assert len(set(drawn["u"]) & set(u)) < 10


def test_small_class_leans_on_the_pooled_rows():
    u, v = normals(0.8, 1000)
    X = pd.DataFrame({"u": np.append(u, [3.0]), "v": np.append(v, [3.0])})
    y = pd.Series(["common"] * 1000 + ["rare"])
    generator = Copula().fit(X, y)
    np.testing.assert_allclose(generator.factors_[1] @ generator.factors_[1].T, [[1, 0.8], [0.8, 1]], atol=0.05)
    drawn, _ = apart(generator.sample({"rare": 500}))
    assert drawn["u"].nunique() > 400 and drawn["u"].mean() > 1


def test_prior_is_the_weight_of_the_pooled_correlation():
    u, v = normals(0.8, 200)
    X = pd.DataFrame({"u": u, "v": v})
    values = [latent_correlation(X, prior_strength=value) for value in (0.0, 10.0, 1e9)]
    assert values[0] > values[1] > values[2] == pytest.approx(0, abs=1e-3)


def test_factor_of_an_impossible_estimate_is_a_correlation():
    estimate = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1.0]])
    result = copula._factor(estimate) @ copula._factor(estimate).T
    np.testing.assert_allclose(np.diag(result), 1)
    assert np.linalg.eigvalsh(result).min() > 0


def test_scores_are_the_mean_latents_of_intervals():
    scores, variance = copula._scores(np.array([0.0, 0.0, 0.0, 1.0, np.nan]))
    edge = ndtri(0.75)
    density = stats.norm.pdf(edge)
    np.testing.assert_allclose(scores, [-density / 0.75] * 3 + [density / 0.25] + [0])
    assert variance == pytest.approx(density**2 / (0.75 * 0.25))


def test_fast_quantiles_are_the_exact_ones():
    rng = np.random.default_rng(0)
    cells = np.append(rng.normal(size=3000), np.zeros(1000))
    marginal = copula._marginal(cells, cells, None)
    latent = rng.normal(size=100_000)
    exact, fast = marginal.quantiles(1)(latent), marginal.quantiles(10**6)(latent)
    assert np.quantile(np.abs(exact - fast), 0.999) < 1e-2
    assert stats.ks_2samp(exact, fast).statistic < 2e-3
    assert isinstance(marginal, Marginal) and (np.diff(marginal.latent) >= 0).all()
    np.testing.assert_allclose(marginal.quantiles(1)(ndtri(0.25)), np.quantile(cells, 0.25), atol=0.01)
    assert ndtr(marginal.latent[0]) < 1e-3


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf"), "10", None, True])
def test_impossible_prior(wrong):
    X = pd.DataFrame({"x": [1.0, 2.0]})
    with pytest.raises(InputError, match=r"^prior_strength="):
        Copula(prior_strength=wrong).fit(*one_class(X))
