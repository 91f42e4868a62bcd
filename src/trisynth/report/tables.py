"""Tables of a sweep: scores by data set, gains over real rows and baselines, fidelity and copying."""

from collections.abc import Mapping

import pandas as pd

from trisynth.report import names
from trisynth.report.jobs import BASELINES, Key, arms_of, best_baseline, scores
from trisynth.report.markup import Column, Table
from trisynth.statistics.estimate import Estimate
from trisynth.statistics.resampling import difference, estimate

SCORES = ("accuracy", "precision_macro", "recall_macro", "f1_macro", "r2", "mae", "mse")
# The first one that a data set has is its headline: classification, regression.
HEADLINES = ("f1_macro", "r2")
COMPARED = (
    "fidelity/c2st_boosting",
    "fidelity/c2st_linear",
    "fidelity/ks",
    "fidelity/tv",
    "fidelity/js",
    "fidelity/correlation_gap",
    "copying/identical_match_share",
    "copying/dcr_share",
)
_INTERVAL = (
    "Means over seeds of the mean over classifiers, ± half of the 95 % interval (Nadeau and Bengio's corrected "
    "resampled t, test fraction {test_size:.3g}). "
)


def _note(test_size: float) -> str:
    return _INTERVAL.format(test_size=test_size)


def all_tables(jobs: pd.DataFrame, test_size: float) -> list[Table]:
    """Build every table that the jobs allow.

    Parameters
    ----------
    jobs : DataFrame
        As ``jobs.by_method`` returns them.
    test_size : float
        Fraction of the rows that each seed tests.

    Returns
    -------
    list of Table
        The main table for each way of adding synthetic rows, one table per data set, and fidelity with copying.
    """
    found = {metric: scores(jobs, metric) for metric in SCORES}
    tables = [main_table(found, arm, test_size) for arm in ("combined", "balanced")]
    tables += [dataset_table(found, str(name), test_size) for name in jobs["dataset"].unique()]
    tables.append(comparison_table(jobs, test_size))
    return [table for table in tables if table.rows]


def dataset_table(found: Mapping[str, Mapping[Key, pd.Series]], dataset: str, test_size: float) -> Table:
    """Tabulate every score of every training set of one data set.

    Parameters
    ----------
    found : mapping of metric to ``jobs.scores``
    dataset : str
    test_size : float

    Returns
    -------
    Table
    """
    shown = [metric for metric in SCORES if any(key[0] == dataset for key in found[metric])]
    keys = arms_of(found[shown[0]], dataset) if shown else []
    columns = [Column("training_rows", "Training rows"), Column("generator", "Generator"), Column("seeds", "Seeds")]
    columns += [Column(metric, names.metric(metric)) for metric in shown]
    rows, bold = [], set()
    for _, method, arm in keys:
        cells = [estimate(found[m][dataset, method, arm], test_size) for m in shown]
        rows.append([arm, method, cells[0].count, *cells])
    for place, metric in enumerate(shown):
        winner = _clear_winner(metric, {key: found[metric][key] for key in keys}, test_size)
        if winner is not None:
            bold.add((keys.index(winner), place + 3))
    rules = {place for place in range(1, len(keys)) if _part(keys[place]) != _part(keys[place - 1])}
    macro = "Precision, recall and F1 are means over classes. " if "f1_macro" in shown else ""
    note = (
        f"{_note(test_size)}{macro}Bold: the best value, if the interval of its paired difference from the second best "
        "lies above zero."
    )
    return Table(
        f"scores_{dataset}", f"Scores on real test rows, {names.name(dataset)}.", note, columns, rows, bold, rules
    )


def _part(key: Key) -> tuple[str, bool]:
    return key[1], key[2] in BASELINES


def _clear_winner(metric: str, candidates: Mapping[Key, pd.Series], test_size: float) -> Key | None:
    sign = -1 if metric in names.LOWER_IS_BETTER else 1
    order = sorted(candidates, key=lambda key: -sign * candidates[key].mean())
    if len(order) < 2:
        return None
    first, second = (sign * candidates[key] for key in order[:2])
    return order[0] if difference(first, second, test_size).above_zero else None


def main_table(found: Mapping[str, Mapping[Key, pd.Series]], arm: str, test_size: float) -> Table:
    """Tabulate the headline score of every data set and generator, with its gains over real rows and best baseline.

    Parameters
    ----------
    found : mapping of metric to ``jobs.scores``
    arm : {"combined", "balanced"}
        How synthetic rows were added.
    test_size : float

    Returns
    -------
    Table
    """
    columns = [Column("dataset", "Data set"), Column("score", "Score"), Column("generator", "Generator")]
    columns += [Column("seeds", "Seeds"), Column("real", "Real"), Column("synthetic", "Synthetic")]
    columns += [Column(arm, arm.capitalize()), Column("gain", "Gain over real", signed=True)]
    columns += [Column("baseline", "Best baseline"), Column("gain_over_baseline", "Gain over it", signed=True)]
    rows, bold, rules = [], set(), set()
    for metric in HEADLINES:
        known = found[metric]
        for dataset, method in [(d, m) for d, m, a in known if a == arm and (d, "", "real") in known]:
            if rows and rows[-1][0] != dataset:
                rules.add(len(rows))
            added, real = known[dataset, method, arm], known[dataset, "", "real"]
            baseline = best_baseline(known, dataset)
            over_baseline = difference(added, known[dataset, "", baseline], test_size) if baseline else None
            gains = [difference(added, real, test_size), over_baseline]
            alone = known.get((dataset, method, "synthetic"))
            cells = [None if s is None else estimate(s, test_size) for s in (real, alone, added)]
            bold |= {(len(rows), place) for place, gain in zip((7, 9), gains, strict=True) if gain and gain.above_zero}
            rows.append([dataset, names.metric(metric), method, cells[2].count, *cells, gains[0], baseline, gains[1]])
    note = (
        f"{_note(test_size)}Gains are paired by seed. The best baseline is the best of the training sets without "
        "synthetic rows (duplicated real rows, random oversampling, class weights, tuned threshold), selected by its "
        "test scores, which favours it. Bold: the interval lies above zero."
    )
    words = {"combined": "are added to the real rows", "balanced": "fill every class up to the largest"}
    return Table(f"main_{arm}", f"Gain where synthetic rows {words[arm]}.", note, columns, rows, bold, rules)


def comparison_table(jobs: pd.DataFrame, test_size: float) -> Table:
    """Tabulate fidelity and copying of every generator between floor and ceiling; they depend on no classifier.

    Parameters
    ----------
    jobs : DataFrame
        As ``jobs.by_method`` returns them.
    test_size : float

    Returns
    -------
    Table
    """
    shown = [name for name in COMPARED if name in jobs]
    columns = [Column("dataset", "Data set"), Column("generator", "Generator")]
    columns += [Column(name.partition("/")[2], names.metric(name), interval=False) for name in shown]
    rows, rules = [], set()
    for dataset, parts in jobs.groupby("dataset", sort=False):
        rules.add(len(rows))
        once = parts.drop_duplicates("seed")
        methods = {str(method): (each, "") for method, each in parts.groupby("method", sort=False)}
        for name, (table, suffix) in {"floor": (once, "_floor"), **methods, "ceiling": (once, "_ceiling")}.items():
            cells = [_mean(table.drop_duplicates("seed"), metric + suffix, test_size) for metric in shown]
            if any(cells):
                rows.append([dataset, name, *cells])
    note = (
        "Means over seeds; the intervals are in the CSV. Synthetic rows are compared with real held-out rows. C2ST: "
        "AUC of boosted trees (or a linear model) that discriminate real from synthetic rows; 0.5 is best. KS, TV, JS "
        "divergence and the correlation gap: 0 is best. DCR share: fraction of synthetic rows whose nearest real row "
        "is a training row; about 0.5 without memorisation. Identical match share and DCR share detect copying; "
        "neither is a privacy guarantee."
    )
    caption = "Fidelity and copying of the synthetic rows, between floor and ceiling."
    return Table("fidelity_copying", caption, note, columns, rows if shown else [], set(), rules)


def _mean(table: pd.DataFrame, name: str, test_size: float) -> Estimate | None:
    values = table[name].dropna() if name in table else ()
    return estimate(values, test_size) if len(values) else None
