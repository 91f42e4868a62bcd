"""Ledger: every query of private rows is planned, calibrated to the budget, answered with noise and charged."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from trisynth.errors import InputError
from trisynth.privacy.accountants import Gaussian, Mechanism, Selection, analytic_mu, pld_epsilon, rdp_epsilon
from trisynth.privacy.budget import Budget
from trisynth.privacy.noise import Noise

# A calibrated plan spends at least this fraction of epsilon, and never more than all of it.
_TIGHT = 0.999
# Noise of this fraction of the declared rows drowns any table.
_DROWNED = 0.25


@dataclass(frozen=True)
class Share:
    """Part of a plan: queries of one kind.

    Parameters
    ----------
    weight : float
        Part of the budget in units of zero-concentrated differential privacy, relative to the other parts.
    times : int, default=1
        Number of queries.
    choice : bool, default=False
        Whether the queries are choices by the exponential mechanism instead of noisy counts.
    """

    weight: float
    times: int = 1
    choice: bool = False


@dataclass
class Ledger:
    """Calibrated queries and what has been charged for them; without an epsilon there is no noise.

    Parameters
    ----------
    budget : Budget
        With its delta.
    rho : float
        Scale of the plan.
    plan : dict of str to Share
    charged : dict of str to int
        Queries that were answered.
    """

    budget: Budget
    rho: float
    plan: dict
    charged: dict

    @classmethod
    def open(cls, budget: Budget, plan: Mapping[str, Share], parameter: str = "privacy") -> "Ledger":
        """Calibrate a plan to a budget.

        Raises
        ------
        InputError
            If the noise would drown a table of the declared number of rows.
        """
        total = sum(share.weight for share in plan.values())
        plan = {n: Share(share.weight / total, share.times, share.choice) for n, share in plan.items() if share.times}
        if budget.epsilon is None:
            return cls(budget, math.inf, plan, dict.fromkeys(plan, 0))
        rho = _calibrated(tuple(plan.values()), budget.epsilon, budget.delta)
        made = cls(budget, rho, plan, dict.fromkeys(plan, 0))
        made._check_noise(parameter)
        return made

    def _check_noise(self, parameter: str) -> None:
        if self.budget.rows is None:
            return
        sigma = max(self.sigma(name) for name, share in self.plan.items() if not share.choice)
        most = _DROWNED * self.budget.rows
        if sigma > most:
            needed = _mechanisms(tuple(self.plan.values()), self.rho * (sigma / most) ** 2)
            least = pld_epsilon(needed, self.budget.delta) / _TIGHT**2
            remedy = f"is too small: noise of {sigma:,.0f} rows would drown {self.budget.rows:,}; give at least"
            raise InputError(f"{parameter}.epsilon", self.budget.epsilon, f"{remedy} {math.ceil(least * 1e3) / 1e3:g}")

    def sigma(self, name: str) -> float:
        """Return the standard deviation of the noise on a count of a part of the plan."""
        if self.budget.epsilon is None:
            return 0.0
        share = self.plan[name]
        return self.budget.sensitivity * math.sqrt(share.times / (2 * self.rho * share.weight))

    def noisy(self, name: str, counts: np.ndarray, noise: Noise) -> np.ndarray:
        """Answer one counting query of any shape, to whose cells each row contributes 1 at most once.

        Raises
        ------
        RuntimeError
            If the plan has no such query left.
        """
        self._charge(name, choice=False)
        if self.budget.epsilon is None:
            return counts.astype(float)
        return counts + noise.gaussian(self.sigma(name), counts.size).reshape(counts.shape)

    def choose(self, name: str, scores: np.ndarray, noise: Noise, sensitivity: float = 1.0) -> int:
        """Choose one of some candidates of about the best score, each of which a row changes by ``sensitivity``."""
        self._charge(name, choice=True)
        if self.budget.epsilon is None:
            return int(np.argmax(scores))
        share = self.plan[name]
        epsilon = math.sqrt(8 * self.rho * share.weight / share.times)
        scale = epsilon / (2 * sensitivity * self.budget.sensitivity)
        return int(np.argmax(scale * scores + noise.gumbel(len(scores))))

    def _charge(self, name: str, choice: bool) -> None:
        share = self.plan.get(name)
        if share is None or share.choice != choice or self.charged[name] >= share.times:
            raise RuntimeError(f"the plan has no query {name!r} left")
        self.charged[name] += 1

    def mechanisms(self) -> tuple[Mechanism, ...]:
        """Return what has been charged, as mechanisms per protected unit."""
        if self.budget.epsilon is None:
            return ()
        parts = [(share, self.charged[name]) for name, share in self.plan.items() if self.charged[name]]
        return tuple(_mechanism(share, self.rho, times) for share, times in parts)

    def spent(self) -> float:
        """Compute the epsilon of all that was charged, at the budget's delta; infinity without noise."""
        return math.inf if self.budget.epsilon is None else pld_epsilon(self.mechanisms(), self.budget.delta)

    def spent_by_rdp(self) -> float:
        """Compute the epsilon of all that was charged by Renyi divergences, an upper bound of ``spent``."""
        return math.inf if self.budget.epsilon is None else rdp_epsilon(self.mechanisms(), self.budget.delta)


def _mechanism(share: Share, rho: float, times: int) -> Mechanism:
    each = rho * share.weight / share.times
    return Selection(math.sqrt(8 * each), times) if share.choice else Gaussian(math.sqrt(1 / (2 * each)), times)


def _mechanisms(plan: Sequence[Share], rho: float) -> tuple[Mechanism, ...]:
    return tuple(_mechanism(share, rho, share.times) for share in plan)


@lru_cache(maxsize=256)
def _calibrated(plan: tuple[Share, ...], epsilon: float, delta: float) -> float:
    """Find the largest rho whose plan spends at most ``epsilon``."""
    # A plan of Gaussians alone would have exactly this one.
    rho = analytic_mu(epsilon, delta) ** 2 / 2
    low, high = 0.0, math.inf
    for _ in range(60):
        spent = pld_epsilon(_mechanisms(plan, rho), delta)
        if _TIGHT * epsilon <= spent <= epsilon:
            return rho
        low, high = (rho, high) if spent < epsilon else (low, rho)
        # Epsilon grows about as the square root of rho.
        aim = (1 + _TIGHT) / 2 * epsilon
        guess = rho * (aim / max(spent, 1e-9)) ** 2
        rho = guess if low < guess < high else (low + min(high, 4 * rho)) / 2
    return low
