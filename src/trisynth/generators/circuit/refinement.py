"""L_total of a circuit for each class without sampling noise, and steps down it after EM."""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from trisynth.generators.circuit.codec import Codec
from trisynth.generators.circuit.em import Counts, Prior, Rows, expected_counts
from trisynth.generators.circuit.latent_tree import LatentTree
from trisynth.generators.circuit.moments import Moments, flow, token_law
from trisynth.objective import Loss

# Rows that L_model is computed on.
_ROWS = 5_000
# A class with fewer rows has no moments worth matching.
_FEW = 8
# A term that starts near zero is not blown up to one.
_SMALLEST_START = 1e-2
# Shares of a class in a row below this are no reason to visit the row.
_UNMOVED = 1e-3
# Rows of the circuit itself that are added to each row that pushes: at first, times this after a failed step, times
# this after a good one, and at most. And the smallest share of a parameter's own counts that a step leaves of them.
_DAMPING, _SHORTER, _LONGER, _SHORTEST, _KEPT = 1.0, 4.0, 0.5, 1e4, 0.5
# Parameters of a circuit.
_PARTS = ("root", "transitions", "leaves")
# Steps without a gain that end the descent, and the gain in L_total that counts.
_PATIENCE, _GAIN = 3, 1e-4


@dataclass(frozen=True)
class Labelled:
    """Rows and their labels.

    Parameters
    ----------
    rows : Rows
    labels : ndarray of int, shape (n,)
    """

    rows: Rows
    labels: np.ndarray

    def take(self, chosen: np.ndarray | slice) -> "Labelled":
        """The chosen rows."""
        return Labelled(self.rows.take(chosen), self.labels[chosen])


class TotalLoss:
    """L_total = alpha L_rec + beta L_dist + gamma L_model of one circuit per class, exactly.

    L_rec is -log p(x | y) per column; L_dist compares means and spreads of the encoded columns, within classes, with
    those of the real rows; L_model is -log p(y | x) of the real rows by Bayes' rule. Each is divided by its value at
    the start.

    Parameters
    ----------
    loss : Loss
    codec : Codec
    priors : ndarray, shape (k,)
        p(label).
    target : int or None
        Column that L_model must not see, a numeric target.
    """

    def __init__(self, loss: Loss, codec: Codec, priors: np.ndarray, target: int | None = None):
        self.loss, self.starts, self.target = loss, codec.starts, target
        self.moments = Moments.of(codec)
        with np.errstate(divide="ignore"):
            self.log_priors = np.log(priors)
        self.scales: dict[str, float] = {}

    def joint(self, circuits: list[LatentTree], rows: Rows) -> np.ndarray:
        """log p(x, label), shape (n, k), the hidden column summed out."""
        tokens = self._seen(rows).tokens
        return np.stack([circuit.log_likelihood(tokens) for circuit in circuits], axis=1) + self.log_priors

    def terms(
        self, circuits: list[LatentTree], real: Labelled, laws: np.ndarray, joint: np.ndarray | None = None
    ) -> dict[str, float]:
        """The terms, raw and as they are added to L_total, and L_total itself.

        Parameters
        ----------
        circuits : list of LatentTree
        real : Labelled
        laws : ndarray, shape (tokens, k)
            See ``real_laws``.
        joint : ndarray, shape (n, k), optional
            Their ``joint``, if it is known.
        """
        rows, labels = real.rows, real.labels
        joint = self.joint(circuits, rows) if joint is None else joint
        values = {"rec": -rows.mean(self._own(circuits, real, joint)) / len(circuits[0].transitions)}
        if self.loss.beta:
            values["dist"] = float(self._shares(real) @ self._distances(circuits, laws)[0])
        if self.loss.gamma:
            values["model"] = -rows.mean(joint[np.arange(len(labels)), labels] - logsumexp(joint, axis=1))
        found: dict[str, float] = {}
        for name, weight in (("rec", self.loss.alpha), ("dist", self.loss.beta), ("model", self.loss.gamma)):
            if name in values:
                scale = self.scales.setdefault(name, max(values[name], _SMALLEST_START))
                found |= {name: values[name], f"{name}_weighted": weight * values[name] / scale}
        return found | {"total": sum(found[f"{name}_weighted"] for name in values)}

    def real_laws(self, real: Labelled) -> np.ndarray:
        """Shares of the tokens among the rows of each label, shape (tokens, k)."""
        size, k = int(self.starts[-1]), len(self.log_priors)
        cells = real.rows.tokens.astype(np.int64) * k + real.labels[:, None]
        weights = np.repeat(real.rows.weights, real.rows.tokens.shape[1])
        counts = np.bincount(cells.ravel(), weights, size * k).reshape(size, k)
        totals = np.bincount(real.labels, real.rows.weights, k)
        return counts / np.maximum(totals, np.finfo(float).tiny)

    def counts(
        self, circuits: list[LatentTree], real: Labelled, laws: np.ndarray, rows: float | None = None
    ) -> tuple[list[Counts], dict[str, float]]:
        """Minus the derivatives of L_total by the logarithm of each parameter, and the terms.

        The unit is that of expected counts, of which those of L_rec at alpha = 1 consist: steps of EM are steps down
        this gradient. For L_model the counts of a label's rows are those that it explains too little, less those of
        other labels' rows that it explains too well. L_dist and L_model count like ``rows`` rows, those of ``real``
        unless they stand for more.
        """
        rows = real.rows.weights.sum() if rows is None else rows
        joint = self.joint(circuits, real.rows)
        terms = self.terms(circuits, real, laws, joint)
        unit = rows * self.scales["rec"] * len(circuits[0].transitions)
        guess = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
        slopes = self._distances(circuits, laws)[1] if self.loss.beta else None
        shares, found = self._shares(real), []
        for label, circuit in enumerate(circuits):
            mine = real.labels == label
            total = scaled(expected_counts(circuit, real.rows.take(mine)), self.loss.alpha)
            if self.loss.gamma:
                push = (mine - guess[:, label]) * real.rows.weights
                moved = np.flatnonzero(np.abs(push) > _UNMOVED)
                weight = self.loss.gamma / self.scales["model"] * unit / real.rows.weights.sum()
                seen = self._seen(real.rows.take(moved))
                total = plus(total, expected_counts(circuit, Rows(seen.tokens, push[moved])), weight)
            if self.loss.beta:
                weight = -self.loss.beta / self.scales["dist"] * unit * shares[label]
                total = plus(total, flow(circuit, self.starts, slopes[:, label]), weight)
            found.append(total)
        return found, terms

    def _seen(self, rows: Rows) -> Rows:
        """Rows as L_model may look at them."""
        if self.target is None:
            return rows
        tokens = rows.tokens.copy()
        tokens[:, self.target] = self.starts[-1]
        return Rows(tokens, rows.weights)

    def _own(self, circuits: list[LatentTree], real: Labelled, joint: np.ndarray) -> np.ndarray:
        """log p(x | label) of each row, all columns seen."""
        if self.target is None:
            return joint[np.arange(len(real.labels)), real.labels] - self.log_priors[real.labels]
        found = np.empty(len(real.labels))
        for label, circuit in enumerate(circuits):
            mine = real.labels == label
            found[mine] = circuit.log_likelihood(real.rows.tokens[mine])
        return found

    def _shares(self, real: Labelled) -> np.ndarray:
        """Weight of each label in L_dist."""
        k = len(self.log_priors)
        shares = np.bincount(real.labels, real.rows.weights, k)
        few = np.bincount(real.labels, minlength=k) < _FEW
        return np.where(few, 0.0, shares) / max(shares.sum(), np.finfo(float).tiny)

    def _distances(self, circuits: list[LatentTree], laws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.moments.distance(np.stack([token_law(c, self.starts) for c in circuits], axis=1), laws)


@dataclass(frozen=True)
class Descent:
    """Where the steps ended.

    Parameters
    ----------
    circuits : list of LatentTree
    steps : int
        Steps that led there.
    history : dict of str to list of float
        Terms before each step, and L_total of the validation rows as ``validation_total``.
    """

    circuits: list[LatentTree]
    steps: int
    history: dict[str, list[float]]


def descend(
    total: TotalLoss,
    circuits: list[LatentTree],
    pulls: list[Prior],
    real: Labelled,
    steps: int,
    check: Labelled | None = None,
) -> Descent:
    """At most ``steps`` steps down L_total from ``circuits``; with ``check`` rows, the best of them.

    A step is the extended Baum-Welch update (Gopalakrishnan et al. 1991): the M-step on counts that may be negative,
    made positive by counts of the circuit itself.

    Parameters
    ----------
    total : TotalLoss
    circuits : list of LatentTree
    pulls : list of Prior
        Prior of each circuit, whatever alpha is.
    real : Labelled
        Training rows; L_model looks at the first 5,000, and further rows keep the counts that they have at the start.
    steps : int
    check : Labelled, optional
        Validation rows.
    """
    # A row of weight 0 may be of a label of probability 0.
    real = real.take(np.flatnonzero(real.rows.weights))
    check = None if check is None else check.take(np.flatnonzero(check.rows.weights))
    near, far = real.take(slice(_ROWS)), real.take(slice(_ROWS, None))
    laws = total.real_laws(real)
    check_laws = total.real_laws(check) if check is not None else None
    rest = [expected_counts(c, far.rows.take(far.labels == i)) for i, c in enumerate(circuits)]
    history: dict[str, list[float]] = {}
    best, lowest, idle, damping = circuits, np.inf, 0, _DAMPING
    rows = real.rows.weights.sum()
    counts, terms = total.counts(circuits, near, laws, rows)
    while True:
        if check is not None:
            terms["validation_total"] = total.terms(circuits, check, check_laws)["total"]
        for name, value in terms.items():
            history.setdefault(name, []).append(value)
        reached = terms.get("validation_total", -np.inf)
        idle = 0 if reached < lowest - _GAIN or check is None else idle + 1
        if reached < lowest or check is None:
            best, lowest, taken = circuits, reached, len(history["total"]) - 1
        if idle == _PATIENCE or len(history["total"]) > steps:
            break
        pushes = [plus(n, r, total.loss.alpha) for n, r in zip(counts, rest, strict=True)]
        found, following = None, terms
        while damping < _SHORTEST and not following["total"] < terms["total"]:
            found = [stepped(*parts, total.starts, damping) for parts in zip(circuits, pulls, pushes, strict=True)]
            counts, following = total.counts(found, near, laws, rows)
            damping *= _LONGER if following["total"] < terms["total"] else _SHORTER
        if not following["total"] < terms["total"]:
            break
        circuits, terms = found, following
    return Descent(best, taken, history)


def stepped(circuit: LatentTree, pull: Prior, counts: Counts, starts: np.ndarray, damping: float) -> LatentTree:
    """The circuit after one step, the shorter the larger ``damping`` is."""
    rows = damping * float(np.add.reduceat(np.abs(counts.leaves), starts[:-1], axis=0).sum(axis=1).max())
    shares = circuit.state_shares()
    column = np.repeat(np.arange(len(shares)), np.diff(starts))
    own = Counts(
        rows * circuit.root,
        rows * shares[circuit.tree.parents][:, :, None] * circuit.transitions,
        rows * shares[column] * circuit.leaves[:-1],
    )
    found = [np.maximum(a + b, _KEPT * b) for a, b in ((getattr(counts, n), getattr(own, n)) for n in _PARTS)]
    return pull.maximum(circuit.tree, Counts(*found), circuit.root.dtype)


def plus(one: Counts, other: Counts, weight: float) -> Counts:
    """One and ``weight`` times the other."""
    return Counts(*(getattr(one, name) + weight * getattr(other, name) for name in _PARTS))


def scaled(counts: Counts, weight: float) -> Counts:
    """``weight`` times the counts."""
    return Counts(*(weight * getattr(counts, name) for name in _PARTS))
