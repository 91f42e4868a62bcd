"""Categories: texts, booleans, pandas categories, or numbers declared as such."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd
from pandas.api import types

from trisynth.data.dataset import Column
from trisynth.data.kinds.base import Kind
from trisynth.errors import InputError


@dataclass(frozen=True)
class Category(Kind):
    """One of a set of values: texts, booleans, pandas categories, or numbers declared as such.

    Parameters
    ----------
    categories : Index
        Values in their order, those that are pooled left out.
    pool : str or None
        Canonical category that stands for all values of few rows; None where there are none.
    pooled : tuple of int
        How many values are pooled, and in how many rows.
    weights : tuple of int
        Training rows of each category; only a column with a pool has them.
    """

    categories: pd.Index = None
    pool: str | None = None
    pooled: tuple[int, int] = (0, 0)
    weights: tuple[int, ...] = ()

    kind: ClassVar[str] = "category"

    @classmethod
    def takes(cls, values: pd.Series) -> bool:
        """Take all cells; the other kinds come first in ``KINDS``."""
        return True

    @classmethod
    def learn(cls, values: pd.Series, facts: Column, rare: int = 0, persons: np.ndarray | None = None) -> "Category":
        """Take the categories from the dtype, else from the declaration, else from the values, sorted.

        Values of fewer than ``rare`` rows, or of so few ``persons``, are pooled, unless they are declared: by
        ``facts``, by an ordered dtype, or as booleans.
        """
        known = cls._all(values, facts)
        ordered = isinstance(values.dtype, pd.CategoricalDtype) and values.dtype.ordered
        if not rare or ordered or facts.categories is not None or types.is_bool_dtype(values.dtype):
            return known
        return known._pooling(values, rare, persons)

    @classmethod
    def _all(cls, values: pd.Series, facts: Column) -> "Category":
        if isinstance(values.dtype, pd.CategoricalDtype):
            return cls(values.name, values.dtype, facts, values.dtype.categories)
        seen = list(values.dropna().unique())
        if facts.categories is not None:
            spelled = {str(value): value for value in seen}
            unknown = [text for text in spelled if text not in facts.categories]
            if unknown:
                remedy = f"not a declared category; declared: {', '.join(facts.categories)}"
                raise InputError(f"facts.{values.name}.categories", unknown[0], remedy)
            seen = [spelled.get(text, text) for text in facts.categories]
        else:
            try:
                seen.sort(key=lambda value: (type(value).__name__, value))
            except TypeError:
                remedy = "holds cells without an order; give texts, or drop the column"
                raise InputError("X", values.name, remedy) from None
        return cls(values.name, values.dtype, facts, pd.Index(seen, dtype=object))

    def _pooling(self, values: pd.Series, rare: int, persons: np.ndarray | None) -> "Category":
        codes = self.canonical(values).cat.codes.to_numpy()
        counts = np.bincount(codes[codes >= 0], minlength=len(self.categories))
        held = counts
        if persons is not None:
            pairs = np.unique(np.column_stack([codes, persons])[codes >= 0], axis=0)
            held = np.bincount(pairs[:, 0], minlength=len(self.categories))
        kept, few = held >= rare, counts[(held > 0) & (held < rare)]
        dtype, pool = self.dtype, None
        if isinstance(dtype, pd.CategoricalDtype):
            # A category without a training row is known from other rows, whose values must not leak.
            dtype = pd.CategoricalDtype(self.categories[kept], dtype.ordered)
        if len(few):
            pool = "(rare)"
            while pool in self.categories:
                pool += "'"
        weights = tuple(counts[kept].tolist()) if pool else ()
        pooled = len(few), int(few.sum())
        return replace(self, dtype=dtype, categories=self.categories[kept], pool=pool, pooled=pooled, weights=weights)

    def canonical(self, values: pd.Series) -> pd.Series:
        """Translate to pandas categories; unknown ones become missing."""
        # As an array: from a Series of objects, pandas would guess the dtype anew, with a warning.
        cells = values.astype(object).to_numpy()
        if self.pool is None:
            return pd.Series(pd.Categorical(cells, categories=self.categories), index=values.index)
        codes = self.categories.get_indexer(cells)
        codes[(codes < 0) & values.notna().to_numpy()] = len(self.categories)
        known = pd.Index([*self.categories, self.pool], dtype=object)
        return pd.Series(pd.Categorical.from_codes(codes, categories=known), index=values.index)

    def refill(self, values: pd.Series, rng: np.random.Generator) -> pd.Series:
        """Draw a category of enough rows for each canonical cell of the pool; missing where there is none."""
        held = (values == self.pool).to_numpy()
        codes = values.cat.codes.to_numpy().copy()
        weights = np.array(self.weights, float)
        codes[held] = rng.choice(len(weights), held.sum(), p=weights / weights.sum()) if len(weights) else -1
        return pd.Series(pd.Categorical.from_codes(codes, dtype=values.dtype), index=values.index)

    def restore(self, values: pd.Series) -> pd.Series:
        """Translate to the original dtype."""
        # Each category is turned back once, and not once for each cell.
        codes = values.cat.codes.to_numpy()
        if self.pool is not None:
            codes = np.where(codes < len(self.categories), codes, -1)
        categories = list(values.cat.categories)[: len(self.categories)] if self.pool else values.cat.categories
        known = [*categories, *[np.nan] * bool((codes < 0).any())]
        return pd.Series(known, dtype=object).astype(self.dtype).take(codes).set_axis(values.index)
