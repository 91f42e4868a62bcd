"""Joint distribution of tokens and labels: one circuit per label, reweighted in each decision region."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import logsumexp
from threadpoolctl import threadpool_limits

from trisynth.encoders.discretizer import TableDiscretizer
from trisynth.generators.circuit.decision_regions import DecisionRegions
from trisynth.generators.circuit.latent_tree import LatentTree, draw_categorical
from trisynth.generators.circuit.refinement import LabelledRows
from trisynth.generators.circuit.region_evidence import RegionEvidence


@dataclass(frozen=True)
class Mixture:
    """p(tokens, label) = priors[label] * circuits[label](tokens) * weight of the row's region for the label.

    All probabilities and conditional distributions are exact.

    Parameters
    ----------
    circuits : list of LatentTree
        One for each of the k labels.
    priors : ndarray of shape (k,)
    regions : DecisionRegions
    evidence : RegionEvidence
        Of the leaves of ``regions``.
    discretizer : TableDiscretizer
    """

    circuits: list[LatentTree]
    priors: np.ndarray
    regions: DecisionRegions
    evidence: RegionEvidence
    discretizer: TableDiscretizer

    def joint(self, tokens: np.ndarray) -> np.ndarray:
        """Compute log p(tokens, label), shape (n, k).

        Parameters
        ----------
        tokens : ndarray of int, shape (n, d)
            A cell of -1 is marginalised; a cell of -2 is marginalised over all tokens but that of a missing cell.
        """
        circuits = [self.evidence.extended(circuit) for circuit in self.circuits]
        found = np.empty((len(tokens), len(circuits)))
        with threadpool_limits(limits=1):
            for chunk in self.regions.chunks(len(tokens)):
                rows, leaves, shown = self.regions.pairs(self.evidence, tokens[chunk])
                pairs = np.stack([circuit.log_likelihood(shown) for circuit in circuits], axis=1)
                pairs += self.regions.log_weights[leaves]
                found[chunk] = np.logaddexp.reduceat(pairs, np.unique(rows, return_index=True)[1], axis=0)
        with np.errstate(divide="ignore"):
            return found + np.log(self.priors)

    def completed(
        self, tokens: np.ndarray, labels: np.ndarray | None, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw complete rows from the conditional distribution of the unknown cells given the known ones.

        Parameters
        ----------
        tokens : ndarray of int, shape (n, d)
            -1 is unknown, -2 is unknown but not missing.
        labels : ndarray of int, shape (n,), or None
            None draws labels as well.

        Returns
        -------
        tokens : ndarray of int, shape (n, d)
        labels : ndarray of int, shape (n,)
        """
        if labels is None:
            labels = draw_categorical(normalised(self.joint(tokens)), rng)
        found, starts = tokens.copy(), self.discretizer.starts
        for label, circuit in enumerate(map(self.evidence.extended, self.circuits)):
            mine = np.flatnonzero(labels == label)
            for chunk in self.regions.chunks(len(mine)):
                part = mine[chunk]
                leaves, shown = self._located(label, circuit, tokens[part], rng)
                states = np.concatenate([circuit.draw_states(shown[b], rng) for b in circuit.blocks(len(part))])
                for j, (a, b) in enumerate(pairwise(starts)):
                    open_ = found[part, j] < 0
                    weights = circuit.leaves[a:b].T[states[open_, j]] * self.regions.allowed[leaves[open_], a:b]
                    if self.discretizer.columns[j].imputable:
                        weights[tokens[part[open_], j] == -2, 0] = 0.0
                    found[part[open_], j] = a + draw_categorical(weights, rng)
        return found, labels

    def _located(
        self, label: int, circuit: LatentTree, tokens: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw a region for each row given its known cells, and return it with the evidence on all cells."""
        rows, leaves, shown = self.regions.pairs(self.evidence, tokens)
        if len(rows) > len(tokens):
            weights = circuit.log_likelihood(shown) + self.regions.log_weights[leaves, label]
            # Gumbel-max trick: the largest of log-weights plus noise is a draw in proportion to the weights.
            order = np.lexsort((weights + rng.gumbel(size=len(rows)), rows))
            last = order[np.append(np.diff(rows[order]) > 0, True)]
            leaves, shown = leaves[last], shown[last]
        return leaves, shown


def class_log_likelihood(circuits: list[LatentTree], regions: DecisionRegions, real: LabelledRows) -> np.ndarray:
    """Compute the log-likelihood of each complete row under its label's circuit and weights, shape (n,)."""
    rows, leaves = regions.compatible(real.rows.tokens)
    found = regions.log_weights[leaves, real.labels[rows]]
    for label, circuit in enumerate(circuits):
        mine = real.labels == label
        found[mine] += circuit.log_likelihood(real.rows.tokens[mine])
    return found


def normalised(joint: np.ndarray) -> np.ndarray:
    """Normalise each row of log-weights to probabilities; a row that is impossible under all labels gets equal ones."""
    total = logsumexp(joint, axis=1, keepdims=True)
    return np.where(np.isfinite(total), np.exp(joint - np.where(np.isfinite(total), total, 0.0)), 1 / joint.shape[1])
