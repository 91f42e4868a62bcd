"""A tree of discrete latent variables with one observed column each: likelihood, EM and posterior draws.

The hidden Chow-Liu tree of probabilistic circuits (Liu and Van den Broeck 2021): column v has a latent z_v in 0..K-1,
p(z_v | z_parent) along the tree and a categorical leaf p(token | z_v). All that is asked of it is exact.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csc_array

from trisynth.generators.dirichlet_tree import DirichletTree

# Cells of one message block: few enough for a block's three arrays to stay in the processor's cache.
_CELLS = 300_000
_TINY = 1e-30
# Children of one node after which products of messages are rescaled.
_CROWD = 4


@dataclass(frozen=True)
class Tree:
    """Shape of a latent tree.

    Parameters
    ----------
    parents : ndarray of int, shape (d,)
        -1 marks the root.
    order : ndarray of int, shape (d,)
        Parents before their children.
    """

    parents: np.ndarray
    order: np.ndarray

    @classmethod
    def of(cls, parents: np.ndarray) -> "Tree":
        """Tree of ``parents``, in the order of depth."""
        depth = np.zeros(len(parents), int)
        above = parents.copy()
        while (above >= 0).any():
            depth += above >= 0
            above = np.where(above >= 0, parents[above], -1)
        return cls(parents, np.argsort(depth, kind="stable"))


@dataclass(frozen=True)
class LatentTree:
    """Parameters on a tree.

    Parameters
    ----------
    tree : Tree
    root : ndarray, shape (K,)
    transitions : ndarray, shape (d, K, K)
        Rows are states of the parent; the root's entry is not used.
    leaves : ndarray, shape (tokens + 1, K)
        p(token | state), columns one after the other; the last row is 1 and stands for an unobserved cell.
    """

    tree: Tree
    root: np.ndarray
    transitions: np.ndarray
    leaves: np.ndarray

    @property
    def states(self) -> int:
        """K."""
        return len(self.root)

    def upward(self, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Messages of a block of rows.

        Parameters
        ----------
        tokens : ndarray of int, shape (n, d)
            Rows of ``leaves``.

        Returns
        -------
        below : ndarray, shape (d, n, K)
            p(what is observed at and below v | z_v), scaled to sum to 1 over the states.
        messages : ndarray, shape (d, n, K)
            The same given the parent's state.
        scale : ndarray, shape (n,)
            Log of what scaling removed.
        """
        below = self.leaves[tokens.T]
        messages = np.empty_like(below)
        scale = np.zeros(len(tokens))
        ones = np.ones(self.states, below.dtype)
        children = np.zeros(len(self.tree.parents), int)

        def rescale(v: int) -> None:
            total = below[v] @ ones
            np.maximum(total, _TINY, out=total)
            below[v] /= total[:, None]
            np.add(scale, np.log(total), out=scale)

        for v in self.tree.order[::-1]:
            rescale(v)
            parent = self.tree.parents[v]
            if parent >= 0:
                np.matmul(below[v], self.transitions[v].T, out=messages[v])
                below[parent] *= messages[v]
                children[parent] += 1
                if children[parent] % _CROWD == 0:
                    rescale(parent)
        return below, messages, scale

    def log_likelihood(self, tokens: np.ndarray) -> np.ndarray:
        """Log-probability of each row of tokens, shape (n,)."""
        found = np.empty(len(tokens))
        for rows in self.blocks(len(tokens)):
            below, _, scale = self.upward(tokens[rows])
            chance = (below[self.tree.order[0]] @ self.root).astype(float)
            # Rescaling keeps an impossible row finite; its true value is minus infinity.
            with np.errstate(divide="ignore"):
                found[rows] = np.where(chance > 0, scale + np.log(chance), -np.inf)
        return found

    def blocks(self, n: int) -> Iterator[slice]:
        """Row ranges that keep a block's arrays small."""
        size = max(64, _CELLS // (len(self.transitions) * self.states))
        return (slice(start, min(start + size, n)) for start in range(0, n, size))


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
