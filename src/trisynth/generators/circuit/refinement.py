"""Refinement of class-conditional circuits after EM: descent on L_total, whose terms are exact."""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from trisynth.encoders.discretizer import TableDiscretizer
from trisynth.generators.circuit.em import Counts, Prior, Rows, expected_counts
from trisynth.generators.circuit.latent_tree import LatentTree
from trisynth.generators.circuit.moments import Moments, log_parameter_gradient, token_marginals
from trisynth.objective import Loss

# Rows that L_model is computed on.
_ROWS = 5_000
# Classes with fewer rows have no part in L_dist.
_FEW = 8
# Smallest divisor of a term, so that one that starts near zero is not scaled up to one.
_SMALLEST_START = 1e-2
# Rows whose residual of L_model is smaller are skipped.
_UNMOVED = 1e-3
# Damping: pseudo-counts of the circuit itself per row, initially; its factors after a failed and after a successful
# step; its maximum; and the smallest fraction of a parameter's pseudo-counts that a step must leave.
_DAMPING, _SHORTER, _LONGER, _SHORTEST, _KEPT = 1.0, 4.0, 0.5, 1e4, 0.5
# Parameters of a circuit.
_PARTS = ("root", "transitions", "leaves")
# Steps without a gain after which the descent stops, and the smallest gain in L_total.
_PATIENCE, _GAIN = 3, 1e-4


@dataclass(frozen=True)
class LabelledRows:
    """Weighted rows of tokens with their labels.

    Parameters
    ----------
    rows : Rows
    labels : ndarray of int, shape (n,)
    """

    rows: Rows
    labels: np.ndarray

    def take(self, chosen: np.ndarray | slice) -> "LabelledRows":
        """Select rows."""
        return LabelledRows(self.rows.take(chosen), self.labels[chosen])


class TotalLoss:
    """Exact L_total = alpha L_rec + beta L_dist + gamma L_model of one circuit per class.

    L_rec is -log p(x | y) per column. L_dist compares means and standard deviations of the encoded columns within
    classes with those of the real rows. L_model is -log p(y | x) of the real rows by Bayes' rule. Each term is divided
    by its initial value.

    Parameters
    ----------
    loss : Loss
    discretizer : TableDiscretizer
    priors : ndarray, shape (k,)
        p(label).
    target : int or None
        Column that L_model must not use, a numeric target.
    """

    def __init__(self, loss: Loss, discretizer: TableDiscretizer, priors: np.ndarray, target: int | None = None):
        self.loss, self.starts, self.target = loss, discretizer.starts, target
        self.moments = Moments.of(discretizer)
        with np.errstate(divide="ignore"):
            self.log_priors = np.log(priors)
        self.scales: dict[str, float] = {}

    def joint(self, circuits: list[LatentTree], rows: Rows) -> np.ndarray:
        """Compute log p(x, label), shape (n, k), with the target column marginalised."""
        tokens = self._without_target(rows).tokens
        return np.stack([circuit.log_likelihood(tokens) for circuit in circuits], axis=1) + self.log_priors

    def terms(
        self, circuits: list[LatentTree], real: LabelledRows, frequencies: np.ndarray, joint: np.ndarray | None = None
    ) -> dict[str, float]:
        """Compute the terms, raw and weighted as in L_total, and L_total itself.

        Parameters
        ----------
        circuits : list of LatentTree
        real : LabelledRows
        frequencies : ndarray, shape (tokens, k)
            See ``token_frequencies``.
        joint : ndarray, shape (n, k), optional
            Result of ``joint``, if known.
        """
        rows, labels = real.rows, real.labels
        joint = self.joint(circuits, rows) if joint is None else joint
        values = {"rec": -rows.mean(self._own(circuits, real, joint)) / len(circuits[0].transitions)}
        if self.loss.beta:
            values["dist"] = float(self._label_weights(real) @ self._distances(circuits, frequencies)[0])
        if self.loss.gamma:
            values["model"] = -rows.mean(joint[np.arange(len(labels)), labels] - logsumexp(joint, axis=1))
        found: dict[str, float] = {}
        for name, weight in (("rec", self.loss.alpha), ("dist", self.loss.beta), ("model", self.loss.gamma)):
            if name in values:
                scale = self.scales.setdefault(name, max(values[name], _SMALLEST_START))
                found |= {name: values[name], f"{name}_weighted": weight * values[name] / scale}
        return found | {"total": sum(found[f"{name}_weighted"] for name in values)}

    def token_frequencies(self, real: LabelledRows) -> np.ndarray:
        """Compute the frequencies of the tokens among the rows of each label, shape (tokens, k)."""
        size, k = int(self.starts[-1]), len(self.log_priors)
        cells = real.rows.tokens.astype(np.int64) * k + real.labels[:, None]
        weights = np.repeat(real.rows.weights, real.rows.tokens.shape[1])
        counts = np.bincount(cells.ravel(), weights, size * k).reshape(size, k)
        totals = np.bincount(real.labels, real.rows.weights, k)
        return counts / np.maximum(totals, np.finfo(float).tiny)

    def counts(
        self, circuits: list[LatentTree], real: LabelledRows, frequencies: np.ndarray, rows: float | None = None
    ) -> tuple[list[Counts], dict[str, float]]:
        """Compute the negative gradient of L_total with respect to log-parameters, and the terms.

        The unit is that of expected counts, which are the gradient of L_rec at alpha = 1. For L_model each row counts
        with its residual, the indicator of the label minus p(label | x). L_dist and L_model are scaled to ``rows``
        rows, by default those of ``real``.
        """
        rows = real.rows.weights.sum() if rows is None else rows
        joint = self.joint(circuits, real.rows)
        terms = self.terms(circuits, real, frequencies, joint)
        unit = rows * self.scales["rec"] * len(circuits[0].transitions)
        posterior = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
        slopes = self._distances(circuits, frequencies)[1] if self.loss.beta else None
        label_weights, found = self._label_weights(real), []
        for label, circuit in enumerate(circuits):
            mine = real.labels == label
            total = scaled(expected_counts(circuit, real.rows.take(mine)), self.loss.alpha)
            if self.loss.gamma:
                residual = (mine - posterior[:, label]) * real.rows.weights
                moved = np.flatnonzero(np.abs(residual) > _UNMOVED)
                weight = self.loss.gamma / self.scales["model"] * unit / real.rows.weights.sum()
                seen = self._without_target(real.rows.take(moved))
                total = plus(total, expected_counts(circuit, Rows(seen.tokens, residual[moved])), weight)
            if self.loss.beta:
                weight = -self.loss.beta / self.scales["dist"] * unit * label_weights[label]
                total = plus(total, log_parameter_gradient(circuit, self.starts, slopes[:, label]), weight)
            found.append(total)
        return found, terms

    def _without_target(self, rows: Rows) -> Rows:
        """Return rows with the target column unobserved."""
        if self.target is None:
            return rows
        tokens = rows.tokens.copy()
        tokens[:, self.target] = self.starts[-1]
        return Rows(tokens, rows.weights)

    def _own(self, circuits: list[LatentTree], real: LabelledRows, joint: np.ndarray) -> np.ndarray:
        """Compute log p(x | label) of each row with all columns observed."""
        if self.target is None:
            return joint[np.arange(len(real.labels)), real.labels] - self.log_priors[real.labels]
        found = np.empty(len(real.labels))
        for label, circuit in enumerate(circuits):
            mine = real.labels == label
            found[mine] = circuit.log_likelihood(real.rows.tokens[mine])
        return found

    def _label_weights(self, real: LabelledRows) -> np.ndarray:
        """Compute the weight of each label in L_dist."""
        k = len(self.log_priors)
        weights = np.bincount(real.labels, real.rows.weights, k)
        few = np.bincount(real.labels, minlength=k) < _FEW
        return np.where(few, 0.0, weights) / max(weights.sum(), np.finfo(float).tiny)

    def _distances(self, circuits: list[LatentTree], frequencies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.moments.distance(np.stack([token_marginals(c, self.starts) for c in circuits], axis=1), frequencies)


@dataclass(frozen=True)
class Refined:
    """Result of the descent.

    Parameters
    ----------
    circuits : list of LatentTree
    steps : int
        Number of steps taken.
    history : dict of str to list of float
        Terms before each step, and L_total of the validation rows as ``validation_total``.
    """

    circuits: list[LatentTree]
    steps: int
    history: dict[str, list[float]]


def refine(
    total: TotalLoss,
    circuits: list[LatentTree],
    priors: list[Prior],
    real: LabelledRows,
    steps: int,
    validation: LabelledRows | None = None,
    every: list[Counts] | None = None,
) -> Refined:
    """Descend on L_total by at most ``steps`` steps; with validation rows, return the best iterate.

    A step is the extended Baum-Welch update (Gopalakrishnan et al. 1991): the M-step on counts that may be negative,
    made positive by pseudo-counts of the circuit itself.

    Parameters
    ----------
    total : TotalLoss
    circuits : list of LatentTree
    priors : list of Prior
        Prior of each circuit, independent of alpha.
    real : LabelledRows
        Training rows; L_model uses the first 5,000, and the counts of further rows stay at their initial values.
    steps : int
    validation : LabelledRows, optional
    every : list of Counts, optional
        Expected counts of each label's rows under ``circuits``, where ``real`` is a sample of these rows.
    """
    # A row of weight 0 may have a label of probability 0.
    real = real.take(np.flatnonzero(real.rows.weights))
    validation = None if validation is None else validation.take(np.flatnonzero(validation.rows.weights))
    near, far = real.take(slice(_ROWS)), real.take(slice(_ROWS, None))
    if every is None:
        frequencies, rows = total.token_frequencies(real), real.rows.weights.sum()
        rest = [expected_counts(c, far.rows.take(far.labels == i)) for i, c in enumerate(circuits)]
    else:
        # A token's expected counts over the states sum to its cells.
        totals = np.array([each.root.sum() for each in every])
        frequencies, rows = np.stack([each.leaves.sum(axis=1) for each in every], axis=1) / totals, totals.sum()
        rest = [
            plus(each, expected_counts(c, near.rows.take(near.labels == i)), -1.0)
            for i, (c, each) in enumerate(zip(circuits, every, strict=True))
        ]
    validation_frequencies = total.token_frequencies(validation) if validation is not None else None
    history: dict[str, list[float]] = {}
    best, lowest, idle, damping = circuits, np.inf, 0, _DAMPING
    counts, terms = total.counts(circuits, near, frequencies, rows)
    while True:
        if validation is not None:
            terms["validation_total"] = total.terms(circuits, validation, validation_frequencies)["total"]
        for name, value in terms.items():
            history.setdefault(name, []).append(value)
        reached = terms.get("validation_total", -np.inf)
        idle = 0 if reached < lowest - _GAIN or validation is None else idle + 1
        if reached < lowest or validation is None:
            best, lowest, taken = circuits, reached, len(history["total"]) - 1
        if idle == _PATIENCE or len(history["total"]) > steps:
            break
        gradients = [plus(n, r, total.loss.alpha) for n, r in zip(counts, rest, strict=True)]
        found, following = None, terms
        while damping < _SHORTEST and not following["total"] < terms["total"]:
            found = [
                baum_welch_step(*parts, total.starts, damping)
                for parts in zip(circuits, priors, gradients, strict=True)
            ]
            counts, following = total.counts(found, near, frequencies, rows)
            damping *= _LONGER if following["total"] < terms["total"] else _SHORTER
        if not following["total"] < terms["total"]:
            break
        circuits, terms = found, following
    return Refined(best, taken, history)


def baum_welch_step(
    circuit: LatentTree, prior: Prior, counts: Counts, starts: np.ndarray, damping: float
) -> LatentTree:
    """Return the circuit after one step, which is shorter the larger ``damping`` is."""
    rows = damping * float(np.add.reduceat(np.abs(counts.leaves), starts[:-1], axis=0).sum(axis=1).max())
    marginals = circuit.state_marginals()
    column = np.repeat(np.arange(len(marginals)), np.diff(starts))
    own = Counts(
        rows * circuit.root,
        rows * marginals[circuit.tree.parents][:, :, None] * circuit.transitions,
        rows * marginals[column] * circuit.leaves[:-1],
    )
    found = [np.maximum(a + b, _KEPT * b) for a, b in ((getattr(counts, n), getattr(own, n)) for n in _PARTS)]
    return prior.m_step(circuit.tree, Counts(*found), circuit.root.dtype)


def plus(one: Counts, other: Counts, weight: float) -> Counts:
    """Add ``weight`` times the other counts."""
    return Counts(*(getattr(one, name) + weight * getattr(other, name) for name in _PARTS))


def scaled(counts: Counts, weight: float) -> Counts:
    """Multiply counts by ``weight``."""
    return Counts(*(weight * getattr(counts, name) for name in _PARTS))
