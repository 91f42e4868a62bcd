"""Dirichlet-tree prior on the tokens of all columns, under which neighbouring bins share information."""

from dataclasses import dataclass

import numpy as np

from trisynth.encoders.discretizer import TableDiscretizer


@dataclass(frozen=True)
class DirichletTree:
    """Tokens of each column as leaves of a tree whose branch probabilities have Dirichlet priors.

    An ordered column is halved recursively (a Polya tree, Ferguson 1974; Lavine 1992): deeper splits get a stronger
    prior, so that a fine bin departs from its coarse bin only on evidence, and finer bins cost little likelihood. The
    tokens of a category form one split. The prior is conjugate: the MAP estimate is a ratio of counts.

    Parameters
    ----------
    low, high : ndarray of int, shape (branches,)
        Tokens low..high-1 lie under the branch.
    above : ndarray of int, shape (branches, 2)
        The same for the split that the branch belongs to.
    level : ndarray of int, shape (branches,)
        Depth of that split, 0 at the top.
    path : ndarray of int, shape (depth, tokens)
        Branches that lead to each token; the number of branches stands for none.
    """

    low: np.ndarray
    high: np.ndarray
    above: np.ndarray
    level: np.ndarray
    path: np.ndarray

    @classmethod
    def of(cls, discretizer: TableDiscretizer) -> "DirichletTree":
        """Build the tree over the tokens of ``discretizer``."""
        columns = discretizer.columns
        ordered, missing = [column.ordered for column in columns], [column.missing for column in columns]
        return cls.build(discretizer.starts, discretizer.counts, ordered, missing)

    @classmethod
    def build(cls, starts: np.ndarray, counts: np.ndarray, ordered: list[bool], missing: list[bool]) -> "DirichletTree":
        """Build the tree over columns whose tokens start at ``starts``, with splits where ``counts`` balance.

        Parameters
        ----------
        starts : ndarray of int, shape (d + 1,)
        counts : ndarray, shape (tokens,)
        ordered, missing : list of bool, length d
            Whether the column's tokens are ordered, and whether the first one stands for a missing cell.
        """
        branches: list[tuple] = []
        reach = np.concatenate([[0.0], np.cumsum(counts)])
        for start, stop, sorted_, gap in zip(starts[:-1], starts[1:], ordered, missing, strict=True):
            first = int(start) + int(sorted_ and gap)
            if start < first < stop:
                branches += [(start, first, start, stop, 0), (first, stop, start, stop, 0)]
            if not sorted_:
                branches += [(token, token + 1, start, stop, 0) for token in range(start, stop)]
                continue
            waiting = [(first, int(stop), 0)]
            while waiting:
                a, c, level = waiting.pop()
                if c - a < 2:
                    continue
                half = (reach[a] + reach[c]) / 2
                b = a + 1 + int(np.argmin(np.abs(reach[a + 1 : c] - half)))
                branches += [(a, b, a, c, level), (b, c, a, c, level)]
                waiting += [(a, b, level + 1), (b, c, level + 1)]
        low, high, a, c, level = np.array(branches, dtype=int).reshape(-1, 5).T
        return cls(low, high, np.stack([a, c], axis=1), level, _paths(low, high, int(starts[-1])))

    def sums(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sum ``counts``, shape (tokens, k), under each branch and under its split."""
        reach = np.zeros((len(counts) + 1, *counts.shape[1:]))
        np.cumsum(counts, axis=0, out=reach[1:])
        return reach[self.high] - reach[self.low], reach[self.above[:, 1]] - reach[self.above[:, 0]]

    def branches(self, leaves: np.ndarray) -> np.ndarray:
        """Compute the probability of each branch within its split; 0 under a split without mass."""
        own, total = self.sums(leaves)
        return np.divide(np.maximum(own, 0.0), total, out=np.zeros_like(own), where=total > 1e-30)

    def map_estimate(self, counts: np.ndarray, prior: np.ndarray, strength: np.ndarray) -> np.ndarray:
        """Compute the MAP estimate: probabilities of the tokens that maximise counts . log p plus the log prior.

        Parameters
        ----------
        counts : ndarray, shape (tokens, k)
        prior : ndarray, shape (branches, k) or (branches, 1)
            Prior mean of each branch.
        strength : ndarray, shape (branches, 1)
            Pseudo-counts of the branch's split.
        """
        own, total = self.sums(counts)
        weight = np.maximum(total, 0.0) + strength
        probability = (np.maximum(own, 0.0) + strength * prior) / weight
        probability = np.concatenate([probability, np.ones((1, probability.shape[1]))])
        leaves = probability[self.path[0]] if len(self.path) else np.ones(counts.shape)
        for step in self.path[1:]:
            leaves *= probability[step]
        return leaves

    def log_density(self, leaves: np.ndarray, prior: np.ndarray, strength: np.ndarray) -> float:
        """Compute the log prior of ``leaves`` up to a constant: the sum of strength x prior mean x log branch."""
        weight = np.broadcast_to(strength * prior, (len(self.low), leaves.shape[1]))
        return float(np.sum(weight * np.log(np.where(weight > 0, self.branches(leaves), 1.0))))


def _paths(low: np.ndarray, high: np.ndarray, tokens: int) -> np.ndarray:
    # Parents come before their children in the list, so that the order of a token's branches is top down.
    sizes = high - low
    branch = np.repeat(np.arange(len(low)), sizes)
    token = np.repeat(low, sizes) + np.arange(len(branch)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    order = np.argsort(token, kind="stable")
    token, branch = token[order], branch[order]
    depth = np.bincount(token, minlength=tokens)
    rank = np.arange(len(token)) - np.repeat(np.cumsum(depth) - depth, depth)
    path = np.full((int(depth.max(initial=0)), tokens), len(low))
    path[rank, token] = branch
    return path
