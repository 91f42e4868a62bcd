"""EM over rows that do not fit into memory: by batches of them, or with counts that are summed over all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from trisynth.encoders.discretizer import TableDiscretizer
from trisynth.generators.circuit.em import Counts, Prior, Rows, expected_counts
from trisynth.generators.circuit.latent_tree import LatentTree
from trisynth.generators.circuit.refinement import LabelledRows, plus
from trisynth.generators.passes import Passes

# Rows of a step of online EM: this fraction of a label's rows, within these limits, or all where they are too few for
# so many steps. Steps before the first M-step, and the exponent of their rates.
_FRACTION, _FEWEST, _MOST, _STEPS, _WARM, _RATE = 1 / 64, 512, 8_192, 8, 3, 0.6
# Most rows of a label in the steps of online EM, evenly spread over all of them. Rates of 1/steps^0.6 leave weight to
# the last steps alone, so that further rows would cost time and change little.
_LIMIT = 2_097_152
# Most passes of exact EM, and nats per row that one must gain for another to follow.
_PASSES, _GAIN = 4, 0.005


@dataclass(frozen=True)
class Blocks:
    """Tokens of all rows of a stream, a batch at a time.

    Parameters
    ----------
    passes : Passes
    discretizer : TableDiscretizer
        Learned from the sample. A cell without a token counts as unobserved.
    rows : ndarray of int, shape (k,)
        Rows of each label.
    """

    passes: Passes
    discretizer: TableDiscretizer
    rows: np.ndarray

    def __iter__(self) -> Iterator[LabelledRows]:
        """Read the stream once."""
        for table, labels in self.passes:
            yield LabelledRows(Rows(self.discretizer.encode(table), np.ones(len(labels))), labels)


def continue_em(
    circuits: list[LatentTree], priors: Sequence[Prior], blocks: Blocks, check: LabelledRows
) -> tuple[list[LatentTree], list[Counts]]:
    """Continue MAP-EM of each label's circuit over all rows.

    One pass of online EM makes as much progress as several of exact EM. It assumes that neighbouring rows are no more
    alike than others, so that its result is used only where rows drawn from all places are more likely under it.

    Parameters
    ----------
    circuits : list of LatentTree
        Fitted to the sample.
    priors : list of Prior
    blocks : Blocks
    check : LabelledRows
        Rows of the sample.

    Returns
    -------
    circuits : list of LatentTree
    counts : list of Counts
        Expected counts of all rows under these circuits, of online EM their running average. Those of a token sum to
        its cells.
    """
    found, counts = online_em(circuits, priors, blocks)
    if log_likelihood(found, check) > log_likelihood(circuits, check):
        return found, counts
    return exact_em(circuits, priors, blocks)


def log_likelihood(circuits: Sequence[LatentTree], real: LabelledRows) -> float:
    """Sum the log-likelihoods of rows under the circuits of their labels."""
    parts = (circuit.log_likelihood(real.rows.tokens[real.labels == i]) for i, circuit in enumerate(circuits))
    return float(sum(part.sum() for part in parts))


def online_em(
    circuits: Sequence[LatentTree], priors: Sequence[Prior], blocks: Blocks
) -> tuple[list[LatentTree], list[Counts]]:
    """Fit circuits in one pass by online EM (Cappe and Moulines 2009); return running averages of their counts, too."""
    states = [_Online(*each) for each in zip(circuits, priors, blocks.rows, strict=True)]
    size = int(blocks.discretizer.starts[-1])
    cells = np.zeros((len(states), size))
    for block in blocks:
        for label, state in enumerate(states):
            own = block.rows.tokens[block.labels == label]
            cells[label] += np.bincount(own[own >= 0], minlength=size)
            state.add(own)
    for state, due in zip(states, cells, strict=True):
        state.finish(due)
    return [state.circuit for state in states], [state.counts for state in states]


@dataclass
class _Online:
    """State of online EM of one label's circuit."""

    circuit: LatentTree
    prior: Prior
    rows: int
    counts: Counts | None = None
    steps: int = 0
    seen: int = 0
    waiting: list[np.ndarray] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Rows of a step."""
        if self.rows < _STEPS * _FEWEST:
            return max(1, self.rows)
        return int(np.clip(self.rows * _FRACTION, _FEWEST, _MOST))

    def add(self, tokens: np.ndarray) -> None:
        """Take further rows; a step begins when enough are there, whatever the batches are."""
        if self.rows > _LIMIT:
            numbers = np.arange(self.seen, self.seen + len(tokens) + 1)
            self.seen += len(tokens)
            tokens = tokens[np.diff(numbers * _LIMIT // self.rows) > 0]
        self.waiting.append(tokens)
        while sum(map(len, self.waiting)) >= self.size:
            held = np.concatenate(self.waiting)
            self._step(held[: self.size])
            self.waiting = [held[self.size :]]

    def finish(self, due: np.ndarray) -> None:
        """Use the rows that are left, and give the tokens the cells that were counted."""
        held = np.concatenate(self.waiting)
        if len(held):
            self._step(held)
        leaves = self.counts.leaves
        # A token of few cells may have none in a step.
        lacking = (due > 0) & (leaves.sum(axis=1) <= 0)
        leaves = np.where(lacking[:, None], self.circuit.leaves[:-1], leaves)
        leaves = leaves * (due / np.maximum(leaves.sum(axis=1), np.finfo(float).tiny))[:, None]
        self.counts = Counts(self.counts.root, self.counts.transitions, leaves, self.counts.log_likelihood)
        self._m_step()

    def _step(self, tokens: np.ndarray) -> None:
        found = expected_counts(self.circuit, Rows(tokens, np.ones(len(tokens))))
        self.steps += 1
        # Until the first average, the first rows stand for all; a last step of fewer rows counts less.
        rate = 1.0 if self.counts is None else len(tokens) / self.size * (self.steps + 1) ** -_RATE
        self.counts = (self.counts or found).interpolated(found, rate, self.rows / len(tokens))
        if self.steps >= _WARM:
            self._m_step()

    def _m_step(self) -> None:
        self.circuit = self.prior.m_step(self.circuit.tree, self.counts, self.circuit.root.dtype)


def summed_counts(circuits: Sequence[LatentTree], blocks: Blocks) -> list[Counts]:
    """Sum the expected counts of each label's circuit over all rows of that label."""
    found: list[Counts | None] = [None] * len(circuits)
    likelihoods = np.zeros(len(circuits))
    for block in blocks:
        for label, circuit in enumerate(circuits):
            own = expected_counts(circuit, block.rows.take(block.labels == label))
            likelihoods[label] += own.log_likelihood
            found[label] = plus(found[label], own, 1.0) if found[label] else own
    return [Counts(c.root, c.transitions, c.leaves, float(total)) for c, total in zip(found, likelihoods, strict=True)]


def exact_em(
    circuits: list[LatentTree], priors: Sequence[Prior], blocks: Blocks
) -> tuple[list[LatentTree], list[Counts]]:
    """Fit circuits by exact EM, one pass an iteration, until a pass gains little.

    The counts of a pass show what the M-step before it has gained, so that those of the last one belong to the
    circuits that are returned.
    """
    before = -np.inf
    for number in range(_PASSES):
        counts = summed_counts(circuits, blocks)
        reached = sum(each.log_likelihood for each in counts) / blocks.rows.sum()
        if number == _PASSES - 1 or reached < before + _GAIN:
            break
        before = reached
        circuits = [
            prior.m_step(circuit.tree, each, circuit.root.dtype)
            for circuit, prior, each in zip(circuits, priors, counts, strict=True)
        ]
    return circuits, counts
