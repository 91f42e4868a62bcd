"""Results of the trials so far, and the gains that they show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from trisynth.data.splits.folds import Fold
from trisynth.experiment.results import Result
from trisynth.recommend.plan.settings import Settings
from trisynth.recommend.recommendation import ARM_COLUMNS, TRIAL_COLUMNS
from trisynth.recommend.trials import BASELINES, Amount, Trial, arm_of, comparison, score
from trisynth.statistics.estimate import Estimate
from trisynth.statistics.resampling import estimate

# A candidate may win by its score on so many folds, or on all where there are fewer.
_LEAST_CHOOSING = 2
# Scores of fidelity to rank by, best first, each lower for better rows; small tables lack the first.
FIDELITY = ("fidelity/c2st_boosting", "fidelity/ks", "fidelity/tv", "fidelity/wasserstein")


@dataclass(frozen=True)
class Choice:
    """A candidate with an amount, and its gain over its strongest baseline on the folds that choose."""

    candidate: str
    amount: Amount
    baseline: str
    gain: float


@dataclass
class Evidence:
    """Finished trials of a search.

    Parameters
    ----------
    settings : Settings
    metric : str
    baselines : list of str
    amounts : list of float or str
        Those that apply to the table.
    results : mapping of (str, Fold) to list of Result
        By candidate and fold, one result for each classifier. The fold that confirms has its winner's results alone.
    problems : mapping of str to str
        Why a candidate was given up.
    glances : mapping of str to list of Result
        By candidate, the results of the first impression.
    """

    settings: Settings
    metric: str
    baselines: list[str]
    amounts: list[Amount]
    results: dict[tuple[str, Fold], list[Result]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    glances: dict[str, list[Result]] = field(default_factory=dict)

    def add(self, trial: Trial, results: list[Result]) -> None:
        """Record the results of a finished trial."""
        if trial.glance:
            self.glances[trial.candidate] = results
        else:
            self.results[trial.candidate, trial.fold] = results

    def keys(self) -> dict[str, list[str]]:
        """Return the keys of all results by candidate."""
        found: dict[str, list[str]] = {}
        for (name, _), results in self.results.items():
            found.setdefault(name, []).extend(result.key for result in results)
        return found

    def glance(self) -> Choice | None:
        """Return the best candidate of the first impression; None without any."""
        first = {
            name: found for (name, fold), found in self.results.items() if fold.stage == "choose" and not fold.index
        }
        looks = self.glances or first
        reference = looks.get(BASELINES)
        if reference is None:
            return None
        levels = {name: score(reference, name, self.metric) for name in self.baselines}
        strongest = max(levels, key=levels.get)
        found = [
            Choice(candidate, amount, strongest, score(results, arm_of(amount), self.metric) - levels[strongest])
            for candidate, results in looks.items()
            if candidate not in (BASELINES, *self.problems) and not self._copied(comparison(results))
            for amount in self.amounts
        ]
        return max((each for each in found if each.gain == each.gain), key=lambda each: each.gain, default=None)

    @property
    def tried(self) -> list[str]:
        """Candidates with a finished trial, in their order."""
        found = {*self.glances, *(name for name, _ in self.results)}
        return [name for name in self.settings.candidates if name in found]

    @property
    def compares(self) -> bool:
        """True if a candidate that does not copy has been compared with the baselines at least once."""
        return bool(self.tried) and bool(self.choices() or self.glance())

    def alone(self) -> dict[str, float]:
        """Return the scores of the baselines in the first trial of theirs; nothing if none has finished."""
        found = [results for (name, _), results in self.results.items() if name == BASELINES]
        looks = self.glances.get(BASELINES) or next(iter(found), None)
        return {name: score(looks, name, self.metric) for name in self.baselines} if looks else {}

    def folds(self, candidate: str, stage: str) -> list[Fold]:
        """List the folds of a stage on which a candidate and the baselines have been scored."""
        found = [fold for name, fold in self.results if name == candidate and fold.stage == stage]
        return [fold for fold in found if (BASELINES, fold) in self.results]

    def scores(self, candidate: str, arms: Sequence[str], stage: str) -> pd.DataFrame:
        """Tabulate scores, one row for each fold and one column for each arm."""
        folds = self.folds(candidate, stage)
        rows = [[score(self.results[candidate, fold], arm, self.metric) for arm in arms] for fold in folds]
        return pd.DataFrame(rows, index=pd.Index(folds, tupleize_cols=False), columns=list(arms), dtype=float)

    def gains(self, candidate: str, amount: Amount, stage: str) -> pd.DataFrame:
        """Tabulate gains over every baseline; folds in which a score is undefined are left out."""
        own = self.scores(candidate, [arm_of(amount)], stage)
        reference = self.scores(BASELINES, self.baselines, stage).reindex(own.index)
        return (-reference).add(own.iloc[:, 0], axis=0).dropna()

    def estimate(self, values: pd.Series, confidence: float = 0.95) -> Estimate:
        """Estimate the mean of gains over the folds that confirm, with its corrected interval."""
        return estimate(values.to_numpy(float), 1 / self.settings.folds, confidence)

    def choices(self) -> list[Choice]:
        """List the best amount of each candidate that does not copy, the best first."""
        found = []
        for candidate in self.settings.candidates:
            if candidate in self.problems or self.copies(candidate):
                continue
            tried = [choice for choice in map(lambda a: self._choice(candidate, a), self.amounts) if choice]
            found += [max(tried, key=lambda choice: choice.gain)] if tried else []
        return sorted(found, key=lambda choice: -choice.gain)

    def _choice(self, candidate: str, amount: Amount) -> Choice | None:
        gains = self.gains(candidate, amount, "choose")
        if len(gains) < min(_LEAST_CHOOSING, self.settings.choosing):
            return None
        means = gains.mean()
        return Choice(candidate, amount, str(means.idxmin()), float(means.min()))

    def copies(self, candidate: str) -> bool:
        """Check whether the candidate's rows copy training rows, by their scores on the folds that choose."""
        return self._copied(self.compared(candidate))

    def _copied(self, found: Mapping[str, float]) -> bool:
        limits = self.settings.copying
        expected = max(found.get(f"copying/identical_match_share{end}", 0.0) for end in ("_base", "_floor"))
        identical = found.get("copying/identical_match_share", 0.0) - expected
        return found.get("copying/memorised", 0.0) > limits["memorised"] or identical > limits["identical"]

    def compared(self, candidate: str) -> dict[str, float]:
        """Return means of a candidate's fidelity and copying scores over the folds that choose."""
        rows = [
            comparison(results)
            for (name, fold), results in self.results.items()
            if name == candidate and fold.stage == "choose"
        ]
        return pd.DataFrame(rows).mean().to_dict() if rows else {}

    def tables(self) -> pd.DataFrame:
        """Tabulate the candidates as tables to share, the best first; those that copy come last."""
        rows = []
        for candidate in self.settings.candidates:
            if found := self.compared(candidate):
                rows.append({"candidate": candidate, "copying": self.copies(candidate)} | found)
        frame = pd.DataFrame(rows, columns=None if rows else ["candidate", "copying"])
        ranked = next((name for name in FIDELITY if name in frame), None)
        by = ["copying", ranked] if ranked else ["copying"]
        return frame.sort_values(by, kind="stable", ignore_index=True)

    def best_baseline(self) -> str:
        """Return the baseline with the best mean on the folds that choose, which may be the real rows."""
        means = self.scores(BASELINES, self.baselines, "choose").mean()
        return str(means.idxmax()) if means.notna().any() else "real"

    def over_real(self, together: bool = False) -> dict[str, Estimate]:
        """Estimate the gain of each other baseline over the real rows on the folds that confirm.

        Parameters
        ----------
        together : bool, default=False
            Whether all intervals hold at once with 95 % confidence (Bonferroni).
        """
        scores = self.scores(BASELINES, self.baselines, "confirm").dropna()
        others = [name for name in self.baselines if name != "real"]
        if not len(scores):
            return dict.fromkeys(others, Estimate(np.nan, np.nan, 0))
        confidence = 1 - 0.05 / len(others) if together else 0.95
        return {name: self.estimate(scores[name] - scores["real"], confidence) for name in others}

    def trials(self, chosen: Choice | None) -> pd.DataFrame:
        """Tabulate all trials; see ``Recommendation``."""
        rows: list[Mapping[str, Any]] = []
        for candidate in self.settings.candidates:
            for amount in self.amounts:
                gains = self.gains(candidate, amount, "choose")
                if len(gains):
                    means = gains.mean()
                    rows.append(self._row(candidate, amount, str(means.idxmin()), "choose", means.min(), len(gains)))
        if chosen:
            gains = self.gains(chosen.candidate, chosen.amount, "confirm")
            for baseline in gains if len(gains) else ():
                found = self.estimate(gains[baseline])
                row = self._row(chosen.candidate, chosen.amount, baseline, "confirm", found.mean, len(gains))
                rows.append(row | {"lower": found.low, "upper": found.high})
        for candidate, problem in self.problems.items():
            rows.append(self._row(candidate, "", "", "failed", np.nan, 0) | {"problem": problem})
        return pd.DataFrame(rows, columns=list(TRIAL_COLUMNS))

    def _row(
        self, candidate: str, amount: Amount, baseline: str, stage: str, gain: float, folds: int
    ) -> dict[str, object]:
        copying = self.copies(candidate)
        row = (candidate, str(amount), baseline, stage, float(gain), np.nan, np.nan, copying, folds, "")
        return dict(zip(TRIAL_COLUMNS, row, strict=True))

    def arms(self, chosen: Choice | None) -> pd.DataFrame:
        """Tabulate the training sets on the folds that confirm; see ``Recommendation``."""
        scores = self.scores(BASELINES, self.baselines, "confirm")
        if chosen:
            own = self.scores(chosen.candidate, [arm_of(chosen.amount)], "confirm")
            name = f"{chosen.candidate}, {chosen.amount}"
            scores = scores.assign(**{name: own.iloc[:, 0].reindex(scores.index)}) if len(own) else scores
        scores = scores.dropna()
        rows = []
        for arm in scores if len(scores) else ():
            gain = self.estimate(scores[arm] - scores["real"])
            bounds = (0.0, 0.0, 0.0) if arm == "real" else (gain.mean, gain.low, gain.high)
            rows.append(dict(zip(ARM_COLUMNS, (arm, scores[arm].mean(), *bounds, len(scores)), strict=True)))
        return pd.DataFrame(rows, columns=list(ARM_COLUMNS))
