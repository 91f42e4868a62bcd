"""A circuit for each label, weighed in each box, as one law over tokens and labels; its answers are exact."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import logsumexp
from threadpoolctl import threadpool_limits

from trisynth.generators.circuit.boxes import Boxes
from trisynth.generators.circuit.codec import Codec
from trisynth.generators.circuit.latent_tree import LatentTree, draw
from trisynth.generators.circuit.refinement import Labelled
from trisynth.generators.circuit.regions import Cuts


@dataclass(frozen=True)
class Mixture:
    """p(tokens, label) = priors[label] * circuits[label](tokens) * weight of the row's box for the label.

    Parameters
    ----------
    circuits : list of LatentTree
        One for each of the k labels.
    priors : ndarray of shape (k,)
    cuts : Cuts
    boxes : Boxes
        Those of the leaves of ``cuts``.
    codec : Codec
        What the tokens stand for.
    """

    circuits: list[LatentTree]
    priors: np.ndarray
    cuts: Cuts
    boxes: Boxes
    codec: Codec

    def joint(self, tokens: np.ndarray) -> np.ndarray:
        """log p(tokens, label), shape (n, k).

        Parameters
        ----------
        tokens : ndarray of int, shape (n, d)
            A cell of -1 is summed out; so is one of -2, but for its being missing.
        """
        circuits = [self.boxes.extended(circuit) for circuit in self.circuits]
        found = np.empty((len(tokens), len(circuits)))
        with threadpool_limits(limits=1):
            for chunk in self.cuts.chunks(len(tokens)):
                rows, leaves, shown = self.cuts.pairs(self.boxes, tokens[chunk])
                pairs = np.stack([circuit.log_likelihood(shown) for circuit in circuits], axis=1)
                pairs += self.cuts.log_weights[leaves]
                found[chunk] = np.logaddexp.reduceat(pairs, np.unique(rows, return_index=True)[1], axis=0)
        with np.errstate(divide="ignore"):
            return found + np.log(self.priors)

    def completed(
        self, tokens: np.ndarray, labels: np.ndarray | None, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Whole rows, drawn from the law of what is not known given what is.

        Parameters
        ----------
        tokens : ndarray of int, shape (n, d)
            -1 is unknown, -2 is unknown but not missing.
        labels : ndarray of int, shape (n,), or None
            None draws them too.

        Returns
        -------
        tokens : ndarray of int, shape (n, d)
        labels : ndarray of int, shape (n,)
        """
        if labels is None:
            labels = draw(normalised(self.joint(tokens)), rng)
        found, starts = tokens.copy(), self.codec.starts
        for label, circuit in enumerate(map(self.boxes.extended, self.circuits)):
            mine = np.flatnonzero(labels == label)
            for chunk in self.cuts.chunks(len(mine)):
                part = mine[chunk]
                leaves, shown = self._boxed(label, circuit, tokens[part], rng)
                states = np.concatenate([circuit.draw_states(shown[b], rng) for b in circuit.blocks(len(part))])
                for j, (a, b) in enumerate(pairwise(starts)):
                    open_ = found[part, j] < 0
                    chances = circuit.leaves[a:b].T[states[open_, j]] * self.cuts.allowed[leaves[open_], a:b]
                    if self.codec.columns[j].fillable:
                        chances[tokens[part[open_], j] == -2, 0] = 0.0
                    found[part[open_], j] = a + draw(chances, rng)
        return found, labels

    def _boxed(
        self, label: int, circuit: LatentTree, tokens: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """For each row a leaf of the cuts, drawn given what is known, and what is then known of its cells."""
        rows, leaves, shown = self.cuts.pairs(self.boxes, tokens)
        if len(rows) > len(tokens):
            weights = circuit.log_likelihood(shown) + self.cuts.log_weights[leaves, label]
            # The largest of log-weights plus Gumbel noise is a draw in proportion to the weights.
            order = np.lexsort((weights + rng.gumbel(size=len(rows)), rows))
            last = order[np.append(np.diff(rows[order]) > 0, True)]
            leaves, shown = leaves[last], shown[last]
        return leaves, shown


def own_log_likelihood(circuits: list[LatentTree], cuts: Cuts, real: Labelled) -> np.ndarray:
    """Log-likelihood of each whole row under its label's circuit and weights, shape (n,)."""
    rows, leaves = cuts.reached(real.rows.tokens)
    found = cuts.log_weights[leaves, real.labels[rows]]
    for label, circuit in enumerate(circuits):
        mine = real.labels == label
        found[mine] += circuit.log_likelihood(real.rows.tokens[mine])
    return found


def normalised(joint: np.ndarray) -> np.ndarray:
    """Probabilities of each row's log-weights; a row that no label allows gets equal ones."""
    total = logsumexp(joint, axis=1, keepdims=True)
    return np.where(np.isfinite(total), np.exp(joint - np.where(np.isfinite(total), total, 0.0)), 1 / joint.shape[1])
