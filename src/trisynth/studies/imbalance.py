"""Gain of rows that fill up a rare class, over real rows and over remedies without a generator, by the class ratio."""

import itertools
from collections.abc import Iterable
from functools import cache

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

from trisynth.data.paper_cohort import CLASSES, PREVALENCE, TARGET, posterior, simulate
from trisynth.errors import InputError
from trisynth.report.markup import Column, Table
from trisynth.statistics.across_datasets import holm, mean_over_datasets, p_value
from trisynth.statistics.estimate import Estimate

# The comparison that was named before the run, in macro-F1.
PRIMARY, AGAINST, HARD = "circuit", "threshold", (30, 130)
REMEDIES = ("threshold", "class_weight", "oversampled")
SCORES = {
    "f1": "Macro-F1",
    "f1_plain": "Macro-F1, unweighted",
    "average_precision": "Average precision",
    "recall": "Recall",
    "log_loss": "Log loss",
    "probability_gap": "Probability gap",
}
ALL, BOTH = "all", "both"
WORTH = 0.01
COHORT = "paper_cohort"
# A table that is rarer than a ratio by itself counts at it up to this multiple.
_TOO_RARE = 2.5
_KEYS = ["dataset", "generator", "classifier", "seed", "imbalance"]
_NAN = float("nan")


def macro_f1(recall: np.ndarray, specificity: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """Compute the macro-F1 of a class against the others where they are ``ratio`` times as frequent."""
    share = 1 / (1 + np.asarray(ratio, float))
    hit, kept = share * recall, (1 - share) * specificity
    wrong = share - hit + (1 - share) - kept
    return (2 * hit / (2 * hit + wrong) + 2 * kept / (2 * kept + wrong)) / 2


def scores(jobs: pd.DataFrame) -> pd.DataFrame:
    """Collect the scores of every training set of each job.

    Parameters
    ----------
    jobs : DataFrame
        With ``imbalance``, ``data/imbalance`` and the scores of ``conf/metrics/imbalance.yaml`` for the training sets
        of ``conf/arms/imbalance.yaml``.

    Returns
    -------
    DataFrame
        One row per job and training set: ``_KEYS``, ``ratio`` of the training rows, ``arm`` and ``SCORES``. ``f1`` is
        the macro-F1 of the rarest class against the others at that ratio, ``f1_plain`` that of all classes on the test
        rows as they are. Jobs whose table is much rarer by itself
        than ``imbalance`` are left out.

    Raises
    ------
    InputError
        If a column is missing, or no job is left.
    """
    arms = ("real", "balanced", *REMEDIES)
    parts = ("recall", "specificity", "average_precision", "probability_gap")
    columns = {name: f"minority_{name}" for name in parts} | {"log_loss": "log_loss", "f1_plain": "f1_macro"}
    needed = ["imbalance", "data/imbalance", *(f"{arm}/{name}" for arm in arms for name in columns.values())]
    missing = [name for name in needed if name not in jobs]
    if missing:
        raise InputError("results", list(jobs.columns[:8]), f"has no {missing[0]}; sweep experiment=imbalance")
    jobs = jobs[jobs["data/imbalance"] <= _TOO_RARE * jobs["imbalance"]]
    if jobs.empty:
        raise InputError("results", "data/imbalance", f"every table has over {_TOO_RARE:g} times the requested ratio")
    found = []
    for arm in arms:
        part = jobs[_KEYS].assign(ratio=jobs["data/imbalance"], arm=arm)
        part = part.assign(**{name: jobs[f"{arm}/{column}"] for name, column in columns.items()})
        found.append(part)
    long = pd.concat(found, ignore_index=True)
    return long.assign(f1=macro_f1(long["recall"], long.pop("specificity"), long["ratio"]))


def gains(jobs: pd.DataFrame, score: str = "f1") -> pd.DataFrame:
    """Subtract the scores of training sets without a generator from those of balanced rows.

    Parameters
    ----------
    jobs : DataFrame
        See ``scores``.
    score : str
        One of ``SCORES``.

    Returns
    -------
    DataFrame
        One row per job: ``_KEYS``, ``over_real``, ``over_<remedy>``, and ``over_best``, over the best of real rows and
        the remedies by its score in the job.
    """
    wide = scores(jobs).pivot_table(score, _KEYS, "arm", sort=False)
    simple = ["real", *REMEDIES]
    found = {f"over_{arm}": wide["balanced"] - wide[arm] for arm in simple}
    return pd.DataFrame(found | {"over_best": wide["balanced"] - wide[simple].max(axis=1)}).reset_index()


def selected(
    found: pd.DataFrame,
    classifier: str = BOTH,
    ratios: int | Iterable[int] | None = None,
    generator: str = ALL,
) -> pd.DataFrame:
    """Select jobs by classifier, ratios and generator, indexed by data set."""
    if classifier != BOTH:
        found = found[found["classifier"] == classifier]
    if ratios is not None:
        found = found[found["imbalance"].isin([ratios] if isinstance(ratios, int) else list(ratios))]
    return (found if generator == ALL else found[found["generator"] == generator]).set_index("dataset")


def growth(values: pd.DataFrame, name: str) -> Estimate:
    """Estimate how much more is gained at the largest ratio than at the smallest, over data sets that have both."""
    means = values.pivot_table(name, "dataset", "imbalance")
    return mean_over_datasets((means[means.columns.max()] - means[means.columns.min()]).dropna())


def primary_table(jobs: pd.DataFrame) -> Table:
    """Tabulate the comparison that was named before the run, and the same at each ratio and for all generators."""
    found = gains(jobs)
    found["plain"] = gains(jobs, "f1_plain")[f"over_{AGAINST}"]
    ratios = sorted(found["imbalance"].unique().tolist())
    hard = [ratio for ratio in ratios if ratio in HARD] or ratios
    columns = [Column("generator", "Balanced by"), Column("ratio", "Ratio"), Column("tables", "Data sets")]
    over = {"over_real": "Over real", f"over_{AGAINST}": "Over tuned threshold", "over_best": "Over best baseline"}
    over["plain"] = "Over tuned threshold, unweighted"
    columns += [Column(key, label, signed=True) for key, label in over.items()]
    columns.append(Column("p", "p, over tuned threshold", interval=False))
    rows, bold, rules = [], set(), set()
    for generator in (PRIMARY, ALL):
        rules.add(len(rows))
        for label, own in [(_joined(hard), hard), *((str(ratio), [ratio]) for ratio in ratios)]:
            part = selected(found, ratios=own, generator=generator)
            cells = [mean_over_datasets(part[name]) for name in over]
            bold |= {(len(rows), 3 + i) for i, cell in enumerate(cells) if cell.mean > WORTH and cell.low > 0}
            p = Estimate(p_value(part[f"over_{AGAINST}"]), _NAN, len(part))
            rows.append([generator, label, part.index.nunique(), *cells, p])
        part = selected(found, generator=generator)
        cells = [growth(part.reset_index(), name) for name in over]
        rows.append([generator, f"{ratios[-1]} minus {ratios[0]}", cells[0].count, *cells, None])
    note = (
        "Gain in macro-F1 of balanced rows, mean over classifiers and seeds; ± half of the 95 % t interval over data "
        f"sets, each of which counts once. The first row is the comparison named before the run. Bold: above {WORTH:g} "
        "with its lower bound above 0. Macro-F1 is that of the rarest class against the others, with the test rows "
        "weighted to the ratio of the training rows; unweighted: that of all classes on the test rows as they are, "
        "where false alarms cost less. The best baseline of real rows, tuned threshold, class weights and oversampling "
        "is chosen by its test score, which favours it. p: t test over data sets, not adjusted."
    )
    return Table("primary", "Balanced rows against the tuned threshold.", note, columns, rows, bold, rules)


def gains_table(jobs: pd.DataFrame) -> Table:
    """Tabulate gains in macro-F1 and average precision by classifier, ratio and generator, with adjusted tests."""
    by_score = {score: gains(jobs, score) for score in ("f1", "average_precision")}
    shown = [("f1", "over_real"), ("f1", f"over_{AGAINST}"), ("f1", "over_best")]
    shown += [("average_precision", "over_real"), ("average_precision", "over_best")]
    labels = ["F1, over real", "F1, over threshold", "F1, over best", "AP, over real", "AP, over best"]
    groups = list(itertools.product(*_levels(by_score["f1"]), [ALL, *_generators(by_score["f1"])]))
    parts = {
        (score, *group): selected(found, group[0], group[1], group[2])
        for score, found in by_score.items()
        for group in groups
    }
    tests = {
        (score, name): holm(
            pd.Series({place: p_value(parts[(score, *group)][name]) for place, group in enumerate(groups)})
        )
        for score, name in (("f1", "over_best"), ("average_precision", "over_real"))
    }
    columns = [Column("classifier", "Classifier"), Column("ratio", "Ratio"), Column("generator", "Balanced by")]
    columns += [Column("tables", "Data sets")]
    columns += [Column(f"{s}_{n}", label, signed=True) for (s, n), label in zip(shown, labels, strict=True)]
    columns += [Column("p_f1", "p, F1, over best", interval=False), Column("p_ap", "p, AP, over real", interval=False)]
    rows, bold = [], set()
    for place, group in enumerate(groups):
        cells = [mean_over_datasets(parts[(score, *group)][name]) for score, name in shown]
        bold |= {(place, 4 + i) for i, cell in enumerate(cells) if cell.mean > WORTH and cell.low > 0}
        count = parts[("f1", *group)].index.nunique()
        p = [Estimate(float(test[place]), _NAN, count) for test in tests.values()]
        rows.append([group[0], str(group[1]), group[2], count, *cells, *p])
    rules = {place for place, group in enumerate(groups) if group[2] == ALL}
    note = (
        "Gains of balanced rows, means over data sets with ± half of the 95 % t interval over them; each data set "
        f"counts once. Bold: above {WORTH:g} with its lower bound above 0. F1: macro-F1 of the rarest class against "
        "the others, with the test rows weighted to the ratio of the training rows. AP: average precision of the "
        "rarest class on the test rows as they are. The best baseline is chosen by its test score, which favours it. "
        "p: t tests over data sets, adjusted by Holm's method for all rows of the table."
    )
    return Table("gains", "Gains by classifier, ratio and generator.", note, columns, rows, bold, rules)


def scores_table(jobs: pd.DataFrame) -> Table:
    """Tabulate the scores of all training sets, with those of calibration."""
    long = scores(jobs)
    columns = [Column("classifier", "Classifier"), Column("ratio", "Ratio"), Column("rows", "Training rows")]
    columns += [Column(name, label, signed=name == "probability_gap") for name, label in SCORES.items()]
    rows, rules = [], set()
    for classifier, ratio in itertools.product(*_levels(long)):
        rules.add(len(rows))
        part = selected(long, classifier, ratio)
        sets = [(arm, part[part["arm"] == arm]) for arm in ("real", *REMEDIES)]
        balanced = part[part["arm"] == "balanced"]
        sets += [(f"balanced, {name}", balanced[balanced["generator"] == name]) for name in _generators(long)]
        rows += [[classifier, str(ratio), name, *(mean_over_datasets(own[s]) for s in SCORES)] for name, own in sets]
    note = (
        "Means over data sets with ± half of the 95 % t interval over them. Macro-F1 is weighted to the ratio of the "
        "training rows; recall of the rarest class, its average precision, log loss and the gap between its mean "
        "predicted probability and its frequency are those of the test rows as they are, which keep the table's own "
        "ratio. A threshold changes labels alone."
    )
    return Table("scores", "Scores of every training set.", note, columns, rows, set(), rules)


def cohort_table(jobs: pd.DataFrame) -> Table:
    """Tabulate scores on the simulated cohort beside the best possible ones."""
    long = scores(jobs)
    long = long[long["dataset"] == COHORT]
    if long.empty:
        raise InputError("results", COHORT, "has no job; sweep experiment=imbalance")
    shown = ("f1", "average_precision")
    columns = [Column("ratio", "Ratio"), Column("rows", "Training rows")]
    columns += [Column(name, SCORES[name]) for name in shown]
    rows, rules = [], set()
    for ratio, part in long.groupby("imbalance"):
        rules.add(len(rows))
        best = (best_f1(float(part["ratio"].mean())), best_average_precision())
        rows.append([str(ratio), "best possible", *(Estimate(value, _NAN, 0) for value in best)])
        for arm, generator in [(arm, ALL) for arm in ("real", *REMEDIES)] + [
            ("balanced", name) for name in _generators(long)
        ]:
            own = part[(part["arm"] == arm) & (part["generator"].eq(generator) | (generator == ALL))]
            name = arm if generator == ALL else f"balanced, {generator}"
            means = own.groupby("seed")[list(shown)].mean()
            rows.append([str(ratio), name, *(Estimate(float(means[s].mean()), _NAN, len(means)) for s in shown)])
    note = (
        "Means over classifiers and seeds for sepsis, the rarest class, on a simulated cohort. The best possible "
        "scores are those of the true probabilities on 200,000 simulated rows, with the best threshold for macro-F1."
    )
    return Table("cohort", "Scores on the cohort, and the best possible.", note, columns, rows, set(), rules)


@cache
def _truth() -> tuple[np.ndarray, np.ndarray]:
    rare = min(PREVALENCE, key=PREVALENCE.get)
    rows = simulate(200_000, seed=1)
    return (rows[TARGET] == rare).to_numpy(), posterior(rows)[:, CLASSES.index(rare)]


def best_average_precision() -> float:
    """Estimate the average precision of the true probabilities of the cohort's rarest class."""
    return float(average_precision_score(*_truth()))


def best_f1(ratio: float) -> float:
    """Estimate the best macro-F1 of the cohort's rarest class against the others at a ratio."""
    own, p = _truth()
    own = own[np.argsort(-p, kind="stable")]
    recall, found = np.cumsum(own) / own.sum(), np.cumsum(~own) / (~own).sum()
    return float(macro_f1(recall, 1 - found, np.full(len(own), ratio)).max())


def _levels(found: pd.DataFrame) -> tuple[list[str], list[int]]:
    return list(dict.fromkeys(found["classifier"])), sorted(found["imbalance"].unique().tolist())


def _generators(found: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(found["generator"]))


def _joined(ratios: list[int]) -> str:
    return " and ".join(map(str, ratios))
