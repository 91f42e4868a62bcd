"""Searches for weights with several aims: fronts, hypervolumes, and how both held on the test rows.

The aims are regrets (``aims.regret``): 0 is the best, 1 the worst, less is better. All hypervolumes are shares of the
unit box between the two, so that a random table has 0 and real rows that nobody copied have nearly 1.
"""

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from trisynth.errors import InputError
from trisynth.report.markup import Column, Table
from trisynth.statistics.estimates import Estimate, difference, estimate

REGRET = "regret/"
# What the columns of a search's results are called that a sweep's have not.
PART, SAMPLER, TRIAL, FRONT = "part", "sampler", "trial", "front"
DEFAULT, BEFORE = "default", "before/"
# What print calls a metric that a search may have as an aim, and a sampler.
NAMES = {
    "synthetic/roc_auc": "ROC AUC, synthetic",
    "synthetic/r2": "R², synthetic",
    "fidelity/c2st_boosting": "C2ST AUC",
    "copying/memorised": "memorised share",
    "evolution": "NSGA-II",
    "random": "random search",
    "loss.alpha": "α",
    "loss.beta": "β",
    "loss.gamma": "γ",
}
_TEST_SHARE = 1 / 3
_FIRST = (Column("dataset", "Data set"), Column("generator", "Generator"))
_MEANS = "Means over seeds, ± half of the 95 % interval (Nadeau and Bengio's corrected resampled t)."

Key = tuple[str, str, str, int]


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


def searches(jobs: pd.DataFrame) -> dict[Key, pd.DataFrame]:
    """Trials of each search in their order, by data set, generator, sampler and seed."""
    aims(jobs)
    return _by_search(jobs[jobs[PART] == "validation"].sort_values(TRIAL, kind="stable"))


def tested(jobs: pd.DataFrame) -> pd.DataFrame:
    """What the fronts' weights had on the test rows, each beside what it had ``before/`` on the validation rows."""
    keys = ["dataset", "generator", SAMPLER, "seed", TRIAL]
    columns = [*aims(jobs), *(f"{REGRET}{name}" for name in aims(jobs))]
    found = jobs[(jobs[PART] == "test") & (jobs[SAMPLER] != DEFAULT)]
    before = jobs.loc[jobs[PART] == "validation", [*keys, *columns]]
    return found.merge(before.rename(columns={c: f"{BEFORE}{c}" for c in columns}), on=keys, validate="one_to_one")


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
    columns = [*_FIRST, Column("search", "Search"), Column("searches", "Seeds"), Column("front", "Front")]
    columns += [Column("validation", "Volume, validation"), Column("test", "Volume, test")]
    columns += [Column("kept", "Unbeaten on test")]
    rows, rules, later = [], set(), _by_search(tested(jobs))
    for case, found in _cases(searches(jobs)).items():
        rules.add(len(rows))
        series: dict[str, pd.DataFrame] = {}
        for sampler, seeds in found.items():
            numbers = {}
            for seed, trials in seeds.items():
                # Evolution asks for the same weights again and again.
                once, here = trials.drop_duplicates("key"), later[*case, sampler, seed].drop_duplicates("key")
                numbers[seed] = {
                    "front": float(front(regrets(once)).sum()),
                    "validation": hypervolume(regrets(once)),
                    "test": hypervolume(regrets(here)),
                    "kept": float(front(regrets(here)).mean()),
                }
            series[sampler] = pd.DataFrame(numbers).T
            cells = [estimate(series[sampler][name], _TEST_SHARE) for name in series[sampler]]
            rows.append([*case, NAMES.get(sampler, sampler), len(seeds), *cells])
        own = jobs[(jobs[PART] == "test") & (jobs[SAMPLER] == DEFAULT)].set_index(["dataset", "generator"])
        if case in own.index:
            volumes = [hypervolume(regrets(plain)) for _, plain in own.loc[[case]].groupby("seed")]
            rows.append([*case, "default weights", len(volumes), None, None, estimate(volumes, _TEST_SHARE), None])
        if len(series) == 2:
            (one, left), (other, right) = series.items()
            cells = [difference(left[name], right[name], _TEST_SHARE) for name in left]
            rows.append([*case, f"{NAMES.get(one, one)} less {NAMES.get(other, other)}", cells[0].count, *cells])
    note = (
        "Volume: share of the box between the worst and the best of all aims that a search's trials beat. Test: the "
        "weights of the front, each run once on the test rows; unbeaten: the share of them that no other one of the "
        f"front beats there. {_MEANS}"
    )
    caption = "What the searches found, and what the test rows left of it."
    return Table("hypervolume", caption, note, columns, rows, rules=rules)


def chosen_table(jobs: pd.DataFrame) -> Table:
    """The best weights by each aim: what they promised, what they kept, and what the default weights have."""
    columns = [*_FIRST, Column("search", "Search"), Column("searches", "Seeds"), Column("aim", "Best by")]
    columns += [Column("validation", "Validation"), Column("test", "Test"), Column("default", "Default, test")]
    columns += [Column("gain", "Gain", signed=True)]
    plain = jobs[(jobs[PART] == "test") & (jobs[SAMPLER] == DEFAULT)].set_index(["dataset", "generator", "seed"])
    rows, rules, bold = [], set(), set()
    for case, found in _cases(_by_search(tested(jobs))).items():
        for sampler, seeds in found.items():
            rules.add(len(rows))
            default = plain.loc[[(*case, seed) for seed in seeds]].set_axis(list(seeds))
            for name in aims(jobs):
                regret = f"{REGRET}{name}"
                best = pd.DataFrame(
                    {seed: here.loc[here[f"{BEFORE}{regret}"].idxmin()] for seed, here in seeds.items()}
                ).T
                values = best[f"{BEFORE}{name}"], best[name], default[name], default[regret] - best[regret]
                cells = [estimate(value.astype(float), _TEST_SHARE) for value in values]
                if _is_clear(cells[-1]):
                    bold.add((len(rows), len(columns) - 1))
                rows.append([*case, NAMES.get(sampler, sampler), len(seeds), NAMES.get(name, name), *cells])
    note = (
        "Of each front the weights that are best by one aim on validation rows: the metric there, on test rows, and "
        "that of the weights that the experiment has without a search. Gain: the latter's regret on test rows less "
        f"that of the chosen, more is better; bold if its interval leaves out 0. {_MEANS}"
    )
    return Table("chosen", "What choosing by validation rows gains on test rows.", note, columns, rows, bold, rules)


def agreement_table(jobs: pd.DataFrame) -> Table:
    """Whether the aims agree, which weight moves which aim, and whether test rows agree with validation rows."""
    columns = [*_FIRST, Column("searches", "Seeds"), Column("one", "Of"), Column("other", "And")]
    columns += [Column("correlation", "Rank correlation", signed=True)]
    names, rows, rules, bold = aims(jobs), [], set(), set()
    pairs = [(one, other) for place, one in enumerate(names) for other in [*names[place + 1 :], *weights(jobs)]]

    def add(case: tuple[str, str], one: str, other: str, values: list[float]) -> None:
        cell = estimate(values, _TEST_SHARE)
        if _is_clear(cell):
            bold.add((len(rows), len(columns) - 1))
        rows.append([*case, len(values), one, other, cell])

    later = tested(jobs)
    for case, found in _cases(searches(jobs)).items():
        trials = found.get("random", next(iter(found.values()))).values()
        rules.add(len(rows))
        for one, other in pairs:
            column = f"{REGRET}{other}" if other in names else other
            values = [spearman(of[f"{REGRET}{one}"], of[column]) for of in trials]
            add(case, NAMES.get(one, one), NAMES.get(other, other), values)
        rules.add(len(rows))
        own = later[(later["dataset"] == case[0]) & (later["generator"] == case[1])]
        fronts = [of.drop_duplicates("key") for _, of in own.groupby("seed")]
        for name in names:
            values = [spearman(of[f"{BEFORE}{REGRET}{name}"], of[f"{REGRET}{name}"]) for of in fronts]
            add(case, f"{NAMES.get(name, name)}, validation", "the same, test", values)
    note = (
        "Spearman's rank correlation, first over the trials of random search on validation rows, then over the weights "
        "of all fronts of a split, between validation and test rows. Aims count as regrets: a positive correlation of "
        "two aims says that they agree, of an aim and a weight that more of the weight is worse. Bold: the interval "
        f"leaves out 0. {_MEANS}"
    )
    return Table("agreement", "Whether the aims agree, and what the weights move.", note, columns, rows, bold, rules)


def _is_clear(cell: Estimate) -> bool:
    """Whether the interval leaves out zero; two values can agree by chance and never show it."""
    return cell.count > 2 and (cell.low > 0 or cell.high < 0)


def _by_search(jobs: pd.DataFrame) -> dict[Key, pd.DataFrame]:
    return dict(list(jobs.groupby(["dataset", "generator", SAMPLER, "seed"], sort=False)))


def _cases(found: dict[Key, pd.DataFrame]) -> dict[tuple[str, str], dict[str, dict[int, pd.DataFrame]]]:
    """Searches by data set and generator, then by sampler, then by seed."""
    cases: dict = {}
    for (dataset, generator, sampler, seed), trials in found.items():
        cases.setdefault((dataset, generator), {}).setdefault(sampler, {})[seed] = trials
    return cases
