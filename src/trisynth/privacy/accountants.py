"""Accountants: the epsilon of composed mechanisms at a delta.

Privacy loss distributions (dp-accounting) are the reference. Opacus' PRV accountant, Renyi divergences, and for
unsampled Gaussians the analytic formula are independent checks. Neighbouring tables differ by one unit, added or
removed.
"""

import importlib
import logging
import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from types import ModuleType

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr

from trisynth.errors import InputError

# Width of the cells of a privacy loss distribution, relative to a standard deviation of the loss.
_CELLS = 400
# Multiplier of the noise below which sampling is not credited.
_LITTLE = 0.25
_ORDERS = (*np.arange(1.05, 4, 0.05), *np.arange(4, 64, 0.5), *np.geomspace(64, 16384, 60))


@dataclass(frozen=True)
class Gaussian:
    """Gaussian noise on queries.

    Parameters
    ----------
    multiplier : float
        Standard deviation of the noise, divided by the sensitivity in L2.
    times : int, default=1
        Number of such queries, each of which may depend on the answers before.
    rate : float, default=1.0
        Probability with which a query sees each unit (Poisson sampling).
    """

    multiplier: float
    times: int = 1
    rate: float = 1.0


@dataclass(frozen=True)
class Selection:
    """Choice by the exponential mechanism, whose privacy loss has a range of ``epsilon``.

    Parameters
    ----------
    epsilon : float
    times : int, default=1
    """

    epsilon: float
    times: int = 1


@dataclass(frozen=True)
class Concentrated:
    """Queries of which each is chosen, with its noise, by the answers before, ``rho`` in all.

    Zero-concentrated differential privacy adds up under such choices, as long as the sum stays below a bound that was
    fixed before (Feldman & Zrnic 2021, Whitehouse et al. 2023).

    Parameters
    ----------
    rho : float
    """

    rho: float


Mechanism = Gaussian | Selection | Concentrated


def required(name: str) -> ModuleType:
    """Import a library of the extra ``privacy``.

    Raises
    ------
    InputError
        If it is not installed.
    """
    handlers, level = list(logging.root.handlers), logging.root.level
    try:
        return importlib.import_module(name)
    except ImportError:
        package = name.partition(".")[0].replace("_", "-")
        raise InputError("privacy", package, "is not installed; pip install 'trisynth[privacy]'") from None
    finally:
        # The libraries' logging package prints all messages of a process in its own form, and closes the error stream
        # of its import when logging is configured.
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)
        if absl := sys.modules.get("absl.logging"):
            absl.get_absl_handler().python_handler.stream = sys.__stderr__


def analytic_delta(mu: float, epsilon: float) -> float:
    """Compute delta of a Gaussian mechanism of sensitivity/sigma = ``mu`` (Balle & Wang 2018)."""
    return float(ndtr(mu / 2 - epsilon / mu) - math.exp(epsilon + log_ndtr(-mu / 2 - epsilon / mu)))


def analytic_epsilon(mechanisms: Iterable[Mechanism], delta: float) -> float:
    """Compute epsilon of unsampled Gaussians, exactly; infinity is returned for other mechanisms."""
    squares = 0.0
    for each in mechanisms:
        if not isinstance(each, Gaussian) or each.rate != 1:
            return math.inf
        squares += each.times / each.multiplier**2
    mu = math.sqrt(squares)
    if not mu or analytic_delta(mu, 0.0) <= delta:
        return 0.0
    high = 1.0
    while analytic_delta(mu, high) > delta:
        high *= 2
    return brentq(lambda epsilon: analytic_delta(mu, epsilon) - delta, 0.0, high, xtol=1e-9)


def analytic_mu(epsilon: float, delta: float) -> float:
    """Compute the sensitivity/sigma of the Gaussian mechanism that spends a budget exactly."""
    high = 1.0
    while analytic_delta(high, epsilon) < delta:
        high *= 2
    return brentq(lambda mu: analytic_delta(mu, epsilon) - delta, 1e-9, high, xtol=1e-12)


def selection_delta(epsilon: float, at: np.ndarray) -> np.ndarray:
    """Compute the largest hockey-stick divergence at ``exp(at)`` of any mechanism of bounded range ``epsilon``.

    The mechanism of that range has losses t and t - epsilon; the largest over t is at t = (epsilon + at) / 2 (Dong,
    Durfee & Rogers 2020). A maximum of convex curves is a curve of a pair of distributions that dominates them all,
    so the curve composes adaptively.
    """
    inside = np.clip(at, -epsilon, epsilon)
    found = -(np.expm1((inside - epsilon) / 2) ** 2) / np.expm1(-epsilon)
    return np.where(at <= -epsilon, -np.expm1(at), np.where(at >= epsilon, 0.0, found))


def pld_epsilon(mechanisms: Iterable[Mechanism], delta: float) -> float:
    """Compute epsilon by privacy loss distributions, never below the true one.

    Adaptive noise has no single distribution of the loss; with it, the bound is that of ``rdp_epsilon``.
    """
    mechanisms = tuple(mechanisms)
    if any(isinstance(each, Concentrated) for each in mechanisms):
        return rdp_epsilon(mechanisms, delta)
    return _pld_epsilon(mechanisms, delta)


@lru_cache(maxsize=256)
def _pld_epsilon(mechanisms: tuple[Mechanism, ...], delta: float) -> float:
    pld = required("dp_accounting.pld.privacy_loss_distribution")
    # So little noise makes a distribution of the loss too wide to compute. Without sampling the loss is never less.
    mechanisms = [
        replace(m, rate=1.0) if isinstance(m, Gaussian) and m.rate < 1 and m.multiplier < _LITTLE else m
        for m in mechanisms
    ]
    plain = sum(m.times / m.multiplier**2 for m in mechanisms if isinstance(m, Gaussian) and m.rate == 1)
    others = [m for m in mechanisms if not (isinstance(m, Gaussian) and m.rate == 1)]
    spread = math.sqrt(plain + sum(m.times * _square(m) for m in others))
    if not spread:
        return 0.0
    # Coarse cells would add up over the steps of a sampled mechanism.
    steps = max((m.times for m in others if getattr(m, "rate", 1) != 1), default=0)
    width = min(max(1e-4, 0.1 / steps) if steps else 1e-2, 1e-2, spread / _CELLS)
    # Unsampled Gaussians compose to one.
    found = [pld.from_gaussian_mechanism(1 / math.sqrt(plain), value_discretization_interval=width)] if plain else []
    for each in others:
        if isinstance(each, Selection):
            one = _selection_pld(pld, each.epsilon, width)
        else:
            one = pld.from_gaussian_mechanism(
                each.multiplier, value_discretization_interval=width, sampling_prob=each.rate
            )
        found.append(one.self_compose(each.times) if each.times > 1 else one)
    total = found[0]
    for each in found[1:]:
        total = total.compose(each)
    return float(total.get_epsilon_for_delta(delta))


def _square(mechanism: Mechanism) -> float:
    """Return about the variance of the loss of one mechanism."""
    if isinstance(mechanism, Selection):
        return mechanism.epsilon**2 / 4
    return (mechanism.rate / mechanism.multiplier) ** 2


def _selection_pld(pld: ModuleType, epsilon: float, width: float):
    pmf = required("dp_accounting.pld.pld_pmf")
    # The ends are rounded outward, so that the distribution is pessimistic.
    steps = math.ceil(epsilon / width)
    curve = selection_delta(epsilon, np.arange(-steps, steps + 1) * width)
    made = pmf.create_pmf_pessimistic_connect_dots_fixed_gap(width, -steps, steps, curve)
    return pld.PrivacyLossDistribution(made)


def rdp_epsilon(mechanisms: Iterable[Mechanism], delta: float) -> float:
    """Compute epsilon by Renyi divergences of unsampled Gaussians and selections, and by opacus where sampled.

    The conversion is that of Canonne, Kamath & Steinke (2020).
    """
    return _rdp_epsilon(tuple(mechanisms), delta)


@lru_cache(maxsize=256)
def _rdp_epsilon(mechanisms: tuple[Mechanism, ...], delta: float) -> float:
    sampled = any(getattr(each, "rate", 1) != 1 for each in mechanisms)
    orders = np.array(_ORDERS if not sampled else [order for order in _ORDERS if order < 256])
    total = np.zeros(len(orders))
    for each in mechanisms:
        if isinstance(each, Selection):
            # Bounded range implies concentrated differential privacy of epsilon^2 / 8.
            total += each.times * np.minimum(orders * each.epsilon**2 / 8, each.epsilon)
        elif isinstance(each, Concentrated):
            total += orders * each.rho
        elif each.rate == 1:
            total += each.times * orders / (2 * each.multiplier**2)
        else:
            total += each.times * _sampled_rdp(each, orders)
    found = total + np.log1p(-1 / orders) - np.log(delta * orders) / (orders - 1)
    return float(max(0.0, found.min()))


def _sampled_rdp(mechanism: Gaussian, orders: np.ndarray) -> np.ndarray:
    analysis = required("opacus.accountants.analysis.rdp")
    return np.asarray(
        analysis.compute_rdp(q=mechanism.rate, noise_multiplier=mechanism.multiplier, steps=1, orders=list(orders))
    )


def prv_epsilon(mechanisms: Iterable[Mechanism], delta: float) -> float:
    """Compute epsilon of Gaussians by opacus' PRV accountant; infinity is returned for other mechanisms."""
    mechanisms = tuple(mechanisms)
    if not all(isinstance(each, Gaussian) for each in mechanisms):
        return math.inf
    accountant = required("opacus.accountants").PRVAccountant()
    accountant.history = [(each.multiplier, each.rate, each.times) for each in mechanisms]
    return float(accountant.get_epsilon(delta))
