"""Means and standard deviations of a circuit's encoded columns in closed form, and L_dist with its gradient."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from trisynth.encoders.discretizer import ColumnDiscretizer, TableDiscretizer
from trisynth.generators.circuit.em import Counts
from trisynth.generators.circuit.latent_tree import LatentTree

# Below this standard deviation a scaled column is constant.
_CONSTANT = 1e-6


@dataclass(frozen=True)
class Moments:
    """First two moments of every encoded column given the token, in units of the column's standard deviation.

    Columns are encoded as by ``TableEncoder``: a number, with the median where it is missing; an indicator of missing
    cells; one indicator for each category of the training rows. The indicators of a column share one scale.

    Parameters
    ----------
    first, second : csr_array, shape (width, tokens)
        Mean and mean square of the encoded column given its token; zero for the tokens of other columns.
    """

    first: csr_array
    second: csr_array

    @classmethod
    def of(cls, discretizer: TableDiscretizer) -> "Moments":
        """Compute moments of the tokens of ``discretizer``, scaled by its training counts."""
        rows, tokens, first, second = [], [], [], []
        width = 0
        for column, start in zip(discretizer.columns, discretizer.starts, strict=False):
            for mean, square, at in _encoded(column):
                rows.append(np.arange(len(at)) + width if column.categories is not None else np.full(len(at), width))
                width = int(rows[-1].max(initial=width - 1)) + 1
                tokens.append(start + at)
                first.append(mean)
                second.append(square)
        where = np.concatenate(rows), np.concatenate(tokens)
        shape = width, int(discretizer.starts[-1])
        return cls(*(csr_array((np.concatenate(values), where), shape=shape) for values in (first, second)))

    def of_distributions(self, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compute mean and standard deviation of each encoded column, shapes (width, k).

        Parameters
        ----------
        probabilities : ndarray, shape (tokens, k)
            Of k distributions of the tokens.
        """
        mean = self.first @ probabilities
        variance = np.maximum(self.second @ probabilities - mean**2, 0.0)
        # The square root has no derivative at zero, the variance of a constant column.
        return mean, np.sqrt(variance + _CONSTANT**2)

    def distance(self, model: np.ndarray, real: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compute L_dist of each distribution and its gradient.

        L_dist is the mean over columns of (mu_X - mu_Y)^2 + (sigma_X - sigma_Y)^2.

        Parameters
        ----------
        model, real : ndarray, shape (tokens, k)
            Probabilities of the tokens of each column.

        Returns
        -------
        distance : ndarray, shape (k,)
        gradient : ndarray, shape (tokens, k)
            With respect to ``model``.
        """
        (mean, deviation), (real_mean, real_deviation) = self.of_distributions(model), self.of_distributions(real)
        shift, stretch = mean - real_mean, deviation - real_deviation
        ratio = stretch / deviation
        gradient = self.first.T @ (2 * (shift - ratio * mean)) + self.second.T @ ratio
        return np.mean(shift**2 + stretch**2, axis=0), gradient / len(mean)


def token_marginals(circuit: LatentTree, starts: np.ndarray) -> np.ndarray:
    """Compute p(token) of every token of every column, shape (tokens,)."""
    column = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    return np.einsum("tk,tk->t", circuit.leaves[:-1], circuit.state_marginals()[column])


def log_parameter_gradient(circuit: LatentTree, starts: np.ndarray, gradient: np.ndarray) -> Counts:
    """Compute the gradient with respect to log-parameters of a function of the token marginals.

    Parameters
    ----------
    circuit : LatentTree
    starts : ndarray of int, shape (d + 1,)
    gradient : ndarray, shape (tokens,)
        Derivative with respect to p(token).

    Returns
    -------
    Counts
        For a log-likelihood this gradient consists of the expected counts, hence the type.
    """
    tree, marginals = circuit.tree, circuit.state_marginals()
    leaves = circuit.leaves[:-1] * gradient[:, None]
    slope = np.add.reduceat(leaves, starts[:-1], axis=0)
    leaves = leaves * marginals[np.repeat(np.arange(len(marginals)), np.diff(starts))]
    moves = np.zeros(circuit.transitions.shape)
    for v in tree.order[:0:-1]:
        parent = tree.parents[v]
        onward = circuit.transitions[v] * slope[v]
        moves[v] = marginals[parent][:, None] * onward
        slope[parent] += onward.sum(axis=1)
    return Counts(circuit.root * slope[tree.order[0]], moves, leaves)


def _encoded(column: ColumnDiscretizer) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Compute means, mean squares and tokens of each encoded column (all indicators of a category together)."""
    counts, size = column.counts / column.counts.sum(), column.size
    every = np.arange(size)
    if column.categories is not None:
        scale = _unit(float(counts @ (1 - counts)))
        return [(np.full(size, 1 / scale), np.full(size, 1 / scale**2), every)]
    gap = int(column.missing)
    parts = []
    if size > gap:
        # Squares of very large and very small numbers exceed the range of a float.
        knots = column.knots / (np.abs(column.knots).max() or 1.0)
        low, high = (knots[:, :-1], knots[:, 1:]) if knots.shape[1] > 1 else (knots, knots)
        mean, square = ((low + high) / 2).mean(axis=1), ((low**2 + low * high + high**2) / 3).mean(axis=1)
        middle = int(np.searchsorted(np.cumsum(counts[gap:]), counts[gap:].sum() / 2))
        filled = [np.concatenate([np.full(gap, part[middle]), part]) for part in (mean, mean**2)]
        mean, square = filled[0], np.concatenate([filled[1][:gap], square])
        centre = float(counts @ mean)
        square = square - 2 * centre * mean + centre**2
        scale = _unit(float(counts @ square))
        parts.append(((mean - centre) / scale, square / scale**2, every))
    if gap:
        scale = _unit(float(counts[0] * (1 - counts[0])))
        parts.append((np.array([1 / scale]), np.array([1 / scale**2]), every[:1]))
    return parts


def _unit(variance: float) -> float:
    return float(np.sqrt(variance)) if variance > _CONSTANT**2 else 1.0
