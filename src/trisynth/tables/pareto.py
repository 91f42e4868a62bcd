"""Searches for weights with several aims: fronts, hypervolumes, and how both held on the test rows.

The aims are regrets (``aims.regret``): 0 is the best, 1 the worst, less is better. All hypervolumes are shares of the
unit box between the two, so that a random table has 0 and real rows that nobody copied have nearly 1.
"""

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from trisynth.errors import InputError
from trisynth.tables.estimates import difference, estimate
from trisynth.tables.markup import Column, Table

REGRET = "regret/"
# What the columns of a search's results are called that a sweep's have not.
PART, SAMPLER, TRIAL, FRONT = "part", "sampler", "trial", "front"
DEFAULT = "default"
# What print calls a metric that a search may have as an aim, and a sampler.
NAMES = {
    "synthetic/roc_auc": "ROC AUC, synthetic",
    "synthetic/r2": "R², synthetic",
    "fidelity/c2st_boosting": "C2ST AUC",
    "privacy/memorised": "memorised share",
    "evolution": "NSGA-II",
    "random": "random search",
    "loss.alpha": "α",
    "loss.beta": "β",
    "loss.gamma": "γ",
}
_TEST_SHARE = 1 / 3


def front(points: np.ndarray) -> np.ndarray:
    """Which points no other point beats: as good in every aim and better in one. Equal points stay together.

    Parameters
    ----------
    points : array, shape (n, d)
        Less is better.

    Returns
    -------
    array of bool, shape (n,)
    """
    points = np.asarray(points, dtype=float)
    as_good = (points[:, None] <= points[None]).all(axis=2)
    better = (points[:, None] < points[None]).any(axis=2)
    return ~(as_good & better).any(axis=0)


def hypervolume(points: np.ndarray) -> float:
    """Share of the unit box that the points beat, exactly.

    The box is cut along the last aim at every point (Zitzler 2001, hypervolume by slicing objectives); a slice's share
    is the hypervolume, in one dimension less, of the points that lie below it.

    Parameters
    ----------
    points : array, shape (n, d)
        Less is better; the reference is 1 in every aim, and what lies beyond it beats nothing.

    Returns
    -------
    float
    """
    points = np.asarray(points, dtype=float)
    points = points[(points < 1).all(axis=1)]
    if not len(points):
        return 0.0
    if points.shape[1] == 1:
        return float(1 - max(points.min(), 0.0))
    points = points[front(points)]
    points = np.maximum(points[np.argsort(points[:, -1], kind="stable")], 0.0)
    ends = [*points[1:, -1], 1.0]
    slices = enumerate(zip(points[:, -1], ends, strict=True), start=1)
    return sum((high - low) * hypervolume(points[:below, :-1]) for below, (low, high) in slices if high > low)


def aims(jobs: pd.DataFrame) -> list[str]:
    """Names of the aims' metrics, in their order.

    Raises
    ------
    InputError
        If the results are not those of searches.
    """
    found = [name.removeprefix(REGRET) for name in jobs if name.startswith(REGRET)]
    if not found or TRIAL not in jobs:
        raise InputError("results", list(jobs.columns[:8]), "are of no search; run python -m trisynth.search first")
    return found


def regrets(jobs: pd.DataFrame) -> np.ndarray:
    """Points of the jobs, one column per aim."""
    return jobs[[f"{REGRET}{name}" for name in aims(jobs)]].to_numpy()


def weights(jobs: pd.DataFrame) -> list[str]:
    """Columns of the weights that the searches varied."""
    tried = jobs[jobs[PART] == "validation"]
    return [name for name in NAMES if name.startswith("loss.") and tried[name].min() < tried[name].max()]


def searches(jobs: pd.DataFrame) -> dict[tuple[str, str, str, int], pd.DataFrame]:
    """Trials of each search in their order, by data set, generator, sampler and seed."""
    tried = jobs[jobs[PART] == "validation"].sort_values(TRIAL, kind="stable")
    return {key: found for key, found in tried.groupby(["dataset", "generator", SAMPLER, "seed"], sort=False)}


def tested(jobs: pd.DataFrame) -> pd.DataFrame:
    """What the fronts' weights had on the test rows, each beside what it had on the validation rows (``_0``)."""
    keys = ["dataset", "generator", SAMPLER, "seed", TRIAL]
    columns = [*aims(jobs), *(f"{REGRET}{name}" for name in aims(jobs))]
    found = jobs[(jobs[PART] == "test") & (jobs[SAMPLER] != DEFAULT)]
    before = jobs.loc[jobs[PART] == "validation", [*keys, *columns]]
    return found.merge(before, on=keys, suffixes=("", "_0"), validate="one_to_one")


def course(trials: pd.DataFrame) -> np.ndarray:
    """Hypervolume after each trial of one search."""
    points = regrets(trials)
    return np.array([hypervolume(points[: count + 1]) for count in range(len(points))])


def spearman(one: pd.Series, other: pd.Series) -> float:
    """Spearman's rank correlation; 0 where one of the two does not vary."""
    ranks = np.array([rankdata(one), rankdata(other)])
    return float(np.corrcoef(ranks)[0, 1]) if (ranks.std(axis=1) > 0).all() else 0.0


def hypervolume_table(jobs: pd.DataFrame) -> Table:
    """What each way to search reached on validation rows, and what was left of it on the test rows."""
    columns = [Column("dataset", "Data set"), Column("generator", "Generator"), Column("sampler", "Search")]
    columns += [Column("searches", "Seeds"), Column("front", "Front"), Column("validation", "Volume, validation")]
    columns += [Column("test", "Volume, test"), Column("kept", "Unbeaten on test")]
    columns += [Column("gain", "Gain of the best over default", signed=True)]
    first = aims(jobs)[0]
    later = tested(jobs)
    plain = jobs[(jobs[PART] == "test") & (jobs[SAMPLER] == DEFAULT)].set_index(["dataset", "generator", "seed"])
    rows, rules = [], set()
    found = searches(jobs)
    for dataset, generator in dict.fromkeys(key[:2] for key in found):
        rules.add(len(rows))
        series: dict[str, dict[str, pd.Series]] = {}
        for sampler in dict.fromkeys(key[2] for key in found if key[:2] == (dataset, generator)):
            own = {key[3]: trials for key, trials in found.items() if key[:3] == (dataset, generator, sampler)}
            numbers = {}
            for seed, trials in own.items():
                here = later[
                    (later[["dataset", "generator", SAMPLER, "seed"]] == (dataset, generator, sampler, seed)).all(
                        axis=1
                    )
                ]
                best = here.loc[here[f"{REGRET}{first}_0"].idxmin(), f"{REGRET}{first}"]
                numbers[seed] = {
                    "front": int(front(regrets(trials)).sum()),
                    "validation": hypervolume(regrets(trials)),
                    "test": hypervolume(regrets(here)),
                    "kept": float(front(regrets(here)).mean()),
                    "gain": plain.loc[(dataset, generator, seed), f"{REGRET}{first}"] - best,
                }
            table = pd.DataFrame(numbers).T
            series[sampler] = dict(table.items())
            cells = [estimate(values, _TEST_SHARE) for values in series[sampler].values()]
            rows.append([dataset, generator, NAMES.get(sampler, sampler), len(own), *cells])
        if len(series) == 2:
            one, other = series
            cells = [difference(series[one][name], series[other][name], _TEST_SHARE) for name in series[one]]
            rows.append(
                [dataset, generator, f"{NAMES.get(one, one)} less {NAMES.get(other, other)}", cells[0].count, *cells]
            )
    note = (
        "Volume: share of the box between the worst and the best of all aims that a search's trials beat. Test: the "
        "weights of the front, each run once on the test rows; unbeaten: the share of them that no other one of the "
        f"front beats there. Best: the front's weights with the best {NAMES.get(first, first)} on validation rows; its "
        "gain is in regret, on the test rows, over the weights that the experiment has without a search. Means over seeds, "
        "± half of the 95 % interval (Nadeau and Bengio's corrected resampled t)."
    )
    return Table(
        "hypervolume",
        "What the searches found, and what was left of it on the test rows.",
        note,
        columns,
        rows,
        rules=rules,
    )


def agreement_table(jobs: pd.DataFrame) -> Table:
    """Whether the aims agree, and which weight moves which aim: rank correlations over the random trials."""
    names = aims(jobs)
    pairs = [(one, other) for place, one in enumerate(names) for other in [*names[place + 1 :], *weights(jobs)]]
    columns = [
        Column("dataset", "Data set"),
        Column("generator", "Generator"),
        Column("one", "Of"),
        Column("other", "And"),
    ]
    columns += [Column("searches", "Seeds"), Column("correlation", "Rank correlation", signed=True)]
    found = searches(jobs)
    samplers = {key[2] for key in found}
    sampler = "random" if "random" in samplers else sorted(samplers)[0]
    rows, rules, bold = [], set(), set()
    for dataset, generator in dict.fromkeys(key[:2] for key in found):
        rules.add(len(rows))
        own = [trials for key, trials in found.items() if key[:3] == (dataset, generator, sampler)]
        for one, other in pairs:
            column = f"{REGRET}{other}" if other in names else other
            cell = estimate([spearman(trials[f"{REGRET}{one}"], trials[column]) for trials in own], _TEST_SHARE)
            if cell.count > 2 and (cell.low > 0 or cell.high < 0):
                bold.add((len(rows), 5))
            rows.append([dataset, generator, NAMES.get(one, one), NAMES.get(other, other), len(own), cell])
    note = (
        f"Spearman's rank correlation over the trials of {NAMES.get(sampler, sampler)} on validation rows. Aims count "
        "as regrets: a positive correlation of two aims says that they agree, of an aim and a weight that more of the "
        "weight is worse. Means over seeds, ± half of the 95 % corrected resampled t interval; bold if it leaves out 0."
    )
    return Table("agreement", "Whether the aims agree, and what the weights move.", note, columns, rows, bold, rules)
