"""Expectation-maximisation for latent trees, towards the maximum of likelihood times prior (Dempster et al. 1977)."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csc_array

from trisynth.generators.dirichlet_tree import DirichletTree
from trisynth.generators.latent_tree import LatentTree, Tree


# Nats per row that count as a gain, and steps without one that end the climb.
_GAIN, _PATIENCE = 0.002, 3


@dataclass(frozen=True)
class Rows:
    """Tokens of some rows, shape (n, d), and their weights, shape (n,), or None where all weigh 1."""

    tokens: np.ndarray
    weights: np.ndarray | None = None

    def take(self, chosen: np.ndarray) -> "Rows":
        """The chosen rows."""
        return Rows(self.tokens[chosen], None if self.weights is None else self.weights[chosen])

    def score(self, circuit: LatentTree) -> float:
        """Weighted mean log-likelihood; 0 without rows."""
        if not len(self.tokens):
            return 0.0
        return float(np.average(circuit.log_likelihood(self.tokens), weights=self.weights))


@dataclass(frozen=True)
class Statistics:
    """Expected counts, in the shapes of a ``LatentTree``'s parameters, and the log-likelihood they belong to."""

    root: np.ndarray
    transitions: np.ndarray
    leaves: np.ndarray
    log_likelihood: float = 0.0

    def mixed(self, other: "Statistics", rate: float) -> "Statistics":
        """(1 - rate) of these and ``rate`` of the other ones."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in vars(self))
        return Statistics(*((1 - rate) * ours + rate * theirs for ours, theirs in pairs))

    def times(self, factor: float) -> "Statistics":
        """All counts multiplied."""
        return Statistics(*(factor * value for value in vars(self).values()))


@dataclass(frozen=True)
class Prior:
    """Pseudo-counts that pull a latent tree.

    Parameters
    ----------
    smoothing : DirichletTree
    root : ndarray, shape (K,)
    transitions : ndarray, shape (d, K, K)
    branches : ndarray, shape (branches, K) or (branches, 1)
        Prior means of the leaves' branches.
    strength : ndarray, shape (branches, 1)
    """

    smoothing: DirichletTree
    root: np.ndarray
    transitions: np.ndarray
    branches: np.ndarray
    strength: np.ndarray

    def maximum(self, tree: Tree, counts: Statistics, dtype: type = np.float32) -> LatentTree:
        """The M-step: parameters of the largest penalised expected log-likelihood."""
        root = counts.root + self.root
        transitions = counts.transitions + self.transitions
        leaves = self.smoothing.maximum(counts.leaves, self.branches, self.strength)
        leaves = np.concatenate([leaves, np.ones((1, len(root)))])
        transitions = transitions / transitions.sum(axis=2, keepdims=True)
        return LatentTree(tree, (root / root.sum()).astype(dtype), transitions.astype(dtype), leaves.astype(dtype))

    def penalty(self, circuit: LatentTree) -> float:
        """Log prior density of a circuit, up to a constant."""
        inner = np.delete(np.arange(len(circuit.transitions)), circuit.tree.order[0])
        return float(
            np.sum(self.root * np.log(circuit.root))
            + np.sum(self.transitions[inner] * np.log(circuit.transitions[inner]))
        ) + self.smoothing.penalty(circuit.leaves[:-1].astype(float), self.branches, self.strength)


def expected_counts(circuit: LatentTree, tokens: np.ndarray, weights: np.ndarray | None = None) -> Statistics:
    """The E-step: expected counts of states, transitions and leaves, and the weighted log-likelihood.

    Parameters
    ----------
    circuit : LatentTree
    tokens : ndarray of int, shape (n, d)
    weights : ndarray, shape (n,), optional
        Weight of each row; 1 if absent.
    """
    tree, states = circuit.tree, circuit.states
    first = tree.order[0]
    root, transitions = np.zeros(states), np.zeros(circuit.transitions.shape)
    leaves = np.zeros((len(circuit.leaves), states))
    log_likelihood = 0.0
    for rows in circuit.blocks(len(tokens)):
        part = tokens[rows]
        below, messages, scale = circuit.upward(part)
        weight = np.ones(len(part)) if weights is None else weights[rows]
        posterior = np.empty_like(below)
        posterior[first] = below[first] * circuit.root
        chance = posterior[first].sum(axis=1)
        log_likelihood += float(weight @ (scale + np.log(chance)))
        posterior[first] *= (weight / chance)[:, None]
        root += posterior[first].sum(axis=0)
        for v in tree.order[1:]:
            ratio = posterior[tree.parents[v]] / messages[v]
            transitions[v] += circuit.transitions[v] * (ratio.T @ below[v])
            np.matmul(ratio, circuit.transitions[v], out=posterior[v])
            posterior[v] *= below[v]
        # One nonzero per cell: the product scatters each posterior onto its token.
        cells = part.size
        scatter = csc_array(
            (np.ones(cells, below.dtype), part.T.ravel(), np.arange(cells + 1)), shape=(len(leaves), cells)
        )
        leaves += scatter @ posterior.reshape(cells, states)
    return Statistics(root, transitions, leaves[:-1], log_likelihood)


def hard_counts(tree: Tree, states: np.ndarray, tokens: np.ndarray, sizes: tuple[int, int]) -> Statistics:
    """Counts of rows whose states are given, shape (n, d); ``sizes`` are K and the number of tokens."""
    k, size = sizes
    leaves = np.zeros((size, k))
    np.add.at(leaves, (tokens.ravel(), states.ravel()), 1.0)
    transitions = np.zeros((tokens.shape[1], k, k))
    for v in tree.order[1:]:
        pair = states[:, tree.parents[v]] * k + states[:, v]
        transitions[v] = np.bincount(pair, minlength=k * k).reshape(k, k)
    return Statistics(np.bincount(states[:, tree.order[0]], minlength=k).astype(float), transitions, leaves)


def split_states(counts: Statistics, noise: float, rng: np.random.Generator) -> Statistics:
    """Counts of twice as many states: each one's count halved, up to ``noise``, which lets EM tell the twins apart."""

    def halves(values: np.ndarray, axis: int) -> np.ndarray:
        doubled = np.repeat(values / 2, 2, axis=axis)
        return doubled * (1 + noise * rng.uniform(-1, 1, doubled.shape))

    transitions = halves(halves(counts.transitions, 1), 2)
    return replace(counts, root=halves(counts.root, 0), transitions=transitions, leaves=halves(counts.leaves, 1))


@dataclass(frozen=True)
class Fitted:
    """What EM ended with.

    Parameters
    ----------
    circuit : LatentTree
    counts : Statistics
        The expected counts that it was made from.
    score : float
        Mean validation log-likelihood.
    passes : int
        E-steps until this circuit.
    """

    circuit: LatentTree
    counts: Statistics | None
    score: float
    passes: int


def climb(
    start: LatentTree,
    prior: Prior,
    rows: Rows,
    validation: Rows,
    passes: int,
) -> Fitted:
    """The best of up to ``passes`` EM steps by validation likelihood, ended once steps stop to gain."""
    best = Fitted(start, None, validation.score(start), 0)
    circuit, idle = start, 0
    for step in range(1, passes + 1):
        counts = expected_counts(circuit, rows.tokens, rows.weights)
        circuit = prior.maximum(start.tree, counts)
        score = validation.score(circuit)
        idle = 0 if score > best.score + _GAIN else idle + 1
        if score > best.score:
            best = Fitted(circuit, counts, score, step)
        if idle == _PATIENCE:
            break
    return best
