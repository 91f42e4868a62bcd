"""Audit of one generator: an attack that finds out whether a canary is among its training rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from trisynth import seeds
from trisynth.auditing.bounds import ceiling, lower_bound
from trisynth.auditing.features import STATE, features, traced
from trisynth.auditing.records import with_rows
from trisynth.data import tensors
from trisynth.data.dataset import Dataset
from trisynth.errors import InputError, require_whole
from trisynth.generators.base import Generator
from trisynth.generators.private.base import PrivateGenerator

# Rows that are drawn from each fitted generator.
DRAWN = 10_000
_LEAST = 20
# Numbers of the state at most, besides the other features, that the attack learns from.
_KEPT = 20
# Spent budget of a fit, and the numbers that the attack sees of it.
Seen = tuple[Mapping[str, float], Mapping[str, float]]


@dataclass(frozen=True)
class Audit:
    """Result of an audit.

    Parameters
    ----------
    claimed : float
        Epsilon that the generator states; infinity where it states none.
    bound : float
        Lower bound on its epsilon, valid with 95 % confidence.
    ceiling : float
        Largest bound that so many fits could have shown.
    delta : float
    fits : int
        Fits with and as many without the canary.
    """

    claimed: float
    bound: float
    ceiling: float
    delta: float
    fits: int

    @property
    def holds(self) -> bool:
        """False where the bound exceeds the claim."""
        return self.bound <= self.claimed

    @property
    def sentence(self) -> str:
        """One line with the claim, the bound and its ceiling."""
        claim = "no epsilon is claimed" if self.claimed == np.inf else f"epsilon {self.claimed:.3g} is claimed"
        found = f"an attack shows at least {self.bound:.3g}" if self.bound else "the attack shows none"
        verdict = "" if self.holds else "; THE CLAIM DOES NOT HOLD"
        seen = f"{self.fits} fits with and {self.fits} without a canary cannot show more than {self.ceiling:.3g}"
        return f"{claim}; {found} (95 % confidence; {seen}){verdict}"


def canary_of(dataset: Dataset) -> pd.DataFrame:
    """Return one row that is unlike the others: the upper bounds and the rarest categories, inside declared facts."""
    frame, facts = dataset.frame, dataset.facts
    cells = {}
    for name in frame:
        column, fact = frame[name], facts.get(name)
        if tensors.is_cell(column.dtype):
            remedy = "holds arrays or texts, which an audit cannot plant; set kind=ignore, or read scores of copying"
            raise InputError("dataset.columns", name, remedy)
        if isinstance(column.dtype, pd.CategoricalDtype):
            counts = column.value_counts()
            cells[name] = pd.Categorical([counts.index[-1]], dtype=column.dtype)
        else:
            end = fact.bounds[1] if fact is not None and fact.bounds is not None else column.max()
            cells[name] = pd.Series([end]).astype(column.dtype)
    return pd.DataFrame(cells)


def audit(
    generator: Generator,
    dataset: Dataset,
    canary: pd.DataFrame | None = None,
    fits: int = 200,
    seed: int = 0,
    white_box: bool = True,
    drawn: int = DRAWN,
    progress: Callable[[int], None] | None = None,
    keep: Callable[[int, Callable[[], Seen]], Seen] = lambda _, see: see(),
) -> Audit:
    """Fit a generator on neighbouring tables and attack each fit.

    The two tables differ by the canary. The attack knows both, sees the fitted generator and rows drawn from it,
    and is a logistic regression on a third of the fits.

    Parameters
    ----------
    generator : Generator
        Unfitted; copies of it are fitted. The noise of a private generator is new in each fit.
    dataset : Dataset
        Rows without the canary.
    canary : DataFrame of one row, optional
        The default is :func:`canary_of`.
    fits : int, default=200
        Of each side; at least 20.
    seed : int, default=0
        Seed of the fits, of their rows and of the attack.
    white_box : bool, default=True
        Whether the attack sees the saved state besides the drawn rows.
    drawn : int, default=10000
        Rows that are drawn from each fit. With 0 the attack sees nothing but the fitted values at the canary's cells
        (``traces``), which is fast, and for noisy tables all that an attack can use.
    progress : callable, optional
        Receives the number of finished fits.
    keep : callable, optional
        Receives the number of a fit and a function that makes it and returns what the attack sees of it; returns the
        same, which it may have from an earlier start.

    Raises
    ------
    InputError
        If an argument cannot be used.
    """
    require_whole("fits", fits, _LEAST)
    require_whole("drawn", drawn, 0)
    if not drawn and not isinstance(generator, PrivateGenerator):
        raise InputError("drawn", drawn, f"must be 1 or more, since {type(generator).__name__} has no noisy tables")
    if isinstance(generator, PrivateGenerator) and generator.privacy is not None and generator.privacy.seeded:
        # Equal noise in all fits would show every difference; other noise in each is what a user's fit has.
        generator = clone(generator).set_params(privacy=replace(generator.privacy, seeded=False))
    canary = canary_of(dataset) if canary is None else canary
    # A fit never learns how many rows a table has, but by its noisy counts.
    sides = {0: dataset, 1: with_rows(dataset, canary)}
    found, present, claimed, delta = [], [], np.inf, 1e-9

    refits, placed = {side: _refits(generator, rows) for side, rows in sides.items()}, []

    def see(i: int) -> Seen:
        made = refits[i % 2](seeds.integer(seed, "audit.fit", i))
        if not drawn:
            placed[:] = placed or made.place(canary)
            return made.spent_, traced(made, placed)
        rows_seed = seeds.integer(seed, "audit.rows", i)
        return getattr(made, "spent_", {}), features(made, canary, dataset, drawn, rows_seed, white_box)

    for i in range(2 * fits):
        spent, seen = keep(i, partial(see, i))
        claimed, delta = spent.get("epsilon", np.inf), spent.get("delta", delta)
        found.append(seen)
        present.append(i % 2)
        if progress:
            progress(i + 1)
    without, with_canary = _scores(pd.DataFrame(found).fillna(0.0), np.array(present))
    bound = lower_bound(without, with_canary, delta)
    return Audit(claimed, bound, ceiling(len(without), delta), delta, fits)


def _refits(generator: Generator, rows: Dataset) -> Callable[[int], Generator]:
    if isinstance(generator, PrivateGenerator):
        return generator.fits(rows)
    return lambda seed: clone(generator).fit(rows, seed=seed)


def _scores(features: pd.DataFrame, present: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Learn an attack on a third of the fits and score the others, without and with the canary."""
    first = len(features) // 3
    known = features.to_numpy()
    learned, sides = known[:first], present[:first] == 1
    gap = np.abs(learned[sides].mean(0) - learned[~sides].mean(0))
    noise = np.sqrt(learned[sides].var(0) / sides.sum() + learned[~sides].var(0) / (~sides).sum())
    # What never varies but between the sides gives the canary away by itself.
    strength = np.divide(gap, np.maximum(noise, 1e-9 * gap), out=np.zeros_like(gap), where=gap > 1e-12)
    # Of the many numbers of a state only those are used that differ more than the largest of so many does by chance.
    state = np.array([name.startswith(STATE) for name in features])
    least = np.sqrt(2 * np.log(max(state.sum(), 2))) + 1
    strength = np.where(state, np.where(strength > least, strength, -1.0), strength)
    order = np.argsort(-strength, kind="stable")
    known = known[:, order[strength[order] >= 0][: _KEPT + (~state).sum()]]
    scaled = StandardScaler().fit(known[:first])
    attack = LogisticRegression(C=0.1, max_iter=1000).fit(scaled.transform(known[:first]), present[:first])
    scores = attack.decision_function(scaled.transform(known[first:]))
    rest = present[first:]
    return scores[rest == 0], scores[rest == 1]
