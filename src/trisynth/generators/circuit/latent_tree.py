"""Tree of discrete latent variables with one observed column each: exact likelihood and posterior samples.

Hidden Chow-Liu tree of probabilistic circuits (Liu and Van den Broeck 2021): column v has a latent state z_v in
0..K-1, transitions p(z_v | z_parent) along the tree and a categorical leaf p(token | z_v).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

# Cells of one message block: few enough for a block's three arrays to stay in the processor's cache.
_CELLS = 300_000
_TINY = 1e-30
# Children of one node after which the product of messages is rescaled.
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
        """Build the tree of ``parents``, ordered by depth."""
        depth = np.zeros(len(parents), int)
        above = parents.copy()
        while (above >= 0).any():
            depth += above >= 0
            above = np.where(above >= 0, parents[above], -1)
        return cls(parents, np.argsort(depth, kind="stable"))


@dataclass(frozen=True)
class LatentTree:
    """Parameters of a latent tree.

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
        """Number of states, K."""
        return len(self.root)

    def upward(self, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Compute the upward messages of belief propagation for a block of rows.

        Parameters
        ----------
        tokens : ndarray of int, shape (n, d)
            Rows of ``leaves``.

        Returns
        -------
        below : ndarray, shape (d, n, K)
            p(observations at and below v | z_v), scaled to sum to 1 over the states.
        messages : ndarray, shape (d, n, K)
            The same, given the parent's state.
        scale : ndarray, shape (n,)
            Logarithm of the product of the scale factors.
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
        """Compute the log-probability of each row of tokens, shape (n,)."""
        found = np.empty(len(tokens))
        for rows in self.blocks(len(tokens)):
            below, _, scale = self.upward(tokens[rows])
            probability = (below[self.tree.order[0]] @ self.root).astype(float)
            # Rescaling keeps an impossible row finite; its true value is minus infinity.
            with np.errstate(divide="ignore"):
                found[rows] = np.where(probability > 0, scale + np.log(probability), -np.inf)
        return found

    def state_marginals(self) -> np.ndarray:
        """Compute p(z_v) of each latent, shape (d, K)."""
        marginals = np.empty((len(self.transitions), self.states))
        for v in self.tree.order:
            parent = self.tree.parents[v]
            marginals[v] = self.root if parent < 0 else marginals[parent] @ self.transitions[v]
        return marginals

    def blocks(self, n: int) -> Iterator[slice]:
        """Divide ``n`` rows into blocks whose arrays stay small."""
        size = max(64, _CELLS // (len(self.transitions) * self.states))
        return (slice(start, min(start + size, n)) for start in range(0, n, size))

    def draw_states(self, tokens: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw states from their joint posterior given a block of rows of tokens, shape (n, d)."""
        below, _, _ = self.upward(tokens)
        states = np.empty(tokens.shape, int)
        for v in self.tree.order:
            parent = self.tree.parents[v]
            prior = self.root if parent < 0 else self.transitions[v][states[:, parent]]
            states[:, v] = draw_categorical(below[v] * prior, rng)
        return states


def draw_categorical(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a column index for each row of non-negative ``weights``, shape (n, m), in proportion to them."""
    reach = np.cumsum(weights, axis=1, dtype=float)
    # The level is strictly below the total and past zero weights, so that weight 0 is never drawn.
    level = rng.random(len(weights)) * reach[:, -1]
    return np.minimum((reach <= level[:, None]).sum(axis=1), weights.shape[1] - 1)
