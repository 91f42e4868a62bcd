"""The tables of the paper, from a sweep's results."""

from collections.abc import Mapping

import pandas as pd

from trisynth.report.markup import Column, Table
from trisynth.statistics import estimates
from trisynth.statistics.estimates import Estimate, Key

SCORES = {
    "accuracy": "Accuracy",
    "precision_macro": "Precision",
    "recall_macro": "Recall",
    "f1_macro": "F1",
    "r2": "R²",
    "mae": "MAE",
    "mse": "MSE",
}
# The first one that a data set has is its headline: classes, numbers.
HEADLINES = {"f1_macro": "macro-F1", "r2": "R²"}
COMPARED = {
    "fidelity/c2st_boosting": "C2ST, trees",
    "fidelity/c2st_linear": "C2ST, linear",
    "fidelity/ks": "KS",
    "fidelity/tv": "TV",
    "fidelity/js": "JS",
    "fidelity/correlation_gap": "Corr. gap",
    "copying/identical_match_share": "Exact copies",
    "copying/dcr_share": "Closer to train",
}
_INTERVAL = (
    "Means over seeds of the mean over classifiers, ± half of the 95 % interval (Nadeau and Bengio's corrected "
    "resampled t, test share {share:.3g}). "
)


def _note(test_share: float) -> str:
    return _INTERVAL.format(share=test_share)


def all_tables(jobs: pd.DataFrame, test_share: float) -> list[Table]:
    """Every table that the jobs allow.

    Parameters
    ----------
    jobs : DataFrame
        As ``estimates.read`` returns them.
    test_share : float
        Share of the rows that each seed tested.

    Returns
    -------
    list of Table
        The main table for each way of adding synthetic rows, one table per data set, and fidelity with privacy.
    """
    found = {metric: estimates.scores(jobs, metric) for metric in SCORES}
    tables = [main_table(found, arm, test_share) for arm in ("combined", "balanced")]
    tables += [dataset_table(found, str(name), test_share) for name in jobs["dataset"].unique()]
    tables.append(comparison_table(jobs, test_share))
    return [table for table in tables if table.rows]


def dataset_table(found: Mapping[str, Mapping[Key, pd.Series]], dataset: str, test_share: float) -> Table:
    """Every score of every training set of one data set.

    Parameters
    ----------
    found : mapping of metric to ``estimates.scores``
    dataset : str
    test_share : float

    Returns
    -------
    Table
    """
    shown = [metric for metric in SCORES if any(key[0] == dataset for key in found[metric])]
    keys = estimates.arms_of(found[shown[0]], dataset) if shown else []
    columns = [Column("training_rows", "Training rows"), Column("generator", "Generator"), Column("seeds", "Seeds")]
    columns += [Column(metric, SCORES[metric]) for metric in shown]
    rows, bold = [], set()
    for _, method, arm in keys:
        cells = [estimates.estimate(found[m][dataset, method, arm], test_share) for m in shown]
        rows.append([arm, method, cells[0].count, *cells])
    for place, metric in enumerate(shown):
        winner = _clear_winner(metric, {key: found[metric][key] for key in keys}, test_share)
        if winner is not None:
            bold.add((keys.index(winner), place + 3))
    rules = {place for place in range(1, len(keys)) if _part(keys[place]) != _part(keys[place - 1])}
    macro = "Precision, recall and F1 are means over classes. " if "f1_macro" in shown else ""
    note = (
        f"{_note(test_share)}{macro}Bold: best, and better than the runner-up by an interval of paired differences "
        "above zero."
    )
    return Table(
        f"scores_{dataset}", f"Scores on real test rows, {estimates.name(dataset)}.", note, columns, rows, bold, rules
    )


def _part(key: Key) -> tuple[str, bool]:
    return key[1], key[2] in estimates.RIVALS


def _clear_winner(metric: str, candidates: Mapping[Key, pd.Series], test_share: float) -> Key | None:
    sign = -1 if metric in estimates.LOWER_IS_BETTER else 1
    order = sorted(candidates, key=lambda key: -sign * candidates[key].mean())
    if len(order) < 2:
        return None
    first, second = (sign * candidates[key] for key in order[:2])
    return order[0] if estimates.difference(first, second, test_share).above_zero else None


def main_table(found: Mapping[str, Mapping[Key, pd.Series]], arm: str, test_share: float) -> Table:
    """The headline score of every data set and generator, with the gains that a sceptic asks for.

    Parameters
    ----------
    found : mapping of metric to ``estimates.scores``
    arm : {"combined", "balanced"}
        How synthetic rows were added.
    test_share : float

    Returns
    -------
    Table
    """
    columns = [Column("dataset", "Data set"), Column("score", "Score"), Column("generator", "Generator")]
    columns += [Column("seeds", "Seeds"), Column("real", "Real"), Column("synthetic", "Synthetic")]
    columns += [Column(arm, arm.capitalize()), Column("gain", "Gain over real", signed=True)]
    columns += [Column("rival", "Best rival"), Column("gain_over_rival", "Gain over it", signed=True)]
    rows, bold, rules = [], set(), set()
    for metric, label in HEADLINES.items():
        scores = found[metric]
        for dataset, method in [(d, m) for d, m, a in scores if a == arm and (d, "", "real") in scores]:
            if rows and rows[-1][0] != dataset:
                rules.add(len(rows))
            added, real = scores[dataset, method, arm], scores[dataset, "", "real"]
            rival = estimates.best_rival(scores, dataset)
            over_rival = estimates.difference(added, scores[dataset, "", rival], test_share) if rival else None
            gains = [estimates.difference(added, real, test_share), over_rival]
            alone = scores.get((dataset, method, "synthetic"))
            cells = [None if s is None else estimates.estimate(s, test_share) for s in (real, alone, added)]
            bold |= {(len(rows), place) for place, gain in zip((7, 9), gains, strict=True) if gain and gain.above_zero}
            rows.append([dataset, label, method, cells[2].count, *cells, gains[0], rival, gains[1]])
    note = (
        f"{_note(test_share)}Gains are paired by seed. The best rival is the best of the training sets without "
        "synthetic rows (duplicated real rows, random oversampling, class weights, tuned threshold), chosen with "
        "hindsight in its favour. Bold: the interval lies above zero."
    )
    words = {"combined": "are added to the real rows", "balanced": "fill every class up to the largest"}
    return Table(f"main_{arm}", f"Gain where synthetic rows {words[arm]}.", note, columns, rows, bold, rules)


def comparison_table(jobs: pd.DataFrame, test_share: float) -> Table:
    """Fidelity and privacy of every generator between floor and ceiling; classifiers play no part.

    Parameters
    ----------
    jobs : DataFrame
        As ``estimates.read`` returns them.
    test_share : float

    Returns
    -------
    Table
    """
    shown = [name for name in COMPARED if name in jobs]
    columns = [Column("dataset", "Data set"), Column("generator", "Generator")]
    columns += [Column(name.partition("/")[2], COMPARED[name], interval=False) for name in shown]
    rows, rules = [], set()
    for dataset, parts in jobs.groupby("dataset", sort=False):
        rules.add(len(rows))
        once = parts.drop_duplicates("seed")
        named = {str(method): (each, "") for method, each in parts.groupby("method", sort=False)}
        for name, (table, suffix) in {"floor": (once, "_floor"), **named, "ceiling": (once, "_ceiling")}.items():
            cells = [_mean(table.drop_duplicates("seed"), metric + suffix, test_share) for metric in shown]
            if any(cells):
                rows.append([dataset, name, *cells])
    note = (
        "Means over seeds; the intervals are in the CSV. Synthetic rows are compared with real held-out rows. C2ST: "
        "AUC of a classifier that tells real from synthetic, 0.5 is best. KS, TV, JS and the correlation gap: 0 is "
        "best. Closer to train: share of synthetic rows whose nearest real row is a training row; about 0.5 if nothing "
        "was memorised. Exact copies and nearness detect copying and are no verdict on privacy."
    )
    caption = "Fidelity and nearness of the synthetic rows, between their floor and their ceiling."
    return Table("fidelity_copying", caption, note, columns, rows if shown else [], set(), rules)


def _mean(table: pd.DataFrame, name: str, test_share: float) -> Estimate | None:
    values = table[name].dropna() if name in table else ()
    return estimates.estimate(values, test_share) if len(values) else None
