"""Sequential classification and regression trees (Reiter 2005; Nowok, Raab and Dibben 2016)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth.errors import InputError, require_whole
from trisynth.generators.base import Generator
from trisynth.generators.draws import check_draws
from trisynth.generators.trees.donors import Codes, Numbers
from trisynth.generators.trees.growing import Predictors, grow, is_codes
from trisynth.generators.trees.leaf_size import chosen_size
from trisynth.generators.trees.tree import Tree

_SEEDS = 2**31 - 1
# Candidates of a round, and rounds of them, that are drawn until each requested label has its rows.
_CANDIDATES, _ROUNDS = (1_000, 200_000), 100
# Leaf sizes that are compared, from fine to coarse.
_SIZES = (5, 10, 20, 40, 80)


@dataclass(frozen=True)
class Step:
    """One fitted column of the sequence, given the earlier ones.

    Parameters
    ----------
    tree : Tree
    predictors : Predictors
    leaves : Codes or Numbers
        Distribution of the column in each leaf.
    """

    tree: Tree
    predictors: Predictors
    leaves: Codes | Numbers

    @classmethod
    def fit(cls, earlier: list[np.ndarray], response: np.ndarray, weights: np.ndarray, size: int, seed: int) -> "Step":
        """Fit to training rows; see :func:`trisynth.generators.trees.growing.grow`."""
        tree, predictors = Tree.root(), Predictors({}, np.zeros(len(earlier)))
        if len(response) >= 2 * size:
            grown, predictors = grow(earlier, response, weights, size, seed)
            tree = Tree.of(grown)
        leaf = tree.apply(predictors.features(earlier, tree.features))
        return cls(tree, predictors, (Codes if is_codes(response) else Numbers).learn(leaf, response, weights))

    def draw(self, earlier: list[np.ndarray], rng: np.random.Generator, even: bool = False) -> np.ndarray:
        """Draw one cell for each row of the earlier cells, arrays of shape (n,)."""
        return self.leaves.draw(self.tree.apply(self.predictors.features(earlier, self.tree.features)), rng, even)


class CART(Generator):
    """Sequential synthesis by classification and regression trees.

    The target comes first, with the requested labels, or last (``target``). Each column, in the order of the table, is
    drawn given the earlier ones: a tree that predicts it from them gives the leaf of a row, and the leaf's training
    rows give the distribution that its cell is drawn from. Whether a number is missing is drawn before the number.

    Numbers are predicted as normal scores, so that a heavy tail does not take all splits. Earlier categories are
    ordered by their mean response, which for two classes and for numbers finds the best split into two sets of
    categories (Breiman et al. 1984). A number is drawn between neighbouring values of its leaf, except for values of at
    least five rows, which are drawn as they are; a value of fewer rows is never repeated.

    Parameters
    ----------
    min_samples_leaf : int or "auto", default="auto"
        Minimum number of training rows in a leaf. A small leaf is more faithful to the training rows, and nearer to
        copying them. "auto" compares sizes by the likelihood of held-out rows.
    smallest : int, default=10
        Smallest leaf that "auto" may choose.
    target : {"first", "last"}, default="first"
        "last" draws the target given all columns, as a model of p(y | x) does. Candidates are then drawn until each
        requested label has its rows, so that labels are met exactly in either case; rare labels take longer.
    draws : {"independent", "even"}, default="independent"
        Whether the rows drawn from one leaf are spread evenly; even rows
        are not independent (see ``generators.draws``).

    Attributes
    ----------
    min_samples_leaf_ : int
        Leaf size of the fit.

    Notes
    -----
    Sources: Reiter (2005), Using CART to generate partially synthetic public use microdata, Journal of Official
    Statistics 21(3); Nowok, Raab and Dibben (2016), synthpop: Bespoke creation of synthetic data in R,
    https://doi.org/10.18637/jss.v074.i11. The method follows them except that numbers are smoothed within a leaf, that
    rows are not resampled before a draw, and that the leaf size is chosen by held-out rows.
    """

    def __init__(
        self,
        min_samples_leaf: int | str = "auto",
        smallest: int = 10,
        target: str = "first",
        draws: str = "independent",
    ):
        self.min_samples_leaf = min_samples_leaf
        self.smallest = smallest
        self.target = target
        self.draws = draws

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        if self.min_samples_leaf != "auto":
            if isinstance(self.min_samples_leaf, str):
                raise InputError("min_samples_leaf", self.min_samples_leaf, "must be a whole number or auto")
            require_whole("min_samples_leaf", self.min_samples_leaf, 1)
        require_whole("smallest", self.smallest, 1)
        if self.target not in ("first", "last"):
            raise InputError("target", self.target, "must be first or last")
        check_draws(self.draws)

    def _fit(
        self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator, weights: np.ndarray | None = None
    ) -> None:
        weights = np.ones(len(table)) if weights is None else np.asarray(weights, float)
        self.categories_ = {name: table[name].cat.categories for name in table.select_dtypes("category")}
        self.names_, self.sequence_ = list(table.columns), list(table.columns)
        if self.numeric_target_:
            # The bins of a numeric target are known before its numbers, and these before all others.
            self.sequence_.sort(key=lambda name: (name != self.target_column_) == (self.target == "first"))
        labels = labels.astype(np.int64)
        last = self.target == "last"
        cells = [labels * (not last), *(self._cells(table[name]) for name in self.sequence_)]
        drawn = last and not self.numeric_target_ and labels.any()
        seed = int(rng.integers(_SEEDS))
        self.min_samples_leaf_ = self.min_samples_leaf
        if self.min_samples_leaf == "auto":
            sizes = [size for size in _SIZES if size >= self.smallest] or [self.smallest]
            self.min_samples_leaf_ = chosen_size([*cells, labels] if drawn else cells, weights, sizes, rng, seed)
        size = self.min_samples_leaf_
        self.label_step_ = Step.fit(cells, labels, weights, size, seed) if drawn else None
        self.absent_, self.steps_ = {}, {}
        for place, name in enumerate(self.sequence_, start=1):
            earlier, own = cells[:place], cells[place]
            seen = np.full(len(own), True) if is_codes(own) else ~np.isnan(own)
            if not seen.all():
                self.absent_[name] = Step.fit(earlier, (~seen).astype(np.int64), weights, size, seed)
            if seen.any():
                known = [column[seen] for column in earlier]
                self.steps_[name] = Step.fit(known, own[seen], weights[seen], size, seed)

    def _cells(self, column: pd.Series) -> np.ndarray:
        """Return numbers, NaN where missing, or codes, of which the last is a missing cell."""
        if column.name in self.categories_:
            codes = column.cat.codes.to_numpy().astype(np.int64)
            return np.where(codes < 0, len(column.cat.categories), codes)
        return column.to_numpy(float)

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        if self.target == "last":
            return self._accepted(labels, rng) if self.label_step_ else self._rows(labels * 0, rng)[0]
        return self._rows(labels, rng)[0]

    def _accepted(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        """Draw candidates and their labels until each requested label has its rows."""
        left = np.bincount(labels, minlength=len(self.counts_))
        tables, found = [], []
        for candidates in np.geomspace(*_CANDIDATES, _ROUNDS):
            if not left.any():
                break
            count = max(2 * int(left.sum()), int(candidates)) if left.sum() < _CANDIDATES[1] else _CANDIDATES[1]
            table, cells = self._rows(np.zeros(count, dtype=np.int64), rng)
            own = self.label_step_.draw(cells, rng, self.draws == "even")
            order = np.argsort(own, kind="stable")
            counts = np.bincount(own, minlength=len(left))
            rank = np.arange(count) - (np.cumsum(counts) - counts)[own[order]]
            kept = order[rank < left[own[order]]]
            tables.append(table.iloc[kept])
            found.append(own[kept])
            left = left - np.bincount(own[kept], minlength=len(left))
        if left.any():
            rare = self.labels_[np.flatnonzero(left)].tolist()
            raise InputError(
                "n", rare, "too rare to be drawn last; use generator.target=first for rows of these labels"
            )
        order = np.argsort(np.concatenate(found), kind="stable")
        place = np.empty(len(labels), dtype=np.int64)
        place[np.argsort(labels, kind="stable")] = order
        return pd.concat(tables, ignore_index=True).iloc[place].reset_index(drop=True)

    def _rows(self, labels: np.ndarray, rng: np.random.Generator) -> tuple[pd.DataFrame, list[np.ndarray]]:
        """Draw rows, and return them with their cells."""
        even = self.draws == "even"
        cells = [labels.astype(np.int64)]
        for name in self.sequence_:
            if name in self.categories_:
                cells.append(self.steps_[name].draw(cells, rng, even))
                continue
            drawn = np.full(len(labels), np.nan)
            seen = (
                self.absent_[name].draw(cells, rng, even) == 0 if name in self.absent_ else np.ones(len(labels), bool)
            )
            if seen.any():
                drawn[seen] = self.steps_[name].draw([column[seen] for column in cells], rng, even)
            cells.append(drawn)
        columns = dict(zip(self.sequence_, cells[1:], strict=True))
        for name, categories in self.categories_.items():
            codes = np.where(columns[name] < len(categories), columns[name], -1)
            columns[name] = pd.Categorical.from_codes(codes, categories=categories)
        return pd.DataFrame(columns, columns=self.names_), cells

    def diagnostics(self) -> dict[str, float]:
        """Return the leaf size and the number of leaves."""
        leaves = sum(len(step.tree.feature) // 2 + 1 for step in self.steps_.values())
        return {"min_samples_leaf": self.min_samples_leaf_, "leaves": leaves}
