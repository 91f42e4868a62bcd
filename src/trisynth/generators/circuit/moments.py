"""Means and spreads of a circuit's encoded columns in closed form, and L_dist with its gradient."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from trisynth.generators.circuit.codec import Codec, ColumnCodec
from trisynth.generators.circuit.em import Counts
from trisynth.generators.circuit.latent_tree import LatentTree

# Below this standard deviation a scaled column is constant.
_CONSTANT = 1e-6


@dataclass(frozen=True)
class Moments:
    """First two moments of every encoded column given the token, in units of the column's total spread.

    Columns are encoded as a ``TableEncoder`` does: a number, the middle one where it is missing, an indicator of
    missing cells, one indicator for each category that was seen; the indicators of a category share one scale.

    Parameters
    ----------
    first, second : csr_array, shape (width, tokens)
        Mean and mean square of the encoded column given its token; zero for the tokens of other columns.
    """

    first: csr_array
    second: csr_array

    @classmethod
    def of(cls, codec: Codec) -> "Moments":
        """Moments of the tokens of ``codec``, scaled by the counts it was learned from."""
        rows, tokens, first, second = [], [], [], []
        width = 0
        for column, start in zip(codec.columns, codec.starts, strict=False):
            for mean, square, at in _encoded(column):
                rows.append(np.arange(len(at)) + width if column.categories is not None else np.full(len(at), width))
                width = int(rows[-1].max(initial=width - 1)) + 1
                tokens.append(start + at)
                first.append(mean)
                second.append(square)
        where = np.concatenate(rows), np.concatenate(tokens)
        shape = width, int(codec.starts[-1])
        return cls(*(csr_array((np.concatenate(values), where), shape=shape) for values in (first, second)))

    def of_laws(self, laws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of each encoded column, shapes (width, k), under laws of shape (tokens, k)."""
        mean = self.first @ laws
        variance = np.maximum(self.second @ laws - mean**2, 0.0)
        # The root has no slope at zero, where a constant column sits.
        return mean, np.sqrt(variance + _CONSTANT**2)

    def distance(self, laws: np.ndarray, real: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """L_dist of each law, the mean over columns of (mu_X - mu_Y)^2 + (sigma_X - sigma_Y)^2, and its gradient.

        Parameters
        ----------
        laws, real : ndarray, shape (tokens, k)
            Probabilities of the tokens of each column.

        Returns
        -------
        distance : ndarray, shape (k,)
        gradient : ndarray, shape (tokens, k)
            With respect to ``laws``.
        """
        (mean, spread), (real_mean, real_spread) = self.of_laws(laws), self.of_laws(real)
        shift, stretch = mean - real_mean, spread - real_spread
        ratio = stretch / spread
        gradient = self.first.T @ (2 * (shift - ratio * mean)) + self.second.T @ ratio
        return np.mean(shift**2 + stretch**2, axis=0), gradient / len(mean)


def token_law(circuit: LatentTree, starts: np.ndarray) -> np.ndarray:
    """p(token) of every token of every column, shape (tokens,)."""
    column = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    return np.einsum("tk,tk->t", circuit.leaves[:-1], circuit.state_shares()[column])


def flow(circuit: LatentTree, starts: np.ndarray, gradient: np.ndarray) -> Counts:
    """Derivatives with respect to the logarithm of each parameter of a function of the tokens' law.

    Parameters
    ----------
    circuit : LatentTree
    starts : ndarray of int, shape (d + 1,)
    gradient : ndarray, shape (tokens,)
        Derivative with respect to p(token).

    Returns
    -------
    Counts
        Such derivatives of a log-likelihood are its expected counts, hence the type.
    """
    tree, shares = circuit.tree, circuit.state_shares()
    leaves = circuit.leaves[:-1] * gradient[:, None]
    slope = np.add.reduceat(leaves, starts[:-1], axis=0)
    leaves = leaves * shares[np.repeat(np.arange(len(shares)), np.diff(starts))]
    moves = np.zeros(circuit.transitions.shape)
    for v in tree.order[:0:-1]:
        parent = tree.parents[v]
        onward = circuit.transitions[v] * slope[v]
        moves[v] = shares[parent][:, None] * onward
        slope[parent] += onward.sum(axis=1)
    return Counts(circuit.root * slope[tree.order[0]], moves, leaves)


def _encoded(column: ColumnCodec) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Means, mean squares and tokens of each encoded column (all indicators of a category together)."""
    counts, size = column.counts / column.counts.sum(), column.size
    every = np.arange(size)
    if column.categories is not None:
        scale = _unit(float(counts @ (1 - counts)))
        return [(np.full(size, 1 / scale), np.full(size, 1 / scale**2), every)]
    gap = int(column.missing)
    parts = []
    if size > gap:
        # Squares of very large and very small numbers are out of a float's range.
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
