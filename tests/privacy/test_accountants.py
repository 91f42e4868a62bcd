"""Accountants agree with published values, with each other, and never claim less than is spent."""

import math

import numpy as np
import pytest

from trisynth.privacy import accountants
from trisynth.privacy.accountants import Gaussian, Selection

pytest.importorskip("dp_accounting", reason="needs the extra privacy")
pytest.importorskip("opacus", reason="needs the extra privacy")

# Opacus' own tests: noise 1.5, sampling rate 0.04, 2,250 steps, delta 1e-5.
GOLDEN = [Gaussian(1.5, 2250, 0.04)]


@pytest.mark.parametrize(
    ("accountant", "epsilon"), [("pld_epsilon", 6.769), ("prv_epsilon", 6.779), ("rdp_epsilon", 7.329)]
)
@pytest.mark.filterwarnings("ignore")
def test_golden_values(accountant, epsilon):
    assert getattr(accountants, accountant)(GOLDEN, 1e-5) == pytest.approx(epsilon, abs=2e-3)


@pytest.mark.parametrize("multiplier", [0.7, 2.0, 12.0])
def test_unsampled_gaussians_have_an_analytic_epsilon(multiplier):
    composed = [Gaussian(multiplier, 3), Gaussian(2 * multiplier)]
    exact = accountants.analytic_epsilon(composed, 1e-6)
    found = accountants.pld_epsilon(composed, 1e-6)
    assert exact <= found * (1 + 1e-6) <= exact * 1.01
    assert accountants.rdp_epsilon(composed, 1e-6) >= exact
    mu = math.sqrt(3.25) / multiplier
    assert accountants.analytic_mu(exact, 1e-6) == pytest.approx(mu, rel=1e-4)


def test_analytic_delta_is_that_of_balle_and_wang():
    # Their figure 1: at epsilon 1 and delta 1e-5 the noise of sensitivity 1 is 3.7304.
    assert 1 / accountants.analytic_mu(1.0, 1e-5) == pytest.approx(3.7304, abs=1e-3)


@pytest.mark.parametrize("epsilon", [0.05, 0.5, 2.0])
def test_a_choice_is_dominated_by_its_curve_and_its_renyi_bound(epsilon):
    at = np.linspace(-2 * epsilon, 2 * epsilon, 41)
    curve = accountants.selection_delta(epsilon, at)
    # Randomised response of losses t and t - epsilon, for any t, is such a choice.
    for t in np.linspace(0.05, 0.95, 7) * epsilon:
        p = (1 - math.exp(t - epsilon)) / (1 - math.exp(-epsilon))
        q = p * math.exp(-t)
        losses = np.maximum(p - np.exp(at) * q, 0) + np.maximum((1 - p) - np.exp(at) * (1 - q), 0)
        assert (losses <= curve + 1e-12).all()
    assert accountants.pld_epsilon([Selection(epsilon)], 1e-6) <= epsilon * 1.05
    many = [Selection(epsilon, 20)]
    assert accountants.pld_epsilon(many, 1e-6) <= accountants.rdp_epsilon(many, 1e-6) * 1.05


def test_more_queries_cost_more_and_none_costs_nothing():
    assert accountants.pld_epsilon([], 1e-6) == 0
    costs = [accountants.pld_epsilon([Gaussian(5.0, n), Selection(0.1, n)], 1e-6) for n in (1, 4, 16)]
    assert costs == sorted(costs) and costs[0] < costs[-1]


def test_an_absent_library_is_named():
    with pytest.raises(accountants.InputError, match=r"^privacy='no-such-library': is not installed; "):
        accountants.required("no_such_library")
