"""Probabilistic circuit over a Chow-Liu tree of latent variables, with class-conditional parameters."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.special import logsumexp
from threadpoolctl import threadpool_limits

from trisynth import seeds
from trisynth.encoders.discretizer import TableDiscretizer
from trisynth.errors import InputError, require_flag, require_whole
from trisynth.generators.base import Generator
from trisynth.generators.circuit.chow_liu import chow_liu
from trisynth.generators.circuit.class_circuits import ClassLearner
from trisynth.generators.circuit.decision_regions import DecisionRegions, leaf_evidence, regrow, select
from trisynth.generators.circuit.dirichlet_tree import DirichletTree
from trisynth.generators.circuit.em import Rows, fit_em
from trisynth.generators.circuit.evidence import Evidence
from trisynth.generators.circuit.latent_tree import Tree
from trisynth.generators.circuit.mixture import Mixture, class_log_likelihood, normalised
from trisynth.generators.circuit.model_selection import select_model
from trisynth.generators.circuit.refinement import LabelledRows
from trisynth.generators.circuit.sampler import Sampler
from trisynth.generators.circuit.streaming import Blocks
from trisynth.generators.draws import check_draws
from trisynth.generators.partial import Partial, kept
from trisynth.generators.passes import Passes
from trisynth.generators.relations.formulas import DerivedColumns
from trisynth.objective import Loss

# Most validation rows. A table with fewer is refitted with them, in so many EM iterations.
_VALIDATION_ROWS, _REFIT_MAX_ITER = 2_000, 3


class Circuit(Generator):
    """Hidden Chow-Liu tree with class-conditional transitions and exact inference.

    The fit has these steps:

    1. Columns that are arithmetic formulas of two others are set aside (``derived_columns``).
    2. The other columns are discretized into tokens: missing cells, point masses, values or quantile bins.
    3. A Chow-Liu tree over the columns gets one latent variable of K states per column, with categorical leaves. K and
       the smoothing of the leaves are selected by validation likelihood, and one circuit of all rows is fitted by
       MAP-EM with a Dirichlet-tree prior and early stopping.
    4. Every class modifies the transitions by one log-linear factor per state, and its own circuit is fitted by MAP-EM
       with this modified circuit as a prior that counts as much as ``prior_strength`` rows. In this way a small class
       shares the structure of the others.
    5. The circuits are refined by descent on L_total.
    6. A decision tree for the label splits the table into regions, in which each class's circuit is reweighted to the
       fraction of its rows there (``decision_regions``).
    7. Unless the table is large, the circuits are refitted to all rows, the validation rows included.

    For a stream of rows, which does not fit into memory, steps 1 to 4 use its sample. Then EM continues for each
    class's circuit over all rows, and the expected counts of all rows enter the refinement (``streaming``).

    Samples of up to 65,536 rows are stratified unless ``draws`` is "independent": the draws from each categorical
    distribution are spread evenly over it (``AliasTable.draw``).

    Parameters
    ----------
    n_states : int or None, default=None
        K; None selects 8, 16, 32 or 64 by validation likelihood.
    n_bins : int, default=64
        Maximum number of quantile bins of a number, besides point masses; must be >= 1.
    prior_strength : float, default=30.0
        Pseudo-rows of the prior on each class's circuit; must be > 0.
    validation_fraction : float, default=0.2
        Fraction of the training rows used for validation, 2,000 rows at most; must be >= 0 and < 1. Without a
        validation row, the training rows take their place.
    max_iter : int, default=40
        Most EM iterations over the rows, fewer for large tables; must be >= 1.
    refinement_steps : int, default=20
        Maximum number of steps on L_total after EM, of which validation selects the best; 0 leaves the circuits of EM.
    loss : Loss or None
        Weights of L_total; None is ``Loss()``. All terms are exact (``refinement.TotalLoss``). L_rec is the negative
        log-likelihood per column given the label, so that (1, 0, 0), the objective of EM, takes no step. L_dist is
        ``moments``. L_model is -log p(y | x) of the real rows under the circuit itself.
    decision_regions : bool, default=True
        Whether circuits are reweighted in decision regions, where validation rows gain by it.
    derived_columns : bool, default=True
        Whether a number that is the product, ratio, sum or difference of two others, to the last digit in 99 % of the
        training rows, is computed instead of modelled. Where relations are searched (see ``fit``), these formulas are
        among them; False excludes them from the search. Such a column has no part in the likelihood, as it is certain
        given the others. Evidence that contains it without the others is refused.
    draws : {"independent", "even"}, default="even"
        Whether states and tokens of up to 65,536 rows are spread evenly; even rows
        are not independent (see ``generators.draws``).

    Attributes
    ----------
    circuits_ : list of LatentTree
        One for each label, before reweighting.
    decision_regions_ : DecisionRegions
        Regions and the weights of each label's circuit in them.
    derived_columns_ : DerivedColumns
        Formulas of the columns that are computed from others, where relations are not searched.
    class_priors_ : ndarray of shape (k,)
        Weighted fractions of the labels.
    n_states_, growth_ : int, float
        Selected number of states, and growth of the leaves' prior with the depth of a split.
    history_ : dict of str to list of float
        Terms of L_total before each refinement step, and L_total of the validation rows; empty without steps.
    generalization_gap_ : float
        Mean log-likelihood of a training row minus that of a validation row, in nats. A large value indicates
        memorisation of training rows.
    refinement_steps_ : int
        Number of refinement steps taken.

    Notes
    -----
    ``fit`` takes ``weights``, shape (n,), >= 0 and not all 0: a row of weight 2 counts as two rows. Bins are those of
    the unweighted rows, and ``sample(n)`` with a number keeps the unweighted fractions of the labels.

    Sources: Chow and Liu (1968); Liu and Van den Broeck (2021), Tractable Regularization of Probabilistic Circuits
    (hidden Chow-Liu trees). The circuit follows them; initialisation, smoothing of the leaves, classes, decision
    regions and stratified draws are ours. Scaled down: K is at most 64, and numbers within a bin follow the column's
    marginal distribution, whatever the state.
    """

    renamed: ClassVar = {
        "states": "n_states",
        "bins": "n_bins",
        "strength": "prior_strength",
        "validation": "validation_fraction",
        "passes": "max_iter",
        "refine": "refinement_steps",
        "cuts": "decision_regions",
        "relations": "derived_columns",
    }

    def __init__(
        self,
        n_states: int | None = None,
        n_bins: int = 64,
        prior_strength: float = 30.0,
        validation_fraction: float = 0.2,
        max_iter: int = 40,
        refinement_steps: int = 20,
        loss: Loss | None = None,
        decision_regions: bool = True,
        derived_columns: bool = True,
        draws: str = "even",
    ):
        self.n_states = n_states
        self.n_bins = n_bins
        self.prior_strength = prior_strength
        self.validation_fraction = validation_fraction
        self.max_iter = max_iter
        self.refinement_steps = refinement_steps
        self.loss = loss
        self.decision_regions = decision_regions
        self.derived_columns = derived_columns
        self.draws = draws

    def _fit(
        self,
        table: pd.DataFrame,
        labels: np.ndarray,
        rng: np.random.Generator,
        weights: Sequence[float] | None = None,
        passes: Passes | None = None,
    ) -> None:
        weights = np.ones(len(table)) if weights is None else np.array(weights, float)
        if weights.shape != (len(table),) or not (np.isfinite(weights) & (weights >= 0)).all() or not weights.any():
            raise InputError("weights", weights, "must be one finite number >= 0 per row, not all of them 0")
        self.derived_columns_ = DerivedColumns.none()
        # Where relations are searched, these formulas are among them.
        if self.derived_columns and not self.relations_.searched:
            self.derived_columns_ = DerivedColumns.learn(table, self.schema_)
        table = table.drop(columns=self.derived_columns_.names)
        self.discretizer_ = TableDiscretizer.learn(table, self.n_bins)
        self.smoothing_ = DirichletTree.of(self.discretizer_)
        # Rows are in random order, so that batches are alike.
        order = rng.permutation(len(table))
        every = LabelledRows(Rows(self.discretizer_.encode(table)[order], weights[order]), labels[order])
        # A result must not depend on the number of threads that add up a product.
        blocks = passes and Blocks(passes, self.discretizer_, self.counts_)
        with threadpool_limits(limits=1):
            self._learn(every, rng, blocks)

    def _learn(self, every: LabelledRows, rng: np.random.Generator, blocks: Blocks | None) -> None:
        """Learn tree, circuits and regions from discretized rows, circuits also from those of a stream."""
        discretizer = self.discretizer_
        held = min(int(self.validation_fraction * len(every.rows)), _VALIDATION_ROWS)
        train, validation = every.take(slice(held, None)), every.take(slice(held or None))
        tree = Tree.of(chow_liu(discretizer, every.rows.tokens, rng))
        model = select_model(discretizer, self.smoothing_, tree, train.rows, validation.rows, self.n_states, rng)
        self.n_states_, self.growth_ = model.circuit.states, model.growth
        common = fit_em(model.circuit, model.prior, train.rows, validation.rows, self.max_iter).circuit

        frequencies = np.bincount(every.labels, every.rows.weights) if blocks is None else self.counts_
        self.class_priors_ = frequencies / frequencies.sum()
        loss = Loss() if self.loss is None else self.loss
        hidden = discretizer.names.index(self.target_column_) if self.numeric_target_ else None
        learner = ClassLearner(discretizer, self.smoothing_, self.class_priors_, self.prior_strength, loss, hidden)
        refined = learner.fit(common, train, every, self.refinement_steps, validation, blocks)
        self.circuits_, self.history_, self.refinement_steps_ = refined.circuits, refined.history, refined.steps

        self.decision_regions_ = DecisionRegions.single(int(discretizer.starts[-1]), len(self.class_priors_))
        complexity = None
        if self.decision_regions and held:
            self.decision_regions_, complexity = select(self.circuits_, discretizer, train, validation, hidden)
        self.generalization_gap_ = self._mean_log_likelihood(train) - self._mean_log_likelihood(validation)

        if 0 < held < _VALIDATION_ROWS and blocks is None:
            common = fit_em(common, model.prior, every.rows, every.rows, _REFIT_MAX_ITER).circuit
            self.circuits_ = learner.fit(common, every, every, refined.steps).circuits
            if complexity is not None:
                self.decision_regions_ = regrow(self.circuits_, discretizer, every, hidden, complexity)
        self.region_evidence_ = leaf_evidence(self.decision_regions_, discretizer)
        # The tables are kept, as building them takes longer than drawing a thousand rows.
        self.sampler_ = Sampler.of(self.circuits_, self.decision_regions_, self.region_evidence_, discretizer.starts)

    def _mean_log_likelihood(self, real: LabelledRows) -> float:
        return real.rows.mean(class_log_likelihood(self.circuits_, self.decision_regions_, real))

    def diagnostics(self) -> dict[str, float]:
        """Return diagnostics of the fit."""
        return {
            "generalization_gap": self.generalization_gap_,
            "n_states": float(self.n_states_),
            "refinement_steps": float(self.refinement_steps_),
            "decision_regions": float(len(self.region_evidence_)),
        }

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        for name, smallest in (("n_states", 1), ("n_bins", 1), ("max_iter", 1), ("refinement_steps", 0)):
            if name != "n_states" or self.n_states is not None:
                require_whole(name, getattr(self, name), smallest)
        for name in ("decision_regions", "derived_columns"):
            require_flag(name, getattr(self, name))
        check_draws(self.draws)
        loss = Loss.of(self.loss)
        if loss.beta and loss.distance != "moments":
            raise InputError(
                "loss.distance", loss.distance, "the circuit supports only moments; use loss.distance=moments"
            )
        if not isinstance(self.prior_strength, int | float) or not 0 < self.prior_strength < np.inf:
            raise InputError("prior_strength", self.prior_strength, "must be a finite number above 0")
        if not isinstance(self.validation_fraction, int | float) or not 0 <= self.validation_fraction < 1:
            raise InputError("validation_fraction", self.validation_fraction, "must be 0 or more and below 1")

    @property
    def _mixture(self) -> Mixture:
        return Mixture(
            self.circuits_, self.class_priors_, self.decision_regions_, self.region_evidence_, self.discretizer_
        )

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        cells = self.sampler_.draw(labels, self.discretizer_, rng, self.draws == "even")
        return self.derived_columns_.complete(self.discretizer_.table(cells))

    def log_likelihood(self, X: pd.DataFrame, y: pd.Series | None = None) -> np.ndarray:
        """Compute the exact log-probability of each row.

        Parameters
        ----------
        X : DataFrame, shape (n, any)
            Any of the training columns. Other columns are marginalised, and so are cells whose value, category or
            missingness no training row has.
        y : Series, shape (n,), optional
            Targets; marginalised if absent.

        Returns
        -------
        ndarray of shape (n,)
            log p(x, y) or log p(x) of the tokens, in nats: probabilities for categories, point masses and numbers
            with a token for each value; for binned numbers the density with respect to the distribution within their
            bin. Minus infinity for an impossible row.
        """
        evidence = self._evidence(X, y)
        joint = self._mixture.joint(evidence.tokens)
        if evidence.labels is None:
            return logsumexp(joint, axis=1)
        return joint[np.arange(len(joint)), evidence.labels]

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Compute p(label | x) by Bayes' rule, exactly.

        Parameters
        ----------
        X : DataFrame, shape (n, any)
            See ``log_likelihood``.

        Returns
        -------
        ndarray of shape (n, k)
            Columns as in ``labels_``.
        """
        return normalised(self._mixture.joint(self._evidence(X, None).tokens))

    def conditional(self, X: pd.DataFrame, y: pd.Series | None = None, seed: int = 0) -> pd.DataFrame:
        """Draw complete rows from the exact conditional distribution given known cells.

        Parameters
        ----------
        X : DataFrame, shape (n, any)
            Any of the training columns, which are kept. A missing cell is replaced by a value; an absent column is
            drawn with its missing cells.
        y : Series, shape (n,), optional
            Targets; drawn from p(y | x) if absent.
        seed : int
            Seed of the stream ``generator.conditional``.

        Returns
        -------
        DataFrame, shape (n, columns)
            Complete rows like those of ``sample``, with the index of ``X``.
        """
        rng = seeds.stream(seed, "generator.conditional")
        evidence = self._evidence(X, y)
        tokens = np.where(evidence.missing, -2, evidence.tokens)
        found, labels = self._mixture.completed(tokens, evidence.labels, rng)
        drawn = [
            column.decode(found[:, j] - start, rng)
            for j, (column, start) in enumerate(zip(self.discretizer_.columns, self.discretizer_.starts, strict=False))
        ]
        table = self.discretizer_.table(drawn).set_index(X.index)
        table = self._protection(seed)(table)
        concerned = [*self.derived_columns_.steps, *self.relations_.concerned]
        table = Partial(evidence.known, None).filled(table, concerned)
        table = self.relations_.expand(self.derived_columns_.complete(table))
        return kept(self, self._restored(table, labels, seed), X, y)

    def _evidence(self, X: pd.DataFrame, y: pd.Series | None) -> Evidence:
        return Evidence.of(self, self.derived_columns_, self.discretizer_, X, y)
