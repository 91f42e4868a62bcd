"""Two-sample tests of held-out against synthetic rows: sliced Wasserstein, MMD and pMSE.

The rows are encoded with the target: numbers in standard deviations of the training rows, categories as indicators.
A p-value is that of random exchanges of real and synthetic rows, so that fresh real rows have uniform p-values.

References
----------
Bonneel et al. (2015), https://doi.org/10.1007/s10851-014-0506-3; Gretton et al. (2012),
https://jmlr.org/papers/v13/gretton12a.html; Snoke et al. (2018), https://doi.org/10.1111/rssa.12358.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist, pdist

from trisynth import seeds
from trisynth.errors import require_whole
from trisynth.evaluation.metrics.base import FidelityMetric
from trisynth.evaluation.metrics.c2st import indicators
from trisynth.evaluation.metrics.context import Context

# Newton steps of the logistic regression of pMSE, its ridge penalty, and rows that each of its columns needs.
_STEPS, _RIDGE, _ROWS = 25, 1e-6, 5


@dataclass(frozen=True)
class SlicedWasserstein(FidelityMetric):
    """Mean 1-Wasserstein distance over random directions, ``sliced_wasserstein``, and its permutation p-value.

    Parameters
    ----------
    directions : int, default=50
    permutations : int, default=199
        The smallest p-value is 1 / (permutations + 1).
    max_rows : int, default=1000
        Maximum number of rows of either side; 0 is reached only as their number grows, which the ceiling shows.
    """

    directions: int = 50
    permutations: int = 199
    max_rows: int = 1_000

    def __post_init__(self):
        """Check the arguments."""
        for name, least in (("directions", 1), ("permutations", 1), ("max_rows", 2)):
            require_whole(name, getattr(self, name), least)

    def _score(self, context):
        rng = seeds.stream(context.seed, "metrics.sliced_wasserstein")
        n, matrix = _both(context, self.max_rows, rng)
        if n < 2:
            return {}
        axes = rng.normal(size=(matrix.shape[1], self.directions))
        projected = matrix @ (axes / np.linalg.norm(axes, axis=0))
        order = np.argsort(projected, axis=0, kind="stable")
        gaps = np.diff(np.take_along_axis(projected, order, axis=0), axis=0)
        found = []
        for signs in _exchanges(n, self.permutations, rng):
            # The distance is the area between the two distribution functions, which change by 1/n at each row.
            found.append(float((np.abs(np.cumsum(signs[order], axis=0)[:-1]) * gaps).sum() / n / self.directions))
        return {"sliced_wasserstein": found[0], "sliced_wasserstein_p": _p(found)}


@dataclass(frozen=True)
class MMD(FidelityMetric):
    """Squared maximum mean discrepancy with a Gaussian kernel, ``mmd``, unbiased, and its permutation p-value.

    The bandwidth is the median distance of training rows, so that it does not depend on the synthetic ones. The
    estimate of two equal distributions is 0 on average and may be negative.

    Parameters
    ----------
    permutations : int, default=199
        The smallest p-value is 1 / (permutations + 1).
    max_rows : int, default=1000
        Maximum number of rows of either side.
    """

    permutations: int = 199
    max_rows: int = 1_000

    def __post_init__(self):
        """Check the arguments."""
        require_whole("permutations", self.permutations, 1)
        require_whole("max_rows", self.max_rows, 2)

    def _score(self, context):
        rng = seeds.stream(context.seed, "metrics.mmd")
        n, matrix = _both(context, self.max_rows, rng)
        if n < 2:
            return {}
        train = context.tables[0]
        own = indicators(context, train.iloc[rng.permutation(len(train))[: self.max_rows]])
        bandwidth = float(np.median(pdist(own))) or 1.0
        kernel = np.exp(-cdist(matrix, matrix, "sqeuclidean") / (2 * bandwidth**2))
        np.fill_diagonal(kernel, 0.0)
        signs = _exchanges(n, self.permutations, rng).T.astype(float)
        real, generated = (signs > 0).astype(float), (signs < 0).astype(float)
        of_real, of_generated = kernel @ real, kernel @ generated
        within = ((real * of_real).sum(axis=0) + (generated * of_generated).sum(axis=0)) / (n * (n - 1))
        found = list(map(float, within - 2 * (real * of_generated).sum(axis=0) / n**2))
        return {"mmd": found[0], "mmd_p": _p(found)}


@dataclass(frozen=True)
class PMSE(FidelityMetric):
    """Mean squared error of the propensity score against one half, ``pmse``, and its ratio to its expected value.

    The propensity score is the probability, by a logistic regression of main effects, that a row is synthetic.
    ``pmse`` lies between 0 and 0.25; ``pmse_ratio`` divides it by its expectation where both distributions are equal,
    columns / (8 n), so that 1 is ideal. It is twice that of Snoke et al., who compare with the rows that the generator
    was fitted on. Both are left out where there are fewer than five rows of a side for each column.

    Parameters
    ----------
    max_rows : int, default=5000
        Maximum number of rows of either side. ``pmse_ratio`` grows with them where the distributions differ.
    """

    max_rows: int = 5_000

    def __post_init__(self):
        """Check the argument."""
        require_whole("max_rows", self.max_rows, 2)

    def _score(self, context):
        rng = seeds.stream(context.seed, "metrics.pmse")
        n, matrix = _both(context, self.max_rows, rng)
        if n < 2:
            return {}
        matrix = matrix[:, matrix.std(axis=0) > 0]
        matrix = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)
        # Indicators of one category add up to a constant: the rank counts what can be fitted.
        rank = int(np.linalg.matrix_rank(matrix)) if matrix.size else 0
        if not rank or n < _ROWS * rank:
            return {}
        propensity = _propensity(matrix, np.repeat([0.0, 1.0], n))
        pmse = float(np.mean((propensity - 0.5) ** 2))
        return {"pmse": pmse, "pmse_ratio": pmse / (rank / (8 * n))}


def _both(context: Context, most: int, rng: np.random.Generator) -> tuple[int, np.ndarray]:
    """Return n and the encoded rows, n held-out ones before n synthetic ones."""
    _, real, synthetic = context.tables
    n = min(len(real), len(synthetic), most)
    chosen = [table.iloc[rng.permutation(len(table))[:n]] for table in (real, synthetic)]
    return n, indicators(context, pd.concat(chosen, ignore_index=True))


def _exchanges(n: int, permutations: int, rng: np.random.Generator) -> np.ndarray:
    """Return signs of the sides, shape (permutations + 1, 2 n): as they are, then at random."""
    signs = np.repeat(np.array([1, -1], dtype=np.int32), n)
    return np.stack([signs, *(rng.permutation(signs) for _ in range(permutations))])


def _p(found: list[float]) -> float:
    """Return the fraction of exchanges that reach the first value, itself among them."""
    return float(np.mean(np.asarray(found) >= found[0] - 1e-12))


def _propensity(matrix: np.ndarray, generated: np.ndarray) -> np.ndarray:
    design = np.column_stack([np.ones(len(matrix)), matrix])
    weights, penalty = np.zeros(design.shape[1]), _RIDGE * len(design) * np.eye(design.shape[1])
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        gradient = design.T @ (generated - p) - penalty @ weights
        step = np.linalg.solve((design * (p * (1 - p))[:, None]).T @ design + penalty, gradient)
        weights = weights + np.clip(step, -5, 5)
        if np.abs(step).max() < 1e-8:
            break
    return 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
