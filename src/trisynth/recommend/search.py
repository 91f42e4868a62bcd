"""The search: some folds choose a trial, the others confirm it against every baseline."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from trisynth import seeds
from trisynth.config import parameters_of
from trisynth.data.dataset import Dataset
from trisynth.errors import InputError
from trisynth.generators.base import Generator
from trisynth.recommend.folds import Fold, Panel, baselines, deal, make_folds
from trisynth.statistics.resampling import lower_bound

# Fraction of the folds that choose; the others confirm.
_CHOOSING = 0.4
COLUMNS = ("stage", "candidate", "amount", "baseline", "gain", "lower", "folds", "problem")


class Search:
    """One search on real training rows.

    Parameters
    ----------
    data : Dataset
    labels : ndarray of shape (n,)
        Codes that the folds are stratified by.
    candidates : mapping of str to Generator
    amounts : sequence of float or str
    panel : Panel
    folds, repeats : int
    confidence : float
    budget : float
        CPU seconds, from now.
    seed : int

    Attributes
    ----------
    trials : list of dict
        With the keys ``COLUMNS``.
    advice : dict
    ranking : list of str
        Candidates, best first; then those that were not tried, in their own order.
    """

    def __init__(
        self,
        data: Dataset,
        labels: np.ndarray,
        candidates: Mapping[str, Generator],
        amounts: Sequence[float | str],
        panel: Panel,
        *,
        folds: int,
        repeats: int,
        confidence: float,
        budget: float,
        seed: int,
    ):
        self.data, self.labels, self.candidates, self.amounts, self.panel = data, labels, candidates, amounts, panel
        self.folds, self.repeats, self.confidence, self.seed = folds, repeats, confidence, seed
        self.budget, self.start = budget, time.process_time()
        self.baselines = baselines(data.spec.task, panel.metric)
        self.trials: list[dict[str, Any]] = []
        self.ranking = list(candidates)
        self.advice: dict[str, Any] = {
            "candidate": self.ranking[0],
            "amount": 0.0,
            "tried": 0.0,
            "metric": panel.metric,
            "baseline": "",
            **dict.fromkeys(("gain_choosing", "gain", "lower", "gain_over_real", "lower_over_real"), np.nan),
            "confidence": float(confidence),
            "reason": "",
            "spent_out": False,
            "searched": 0,
            "candidates": len(candidates),
        }

    def run(self) -> None:
        """Fill ``trials``, ``advice`` and ``ranking``."""
        chosen = round(_CHOOSING * self.folds)
        reason = self._impossible()
        if not reason:
            parts = deal(self.labels, [chosen, self.folds - chosen], seeds.stream(self.seed, "auto.parts"))
            reason = self._choose(parts[0], chosen) or self._confirm(parts[1], self.folds - chosen)
        self.advice |= {"reason": reason, "amount": 0.0 if reason else self.advice["tried"]}

    def _impossible(self) -> str:
        """Return the reason why nothing can be validated; empty if something can."""
        if not self.amounts:
            return "there are no classes to balance"
        if self.panel.classes is None:
            found, needed, what = len(self.labels), 2 * self.folds, "rows"
        else:
            sizes = np.sort(np.bincount(self.labels))
            found, needed, what = int(sizes[-2]) if len(sizes) > 1 else 0, self.folds, "rows of a second class"
        return f"{found} {what} are too few for {self.folds} folds, {needed} are needed" if found < needed else ""

    def _choose(self, rows: np.ndarray, parts: int) -> str:
        """Try every candidate and amount on the folds that choose; return the reason if nothing is left to confirm."""
        folds, reference, best = None, None, {}
        for name in self.candidates:
            if time.process_time() - self.start >= self.budget:
                self.advice["spent_out"] = True
                break
            if folds is None:
                folds, reference = self._folds(rows, parts, "auto.choose")
            self.advice["searched"] += 1
            for amount, gains in self._gains(name, self.amounts, folds, reference).items():
                means = gains.mean(axis=0)
                strongest = int(np.argmin(means))
                self._record("choose", name, amount, strongest, means[strongest], np.nan, len(gains))
                if means[strongest] > best.get(name, (-np.inf,))[0]:
                    best[name] = means[strongest], amount, strongest
        if not best:
            spent = "the budget was spent before any candidate was tried"
            return spent if self.advice["spent_out"] else "no candidate could be tried"
        self.ranking.sort(key=lambda name: -best[name][0] if name in best else np.inf)
        gain, amount, strongest = best[self.ranking[0]]
        self.advice |= {"candidate": self.ranking[0], "tried": amount, "baseline": list(self.baselines)[strongest]}
        self.advice |= dict.fromkeys(("gain_choosing", "gain"), float(gain))
        return "" if gain > 0 else "no candidate gained over its strongest baseline"

    def _confirm(self, rows: np.ndarray, parts: int) -> str:
        """Confirm the best trial on the other folds; return the reason if it is not recommended."""
        name, amount = self.advice["candidate"], self.advice["tried"]
        halves = [self._folds(rows, parts, f"auto.confirm.{i}") for i in range(self.repeats)]
        folds, reference = (
            [fold for half, _ in halves for fold in half],
            np.concatenate([scores for _, scores in halves]),
        )
        gains = self._gains(name, [amount], folds, reference).get(amount, np.empty((0, len(self.baselines))))
        if len(gains) < 2:
            return "too few folds are left to confirm the best trial"
        ratio = np.mean([len(fold.held) / len(fold.train) for fold in folds])
        lower = [lower_bound(column, ratio, self.confidence) for column in gains.T]
        for i, bound in enumerate(lower):
            self._record("confirm", name, amount, i, gains[:, i].mean(), bound, len(gains))
        nearest, real = int(np.argmin(lower)), list(self.baselines).index("real")
        self.advice |= {
            "baseline": list(self.baselines)[nearest],
            "gain": float(gains[:, nearest].mean()),
            "lower": lower[nearest],
        }
        self.advice |= {"gain_over_real": float(gains[:, real].mean()), "lower_over_real": lower[real]}
        return "" if lower[nearest] > 0 else "no gain is surely above zero"

    def _folds(self, rows: np.ndarray, parts: int, name: str) -> tuple[list[Fold], np.ndarray]:
        """Make folds of ``rows`` and score the baselines; folds with an undefined score are left out."""
        dealt = deal(self.labels[rows], [1] * parts, seeds.stream(self.seed, name))
        folds = make_folds(self.data, [rows[part] for part in dealt], seeds.integer(self.seed, name))
        reference = self.panel.score_baselines(folds, self.baselines)
        defined = np.isfinite(reference).all(axis=1)
        return [fold for fold, kept in zip(folds, defined, strict=True) if kept], reference[defined]

    def _gains(
        self, name: str, amounts: Sequence[float | str], folds: list[Fold], reference: np.ndarray
    ) -> dict[float | str, np.ndarray]:
        """Compute gains over every baseline, shape (folds, baselines), for each amount; none if the candidate fails."""
        if not folds:
            return {}
        try:
            with parameters_of(f"candidates.{name}", self.candidates[name].get_params(deep=False)):
                scores = self.panel.score_generator(self.candidates[name], amounts, folds)
        except InputError:
            # Only the user can correct a wrong argument.
            raise
        except (ArithmeticError, RuntimeError, ValueError) as error:
            self._record("failed", name, "", None, np.nan, np.nan, 0, f"{type(error).__name__}: {error}")
            return {}
        return {amount: column[:, None] - reference for amount, column in zip(amounts, scores.T, strict=True)}

    def _record(
        self,
        stage: str,
        name: str,
        amount: float | str,
        baseline: int | None,
        gain: float,
        lower: float,
        folds: int,
        problem: str = "",
    ) -> None:
        against = "" if baseline is None else list(self.baselines)[baseline]
        row = (stage, name, str(amount), against, float(gain), float(lower), folds, problem)
        self.trials.append(dict(zip(COLUMNS, row, strict=True)))

    def table(self) -> pd.DataFrame:
        """Tabulate the trials."""
        return pd.DataFrame(self.trials, columns=list(COLUMNS))
