"""MAP-EM for latent trees: expectation-maximisation with a prior (Dempster, Laird and Rubin 1977)."""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csc_array

from trisynth.generators.circuit.dirichlet_tree import DirichletTree
from trisynth.generators.circuit.latent_tree import LatentTree, Tree

# Nats per row that count as a gain, and iterations without one that end the fit.
_GAIN, _PATIENCE = 0.005, 3
# Larger tables are fitted by online EM over batches (Cappe and Moulines 2009), whose counts are averaged with rates
# 1, 2^-r, 3^-r, ..., where r is larger in the last two iterations.
_SMALL, _BATCH, _RATE, _LAST_RATE = 2_048, 512, 0.4, 0.6
# Rounds of proportional fitting in one EM step, and the smallest divisor.
_FITTINGS, _TINY = 20, 1e-12


@dataclass(frozen=True)
class Rows:
    """Weighted rows of tokens.

    Parameters
    ----------
    tokens : ndarray of int, shape (n, d)
    weights : ndarray, shape (n,)
    """

    tokens: np.ndarray
    weights: np.ndarray

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.weights)

    def take(self, chosen: np.ndarray | slice) -> "Rows":
        """Select rows."""
        return Rows(self.tokens[chosen], self.weights[chosen])

    def mean(self, values: np.ndarray) -> float:
        """Compute the weighted mean of one value per row."""
        return float(values @ self.weights / max(self.weights.sum(), np.finfo(float).tiny))


@dataclass(frozen=True)
class Counts:
    """Expected counts in the shapes of a ``LatentTree``'s parameters, and the log-likelihood they belong to."""

    root: np.ndarray
    transitions: np.ndarray
    leaves: np.ndarray
    log_likelihood: float = 0.0

    def interpolated(self, other: "Counts", rate: float, factor: float) -> "Counts":
        """Return (1 - rate) times these counts plus rate x factor times the others."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in vars(self))
        return Counts(*((1 - rate) * ours + rate * factor * theirs for ours, theirs in pairs))


@dataclass(frozen=True)
class Prior:
    """Conjugate prior of a latent tree, as pseudo-counts.

    Parameters
    ----------
    smoothing : DirichletTree
    root : ndarray, shape (K,)
    transitions : ndarray, shape (d, K, K)
    branches : ndarray, shape (branches, 1) or (branches, K)
        Prior means of the leaves' branches.
    strength : ndarray, shape (branches, 1)
        Pseudo-counts of the branches' splits.
    """

    smoothing: DirichletTree
    root: np.ndarray
    transitions: np.ndarray
    branches: np.ndarray
    strength: np.ndarray

    @classmethod
    def of(cls, circuit: LatentTree, smoothing: DirichletTree, starts: np.ndarray, rows: float) -> "Prior":
        """Build the prior that ``rows`` samples from ``circuit`` amount to; it is stronger for finer bins."""
        marginals = circuit.state_marginals()
        column = np.searchsorted(starts, smoothing.low, side="right") - 1
        moves = rows * marginals[circuit.tree.parents][:, :, None] * circuit.transitions
        branches = smoothing.branches(circuit.leaves[:-1].astype(float))
        # A state without rows keeps its leaves.
        strength = (rows * marginals[column] + _TINY) * (1.0 + smoothing.level[:, None])
        return cls(smoothing, rows * marginals[circuit.tree.order[0]], moves + _TINY, branches, strength)

    def m_step(self, tree: Tree, counts: Counts, dtype: type = np.float32) -> LatentTree:
        """Maximise the expected log-likelihood plus the log prior (the M-step)."""
        root = counts.root + self.root
        transitions = counts.transitions + self.transitions
        transitions /= transitions.sum(axis=2, keepdims=True)
        leaves = self.smoothing.map_estimate(counts.leaves, self.branches, self.strength)
        return LatentTree(tree, (root / root.sum()).astype(dtype), transitions.astype(dtype), with_ones(leaves, dtype))

    def log_density(self, circuit: LatentTree) -> float:
        """Compute the log prior density of a circuit, up to a constant."""
        inner = circuit.tree.order[1:]
        moves = np.sum(self.transitions[inner] * np.log(circuit.transitions[inner]))
        leaves = self.smoothing.log_density(circuit.leaves[:-1], self.branches, self.strength)
        return float(np.sum(self.root * np.log(circuit.root)) + moves) + leaves


def with_ones(leaves: np.ndarray, dtype: type = np.float32) -> np.ndarray:
    """Append to the leaves the row of ones that stands for an unobserved cell."""
    return np.concatenate([leaves, np.ones((1, leaves.shape[1]))]).astype(dtype)


def expected_counts(circuit: LatentTree, rows: Rows) -> Counts:
    """Compute weighted expected counts of states, transitions and leaves, and the log-likelihood (the E-step).

    A token -1 is an unobserved cell, which counts for no leaf.

    Raises
    ------
    ValueError
        If a token has no leaf.
    """
    tree, states = circuit.tree, circuit.states
    first = tree.order[0]
    root, transitions = np.zeros(states), np.zeros(circuit.transitions.shape)
    leaves = np.zeros((len(circuit.leaves), states))
    unobserved = len(leaves) - 1
    log_likelihood = 0.0
    for block in circuit.blocks(len(rows)):
        tokens, weights = rows.tokens[block], rows.weights[block]
        lowest, highest = (tokens.min(), tokens.max()) if tokens.size else (0, 0)
        # The product below checks no index: one out of range would write beyond the memory of the leaves.
        if lowest < -1 or highest > unobserved:
            raise ValueError(f"tokens must lie between -1 and {unobserved}: {lowest} to {highest}")
        if lowest < 0:
            tokens = np.where(tokens < 0, unobserved, tokens.astype(np.intp))
        below, messages, scale = circuit.upward(tokens)
        posterior = np.empty_like(below)
        posterior[first] = below[first] * circuit.root
        probability = posterior[first].sum(axis=1)
        log_likelihood += float(weights @ (scale + np.log(probability)))
        posterior[first] *= (weights / probability).astype(below.dtype)[:, None]
        root += posterior[first].sum(axis=0)
        for v in tree.order[1:]:
            ratio = posterior[tree.parents[v]] / messages[v]
            transitions[v] += circuit.transitions[v] * (ratio.T @ below[v])
            np.matmul(ratio, circuit.transitions[v], out=posterior[v])
            posterior[v] *= below[v]
        # One nonzero per cell: the product scatters each posterior onto its token, without one-hot columns.
        cells = tokens.size
        ones, where = np.ones(cells, below.dtype), np.arange(cells + 1)
        scatter = csc_array((ones, tokens.T.ravel(), where), shape=(len(leaves), cells))
        leaves += scatter @ posterior.reshape(cells, states)
    return Counts(root, transitions, leaves[:-1], log_likelihood)


def hard_counts(tree: Tree, states: np.ndarray, rows: Rows, k: int, size: int) -> Counts:
    """Count rows of given states, shape (n, d), for ``k`` states and ``size`` tokens."""
    leaves = np.zeros((size, k))
    transitions = np.zeros((states.shape[1], k, k))
    for v, parent in enumerate(tree.parents):
        leaves += np.bincount(rows.tokens[:, v] * k + states[:, v], rows.weights, size * k).reshape(size, k)
        if parent >= 0:
            pair = states[:, parent] * k + states[:, v]
            transitions[v] = np.bincount(pair, rows.weights, k * k).reshape(k, k)
    return Counts(np.bincount(states[:, tree.order[0]], rows.weights, k), transitions, leaves)


@dataclass(frozen=True)
class Fitted:
    """Circuit fitted by EM, and the mean log-likelihood of the validation rows."""

    circuit: LatentTree
    score: float


def fit_em(start: LatentTree, prior: Prior, rows: Rows, validation: Rows, max_iter: int) -> Fitted:
    """Fit a circuit by MAP-EM with early stopping and return the best iterate by validation likelihood.

    An iteration of b batches makes more progress than one of a single batch, so that there are at most
    max_iter / b^0.4 of them.

    Parameters
    ----------
    start : LatentTree
    prior : Prior
    rows, validation : Rows
    max_iter : int
    """
    best = Fitted(start, validation.mean(start.log_likelihood(validation.tokens)))
    circuit, counts, idle, steps = start, None, 0, 0
    parts = -(-len(rows) // _BATCH) if len(rows) > _SMALL else 1
    batches = range(0, len(rows), -(-len(rows) // parts))
    most = math.ceil(max_iter * parts**-_RATE)
    for number in range(most):
        slowing = _LAST_RATE if number >= most - 2 else _RATE
        for first in batches:
            batch = rows.take(slice(first, first + batches.step))
            steps += 1
            rate = 1.0 if len(batches) == 1 or counts is None else max(steps**-slowing, 1 / len(batches))
            found = expected_counts(circuit, batch)
            # Until the first average, the batch alone stands for all rows.
            counts = (counts or found).interpolated(found, rate, len(rows) / len(batch))
            circuit = prior.m_step(start.tree, counts, start.root.dtype)
        score = validation.mean(circuit.log_likelihood(validation.tokens))
        idle = 0 if score > best.score + _GAIN else idle + 1
        best = Fitted(circuit, score) if score > best.score else best
        if idle == _PATIENCE:
            break
    return best


def fit_class_factors(
    base: LatentTree, rows: Rows, leaves: np.ndarray, prior_strength: float, max_iter: int
) -> LatentTree:
    """Fit a log-linear class effect: one factor per state, with p(z_v | z_parent) proportional to base x factor.

    The class is one more parent of every latent, with d x K parameters instead of d x K x K: few enough for a small
    class, and a prior on them takes little from the differences between classes. The M-step is the iterative
    proportional fitting of log-linear models (Deming and Stephan 1940), which finds factors for which expected and
    modelled counts of each state agree.

    Parameters
    ----------
    base : LatentTree
    rows : Rows
        Rows of one class.
    leaves : ndarray, shape (tokens + 1, K)
        Leaves of the result.
    prior_strength : float
        Pseudo-rows from ``base`` that are added to those of the class.
    max_iter : int
        EM iterations.
    """
    tree, base_transitions = base.tree, base.transitions.astype(float)
    marginals = base.state_marginals()
    joint = prior_strength * marginals[tree.parents][:, :, None] * base_transitions
    factors = np.ones((len(base_transitions), 1, base.states))
    circuit = replace(base, leaves=leaves)
    for _ in range(max_iter):
        counts = expected_counts(circuit, rows)
        root = counts.root + prior_strength * marginals[tree.order[0]]
        expected = counts.transitions + joint
        parents, children = expected.sum(axis=2)[:, None, :], expected.sum(axis=1)[:, None, :]
        for _ in range(_FITTINGS):
            transitions = base_transitions * factors
            transitions /= transitions.sum(axis=2, keepdims=True)
            factors *= children / np.maximum(parents @ transitions, _TINY)
            factors /= factors.max(axis=2, keepdims=True)
        dtype = base.root.dtype
        circuit = LatentTree(tree, (root / root.sum()).astype(dtype), transitions.astype(dtype), leaves)
    return circuit
