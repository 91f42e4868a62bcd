"""Fraction of synthetic rows whose nearest real row is one that they were learned from."""

import numpy as np
import pandas as pd

# Pairs of rows in one block of distances.
_PAIRS = 2_000_000


def nearer_fraction(
    rows: pd.DataFrame,
    labels: np.ndarray,
    table: pd.DataFrame,
    table_labels: np.ndarray,
    used: np.ndarray,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Compute the fraction of rows that are nearer to a used row than to any of as many others; ties count one half.

    Where there are more used rows than others, only some are compared, and the excess over one half grows with
    the number that is not.

    The distance adds differences of numbers in standard deviations, and 2 for each category or label that
    differs, or where one of the numbers is missing.

    Parameters
    ----------
    rows : DataFrame, shape (n, d)
        Synthetic canonical rows.
    labels : ndarray, shape (n,)
    table : DataFrame, shape (m, d)
        Real canonical rows.
    table_labels : ndarray, shape (m,)
    used : ndarray of bool, shape (m,)
        Rows that the synthetic ones were learned from.
    rng : Generator
        Chooses as many used rows as others, or the reverse.

    Returns
    -------
    fraction : float
    error : float
        Its standard error over independent draws.
    """
    sides = [np.flatnonzero(used), np.flatnonzero(~used)]
    count = min(map(len, sides))
    if not count:
        return 0.5, 0.5
    chosen = np.concatenate([rng.permutation(side)[:count] for side in sides])
    columns = [(labels.astype(np.int32), table_labels[chosen].astype(np.int32))]
    for name in table:
        if isinstance(table[name].dtype, pd.CategoricalDtype):
            columns.append((rows[name].cat.codes.to_numpy(np.int32), table[name].cat.codes.to_numpy(np.int32)[chosen]))
            continue
        real = table[name].to_numpy(float)
        centre, scale = (np.nanmean(real), np.nanstd(real) or 1.0) if not np.isnan(real).all() else (0.0, 1.0)
        columns.append(
            tuple(((x - centre) / scale).astype(np.float32) for x in (rows[name].to_numpy(float), real[chosen]))
        )
    nearer = 0.0
    block = max(1, _PAIRS // (2 * count))
    for start in range(0, len(rows), block):
        distance = np.zeros((min(block, len(rows) - start), 2 * count), dtype=np.float32)
        for own, theirs in columns:
            own = own[start : start + block, None]
            if own.dtype == np.int32:
                distance += 2 * (own != theirs)
            elif np.isnan(own).any() or np.isnan(theirs).any():
                both = np.isnan(own) & np.isnan(theirs)
                distance += np.where(both, 0, np.nan_to_num(np.abs(own - theirs), nan=2.0))
            else:
                distance += np.abs(own - theirs)
        first, second = distance[:, :count].min(axis=1), distance[:, count:].min(axis=1)
        nearer += (first < second).sum() + 0.5 * (first == second).sum()
    scale = len(sides[0]) / count
    fraction = np.clip(0.5 + (nearer / len(rows) - 0.5) * scale, 0.0, 1.0)
    return float(fraction), float(scale * 0.5 / np.sqrt(len(rows)))
