"""The flagship: a latent-tree circuit of all rows, bent towards each class; everything asked of it is exact."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.special import logsumexp
from threadpoolctl import threadpool_limits

from trisynth import seeds
from trisynth.errors import InputError
from trisynth.generators.base import Generator
from trisynth.generators.circuit.chow_liu import chow_liu
from trisynth.generators.circuit.codec import Codec
from trisynth.generators.circuit.derived import Relations
from trisynth.generators.circuit.dirichlet_tree import DirichletTree
from trisynth.generators.circuit.em import Prior, Rows, climb, expected_counts, tilt, with_ones
from trisynth.generators.circuit.latent_tree import LatentTree, Tree
from trisynth.generators.circuit.mixture import Mixture, normalised, own_log_likelihood
from trisynth.generators.circuit.refinement import Descent, Labelled, TotalLoss, descend
from trisynth.generators.circuit.regions import Cuts, again, leaf_boxes
from trisynth.generators.circuit.regions import choose as choose_cuts
from trisynth.generators.circuit.sampler import Sampler
from trisynth.generators.circuit.selection import choose
from trisynth.objective import Loss

# Most validation rows; a table with fewer takes them in afterwards, with so many passes.
_HELD, _LAST_PASSES = 2_000, 3
# Rows of a class that teach it its factors and its own circuit, the passes of either, and the rows of the common
# circuit that the factors lean on.
_CLASS_ROWS, _CLASS_PASSES, _TILT_ROWS = 10_000, 6, 1.0


class Circuit(Generator):
    """Hidden Chow-Liu tree with class-conditional transitions.

    Columns become tokens: missing cells, point masses, values of their own or bins (``codec``). A Chow-Liu tree over
    the columns carries one latent of K states per column, with categorical leaves. One circuit is fitted on all rows
    without their labels by EM, from states that are ranks within the column. Then every class bends the transitions
    by one factor per state (``em.tilt``), and its own circuit is fitted by EM towards the bent one with the weight of
    ``strength`` rows: even a small class differs as much as it should, and learns the rest from all rows. Last, a
    decision tree for the label cuts the table into boxes, and each class gives every box the share that its rows have
    there (``cuts``): what a label owes to a rule of several columns is kept. A part of the rows chooses K, the
    smoothing of the leaves and the cuts, stops EM and, unless the table is large, is then added to the others. A sample
    of up to 65,536 rows is spread evenly over the law, state by state and token by token (``AliasTable.draw``).

    Parameters
    ----------
    n_states : int or None, default=None
        K; None chooses 8, 16, 32 or 64 by validation likelihood.
    n_bins : int, default=64
        Most quantile bins of a number, besides point masses; must be >= 1.
    prior_strength : float, default=30.0
        Rows of the bent common circuit that are added to those of each class; must be > 0.
    validation_fraction : float, default=0.2
        Share of the training rows that choose, 2,000 rows at most; must be >= 0 and < 1. Without a row, the training
        rows choose.
    max_iter : int, default=40
        Most passes of EM over the rows, fewer for large tables; must be >= 1.
    refinement_steps : int, default=20
        Most steps down L_total after EM, of which the validation rows choose the best; 0 leaves EM's circuits.
    loss : Loss or None
        Weights of L_total; None is ``Loss()``. Its terms are exact, and never samples: see ``refinement.TotalLoss``.
        L_rec is the negative log-likelihood per column given the label, so that (1, 0, 0), EM's own aim, takes no
        step. L_dist is ``moments``; L_model is -log p(y | x) of the real rows, the circuit being its own model.
    decision_regions : bool, default=True
        Whether boxes are weighed anew, where the validation rows gain by it; without such rows none are.
    derived_columns : bool, default=True
        Whether a number that is the product, ratio, sum or difference of two others, to the last digit of 99 % of the
        training rows, is computed instead of modelled. It then has no part in the likelihood, as it is certain given
        the others; and where it is given without them, questions are refused and not answered by half.

    Attributes
    ----------
    circuits_ : list of LatentTree
        One for each label, before it is weighed.
    cuts_ : Cuts
        Boxes and the weights of each label's circuit in them.
    relations_ : Relations
        Columns that are computed from others.
    priors_ : ndarray of shape (k,)
        Weighted shares of the labels.
    n_states_, growth_ : int, float
        Chosen number of states, and growth of the leaves' prior with the depth of a split.
    history_ : dict of str to list of float
        Terms before each step, as the other generators have them, and L_total of the validation rows; empty if no
        step was asked for.
    generalization_gap_ : float
        Alarm: mean log-likelihood of a training row less that of a validation row, in nats; 0 is honest.
    refinement_steps_ : int
        Steps down L_total after EM.

    Notes
    -----
    ``fit`` takes ``weights``, shape (n,), >= 0 and not all 0: a row of weight 2 counts like two rows. Bins are those
    of the unweighted rows, and ``sample(n)`` with a number keeps the unweighted shares of the labels.

    Sources: Chow and Liu (1968); Liu and Van den Broeck (2021), Tractable Regularization of Probabilistic Circuits
    (hidden Chow-Liu trees). Faithful in the circuit; start, smoothing of the leaves, classes, weights of boxes and even
    draws are ours. Scaled down: K is at most 64, and tokens within a bin follow the column's law, whatever the state.
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

    def _fit(
        self,
        table: pd.DataFrame,
        labels: np.ndarray,
        rng: np.random.Generator,
        weights: Sequence[float] | None = None,
    ) -> None:
        self._check()
        weights = np.ones(len(table)) if weights is None else np.array(weights, float)
        if weights.shape != (len(table),) or not (np.isfinite(weights) & (weights >= 0)).all() or not weights.any():
            raise InputError("weights", weights, "must be one finite number >= 0 per row, not all of them 0")
        # A result must not depend on how many threads add up a product.
        with threadpool_limits(limits=1):
            self.relations_ = Relations.none()
            if self.derived_columns:
                self.relations_ = Relations.learn(table, self.schema_)
            table = table.drop(columns=self.relations_.derived)
            self.codec_ = codec = Codec.learn(table, self.n_bins)
            self.smoothing_ = DirichletTree.build(
                codec.starts, codec.counts, [c.ordered for c in codec.columns], [c.missing for c in codec.columns]
            )
            # In random order, so that batches are alike.
            order = rng.permutation(len(table))
            labels = labels[order]
            rows = Rows(codec.encode(table)[order], weights[order])
            self.tree_ = Tree.of(chow_liu(codec, rows.tokens, rng))
            held = min(int(self.validation_fraction * len(rows)), _HELD)
            train, validation = rows.take(slice(held, None)), rows.take(slice(held or None))
            chosen = choose(codec, self.smoothing_, self.tree_, train, validation, self.n_states, rng)
            self.n_states_, self.growth_ = chosen.circuit.states, chosen.growth
            shares = np.bincount(labels, rows.weights)
            self.priors_ = shares / shares.sum()
            common = climb(chosen.circuit, chosen.prior, train, validation, self.max_iter).circuit
            every, seen = Labelled(rows, labels), Labelled(train, labels[held:])
            check = every.take(slice(held or None))
            found = self._classes(common, seen, every, self.refinement_steps, check)
            self.circuits_, self.history_ = found.circuits, found.history
            hidden, recipe = self._hidden(), None
            self.cuts_ = Cuts.none(int(codec.starts[-1]), len(self.counts_))
            if self.decision_regions and held:
                self.cuts_, recipe = choose_cuts(self.circuits_, codec, seen, check, hidden)
            fit = train.mean(own_log_likelihood(self.circuits_, self.cuts_, seen))
            self.generalization_gap_ = fit - validation.mean(own_log_likelihood(self.circuits_, self.cuts_, check))
            if 0 < held < _HELD:
                common = climb(common, chosen.prior, rows, rows, _LAST_PASSES).circuit
                self.circuits_ = self._classes(common, every, every, found.steps).circuits
                if recipe is not None:
                    self.cuts_ = again(self.circuits_, codec, every, hidden, recipe)
            self.refinement_steps_ = found.steps
            self.boxes_ = leaf_boxes(self.cuts_, codec)
            # Kept, as they take longer to make than a thousand rows take to draw.
            self.sampler_ = Sampler.of(self.circuits_, self.cuts_, self.boxes_, codec.starts)

    def report(self) -> dict[str, float]:
        """Return diagnostics of the fit."""
        return {
            "generalization_gap": self.generalization_gap_,
            "n_states": float(self.n_states_),
            "refinement_steps": float(self.refinement_steps_),
            "decision_regions": float(len(self.boxes_)),
        }

    def _check(self) -> None:
        for name, smallest in (("n_states", 1), ("n_bins", 1), ("max_iter", 1), ("refinement_steps", 0)):
            value = getattr(self, name)
            if name == "n_states" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < smallest:
                raise InputError(f"generator.{name}", value, f"must be a whole number, {smallest} or more")
        loss = Loss() if self.loss is None else self.loss.checked()
        if loss.beta and loss.distance != "moments":
            raise InputError("loss.distance", loss.distance, "the circuit has moments in closed form; use moments")
        if not isinstance(self.prior_strength, int | float) or not 0 < self.prior_strength < np.inf:
            raise InputError("generator.prior_strength", self.prior_strength, "must be a finite number above 0")
        if not isinstance(self.validation_fraction, int | float) or not 0 <= self.validation_fraction < 1:
            raise InputError("generator.validation_fraction", self.validation_fraction, "must be 0 or more and below 1")

    def _classes(
        self, common: LatentTree, real: Labelled, every: Labelled, steps: int, check: Labelled | None = None
    ) -> Descent:
        """A circuit for each label, learned by EM from at most 10,000 of its rows and then refined."""
        circuits, pulls = [], []
        for label in range(len(self.counts_)):
            own = real.rows.take(np.flatnonzero(real.labels == label)[:_CLASS_ROWS])
            leaves = self._leaves(common, every.rows.tokens[every.labels == label])
            circuit = tilt(common, own, leaves, _TILT_ROWS, _CLASS_PASSES)
            pulls.append(Prior.of(circuit, self.smoothing_, self.codec_.starts, self.prior_strength))
            for _ in range(_CLASS_PASSES):
                circuit = pulls[-1].maximum(self.tree_, expected_counts(circuit, own))
            circuits.append(circuit)
        loss = Loss() if self.loss is None else self.loss
        if not steps or not loss.beta + loss.gamma:
            return Descent(circuits, 0, {})
        total = TotalLoss(loss, self.codec_, self.priors_, self._hidden())
        return descend(total, circuits, pulls, real, steps, check)

    def _hidden(self) -> int | None:
        """Column that holds a numeric target."""
        return self.codec_.names.index(self.target_column_) if self.numeric_target_ else None

    def _leaves(self, common: LatentTree, tokens: np.ndarray) -> np.ndarray:
        """The common leaves; of a numeric target, only the tokens that the label's rows have."""
        j = self._hidden()
        if j is None:
            return common.leaves
        part = slice(*self.codec_.starts[j : j + 2])
        leaves = common.leaves[:-1].astype(float)
        seen = np.zeros(len(leaves))
        seen[tokens[:, j]] = 1.0
        leaves[part] *= seen[part, None]
        leaves[part] /= leaves[part].sum(axis=0)
        return with_ones(leaves)

    @property
    def _mixture(self) -> Mixture:
        return Mixture(self.circuits_, self.priors_, self.cuts_, self.boxes_, self.codec_)

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        return self.relations_.complete(self.codec_.table(self.sampler_.draw(labels, self.codec_, rng)))

    def log_likelihood(self, X: pd.DataFrame, y: pd.Series | None = None) -> np.ndarray:
        """Exact log-probability of each row.

        Parameters
        ----------
        X : DataFrame, shape (n, any)
            Any of the training columns; the others are summed out, and so are cells whose like no training row had.
        y : Series, shape (n,), optional
            Targets; summed out if absent.

        Returns
        -------
        ndarray of shape (n,)
            log p(x, y) or log p(x), in nats, of the tokens: probabilities for categories, point masses and numbers
            with a token for each value; for binned numbers the density with respect to the law within their bin.
            Minus infinity for an impossible row.
        """
        tokens, _, labels, _ = self._evidence(X, y)
        joint = self._mixture.joint(tokens)
        return logsumexp(joint, axis=1) if labels is None else joint[np.arange(len(labels)), labels]

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """p(label | x) by Bayes' rule, exact, shape (n, k), columns as in ``labels_``; see ``log_likelihood`` for X."""
        return normalised(self._mixture.joint(self._evidence(X, None)[0]))

    def conditional(self, X: pd.DataFrame, y: pd.Series | None = None, seed: int = 0) -> tuple[pd.DataFrame, pd.Series]:
        """Complete rows, drawn exactly from the law of all that is not given.

        Parameters
        ----------
        X : DataFrame, shape (n, any)
            Any of the training columns, to be kept. A missing cell is filled with a value; a column that is not there
            at all is drawn with its missing cells.
        y : Series, shape (n,), optional
            Targets; drawn from p(y | x) if absent.
        seed : int
            Seed of the stream ``generator.conditional``.

        Returns
        -------
        X : DataFrame, shape (n, d)
        y : Series, shape (n,)
            Both with the index of ``X``.
        """
        rng = seeds.stream(seed, "generator.conditional")
        tokens, gaps, labels, known = self._evidence(X, y)
        found, labels = self._mixture.completed(np.where(gaps, -2, tokens), labels, rng)
        drawn = [
            column.decode(found[:, j] - start, rng)
            for j, (column, start) in enumerate(zip(self.codec_.columns, self.codec_.starts, strict=False))
        ]
        table = self.codec_.table(drawn).set_index(X.index)
        for name in known.columns.intersection(list(self.relations_.steps)):
            table[name] = known[name].fillna(table[name])
        table = self.relations_.complete(table)
        target = table[self.target_column_] if self.numeric_target_ else None
        complete = self.schema_.restore(table)
        for name in X.columns:
            complete[name] = X[name].where(X[name].notna(), complete[name]).astype(complete[name].dtype)
        if y is not None:
            return complete, y.copy()
        if self.numeric_target_:
            return complete, self.target_.restore(target).rename(self.target_.name)
        values = pd.Series(self.labels_[labels], index=X.index, dtype=object)
        return complete, values.astype(self.target_.dtype).rename(self.target_.name)

    def _evidence(
        self, X: pd.DataFrame, y: pd.Series | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, pd.DataFrame]:
        """Tokens, -1 where nothing is known; missing cells of given columns; labels where ``y`` gives classes; and the
        modelled columns that are given or follow, as a canonical table."""
        known = {column.name: column for column in self.schema_.columns}
        if set(X.columns) - set(known):
            raise InputError("X", list(X.columns), f"has columns that training did not; known: {list(known)}")
        table = {name: known[name].canonical(X[name]) for name in X.columns}
        labels = None
        if y is not None and len(y) != len(X):
            raise InputError("y", len(y), f"must have one value per row of X, {len(X)}")
        if y is not None and self.numeric_target_:
            table[self.target_column_] = self.target_.canonical(y.set_axis(X.index))
        elif y is not None:
            codes = self.target_.canonical(y).cat.codes.to_numpy()
            trained = pd.Index(self.target_.categories).get_indexer(self.labels_)
            labels = pd.Index(trained).get_indexer(codes)
            if (labels < 0).any():
                raise InputError("y", y.iloc[labels < 0].iloc[0], f"is no training class: {list(self.labels_)}")
        table = self.relations_.solved(pd.DataFrame(table, index=X.index))
        given = np.array([name in table for name in self.codec_.names])
        tokens = self.codec_.encode(table)
        gaps = np.zeros(tokens.shape, bool)
        gaps[:, given] = table[[name for name in self.codec_.names if name in table]].isna().to_numpy()
        return tokens, gaps, labels, table
