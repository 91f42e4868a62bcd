"""Nearness of synthetic rows to the training rows.

These metrics detect copies and are not a verdict on privacy: a table that passes them can still reveal who was in the
training rows (Ganev and De Cristofaro 2023). Only a membership attack or a differential privacy bound can rule that
out.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth import seeds
from trisynth.data import texts
from trisynth.errors import require_flag, require_whole
from trisynth.evaluation.metrics.base import CopyingMetric
from trisynth.evaluation.metrics.context import Context

# Distances held at once, and the rounding of a squared distance between standardised rows.
_CELLS = 4_000_000
_TIE = 1e-9


@dataclass(frozen=True)
class IdenticalMatchShare(CopyingMetric):
    """Fraction of synthetic rows that equal a training row, target included, and its value without copying.

    A table of few categories repeats itself, so rows that are not copied equal training rows, too. They equal each
    distinct held-out row just as often. ``identical_match_share_base`` is therefore the fraction of synthetic rows that
    equal a held-out row, times the number of distinct training rows over that of distinct held-out rows, at most 1. The
    fraction of held-out rows that equal a training row would not do: equal rows are dropped, or lie on one side of the
    split. The metric detects copies; it does not establish privacy.
    """

    def _score(self, context):
        train, test, synthetic = _whole_hashes(context)
        times = len(np.unique(train)) / len(np.unique(test))
        return {
            "identical_match_share": float(np.isin(synthetic, train).mean()),
            "identical_match_share_base": min(float(np.isin(synthetic, test).mean()) * times, 1.0),
        }


@dataclass(frozen=True)
class RareValues(CopyingMetric):
    """Fraction of the rare values of the training rows that synthetic rows reproduce, column by column.

    A value is rare if fewer than ``rare`` training rows hold it: a date of birth, an exact income, a diagnosis of two
    people. ``rare_reproduced`` is the mean over the columns with rare values, ``rare_reproduced_max`` that of the worst
    column, and ``rare_reproduced_base`` the mean for held-out rows, the value without copying. Only as many synthetic
    rows as held-out rows are used, so that the two can be compared. Without a rare value there are no scores.

    Parameters
    ----------
    rare : int, default=5
    """

    rare: int = 5

    def __post_init__(self):
        """Check the arguments."""
        require_whole("rare", self.rare, 2)

    def _score(self, context):
        # A number of words identifies nobody.
        counted = [name for name in context.tables[0] if name not in context.text_features]
        train, test, synthetic = (table[counted] for table in context.tables)
        found = rare_values_reproduced(train, synthetic[: len(test)], self.rare)
        if not found or not len(synthetic):
            return {}
        return {
            "rare_reproduced": float(np.mean(list(found.values()))),
            "rare_reproduced_base": float(np.mean(list(rare_values_reproduced(train, test, self.rare).values()))),
            "rare_reproduced_max": max(found.values()),
        }


def rare_values_reproduced(train: pd.DataFrame, rows: pd.DataFrame, rare: int) -> dict[str, float]:
    """Compute for each column the fraction of its rare training values that other rows hold.

    Parameters
    ----------
    train, rows : DataFrame
        Canonical tables of the same columns.
    rare : int
        A value of fewer training rows is rare.

    Returns
    -------
    dict of str to float
        Columns without a rare value are left out.
    """
    found = {}
    for name in train:
        counts = train[name].value_counts()
        few = counts.index[(counts > 0) & (counts < rare)]
        if len(few):
            found[name] = float(few.isin(rows[name].dropna().unique()).mean())
    return found


@dataclass(frozen=True)
class NearestRecord(CopyingMetric):
    """Distance to the closest record (DCR): how much closer synthetic rows are to training than to held-out rows.

    Distances are Euclidean in the encoder's space, without the target. The metric detects copies; it does not
    establish privacy. Without synthetic rows there are no scores.

    ``dcr_share`` is the fraction of synthetic rows closer to the training rows than to the held-out rows. Ties count
    one half, and the larger side is subsampled to the size of the smaller. The ideal value is 0.5. Copies score 1 where
    both sides are equally large, and (1 + m / n) / 2 where only m of n training rows are left in the subsample.

    ``memorised`` uses all training rows. By symmetry, a fraction r = n / (n + m) of fresh rows is nearest to one of n
    training rows among n + m; the score is (s - r) / (1 - r) of the observed fraction s, equally near rows counting in
    proportion. The ideal value is 0, copies score 1, and values in between estimate the fraction of rows that exist
    only because of a training row. They need not be copies: fitted parameters follow the training rows, too, and a
    Gaussian fitted to 239 rows of 34 columns scores about 0.3.

    ``dcr_ratio`` is the median distance from a synthetic row to its nearest training row over that of a held-out row:
    the ideal value is 1, and copies score 0. It is left out where most held-out rows equal a training row.

    ``dcr_share_se`` and ``memorised_se`` are standard errors over real rows as well as synthetic ones. Each real row is
    nearest to a number of synthetic rows, and these numbers are treated as independent: the delta method for the
    fraction that falls to the training rows.

    Parameters
    ----------
    max_rows : int, default=2000
        Maximum number of synthetic rows whose neighbours are searched.
    standard_errors : bool, default=False
        Whether standard errors are among the scores.
    """

    max_rows: int = 2_000
    standard_errors: bool = False

    def __post_init__(self):
        """Check the arguments."""
        require_whole("max_rows", self.max_rows, 1)
        require_flag("standard_errors", self.standard_errors)

    def _score(self, context):
        rng = seeds.stream(context.seed, "metrics.nearest")
        n, m = len(context.train), len(context.test)
        parts = {"train": n, "test": m, "synthetic": self.max_rows}
        train, test, synthetic = (_encoded(context, part, most, rng) for part, most in parts.items())
        if not len(synthetic):
            return {}
        smaller = min(n, m)
        real = np.vstack([train, test])
        equal_sides = np.r_[:smaller, n : n + smaller]
        closer, ours, records = [], [], []
        nearest, nearest_of_equal = np.zeros(n + m), np.zeros(2 * smaller)
        for squared in squared_distances(synthetic, real):
            of_train, of_test = squared[:, :smaller].min(axis=1), squared[:, n : n + smaller].min(axis=1)
            closer.append(np.where(np.abs(of_train - of_test) <= _TIE, 0.5, of_train < of_test))
            tied = squared <= squared.min(axis=1, keepdims=True) + _TIE
            ours.append(tied[:, :n].sum(axis=1) / tied.sum(axis=1))
            records.append(squared[:, :n].min(axis=1))
            if self.standard_errors:
                nearest += _nearest_to(squared)
                nearest_of_equal += _nearest_to(squared[:, equal_sides])
        chance = n / (n + m)
        found = {
            "dcr_share": float(np.concatenate(closer).mean()),
            "memorised": float((np.concatenate(ours).mean() - chance) / (1 - chance)),
        }
        if self.standard_errors:
            found["dcr_share_se"] = _error_of_fraction(nearest_of_equal[:smaller], nearest_of_equal[smaller:])
            found["memorised_se"] = _error_of_fraction(nearest[:n], nearest[n:]) / (1 - chance)
        held_out = test[: self.max_rows]
        fresh = np.concatenate([squared.min(axis=1) for squared in squared_distances(held_out, train)])
        if np.median(fresh) > _TIE:
            found["dcr_ratio"] = float(np.sqrt(np.median(np.concatenate(records)) / np.median(fresh)))
        return found


def _nearest_to(squared: np.ndarray) -> np.ndarray:
    """Count for each column the rows that are nearest to it; equally near ones count in equal parts."""
    tied = squared <= squared.min(axis=1, keepdims=True) + _TIE
    return (tied / tied.sum(axis=1, keepdims=True)).sum(axis=0)


def _error_of_fraction(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Estimate the standard error of sum(ours) / (sum(ours) + sum(theirs)) for independent terms."""
    total = ours.sum() + theirs.sum()
    fraction = ours.sum() / total
    variances = [len(part) * part.var(ddof=1) if len(part) > 1 else 0.0 for part in (ours, theirs)]
    return float(np.hypot((1 - fraction) * variances[0] ** 0.5, fraction * variances[1] ** 0.5) / total)


def row_hashes(table: pd.DataFrame) -> np.ndarray:
    """Hash each row of a canonical table to 64 bits; equal rows have equal hashes."""
    # Adding zero makes -0.0 and 0.0 the same cell.
    plain = table.copy(deep=False)
    for name in table.select_dtypes("number"):
        plain[name] = table[name] + 0.0
    return pd.util.hash_pandas_object(plain, index=False).to_numpy()


def _whole_hashes(context: Context) -> Iterator[np.ndarray]:
    """Yield the hashes of training, held-out and synthetic rows, their texts included."""
    for table, part in zip(context.tables, (context.train, context.test, context.synthetic), strict=True):
        cells = part.X[[name for name in part.X if texts.is_text(part.X[name].dtype)]]
        hashes = row_hashes(table)
        yield hashes ^ pd.util.hash_pandas_object(cells, index=False).to_numpy() if cells.shape[1] else hashes


def _encoded(context: Context, part: str, most: int, rng: np.random.Generator) -> np.ndarray:
    X = getattr(context, part).X
    return context.encoder.transform(X.iloc[rng.permutation(len(X))[:most]])


def squared_distances(rows: np.ndarray, real: np.ndarray) -> Iterator[np.ndarray]:
    """Yield squared distances of a few ``rows`` at a time to all ``real`` ones; below rounding they are 0."""
    step = max(1, _CELLS // len(real))
    lengths = np.einsum("ij,ij->i", real, real)
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        squared = np.einsum("ij,ij->i", part, part)[:, None] + lengths - 2 * part @ real.T
        yield np.where(squared > _TIE, squared, 0.0)
