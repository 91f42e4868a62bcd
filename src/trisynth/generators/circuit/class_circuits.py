"""Class-conditional circuits: MAP-EM from a class's rows with the common circuit as prior, then refinement."""

from dataclasses import dataclass

import numpy as np

from trisynth.encoders.discretizer import TableDiscretizer
from trisynth.generators.circuit.dirichlet_tree import DirichletTree
from trisynth.generators.circuit.em import Prior, expected_counts, fit_class_factors, with_ones
from trisynth.generators.circuit.latent_tree import LatentTree
from trisynth.generators.circuit.refinement import LabelledRows, Refined, TotalLoss, refine
from trisynth.generators.circuit.streaming import Blocks, continue_em
from trisynth.objective import Loss

# Most rows of a class that its factors and its circuit are fitted to, EM iterations of either, and pseudo-rows of the
# common circuit in the fit of the factors.
_ROWS, _MAX_ITER, _FACTOR_PRIOR_STRENGTH = 10_000, 6, 1.0


@dataclass(frozen=True)
class ClassLearner:
    """Settings of the fit of one circuit per class.

    Parameters
    ----------
    discretizer : TableDiscretizer
    smoothing : DirichletTree
    priors : ndarray, shape (k,)
        Class probabilities.
    prior_strength : float
        Pseudo-rows of the common circuit with class factors in the fit of a class's circuit.
    loss : Loss
        Objective of the refinement.
    target : int or None
        Column of a numeric target.
    """

    discretizer: TableDiscretizer
    smoothing: DirichletTree
    priors: np.ndarray
    prior_strength: float
    loss: Loss
    target: int | None

    def fit(
        self,
        common: LatentTree,
        train: LabelledRows,
        every: LabelledRows,
        steps: int,
        validation: LabelledRows | None = None,
        blocks: Blocks | None = None,
    ) -> Refined:
        """Fit a circuit for each label and refine all of them together.

        Parameters
        ----------
        common : LatentTree
            Circuit of all rows.
        train : LabelledRows
        every : LabelledRows
            All rows, which determine the possible values of a numeric target in each class.
        steps : int
            Maximum number of refinement steps.
        validation : LabelledRows, optional
            Rows that select the best step.
        blocks : Blocks, optional
            Rows of a stream, of which the others are a sample.
        """
        circuits, priors = [], []
        for label in range(len(self.priors)):
            own = train.rows.take(np.flatnonzero(train.labels == label)[:_ROWS])
            leaves = self._leaves(common, every.rows.tokens[every.labels == label])
            circuit = fit_class_factors(common, own, leaves, _FACTOR_PRIOR_STRENGTH, _MAX_ITER)
            priors.append(Prior.of(circuit, self.smoothing, self.discretizer.starts, self.prior_strength))
            for _ in range(_MAX_ITER):
                circuit = priors[-1].m_step(common.tree, expected_counts(circuit, own))
            circuits.append(circuit)
        counts = None
        if blocks is not None:
            circuits, counts = continue_em(circuits, priors, blocks, validation or train)
        if not steps or not self.loss.beta + self.loss.gamma:
            return Refined(circuits, 0, {})
        total = TotalLoss(self.loss, self.discretizer, self.priors, self.target)
        return refine(total, circuits, priors, train, steps, validation, counts)

    def _leaves(self, common: LatentTree, tokens: np.ndarray) -> np.ndarray:
        """Return the common leaves, those of a numeric target restricted to the label's tokens."""
        if self.target is None:
            return common.leaves
        part = slice(*self.discretizer.starts[self.target : self.target + 2])
        leaves = common.leaves[:-1].astype(float)
        seen = np.zeros(len(leaves))
        seen[tokens[:, self.target]] = 1.0
        leaves[part] *= seen[part, None]
        leaves[part] /= leaves[part].sum(axis=0)
        return with_ones(leaves)
