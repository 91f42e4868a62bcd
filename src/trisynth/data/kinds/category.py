"""Categories: texts, truth values, pandas categories, or numbers declared as such."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from trisynth.data.dataset import Column
from trisynth.data.kinds.base import Kind
from trisynth.errors import InputError


@dataclass(frozen=True)
class Category(Kind):
    """One of a set of values: texts, truth values, pandas categories, or numbers declared as such.

    Parameters
    ----------
    categories : Index
        Values in their order.
    """

    categories: pd.Index = None

    kind: ClassVar[str] = "category"

    @classmethod
    def takes(cls, values: pd.Series) -> bool:
        """Take all cells; the other kinds come first in ``KINDS``."""
        return True

    @classmethod
    def learn(cls, values: pd.Series, facts: Column) -> "Category":
        """Take the categories from the dtype, else from the declaration, else from the values, sorted."""
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

    def canonical(self, values: pd.Series) -> pd.Series:
        """Translate to pandas categories; unknown ones become missing."""
        # As an array: from a Series of objects, pandas would guess the dtype anew, with a warning.
        cells = values.astype(object).to_numpy()
        return pd.Series(pd.Categorical(cells, categories=self.categories), index=values.index)

    def restore(self, values: pd.Series) -> pd.Series:
        """Translate to the original dtype."""
        # Each category is turned back once, and not once for each cell.
        codes = values.cat.codes.to_numpy()
        known = list(values.cat.categories) + [np.nan] * bool((codes < 0).any())
        return pd.Series(known, dtype=object).astype(self.dtype).take(codes).set_axis(values.index)
