"""Input of the metrics of synthetic rows, and the views of it that several metrics share."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from trisynth.data import sequences, tensors, texts
from trisynth.data.dataset import Dataset
from trisynth.data.schema import Schema
from trisynth.encoders.table import TableEncoder
from trisynth.generators.base import Generator

# Default number of bins of a numeric column.
N_BINS = 20


@dataclass(frozen=True)
class Context:
    """Real and synthetic rows side by side.

    Schema, scales and bins come from the training rows only; the synthetic rows are compared with the held-out
    rows, which no generator has seen, so that memorised training rows do not improve a score.

    Parameters
    ----------
    train, test : Dataset
        Real rows: those the generator was fitted on, and those held out.
    synthetic : Dataset
    encoder : TableEncoder
        Fitted on ``train.X``.
    seed : int
        Seed of the streams ``metrics...``.
    generator : callable, optional
        Returns the fitted generator of the synthetic rows, for attacks that see it.
    """

    train: Dataset
    test: Dataset
    synthetic: Dataset
    encoder: TableEncoder
    seed: int
    generator: Callable[[], Generator] | None = None

    @cached_property
    def schema(self) -> Schema:
        """Columns as the training rows show them, the target last.

        Each element of a tensor is a column, and so is each feature of a text or a sequence.
        """
        return Schema.learn(_plain(self.train))

    @cached_property
    def tables(self) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """Canonical training, held-out and synthetic tables, the target as last column; see ``Schema``."""
        parts = (self.train, self.test, self.synthetic)
        return tuple(self.schema.canonical(_plain(part)) for part in parts)

    @cached_property
    def text_features(self) -> set[str]:
        """Names of the columns of the tables that stand for texts."""
        X = self.train.X
        return {feature for name in X if texts.is_text(X[name].dtype) for feature in texts.names(name)}

    @cached_property
    def numbers(self) -> list[str]:
        """Names of the numeric columns."""
        return [c.name for c in self.schema.columns if c.categories is None]

    @cached_property
    def categories(self) -> list[str]:
        """Names of the other columns."""
        return [c.name for c in self.schema.columns if c.categories is not None]

    @cached_property
    def scales(self) -> dict[str, float]:
        """Standard deviation of each numeric column's training cells; 1 where it is constant or empty."""
        train = self.tables[0]
        deviations = {name: float(train[name].std(ddof=0)) for name in self.numbers}
        return {name: value if value > 0 else 1.0 for name, value in deviations.items()}

    @cached_property
    def _edges(self) -> dict[tuple[str, int], np.ndarray]:
        return {}

    def edges(self, name: str, n_bins: int = N_BINS) -> np.ndarray:
        """Inner bin edges of a numeric column, computed once; see ``bin_edges``."""
        if (name, n_bins) not in self._edges:
            self._edges[name, n_bins] = bin_edges(self.tables[0][name].to_numpy(), n_bins)
        return self._edges[name, n_bins]

    def bins(self, name: str, table: pd.DataFrame, n_bins: int = N_BINS) -> tuple[np.ndarray, int]:
        """Assign each cell of a column to a bin; a missing cell has the last bin, whatever the kind.

        Returns
        -------
        bins : ndarray of shape (n,)
        size : int
            Number of bins.
        """
        values = table[name]
        if isinstance(values.dtype, pd.CategoricalDtype):
            size = len(values.cat.categories)
            codes = values.cat.codes.to_numpy()
        else:
            edges = self.edges(name, n_bins)
            size = len(edges) + 1
            codes = np.searchsorted(edges, values.to_numpy(), side="left")
        return np.where(values.isna(), size, codes), size + 1


def _plain(part: Dataset) -> pd.DataFrame:
    return sequences.spread(texts.spread(tensors.spread(part.target_last)))


def bin_edges(values: np.ndarray, n_bins: int = N_BINS) -> np.ndarray:
    """Compute edges that cut ``values`` into at most ``n_bins`` parts; NaN is ignored.

    A column of few distinct values gets a bin for each, so that a shift between neighbouring whole numbers shows;
    any other column gets quantiles, repeated ones dropped, so that a point mass makes one bin.
    """
    distinct = np.unique(values[~np.isnan(values)])
    if len(distinct) <= n_bins:
        return distinct[:-1] / 2 + distinct[1:] / 2
    return np.unique(np.nanquantile(values, np.linspace(0, 1, n_bins + 1)[1:-1]))
