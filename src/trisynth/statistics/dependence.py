"""Strength of dependence between any two columns, numbers and categories alike."""

import numpy as np
import pandas as pd


def association_matrix(table: pd.DataFrame) -> pd.DataFrame:
    """Compute the association of every pair of columns.

    Two numbers: Pearson's correlation, in [-1, 1]. Two categories: Cramér's V with Bergsma's bias correction
    (2013), in [0, 1]. A number and a category: the correlation ratio with Kelley's bias correction (1935, "epsilon
    squared"), in [0, 1]. The corrections keep tables of different length comparable, since uncorrected strengths
    grow as rows get fewer. A pair uses the rows where its number is present; a missing category is a category.

    Parameters
    ----------
    table : DataFrame, shape (n, d)
        Floats and pandas categories, as ``Schema.canonical`` makes them.

    Returns
    -------
    DataFrame, shape (d, d)
        Symmetric, its diagonal 1; 0 where a column of the pair is constant.
    """
    names = list(table.columns)
    is_number = np.array([not isinstance(table[name].dtype, pd.CategoricalDtype) for name in names])
    values = np.full((len(names), len(names)), np.nan)
    numbers = table.loc[:, is_number].to_numpy(float)
    onehots = [_onehot(table[name]) for name in table.columns[~is_number]]
    values[np.ix_(is_number, is_number)] = _pearson(numbers)
    values[np.ix_(~is_number, ~is_number)] = _cramer(onehots)
    ratios = _correlation_ratios(numbers, onehots)
    values[np.ix_(~is_number, is_number)] = ratios
    values[np.ix_(is_number, ~is_number)] = ratios.T
    # Sums over rows and over columns round differently.
    values = (values + values.T) / 2
    np.fill_diagonal(values, 1.0)
    return pd.DataFrame(values, index=names, columns=names)


def pairs(matrix: pd.DataFrame) -> np.ndarray:
    """List the entries above the diagonal, shape (d (d - 1) / 2,)."""
    return matrix.to_numpy()[np.triu_indices(len(matrix), k=1)]


def _onehot(values: pd.Series) -> np.ndarray:
    codes = values.cat.codes.to_numpy()
    present, codes = np.unique(codes, return_inverse=True)
    return np.eye(len(present))[codes]


def _pearson(numbers: np.ndarray) -> np.ndarray:
    present = ~np.isnan(numbers)
    count = present.sum(axis=0)
    # Standardised first: sums of squares of raw cells lose all digits where a mean is large.
    centre = np.where(present, numbers, 0.0).sum(axis=0) / np.maximum(count, 1)
    cells = np.where(present, numbers - centre, 0.0)
    scale = np.abs(cells).max(axis=0, initial=0.0)
    cells = cells / np.where(scale > 0, scale, 1.0)
    shown = present.astype(float)
    n = np.maximum(shown.T @ shown, 1.0)
    sums = cells.T @ shown
    covariance = cells.T @ cells - sums * sums.T / n
    variance = (cells**2).T @ shown - sums**2 / n
    return _bounded(covariance, np.sqrt(np.maximum(variance * variance.T, 0.0)), 1e-12 * n)


def _cramer(onehots: list[np.ndarray]) -> np.ndarray:
    result = np.zeros((len(onehots), len(onehots)))
    if not onehots:
        return result
    n = len(onehots[0])
    stops = np.cumsum([onehot.shape[1] for onehot in onehots])
    stacked = np.hstack(onehots)
    counts = stacked.T @ stacked
    totals = stacked.sum(axis=0)
    # Each cell's part of chi-squared / n, summed over the block of a pair of columns.
    share = counts**2 / np.outer(totals, totals)
    starts = np.concatenate([[0], stops[:-1]])
    phi2 = np.add.reduceat(np.add.reduceat(share, starts, axis=0), starts, axis=1) - 1.0
    size = np.array([onehot.shape[1] for onehot in onehots], dtype=float)
    free = np.outer(size - 1, size - 1) / max(n - 1, 1)
    corrected = size - (size - 1) ** 2 / max(n - 1, 1)
    smaller = np.minimum.outer(corrected, corrected) - 1
    return np.sqrt(_bounded(np.maximum(phi2 - free, 0.0), smaller, 1e-12))


def _correlation_ratios(numbers: np.ndarray, onehots: list[np.ndarray]) -> np.ndarray:
    present = ~np.isnan(numbers)
    n = present.sum(axis=0)
    centre = np.where(present, numbers, 0.0).sum(axis=0) / np.maximum(n, 1)
    cells = np.where(present, numbers - centre, 0.0)
    scale = np.abs(cells).max(axis=0, initial=0.0)
    cells = cells / np.where(scale > 0, scale, 1.0)
    total, shown = (cells**2).sum(axis=0), present.astype(float)
    ratios = np.zeros((len(onehots), numbers.shape[1]))
    for row, onehot in enumerate(onehots):
        sizes = onehot.T @ shown
        groups = (sizes > 0).sum(axis=0)
        between = ((onehot.T @ cells) ** 2 / np.maximum(sizes, 1)).sum(axis=0)
        within = np.maximum(total - between, 0.0) * (n - 1) / np.maximum(n - groups, 1)
        explained = np.where((groups > 1) & (n > groups), total - within, 0.0)
        ratios[row] = np.sqrt(_bounded(np.maximum(explained, 0.0), total, 1e-12))
    return ratios


def _bounded(part: np.ndarray, whole: np.ndarray, least: float | np.ndarray) -> np.ndarray:
    """Divide ``part / whole`` within [-1, 1], and 0 where ``whole`` vanishes."""
    enough = whole > least
    return np.where(enough, np.clip(part / np.where(enough, whole, 1.0), -1.0, 1.0), 0.0)
