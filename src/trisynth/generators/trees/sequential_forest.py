"""Sequential forests on normal scores: a linear part in the copula's space, and trees for the rest."""

from dataclasses import asdict, replace

import numpy as np
import pandas as pd

from trisynth import seeds
from trisynth.errors import InputError, require_flag, require_number, require_whole
from trisynth.generators.base import Generator
from trisynth.generators.draws import check_draws
from trisynth.generators.partial import Partial, kept
from trisynth.generators.trees.chain import Grown, Step
from trisynth.generators.trees.density_ratio import DensityRatio
from trisynth.generators.trees.nearest import nearer_fraction
from trisynth.generators.trees.selection import SIZES, Criterion, Setting, chosen, compared
from trisynth.generators.trees.sequence.particles import completed
from trisynth.generators.trees.sequence.responses import LARGE, Sequence
from trisynth.objective import Loss

_SEEDS = 2**31 - 1
# Rows that one chain is grown on: a fraction without replacement, at most this many.
_FRACTION, _MOST = 0.63, 100_000
# Features that a split may use in smaller tables, as a fraction.
_FEATURES = 0.5
# Rows that are drawn to measure copying, and the largest leaf as a fraction of the rows.
_DRAWN, _LARGEST = 1_000, 0.25
# Rows from which on there are candidates.
_MANY = 5_000


class SequentialForest(Generator):
    """Sequential forests on normal scores.

    The target comes first, with the requested labels; then each column, in the order of the table, is drawn given the
    earlier ones. Numbers are normal scores of their ranks. A column has a linear part, a ridge regression on the
    scores and categories of the earlier columns, and trees that predict its residual, of which a leaf keeps the whole
    distribution and not the mean alone. Without trees it is a Gaussian copula, without linear part sequential CART.
    For columns of at least 10,000 cells, and for those in which most rows have a value that fills a leaf, the trees
    predict the value itself, with the linear prediction as a further feature.

    Several chains of trees are grown, each on a part of the rows, and, if the table is small, pruned by means of the
    other rows; a synthetic row is drawn from one chain. A value is interpolated between neighbouring residuals of its
    leaf. Values of at least five training rows are point masses and come back exactly; rarer ones are not repeated. In
    a leaf with rows of the requested label these are preferred, so that small classes keep what distinguishes them.
    Whether a number is missing is drawn before the number itself. From 10,000 rows on, it is also drawn beforehand
    which earlier column the number equals, if a column does so in at least 2 % of the rows, not counting point masses.

    From 5,000 rows on, boosted trees learn to tell draws of each chain from real rows that it was not grown on. Where
    further rows confirm that they can, each synthetic row is chosen among several candidates, in proportion to the odds
    that it is real.

    The rows that a chain was not grown on measure its copying: how many of its draws have their nearest real row among
    those that it was grown on rather than among as many others. Where that is above ``max_copying`` by
    more than its standard error, leaves are merged until it is not.

    Parameters
    ----------
    n_estimators : int or "auto", default="auto"
        Chains. "auto" takes 10, and 3 from 10,000 rows on.
    min_samples_leaf : int or "auto", default="auto"
        Minimum number of training rows in a leaf. "auto" takes 10 (n / 1000)^0.4 of n rows, but at least 10.
    pruning : bool or "auto", default="auto"
        Whether splits that the other rows do not confirm are undone. "auto" prunes below 10,000 rows.
    linear : bool, default=True
        Whether there is a linear part.
    class_strength : float, default=4.0
        Number of rows of the requested label in a leaf that weigh as much as all rows of the leaf.
    max_copying : float or None, default=0.6
        Largest fraction of nearest rows that were learned from; 0.5 is that of new rows. None merges no leaves.
    draws : {"independent", "even"}, default="even"
        Whether the rows drawn from one leaf are spread evenly; even rows
        are not independent (see ``generators.draws``). The choice among candidates takes most of the evenness away.
    n_candidates : int, default=4
        Rows among which each synthetic row is chosen, where a choice helps. 1 leaves it out.
    selection : {"rule", "loss"}, default="rule"
        What decides on leaf size, pruning and class step: the arguments above, or the lowest L_total among settings
        around them. "loss" compares rows of each chain with rows that the chain was not grown on, except for pruning,
        which these rows decide. Copying is bounded afterwards.
    loss : Loss or None
        Weights of L_total for ``selection="loss"``; otherwise it has no effect. None is ``Loss()``. L_rec is that of
        the GANs (see ``selection.Criterion``), L_dist any of those of the networks, and L_model the auxiliary one. The
        native loss, which pairs no rows, leaves the choice to the rule.

    Attributes
    ----------
    setting_ : Setting
        Leaf size, after merging, pruning and class step.
    totals_ : list of dict
        Each setting that was tried, with its terms of L_total; empty with ``selection="rule"``.
    copying_ : float
        Fraction that ``max_copying`` bounds, before the choice among candidates; NaN if it was not measured.
    ratio_ : DensityRatio or None
        Odds by which candidates are chosen; None if there is no choice.

    Notes
    -----
    Sequential synthesis by trees is due to Reiter (2005), Using CART to generate partially synthetic public use
    microdata, Journal of Official Statistics 21(3), and Nowok, Raab and Dibben (2016),
    https://doi.org/10.18637/jss.v074.i11; forests in their place are due to Caiola and Reiter (2010), Random forests
    for generating partially synthetic, categorical data, Transactions on Data Privacy 3. Whole conditional
    distributions in the leaves of a forest are due to Meinshausen (2006), Quantile regression forests, JMLR 7;
    reduced-error pruning is due to Quinlan (1987), Simplifying decision trees. As far as we know, new are the
    combination with a linear part on normal scores, chains whose unseen rows prune their trees and measure their
    copying, leaves that are merged until a bound on copying holds, and L_total as the criterion of a tree's leaves.
    """

    def __init__(
        self,
        n_estimators: int | str = "auto",
        min_samples_leaf: int | str = "auto",
        pruning: bool | str = "auto",
        linear: bool = True,
        class_strength: float = 4.0,
        max_copying: float | None = 0.6,
        draws: str = "even",
        n_candidates: int = 4,
        selection: str = "rule",
        loss: Loss | None = None,
    ):
        self.n_estimators = n_estimators
        self.min_samples_leaf = min_samples_leaf
        self.pruning = pruning
        self.linear = linear
        self.class_strength = class_strength
        self.max_copying = max_copying
        self.draws = draws
        self.n_candidates = n_candidates
        self.selection = selection
        self.loss = loss

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        for name in ("n_estimators", "min_samples_leaf"):
            value = getattr(self, name)
            if isinstance(value, str) and value != "auto":
                raise InputError(name, value, "must be a whole number or auto")
            if value != "auto":
                require_whole(name, value, 1)
        require_flag("linear", self.linear)
        if self.pruning != "auto":
            require_flag("pruning", self.pruning)
        require_number("class_strength", self.class_strength, 0)
        if self.max_copying is not None:
            require_number("max_copying", self.max_copying, 0.5)
        check_draws(self.draws)
        require_whole("n_candidates", self.n_candidates, 1)
        if self.selection not in ("rule", "loss"):
            raise InputError("selection", self.selection, "must be rule or loss")
        loss = Loss.of(self.loss)
        if self.selection == "loss" and loss.gamma and loss.model != "auxiliary":
            raise InputError("loss.model", loss.model, "a forest supports only auxiliary; use loss.model=auxiliary")

    def _fit(
        self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator, weights: np.ndarray | None = None
    ) -> None:
        n = len(table)
        weights = np.ones(n) if weights is None else np.asarray(weights, float)
        chains = self.n_estimators
        if chains == "auto":
            chains = 10 if n < LARGE else 3
        features = _FEATURES if n < LARGE else 1.0
        prune = n < LARGE if self.pruning == "auto" else self.pruning
        size = max(10, round(10 * (n / 1_000) ** 0.4)) if self.min_samples_leaf == "auto" else self.min_samples_leaf
        loss = Loss.of(self.loss)
        by_loss = self.selection == "loss" and bool(loss.pairs or loss.beta or loss.gamma)
        # Larger leaves are made of smaller ones.
        grown_size = max(1, round(min(SIZES) * size)) if by_loss else size
        # Without a random order the rows of an estimate that does not use all would be those of one part of the file.
        order = rng.permutation(n)
        table, labels, weights = table.iloc[order].reset_index(drop=True), labels[order], weights[order]
        names = list(table.columns)
        self.names_ = list(names)
        if self.numeric_target_:
            # The bins of a numeric target are known before its numbers, and these before all others.
            names.sort(key=lambda name: name != self.target_column_)
        categories = {name: table[name].cat.categories for name in table.select_dtypes("category")}
        self.sequence_ = Sequence(names, categories, self.linear)
        own = None if self.numeric_target_ or labels.max() == 0 else labels
        parts = [rng.permutation(n) < max(1, min(round(_FRACTION * n), _MOST)) for _ in range(chains)]
        grown: list[dict] = [{} for _ in parts]
        for key, rows, response in self.sequence_.responses(table, labels, own, weights, grown_size, rng):
            for chain, part in zip(grown, parts, strict=True):
                seed = int(rng.integers(_SEEDS))
                if part[rows].any():
                    chain[key] = Grown.grow(response, part[rows], grown_size, prune or by_loss, features, seed)
        setting, self.totals_ = Setting(size, prune, self.class_strength), []
        if by_loss and n >= 4:
            setting = self._select(grown, parts, setting, table, labels, own is not None, rng)
        self._fill(grown, setting)
        self.copying_, self.ratio_ = float("nan"), None
        if self.max_copying is not None and n >= 4:
            self._merge(grown, parts, table, labels, rng)
        if self.n_candidates > 1 and n >= _MANY:
            self.ratio_ = DensityRatio.learn(table, labels, weights, parts, self._chain, rng)

    def _fill(self, grown: list[dict], setting: Setting) -> None:
        self.setting_ = setting
        self.chains_ = [{key: one.fill(setting) for key, one in chain.items()} for chain in grown]

    def _select(
        self,
        grown: list[dict],
        parts: list,
        first: Setting,
        table: pd.DataFrame,
        labels: np.ndarray,
        classes: bool,
        rng: np.random.Generator,
    ) -> Setting:
        """Choose the setting whose draws have the lowest L_total against the rows that their chain has not seen."""
        target = self.target_column_ if self.numeric_target_ else None
        criterion = Criterion(Loss.of(self.loss), table, labels, target, rng)
        places = [compared(~part, rng) for part in parts]
        state = int(rng.integers(_SEEDS))

        def total(setting: Setting) -> float:
            self._fill(grown, setting)
            # All settings draw from the same streams, so that they differ by less chance.
            drawn = [
                self._chain(chain, labels[own], np.random.default_rng([state, chain]))
                for chain, own in enumerate(places)
            ]
            self.totals_.append(asdict(setting) | criterion(drawn, places))
            return self.totals_[-1]["total"]

        return chosen(first, max(first.size, int(_LARGEST * len(table))), classes, total)

    def _merge(
        self, grown: list[dict], parts: list, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator
    ) -> None:
        """Merge leaves until draws of the chains are as near to other rows as ``max_copying`` requires."""
        drawn, size = -(-_DRAWN // len(parts)), self.setting_.size
        state = int(rng.integers(_SEEDS))
        while True:
            found = []
            for chain, part in zip(range(len(parts)), parts, strict=True):
                stream = np.random.default_rng([state, chain])
                asked = stream.choice(labels, drawn)
                rows = self._chain(chain, asked, stream)
                found.append(nearer_fraction(rows, asked, table, labels, part, stream))
            fractions, errors = np.transpose(found)
            self.copying_, error = float(fractions.mean()), float(np.linalg.norm(errors) / len(parts))
            if self.copying_ - error <= self.max_copying or 2 * size > _LARGEST * len(table):
                return
            size = -(-3 * size // 2)
            self._fill(grown, replace(self.setting_, size=size))

    def _chain(self, chain: int, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        """Draw rows from one chain."""
        steps: dict[tuple, Step] = self.chains_[chain]
        cells, columns, sequence = [labels.astype(np.int64)], {}, self.sequence_

        def draw(key: tuple, rows: np.ndarray) -> np.ndarray:
            features, predicted = sequence.features(key, [column[rows] for column in cells])
            found = steps[key].draw(features, labels[rows], rng, self.draws == "even")
            return sequence.restored(key, found, predicted)

        everywhere = np.ones(len(labels), bool)
        for name in sequence.names:
            if name in sequence.categories:
                columns[name] = draw((name, "value"), everywhere)
            else:
                columns[name] = numbers = np.full(len(labels), np.nan)
                seen = draw((name, "gap"), everywhere) == 0 if (name, "gap") in steps else everywhere
                if seen.any() and (name, "equal") in steps:
                    seen = sequence.equal(name, numbers, columns, seen, draw((name, "equal"), seen))
                if seen.any() and (name, "value") in steps:
                    numbers[seen] = draw((name, "value"), seen)
            cells.append(sequence.cells(name, columns[name]))
        return pd.DataFrame({name: sequence.column(name, columns[name]) for name in self.names_})

    def _candidates(self, chain: int, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        """Draw rows from one chain, each chosen among candidates where that helps."""
        if self.ratio_ is None:
            return self._chain(chain, labels, rng)
        return self.ratio_.chosen(labels, self.n_candidates, lambda asked: self._chain(chain, asked, rng), rng)

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        # Each chain has the labels in the proportions of all.
        place = np.empty(len(labels), dtype=np.int64)
        order = rng.permutation(len(labels))
        order = order[np.argsort(labels[order], kind="stable")]
        place[order] = (np.arange(len(labels)) + rng.integers(len(self.chains_))) % len(self.chains_)
        rows = [np.flatnonzero(place == chain) for chain in range(len(self.chains_))]
        found = [self._candidates(chain, labels[own], rng) for chain, own in enumerate(rows) if len(own)]
        order = np.argsort(np.concatenate(rows), kind="stable")
        return pd.concat(found, ignore_index=True).iloc[order].reset_index(drop=True)

    def conditional(self, X: pd.DataFrame, y: pd.Series | None = None, seed: int = 0) -> pd.DataFrame:
        """Draw complete rows given known cells.

        The draw is exact, under the fitted forest, given the target and columns at the beginning of the sequence. Other
        cells weigh 60 candidates of each row, of which one is returned; the more such cells are known, and the rarer
        they are, the coarser that is. The circuit is exact for all cells.

        Parameters
        ----------
        X : DataFrame, shape (n, any)
            Any of the training columns, which are kept. A missing cell is replaced by a value; an absent column is
            drawn with its missing cells.
        y : Series, shape (n,), optional
            Targets; drawn given the known cells if absent.
        seed : int
            Seed of the stream ``generator.conditional``.

        Returns
        -------
        DataFrame, shape (n, columns)
            Complete rows like those of ``sample``, with the index of ``X``.
        """
        partial = Partial.read(self, X, y)
        rng = seeds.stream(seed, "generator.conditional")
        table, labels = completed(self, partial.table, partial.labels, rng)
        table = partial.filled(self._protection(seed)(table.set_index(X.index)), self.relations_.concerned)
        return kept(self, self._restored(self.relations_.expand(table), labels, seed), X, y)

    def diagnostics(self) -> dict[str, float]:
        """Return the leaf size, the number of leaves, of chains and of candidates, and the measured copying."""
        leaves = sum(len(step.tree.feature) // 2 + 1 for chain in self.chains_ for step in chain.values())
        return {
            "min_samples_leaf": self.setting_.size,
            "chains": len(self.chains_),
            "leaves": leaves,
            "copying": self.copying_,
            "candidates": 1 if self.ratio_ is None else self.n_candidates,
        }
