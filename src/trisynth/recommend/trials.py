"""The jobs of a trial, and the scores in their results."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from trisynth import seeds
from trisynth.data.splits.folds import Fold
from trisynth.evaluation.arms import BALANCE
from trisynth.experiment.results import Result
from trisynth.recommend.plan.settings import DECISIONS, Settings

BASELINES = "baselines"
_ARMS = "trisynth.evaluation.arms"
_CLASSES = {
    "real": f"{_ARMS}.Real",
    "duplicated": f"{_ARMS}.Duplicated",
    "oversampled": f"{_ARMS}.Oversampled",
    "class_weight": f"{_ARMS}.ClassWeight",
    "threshold": f"{_ARMS}.Threshold",
}
# The cheapest generator: a job of the baselines has no use for its rows.
_CHEAPEST = {"_target_": "trisynth.generators.independent.Independent"}
_NO_METRICS = {"fidelity": {}, "copying": {}}
# Folds that choose on which rows are compared with real ones; the references of a score take longer than a fit.
_COMPARED = 2

Amount = float | str


@dataclass(frozen=True)
class Trial:
    """One candidate, or the baselines, on one fold.

    Parameters
    ----------
    candidate : str
        A name among the candidates, or ``BASELINES``.
    fold : Fold
    amounts : tuple of float or str
        Empty for the baselines.
    classifiers : int, default=0
        Number of classifiers, the first ones; 0 takes all.
    glance : bool, default=False
        Whether the trial is for the first impression alone, without scores of the rows themselves.
    """

    candidate: str
    fold: Fold
    amounts: tuple[Amount, ...] = ()
    classifiers: int = 0
    glance: bool = False


def baselines(task: str, metric: str) -> list[str]:
    """List the training sets that synthetic rows must beat: the real rows, and what can be done with them for free."""
    if task == "regression":
        return ["real", "duplicated"]
    return [name for name in _CLASSES if name != "threshold" or metric in DECISIONS]


def arm_of(amount: Amount) -> str:
    """Return the name of the arm that adds an amount of synthetic rows to the real ones."""
    if amount == BALANCE:
        return "balanced"
    return "combined" if amount == 1 else f"combined_{amount:g}"


def jobs(trial: Trial, config: Mapping[str, Any], settings: Settings, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the resolved root configurations of a trial's jobs, one for each of its classifiers.

    Parameters
    ----------
    trial : Trial
    config : mapping
        Resolved root configuration of the search.
    settings : Settings
    names : sequence of str
        Baselines.
    """
    plain = {name: value for name, value in config.items() if name != "recommend"}
    fold = trial.fold
    # A fit of its own seed for each fold: errors of sampling would otherwise be the same in all, and look like none.
    seed = seeds.integer(fold.seed, "recommend", fold.stage, fold.repeat, fold.index)
    plain |= {"fold": asdict(fold), "seed": seed, "validation": False}
    plain["tracking"] = {**config["tracking"], "figure": False, "curves": False, "model": False}
    if trial.candidate == BASELINES:
        plain["generator"] = _CHEAPEST
        plain["arms"] = {name: {"_target_": _CLASSES[name]} for name in names}
    else:
        plain["generator"] = settings.candidates[trial.candidate]
        plain["arms"] = {arm_of(amount): _adding(amount) for amount in trial.amounts}
    if trial.candidate == BASELINES or fold.stage != "choose" or fold.index >= _COMPARED or trial.glance:
        plain["metrics"] = {**config["metrics"], **_NO_METRICS}
    panel = list(settings.classifiers.items())[: trial.classifiers or None]
    return [{**plain, "classifier": {"name": name, **given}} for name, given in panel]


def _adding(amount: Amount) -> dict[str, Any]:
    if amount == BALANCE:
        return {"_target_": f"{_ARMS}.Balanced"}
    return {"_target_": f"{_ARMS}.Combined", "ratio": float(amount)}


def score(results: Iterable[Result], arm: str, metric: str) -> float:
    """Return the mean of an arm's score over the classifiers; NaN where one of them leaves it undefined."""
    values = [result.metrics.get(f"{arm}/{metric}", np.nan) for result in results]
    return float(np.mean(values)) if values else np.nan


def comparison(results: Iterable[Result]) -> dict[str, float]:
    """Return the fidelity and copying scores of a trial's rows, which all its jobs share."""
    for result in results:
        return {name: value for name, value in result.metrics.items() if name.startswith(("fidelity/", "copying/"))}
    return {}
