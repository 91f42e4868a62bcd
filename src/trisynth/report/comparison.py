"""Comparison of several generators over data sets: ranks, differences from one of them, and tests."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from trisynth.errors import InputError
from trisynth.report import names
from trisynth.report.markup import Column, Table
from trisynth.statistics import ranks
from trisynth.statistics.across_datasets import holm, mean_over_datasets, wilcoxon_p
from trisynth.statistics.bayes import ROPE, correlated_t
from trisynth.statistics.bootstrap import interquartile_mean
from trisynth.statistics.estimate import Estimate
from trisynth.statistics.resampling import estimate, p_value

# Fraction of missing data sets above which a generator is left out, and not the data sets.
_MOST_MISSING = 0.25
_ALIASES = {"dataset": "table", "generator": "method", "seed": "split"}


@dataclass(frozen=True)
class Comparison:
    """Scores of generators on data sets, one of them the reference.

    Parameters
    ----------
    scores : Series
        By ``dataset``, ``generator`` and ``seed``; every generator has every data set.
    name : str
        Name of the score.
    against : str
        Generator that the others are compared with.
    lower_is_better : bool
    rope : float
        Differences of this size are practically none.
    left_out : tuple of str
        Generators and data sets with missing scores.
    """

    scores: pd.Series
    name: str
    against: str
    lower_is_better: bool = False
    rope: float = ROPE
    left_out: tuple[str, ...] = ()

    @property
    def means(self) -> pd.DataFrame:
        """Means over seeds, one row per data set and one column per generator."""
        return _wide(self.scores)

    def differences(self, generator: str) -> pd.Series:
        """Subtract the scores of the reference from those of a generator, signed so that higher is better."""
        one, other = (self.scores.xs(each, level="generator") for each in (generator, self.against))
        both = one.index.intersection(other.index)
        return (one[both] - other[both]) * (-1 if self.lower_is_better else 1)


def read(
    paths: Sequence[Path], score: str, against: str, lower_is_better: bool = False, rope: float = ROPE
) -> Comparison:
    """Read a score of several generators from results files, the mean over classifiers.

    Parameters
    ----------
    paths : sequence of Path
        CSV files with the columns ``dataset`` (or ``table``), ``generator`` (or ``method``), the score and, where
        present, ``seed`` (or ``split``).
    score, against : str
    lower_is_better : bool
    rope : float

    Returns
    -------
    Comparison
        A generator that lacks more than a quarter of the data sets is left out, then a data set that lacks a generator.

    Raises
    ------
    InputError
        If a file cannot be read or lacks a column, or fewer than two generators or data sets are left.
    """
    parts = [_read(path, score) for path in paths]
    found = pd.concat(parts).groupby(level=["dataset", "generator", "seed"], sort=False).mean()
    wide = _wide(found)
    if against not in wide:
        raise InputError("against", against, f"is no generator of the results, which are {', '.join(wide)}")
    missing = wide.isna().mean()
    kept = wide.drop(columns=missing.index[(missing > _MOST_MISSING) & (missing.index != against)]).dropna()
    ranks.complete(kept)
    left_out = [*wide.columns.difference(kept.columns), *wide.index.difference(kept.index)]
    rows = found.index.get_level_values("dataset").isin(kept.index)
    rows &= found.index.get_level_values("generator").isin(kept.columns)
    return Comparison(found[rows].dropna(), score, against, lower_is_better, rope, tuple(map(str, left_out)))


def _read(path: Path, score: str) -> pd.Series:
    try:
        table = pd.read_csv(path, keep_default_na=False, na_values=[""], low_memory=False)
    except (OSError, ValueError) as error:
        raise InputError("results", str(path), f"cannot be read ({str(error).partition(chr(10))[0]})") from None
    for name, alias in _ALIASES.items():
        if name not in table and alias in table:
            table = table.rename(columns={alias: name})
    for name in ("dataset", "generator", score):
        if name not in table:
            raise InputError("results", str(path), f"has no column {name!r}")
    table = table.assign(seed=table.get("seed", 0))
    if not pd.api.types.is_numeric_dtype(table[score]):
        raise InputError("score", score, f"is no number in {path}")
    return table.set_index(["dataset", "generator", "seed"])[score].dropna()


def overall_table(found: Comparison) -> Table:
    """Tabulate rank, interquartile mean, and the difference from the reference with its test, by generator."""
    mean_ranks = ranks.ranks(found.means, found.lower_is_better).mean().sort_values(kind="stable")
    others = [name for name in mean_ranks.index if name != found.against]
    gaps = {name: found.differences(name) for name in others}
    tests = holm(pd.Series({name: wilcoxon_p(gap) for name, gap in gaps.items()}))
    columns = [
        Column("generator", "Generator"),
        Column("rank", "Mean rank", interval=False),
        Column("iqm", f"{names.metric(found.name)}, interquartile mean"),
        Column("difference", f"Better than {names.name(found.against)} by", signed=True),
        Column("wins", "Wins / ties / losses"),
        Column("p", "p (Wilcoxon, Holm)", interval=False),
    ]
    rows, bold = [], set()
    for place, name in enumerate(mean_ranks.index):
        own = found.scores.xs(name, level="generator", drop_level=False)
        cells = [name, _plain(mean_ranks[name]), interquartile_mean(own)]
        if name == found.against:
            rows.append([*cells, None, "", None])
            continue
        gap = gaps[name].groupby(level="dataset").mean()
        counts = " / ".join(map(str, ranks.wins(gap, found.rope)))
        rows.append([*cells, mean_over_datasets(gaps[name]), counts, _plain(float(tests[name]))])
        if tests[name] < 0.05:
            bold.add((place, 5))
    f, p = ranks.friedman(found.means)
    note = (
        f"{found.means.shape[0]} data sets, {found.means.shape[1]} generators; each data set counts once. Rank 1 is "
        f"best. Friedman's test (Iman and Davenport's F): F = {f:.1f}, p {_tiny(p)}. Interquartile mean ± the longer "
        "arm of its stratified bootstrap interval, which shows other seeds on the same data sets. Differences are "
        "positive where the generator is better, ± half of the 95 % t interval over data sets; a difference below "
        f"{found.rope:g} is a tie. p-values over data sets, adjusted by Holm's method; bold: below 0.05."
    )
    if found.left_out:
        note += f" Left out, because scores are missing: {', '.join(map(names.name, found.left_out))}."
    return Table("comparison", f"Generators by {names.metric(found.name)}.", note, columns, rows, bold)


def by_dataset_table(found: Comparison, test_size: float = 1 / 3) -> Table:
    """Tabulate the difference of every generator from the reference on each data set, with two tests over seeds."""
    columns = [Column("dataset", "Data set"), Column("generator", "Generator"), Column("seeds", "Seeds")]
    columns += [Column("difference", f"Better than {names.name(found.against)} by", signed=True)]
    columns += [Column("p", "p (corrected t)", interval=False)]
    columns += [
        Column(key, label, interval=False)
        for key, label in (("better", "P(better)"), ("equivalent", "P(equivalent)"), ("worse", "P(worse)"))
    ]
    rows, rules = [], set()
    for dataset in found.means.index:
        rules.add(len(rows))
        for name in found.means.columns.drop(found.against):
            gap = found.differences(name).xs(dataset, level="dataset")
            posterior = correlated_t(gap, test_size, found.rope)
            chances = [_plain(each) for each in (posterior.better, posterior.equivalent, posterior.worse)]
            p = _plain(p_value(gap, test_size)) if len(gap) > 1 else None
            rows.append([str(dataset), str(name), len(gap), estimate(gap, test_size), p, *chances])
    note = (
        "Means over seeds, ± half of the corrected resampled 95 % t interval, and its two-sided p-value (Nadeau and "
        "Bengio 2003), not adjusted for the number of rows. P: posterior probabilities of the Bayesian correlated t "
        f"test (Benavoli et al. 2017) that the difference is above, within or below ±{found.rope:g}. A single seed has "
        "neither."
    )
    caption = f"{names.metric(found.name)} by data set, against {names.name(found.against)}."
    return Table("by_dataset", caption, note, columns, rows, rules=rules)


def _wide(scores: pd.Series) -> pd.DataFrame:
    means = scores.rename("score").groupby(level=["dataset", "generator"]).mean().reset_index()
    return means.pivot_table(index="dataset", columns="generator", values="score")


def _plain(value: float) -> Estimate:
    return Estimate(float(value), math.nan, 1)


def _tiny(p: float) -> str:
    return "below 0.0001" if p < 0.0001 else f"= {p:.4f}"
