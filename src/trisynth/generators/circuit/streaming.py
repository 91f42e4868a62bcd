"""EM over rows that do not fit into memory: expected counts are summed over batches, one pass an iteration."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from trisynth.encoders.discretizer import TableDiscretizer
from trisynth.generators.circuit.em import Counts, Prior, Rows, expected_counts
from trisynth.generators.circuit.latent_tree import LatentTree
from trisynth.generators.circuit.refinement import LabelledRows, plus
from trisynth.generators.passes import Passes

# Most passes, and nats per row that one must gain for another to follow.
_PASSES, _GAIN = 4, 0.005


@dataclass(frozen=True)
class Blocks:
    """Tokens of all rows of a stream, a batch at a time.

    Parameters
    ----------
    passes : Passes
    discretizer : TableDiscretizer
        Learned from the sample. A cell without a token counts as unobserved.
    """

    passes: Passes
    discretizer: TableDiscretizer

    def __iter__(self) -> Iterator[LabelledRows]:
        """Read the stream once."""
        for table, labels in self.passes:
            yield LabelledRows(Rows(self.discretizer.encode(table), np.ones(len(labels))), labels)


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


def continue_em(
    circuits: list[LatentTree], priors: Sequence[Prior], blocks: Blocks
) -> tuple[list[LatentTree], list[Counts]]:
    """Continue MAP-EM of each label's circuit over all rows, exactly, until a pass gains little.

    The counts of a pass show what the M-step before it has gained, so that those of the last one belong to the
    circuits that are returned.

    Parameters
    ----------
    circuits : list of LatentTree
        Fitted to the sample.
    priors : list of Prior
    blocks : Blocks

    Returns
    -------
    circuits : list of LatentTree
    counts : list of Counts
        Expected counts of all rows under these circuits.
    """
    before = -np.inf
    for number in range(_PASSES):
        counts = summed_counts(circuits, blocks)
        rows = sum(each.root.sum() for each in counts)
        reached = sum(each.log_likelihood for each in counts) / rows
        if number == _PASSES - 1 or reached < before + _GAIN:
            break
        before = reached
        circuits = [
            prior.m_step(circuit.tree, each, circuit.root.dtype)
            for circuit, prior, each in zip(circuits, priors, counts, strict=True)
        ]
    return circuits, counts
