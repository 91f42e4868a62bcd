"""Rows of several kinds of columns, composed of conditional draws: the table first, then each array or text."""

from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.tree import DecisionTreeRegressor

from trisynth.data.dataset import Column, Dataset, Spec
from trisynth.data.kinds import KINDS, Kind, Sequence, Tensor, Text
from trisynth.encoders.table import TableEncoder
from trisynth.errors import InputError, require_whole
from trisynth.generators.arrays.autoregressive import Autoregressive
from trisynth.generators.arrays.class_gaussian import ClassGaussian
from trisynth.generators.base import Generator
from trisynth.generators.columns import with_column
from trisynth.generators.inputs import RARE
from trisynth.generators.texts.ngram import NGram
from trisynth.generators.trees.cart import CART
from trisynth.generators.trees.tree import Tree

# Principal components of a column that strata are grown for.
_COMPONENTS = 5
# Rows of a class that is a stratum of its own although it has fewer than a stratum of the tree.
_CLASS = 30
_LABEL = "label"


class Composed(Generator):
    """Numbers and categories by one generator, then each array and each text given all columns before it.

    Such a column is drawn given a stratum of the earlier columns and the label. Strata are the leaves of a regression
    tree that predicts the first five principal components of the column (of a text, of its tf-idf weights); within
    a stratum the column is independent of the others. Arrays come before texts.

    Parameters
    ----------
    table : Generator or None, default=None
        Generator of numbers, dates and categories; None is ``CART()``.
    array : Generator or None, default=None
        Of each array; None is ``ClassGaussian()``.
    text : Generator or None, default=None
        Of each text; None is ``NGram()``.
    sequence : Generator or None, default=None
        Of each series of unequal lengths; None is ``Autoregressive()``.
    max_strata : int, default=12
        Maximum number of strata for each array or text.
    min_rows : int, default=150
        Minimum number of training rows of a stratum, 5 or more. A generator that is fitted on few rows stays near them.
        A class of 30 rows or more is a stratum of its own even if it has fewer; columns do not depend on smaller
        classes.
    """

    kinds: ClassVar[tuple[type[Kind], ...]] = KINDS
    pools: ClassVar[bool] = True

    def __init__(
        self,
        table: Generator | None = None,
        array: Generator | None = None,
        text: Generator | None = None,
        sequence: Generator | None = None,
        max_strata: int = 12,
        min_rows: int = 150,
    ):
        self.table, self.array, self.text, self.sequence = table, array, text, sequence
        self.max_strata, self.min_rows = max_strata, min_rows

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        check_parts(self, table=CART, array=ClassGaussian, text=NGram, sequence=Autoregressive)
        require_whole("max_strata", self.max_strata, 2)
        # A Gaussian fitted to one row returns it.
        require_whole("min_rows", self.min_rows, RARE)

    def _fit(
        self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator, persons: np.ndarray | None = None
    ) -> None:
        whole = {column.name: column for column in self.schema_.columns if not column.flat}
        flat = [name for name in table if name not in whole]
        order = sorted(whole, key=lambda name: isinstance(whole[name], Text))
        self.names_, self.table_, self.parts_ = list(table), None, {}
        if flat:
            facts = {name: Column(kind="number" if is_number(table[name]) else "category") for name in flat}
            self.table_ = fitted_part(self.table or CART(), table[flat], labels, facts, rng)
        earlier, classes = flat, self._classes(labels)
        for name in order:
            strata = Strata.learn(table[earlier], classes, table[name], self.max_strata, self.min_rows, rng)
            made, rare = self.array or ClassGaussian(), 0
            if isinstance(whole[name], Sequence):
                made = self.sequence or Autoregressive()
            elif isinstance(whole[name], Text):
                made, rare = self.text or NGram(), whole[name].rare
            facts = {name: facts_of(whole[name])}
            of_rows = strata.of(table[earlier], classes)
            self.parts_[name] = strata, fitted_part(made, table[[name]], of_rows, facts, rng, rare, persons)
            earlier = [*earlier, name]

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        n = len(labels)
        drawn = pd.DataFrame(index=range(n)) if self.table_ is None else drawn_part(self.table_, labels, rng)
        for name, (strata, generator) in self.parts_.items():
            cells = drawn_part(generator, strata.of(drawn, self._classes(labels)), rng)[name]
            drawn = with_column(drawn, name, cells)
        return drawn[self.names_]

    def _classes(self, labels: np.ndarray) -> np.ndarray:
        """Return labels that are classes: bins of a numeric target, a column itself, are too small for strata."""
        return np.zeros_like(labels) if self.numeric_target_ else labels

    def diagnostics(self) -> dict[str, float]:
        """Return the number of strata of all arrays and texts."""
        return {"strata": float(sum(strata.count for strata, _ in self.parts_.values()))} if self.parts_ else {}


class Strata:
    """Partition of rows by earlier columns and the label, so that a column differs between its parts."""

    @classmethod
    def learn(
        cls,
        earlier: pd.DataFrame,
        labels: np.ndarray,
        cells: pd.Series,
        most: int,
        least: int,
        rng: np.random.Generator,
    ) -> "Strata":
        """Grow strata for the column ``cells`` of training rows."""
        found = cls()
        found.encoder = TableEncoder().fit(earlier) if earlier.shape[1] else None
        found.classes = int(labels.max()) + 1
        encoded = TableEncoder().fit(cells.to_frame()).transform(cells.to_frame())
        encoded = encoded - encoded.mean(axis=0)
        axes = np.linalg.eigh(encoded.T @ encoded)[1][:, ::-1][:, :_COMPONENTS]
        response = encoded @ axes
        tree = DecisionTreeRegressor(
            max_leaf_nodes=most, min_samples_leaf=min(least, len(labels)), random_state=int(rng.integers(2**31))
        )
        counts = np.bincount(labels)
        # The tree cannot separate such a class, and the column would not depend on it.
        found.apart = np.flatnonzero((counts >= min(_CLASS, least)) & (counts < least))
        rest = ~np.isin(labels, found.apart)
        while len(found.apart) and 0 < rest.sum() < least:
            # Classes of few rows share a stratum with the largest of these.
            found.apart = found.apart[found.apart != found.apart[np.argmax(counts[found.apart])]]
            rest = ~np.isin(labels, found.apart)
        found.tree = Tree.root()
        if response.shape[1] and rest.sum() >= 2 * least:
            found.tree = Tree.of(tree.fit(found._features(earlier, labels).T[rest], response[rest]).tree_)
        return found

    @property
    def count(self) -> int:
        """Number of strata."""
        return self._leaves + len(self.apart)

    def of(self, earlier: pd.DataFrame, labels: np.ndarray) -> np.ndarray:
        """Return the stratum of each row, numbered from 0."""
        found = self.tree.apply(self._features(earlier, labels)).astype(int)
        apart = np.isin(labels, self.apart)
        found[apart] = self._leaves + np.searchsorted(self.apart, labels[apart])
        return found

    @property
    def _leaves(self) -> int:
        return int((self.tree.feature < 0).sum())

    def _features(self, earlier: pd.DataFrame, labels: np.ndarray) -> np.ndarray:
        parts = [np.eye(self.classes)[labels]]
        if self.encoder is not None:
            parts.append(self.encoder.transform(earlier))
        return np.hstack(parts).T.astype(np.float32)


def check_parts(generator: Generator, **usual: type[Generator]) -> None:
    """Refuse arguments that are neither null nor generators; ``usual`` ones are examples."""
    for name, kind in usual.items():
        part = getattr(generator, name)
        if part is not None and not isinstance(part, Generator):
            example = f"{kind.__name__}(), in yaml {{_target_: {kind.__module__}.{kind.__name__}}}"
            raise InputError(name, part, f"must be null or a generator, such as {example}")
        if part is not None:
            part.check()


def fitted_part(
    made: Generator,
    X: pd.DataFrame,
    labels: np.ndarray,
    facts: dict[str, Column],
    rng: np.random.Generator,
    rare: int = 0,
    persons: np.ndarray | None = None,
) -> Generator:
    """Fit a copy of a generator on some columns, with whole numbers as classes."""
    target = _LABEL
    while target in X:
        target += "'"
    y = pd.Series(pd.Categorical(labels.astype(str)), name=target)
    spec = Spec("part", target, columns=facts, relations="none", rare=rare)
    return clone(made).fit(Dataset(X.reset_index(drop=True), y, spec, persons=persons), seed=int(rng.integers(2**31)))


def drawn_part(generator: Generator, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Draw a row for each label, in their order."""
    present, counts = np.unique(labels, return_counts=True)
    target = generator.target_.name
    rows = generator.sample(dict(zip(present.astype(str), counts, strict=True)), seed=int(rng.integers(2**31)))
    # Rows of one label are exchangeable.
    rows = rows.iloc[np.argsort(rows[target].astype(int).to_numpy(), kind="stable")].drop(columns=target)
    place = np.empty(len(labels), dtype=int)
    place[np.argsort(labels, kind="stable")] = np.arange(len(labels))
    return rows.iloc[place].reset_index(drop=True)


def is_number(cells: pd.Series) -> bool:
    """Tell numbers from categories in a canonical table."""
    return not isinstance(cells.dtype, pd.CategoricalDtype)


def facts_of(column: Kind) -> Column:
    """Return the facts with which a column of arrays or texts is fitted by itself."""
    if isinstance(column, Tensor):
        return Column(kind="tensor", shape=column.shape, axes=column.axes)
    if isinstance(column, Sequence):
        return Column(kind="sequence")
    return Column(kind="text", generate=True)
