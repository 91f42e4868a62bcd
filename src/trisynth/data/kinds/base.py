"""Base class of the column kinds."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from trisynth.data.dataset import Column


@dataclass(frozen=True)
class Kind(ABC):
    """Base of the kinds: one column as its declared facts and its training rows show it.

    Parameters
    ----------
    name : str
    dtype : dtype
        Original dtype, to be restored.
    facts : Column
        Declared facts. Declared bounds are kept here and do not widen the range that rows are clipped to.

    Attributes
    ----------
    kind : str
        Name of the kind, as it is declared and as generators list it.
    """

    name: str
    dtype: object
    facts: Column

    kind: ClassVar[str] = ""
    # Whether a cell is one value, and not an array of them.
    flat: ClassVar[bool] = True
    # Only a category has them; None marks a quantity.
    categories: ClassVar[pd.Index | None] = None

    @classmethod
    @abstractmethod
    def takes(cls, values: pd.Series) -> bool:
        """Return whether cells are of this kind where nothing is declared."""

    @classmethod
    @abstractmethod
    def learn(cls, values: pd.Series, facts: Column) -> "Kind":
        """Learn a column from its declared facts and training rows of shape (n,)."""

    @abstractmethod
    def canonical(self, values: pd.Series) -> pd.Series:
        """Translate cells to canonical ones with the same index; what cannot be translated becomes missing."""

    @abstractmethod
    def restore(self, values: pd.Series) -> pd.Series:
        """Translate canonical cells back to the original dtype."""

    def settled(self, cells: np.ndarray) -> np.ndarray:
        """Return canonical numbers, shape (n,), as they are after their way to the original dtype and back."""
        return self.canonical(self.restore(pd.Series(cells, dtype=float))).to_numpy()
