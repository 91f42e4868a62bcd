"""Gaussian copula: the marginal distribution of every column, joined by correlated latent normals."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.special import ndtri

from trisynth.encoders.point_masses import is_discrete, point_masses
from trisynth.errors import require_number
from trisynth.generators.base import Generator
from trisynth.generators.draws import check_draws, even_normals

# A class with fewer cells mixes the pooled marginal into its own, with the weight of one cell.
_SMALL = 50
# A discrete column of at most this many values is drawn from them exactly.
_FEW = 64
# A repeated value with at least this fraction of the cells is a point mass of an otherwise continuous marginal.
_MASS = 0.005
# Most knots of a continuous marginal.
_KNOTS = 1024
# Rows drawn at once: few enough for the latent block to stay in the processor's cache.
_ROWS = 16_384
# Cells, over +-_REACH standard deviations, of the lookup table that replaces a search for large samples.
_CELLS, _REACH = 16_384, 5.0
# Smallest eigenvalue of a repaired correlation matrix.
_FLOOR = 1e-6


class Copula(Generator):
    """Class-conditional Gaussian copula.

    Each class has its own marginals and its own correlations of latent standard normals. A cell stands for an
    interval of its latent whose probability is the fraction of equal cells: short for a number, long for a repeated
    number, a category (the most frequent first) or a missing cell, whose indicator is a latent of its own.
    A correlation is estimated from the intervals' mean latents, divided by their variances; to first order this
    corrects the attenuation by coarse intervals (the polyserial correlation, Olsson et al. 1982). Correlations of
    classes are shrunk to the pooled within-class correlations, and these to independence, with the weight of
    ``prior_strength`` rows. Classes with few rows mix the pooled marginals into their own, with the weight of one row.

    Parameters
    ----------
    prior_strength : float, default=10.0
        Pseudo-rows of the pooled correlations in each class; must be >= 0.
    draws : {"independent", "even"}, default="independent"
        Whether the latent normals of each class are spread evenly; even rows
        are not independent (see ``generators.draws``).

    Notes
    -----
    Source: Sklar (1959); Nelsen (2006), An Introduction to Copulas; for tables with categories Patki et al. (2016),
    The Synthetic Data Vault, https://doi.org/10.1109/DSAA.2016.49. The copula follows them; marginals are interpolated
    empirical quantiles instead of fitted families, and shrinkage and classes are ours.
    """

    renamed: ClassVar = {"prior": "prior_strength"}

    def __init__(self, prior_strength: float = 10.0, draws: str = "independent"):
        self.prior_strength = prior_strength
        self.draws = draws

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        require_number("prior_strength", self.prior_strength, 0)
        check_draws(self.draws)

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> None:
        strength = self.prior_strength
        self.categories_ = {n: table[n].cat.categories for n in table.select_dtypes("category")}
        self.latents_, cells, codes = _latents(table)
        pooled = [column[~np.isnan(column)] for column in cells]
        self.marginals_, products, information = [], [], []
        for label in range(labels.max() + 1):
            own = cells[:, labels == label]
            self.marginals_.append([_marginal(*parts) for parts in zip(own, pooled, codes, strict=True)])
            scores, variances = map(np.array, zip(*map(_scores, own), strict=True))
            seen = (~np.isnan(own)).astype(float)
            products.append(scores @ scores.T)
            information.append(seen @ seen.T * np.outer(variances, variances))
        shared = _ratio(sum(products), sum(information) + strength)
        self.factors_ = [
            _factor(_ratio(product + strength * shared, weight + strength))
            for product, weight in zip(products, information, strict=True)
        ]

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        drawn = [np.empty(len(labels), m.levels.dtype) for m in self.marginals_[0]]
        order = np.argsort(labels, kind="stable")
        ends = np.cumsum(np.bincount(labels, minlength=len(self.factors_)))
        for factor, marginals, end, start in zip(self.factors_, self.marginals_, ends, [0, *ends], strict=False):
            quantiles = [m.quantiles(end - start) for m in marginals] if end > start else []
            for first in range(start, end, _ROWS):
                rows = order[first : min(first + _ROWS, end)]
                if self.draws == "even":
                    normals = even_normals(labels[rows], len(factor), rng).T
                else:
                    normals = rng.standard_normal((len(factor), len(rows)))
                latent = factor @ normals
                for column, quantile, cells in zip(drawn, quantiles, latent, strict=True):
                    column[rows] = quantile(cells)
        columns: dict = {}
        for (name, kind), cells in zip(self.latents_, drawn, strict=True):
            if kind == "category":
                columns[name] = pd.Categorical.from_codes(cells, categories=self.categories_[name])
            elif kind == "missing":
                columns[name][cells == 1] = np.nan
            else:
                columns[name] = cells
        return pd.DataFrame(columns)


@dataclass(frozen=True)
class Marginal:
    """Quantile function of one column, as a function of a standard normal latent.

    Parameters
    ----------
    latent : ndarray
        In increasing order: the latents of ``levels`` of a continuous marginal, or the thresholds between those of a
        discrete one.
    levels : ndarray
        As many as ``latent`` for a continuous marginal, one more for a discrete one.
    """

    latent: np.ndarray
    levels: np.ndarray

    def quantiles(self, n: int) -> Callable[[np.ndarray], np.ndarray]:
        """Return the quantile function of latent values of any shape, in the form that is fastest for ``n`` of them."""
        if len(self.levels) > len(self.latent):
            return lambda latent: self.levels[np.searchsorted(self.latent, latent)]
        if n < _CELLS:
            return lambda latent: np.interp(latent, self.latent, self.levels)
        edges = np.linspace(-_REACH, _REACH, _CELLS + 1)
        exact = np.interp(edges, self.latent, self.levels)
        left, rise = exact[:-1], np.diff(exact)
        # A cell in which a point mass begins or ends belongs to it, so that no value beside the mass appears.
        flat = np.flatnonzero(self.levels[1:] == self.levels[:-1])
        for knots in (flat, flat + 1):
            cells = np.clip(np.searchsorted(edges, self.latent[knots]) - 1, 0, _CELLS - 1)
            left[cells], rise[cells] = self.levels[knots], 0.0

        def quantile(latent: np.ndarray) -> np.ndarray:
            place = (np.clip(latent, -_REACH, _REACH * (1 - 1e-9)) + _REACH) * (_CELLS / (2 * _REACH))
            cell = place.astype(np.int32)
            return left[cell] + (place - cell) * rise[cell]

        return quantile


def _latents(table: pd.DataFrame) -> tuple[list, np.ndarray, list]:
    """Return name and kind of each latent, its cells of shape (latents, n), and the code of each category's rank."""
    latents, cells, codes = [], [], []
    for name in table:
        column = table[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            missing = len(column.cat.categories)
            code = np.where(column.cat.codes < 0, missing, column.cat.codes)
            common = np.argsort(-np.bincount(code, minlength=missing + 1), kind="stable")
            latents.append((name, "category"))
            cells.append(np.argsort(common)[code].astype(float))
            codes.append(np.where(common < missing, common, -1).astype(np.int32))
            continue
        values = column.to_numpy(float)
        absent = np.isnan(values)
        latents.append((name, "number"))
        # A column without a value needs some number under its indicator.
        cells.append(np.zeros(len(values)) if absent.all() else values)
        codes.append(None)
        if absent.any():
            latents.append((name, "missing"))
            cells.append(absent.astype(float))
            codes.append(np.arange(2, dtype=np.int8))
    return latents, np.array(cells), codes


def _marginal(own: np.ndarray, pooled: np.ndarray, codes: np.ndarray | None) -> Marginal:
    """Estimate the marginal of a class's cells, without NaN; with ``codes``, cells are ranks of these codes."""
    values = own[~np.isnan(own)]
    weights = np.ones(len(values))
    if len(values) < _SMALL:
        weights = np.append(weights, np.full(len(pooled), 1 / len(pooled)))
        values = np.append(values, pooled)
    distinct, inverse, seen = np.unique(values, return_inverse=True, return_counts=True)
    mass = np.bincount(inverse, weights) / weights.sum()
    upper = np.minimum(np.cumsum(mass), 1.0)
    if codes is not None:
        return Marginal(ndtri(upper[:-1]), codes[distinct.astype(int)])
    if is_discrete(len(values), len(distinct), _FEW):
        return Marginal(ndtri(upper[:-1]), distinct)
    heavy = point_masses(seen, mass, _MASS)
    light = np.flatnonzero(~heavy)
    if len(light) > _KNOTS:
        light = light[np.linspace(0, len(light) - 1, _KNOTS).astype(int)]
    # A point mass is the interval between two knots; any other value is one knot, in the middle of its mass.
    middle = upper[light] - mass[light] / 2
    places = np.concatenate([middle, (upper - mass)[heavy], upper[heavy]])
    knots = np.concatenate([light, np.flatnonzero(heavy), np.flatnonzero(heavy)])
    order = np.lexsort([places, knots])
    latent = np.clip(ndtri(np.clip(places[order], 0.0, 1.0)), -_REACH, _REACH)
    return Marginal(np.maximum.accumulate(latent), distinct[knots[order]])


def _scores(cells: np.ndarray) -> tuple[np.ndarray, float]:
    """Compute the mean latent of each cell's interval, 0 for a missing cell, and the variance of these means."""
    scores = np.zeros(len(cells))
    seen = ~np.isnan(cells)
    if not seen.any():
        return scores, 0.0
    _, inverse, counts = np.unique(cells[seen], return_inverse=True, return_counts=True)
    share = counts / counts.sum()
    inner = ndtri(np.cumsum(share)[:-1])
    density = np.concatenate([[0.0], np.exp(-(inner**2) / 2) / np.sqrt(2 * np.pi), [0.0]])
    means = -np.diff(density) / share
    scores[seen] = means[inverse]
    return scores, float(share @ means**2)


def _ratio(products: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.divide(products, weights, out=np.zeros_like(products), where=weights > 1e-12)


def _factor(estimate: np.ndarray) -> np.ndarray:
    """Compute the matrix that gives independent normals the admissible correlations nearest to an estimate."""
    correlation = np.clip(estimate, -1.0, 1.0)
    np.fill_diagonal(correlation, 1.0)
    values, vectors = np.linalg.eigh(correlation)
    factor = vectors * np.sqrt(np.maximum(values, _FLOOR))
    return factor / np.linalg.norm(factor, axis=1, keepdims=True)
