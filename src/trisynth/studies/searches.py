"""Searches for weights with several objectives: trials, fronts and weights selected on validation rows.

Objectives are regrets: 0 is the best, 1 the worst, less is better. Hypervolumes are fractions of the unit box between
the two: nearly 1 for real rows without copies, 0 for random rows.
"""

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from trisynth.errors import InputError
from trisynth.report import names
from trisynth.report.jobs import DEFAULT, PART, REGRET, SAMPLER, TRIAL
from trisynth.statistics.fronts import hypervolume

BEFORE = "before/"
_NAMES = {
    "synthetic/roc_auc": "ROC AUC, synthetic",
    "synthetic/r2": "R², synthetic",
    "fidelity/c2st_boosting": "C2ST",
    "evolution": "NSGA-II",
    "random": "random search",
    "loss.alpha": "α",
    "loss.beta": "β",
    "loss.gamma": "γ",
}

Key = tuple[str, str, str, int]
Case = tuple[str, str]


def printed(name: str) -> str:
    """Return the printed name of an objective, a weight or a sampler."""
    return _NAMES.get(name) or names.metric(name)


def objectives(jobs: pd.DataFrame) -> list[str]:
    """Return the metrics of the objectives, in order.

    Raises
    ------
    InputError
        If the results are not those of searches.
    """
    found = [name.removeprefix(REGRET) for name in jobs if name.startswith(REGRET)]
    if not found or TRIAL not in jobs:
        raise InputError(
            "results", list(jobs.columns[:8]), "not the results of a search; run python -m trisynth.search first"
        )
    return found


def regrets(jobs: pd.DataFrame) -> np.ndarray:
    """Return the regrets of the jobs as points, one column per objective."""
    return jobs[[f"{REGRET}{name}" for name in objectives(jobs)]].to_numpy()


def weights(jobs: pd.DataFrame) -> list[str]:
    """Return the columns of the weights that the searches varied."""
    tried = jobs[jobs[PART] == "validation"]
    return [name for name in _NAMES if name.startswith("loss.") and tried[name].min() < tried[name].max()]


def searches(jobs: pd.DataFrame) -> dict[Key, pd.DataFrame]:
    """Return the trials of each search in order, by data set, generator, sampler and seed."""
    objectives(jobs)
    return by_search(jobs[jobs[PART] == "validation"].sort_values(TRIAL, kind="stable"))


def tested(jobs: pd.DataFrame) -> pd.DataFrame:
    """Return test scores of the fronts' weights, and their validation scores with the prefix ``before/``."""
    keys = ["dataset", "generator", SAMPLER, "seed", TRIAL]
    columns = [*objectives(jobs), *(f"{REGRET}{name}" for name in objectives(jobs))]
    found = jobs[(jobs[PART] == "test") & (jobs[SAMPLER] != DEFAULT)]
    before = jobs.loc[jobs[PART] == "validation", [*keys, *columns]]
    return found.merge(before.rename(columns={c: f"{BEFORE}{c}" for c in columns}), on=keys, validate="one_to_one")


def by_search(jobs: pd.DataFrame) -> dict[Key, pd.DataFrame]:
    """Group jobs by data set, generator, sampler and seed."""
    return dict(list(jobs.groupby(["dataset", "generator", SAMPLER, "seed"], sort=False)))


def by_case(found: dict[Key, pd.DataFrame]) -> dict[Case, dict[str, dict[int, pd.DataFrame]]]:
    """Group searches by data set and generator, then by sampler, then by seed."""
    cases: dict = {}
    for (dataset, generator, sampler, seed), trials in found.items():
        cases.setdefault((dataset, generator), {}).setdefault(sampler, {})[seed] = trials
    return cases


def course(trials: pd.DataFrame) -> np.ndarray:
    """Compute the hypervolume after each trial of one search."""
    points = regrets(trials)
    return np.array([hypervolume(points[: count + 1]) for count in range(len(points))])


def spearman(one: pd.Series, other: pd.Series) -> float:
    """Compute Spearman's rank correlation; 0 where one of the two does not vary."""
    ranks = np.array([rankdata(one), rankdata(other)])
    return float(np.corrcoef(ranks)[0, 1]) if (ranks.std(axis=1) > 0).all() else 0.0
