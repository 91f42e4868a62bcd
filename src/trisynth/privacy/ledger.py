"""Ledger: every query of private rows is planned, calibrated to the budget, answered with noise and charged."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from trisynth.errors import InputError
from trisynth.privacy.accountants import (
    Concentrated,
    Gaussian,
    Mechanism,
    Selection,
    analytic_mu,
    pld_epsilon,
    rdp_epsilon,
)
from trisynth.privacy.budget import Budget
from trisynth.privacy.noise import Noise

# A calibrated plan spends at least this fraction of epsilon, and never more than all of it.
_TIGHT = 0.999
# Multiplier of the noise of sampled queries at which a calibration begins.
_NOISY = 0.6
# Noise of this fraction of the declared rows drowns any table.
_DROWNED = 0.25
# Scale of a plan that spends about nothing.
_SMALLEST = 1e-12


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
    rate : float, default=1.0
        Probability with which a query sees each row (Poisson sampling).
    adaptive: bool, default=False
        Whether the answers before decide on each query and its noise; ``times`` and ``choice`` then have no meaning.
    """

    weight: float
    times: int = 1
    choice: bool = False
    rate: float = 1.0
    adaptive: bool = False


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
    used : dict of str to float
        What the queries of adaptive parts have used, in units of zero-concentrated differential privacy.
    """

    budget: Budget
    rho: float
    plan: dict
    charged: dict
    used: dict = field(default_factory=dict)

    @classmethod
    def open(cls, budget: Budget, plan: Mapping[str, Share], parameter: str = "privacy") -> "Ledger":
        """Calibrate a plan to a budget.

        Raises
        ------
        InputError
            If the noise would drown a table of the declared number of rows.
        """
        total = sum(share.weight for share in plan.values())
        plan = {n: replace(share, weight=share.weight / total) for n, share in plan.items() if share.times}
        if budget.epsilon is None:
            return cls(budget, math.inf, plan, dict.fromkeys(plan, 0))
        rho = _calibrated(tuple(plan.values()), budget.epsilon, budget.delta)
        if not rho:
            # Bounds by Renyi divergences do not reach epsilons so small, whatever the noise is.
            least = pld_epsilon(_mechanisms(tuple(plan.values()), _SMALLEST), budget.delta)
            remedy = f"is too small for any noise; give at least {math.ceil(least * 1e3) / 1e3:g}"
            raise InputError(f"{parameter}.epsilon", budget.epsilon, remedy)
        made = cls(budget, rho, plan, dict.fromkeys(plan, 0))
        made._check_noise(parameter)
        return made

    def _check_noise(self, parameter: str) -> None:
        if self.budget.rows is None:
            return
        counts = [n for n, share in self.plan.items() if not (share.choice or share.adaptive) and share.rate == 1]
        sigma = max(map(self.sigma, counts))
        most = _DROWNED * self.budget.rows
        if sigma > most:
            needed = _mechanisms(tuple(self.plan.values()), self.rho * (sigma / most) ** 2)
            least = pld_epsilon(needed, self.budget.delta) / _TIGHT**2
            remedy = f"is too small: noise of {sigma:,.0f} rows would drown {self.budget.rows:,}; give at least"
            raise InputError(f"{parameter}.epsilon", self.budget.epsilon, f"{remedy} {math.ceil(least * 1e3) / 1e3:g}")

    def sigma(self, name: str, rho: float | None = None) -> float:
        """Return the standard deviation of the noise on a count of a part of the plan; adaptive ones need ``rho``."""
        if self.budget.epsilon is None:
            return 0.0
        share = self.plan[name]
        if rho is not None:
            return self.budget.sensitivity * math.sqrt(1 / (2 * rho))
        return self.budget.sensitivity * _mechanism(share, self.rho, share.times).multiplier

    def left(self, name: str) -> float:
        """Return what an adaptive part may still use."""
        return self.rho * self.plan[name].weight - self.used.get(name, 0.0)

    def noisy(
        self,
        name: str,
        counts: np.ndarray,
        noise: Noise,
        queries: int = 1,
        rho: float | None = None,
        whole: bool = True,
    ) -> np.ndarray:
        """Answer counting queries of any shape at once, to whose cells each row contributes at most 1 in all.

        Parameters
        ----------
        name : str
            Part of the plan.
        counts : ndarray
            Sums over rows; what a row contributes has a length of at most ``sqrt(queries)``.
        noise : Noise
        queries : int, default=1
            Number of queries that are answered, such as one for each cell where a row may change all of them by 1.
        rho : float, optional
            What a query of an adaptive part uses.
        whole : bool, default=True
            Whether all sums are whole numbers; others are rounded before noise is added.

        Raises
        ------
        RuntimeError
            If the plan has too few such queries left.
        """
        self._charge(name, choice=False, queries=queries, rho=rho)
        if self.budget.epsilon is None:
            return counts.astype(float)
        return noise.added(counts, self.sigma(name, rho), whole)

    def choose(
        self, name: str, scores: np.ndarray, noise: Noise, sensitivity: float = 1.0, rho: float | None = None
    ) -> int:
        """Choose one of some candidates of about the best score, each of which a row changes by ``sensitivity``."""
        self._charge(name, choice=True, rho=rho)
        if self.budget.epsilon is None:
            return int(np.argmax(scores))
        share = self.plan[name]
        epsilon = math.sqrt(8 * (self.rho * share.weight / share.times if rho is None else rho))
        scale = epsilon / (2 * sensitivity * self.budget.sensitivity)
        return int(np.argmax(scale * scores + noise.gumbel(len(scores))))

    def _charge(self, name: str, choice: bool, queries: int = 1, rho: float | None = None) -> None:
        share = self.plan.get(name)
        if share is not None and share.adaptive:
            # Rounding must not refuse the last query of a plan.
            if rho is None or not 0 < rho <= self.left(name) + 1e-9 * self.rho or queries != 1:
                raise RuntimeError(f"the plan does not have so much left for {name!r}")
            self.used[name] = self.used.get(name, 0.0) + rho
        elif share is None or share.choice != choice or self.charged[name] + queries > share.times:
            raise RuntimeError(f"the plan has no query {name!r} left")
        self.charged[name] += queries

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
    if share.adaptive:
        # All of it, since how much is used may depend on the rows.
        return Concentrated(rho * share.weight)
    if share.rate < 1:
        # Where the noise is large, sampling with a probability divides the privacy loss by it.
        return Gaussian(share.rate / math.sqrt(2 * each), times, share.rate)
    return Selection(math.sqrt(8 * each), times) if share.choice else Gaussian(math.sqrt(1 / (2 * each)), times)


def _mechanisms(plan: Sequence[Share], rho: float) -> tuple[Mechanism, ...]:
    return tuple(_mechanism(share, rho, share.times) for share in plan)


@lru_cache(maxsize=256)
def _calibrated(plan: tuple[Share, ...], epsilon: float, delta: float) -> float:
    """Find the largest rho whose plan spends at most ``epsilon``."""
    # A plan of Gaussians alone would have exactly this one.
    rho = analytic_mu(epsilon, delta) ** 2 / 2
    for share in plan:
        # Little noise makes a loss distribution wide, and slow to compute: approach it from above.
        if share.rate < 1:
            rho = min(rho, share.times * (share.rate / _NOISY) ** 2 / (2 * share.weight))
    low, high = 0.0, math.inf
    for _ in range(40):
        spent = pld_epsilon(_mechanisms(plan, rho), delta)
        if _TIGHT * epsilon <= spent <= epsilon:
            return rho
        low, high = (rho, high) if spent < epsilon else (low, rho)
        # Epsilon grows about as the square root of rho.
        aim = (1 + _TIGHT) / 2 * epsilon
        guess = rho * min((aim / max(spent, 1e-9)) ** 2, 4.0)
        rho = guess if low < guess < high else (low + min(high, 4 * rho)) / 2
    return low
