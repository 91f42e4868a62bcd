"""Passes over all rows of a stream, as the hooks of a generator see them after its sample is known."""

import inspect
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from trisynth.data.kinds import Category, Kind
from trisynth.data.schema import Schema
from trisynth.data.stream import Stream
from trisynth.errors import InputError

# Names that an error lists.
_SHOWN = 3


@dataclass(frozen=True)
class Passes:
    """Canonical rows and labels of a stream; every iteration reads the folder once.

    Parameters
    ----------
    stream : Stream
    schema : Schema
        Of the features, learned from the sample.
    target : Kind or None
    column : hashable or None
        Name of a numeric target in the canonical table.
    classes : ndarray
        Classes in their order; of a numeric target, the limits between its bins.
    reduce : callable
        Gives the table that hooks see.
    taken : bool
        Whether the generator's ``_fit`` reads all rows.
    """

    stream: Stream
    schema: Schema
    target: Kind | None
    column: Hashable | None
    classes: np.ndarray
    reduce: Callable[[pd.DataFrame], pd.DataFrame]
    taken: bool

    @classmethod
    def of(cls, generator: Any, stream: Stream, table: pd.DataFrame, labels: np.ndarray) -> "Passes":
        """Read all rows as a generator does that has learned schema, target and relations from the sample.

        Parameters
        ----------
        generator : Generator
        stream : Stream
        table : DataFrame
            Canonical table of the sample.
        labels : ndarray of int
            Its labels.
        """
        column, classes = None, generator.labels_
        if generator.numeric_target_:
            column = generator.target_column_
            classes = limits(table[column].to_numpy(), labels)
        taken = "passes" in inspect.signature(generator._fit).parameters
        return cls(stream, generator.schema_, generator.target_, column, classes, generator.relations_.reduce, taken)

    def __iter__(self) -> Iterator[tuple[pd.DataFrame, np.ndarray]]:
        """Yield tables and labels; rows without a target are left out."""
        for frame in self.stream.frames():
            labels = self._labels(frame)
            if (labels < 0).any():
                frame, labels = frame[labels >= 0].reset_index(drop=True), labels[labels >= 0]
            table = pd.DataFrame({kind.name: canonical(kind, frame[kind.name]) for kind in self.schema.columns})
            if self.column is not None:
                table[self.column] = self.target.canonical(frame[self.target.name])
            yield self.reduce(table), labels

    def _labels(self, frame: pd.DataFrame) -> np.ndarray:
        """Label the rows of a frame; -1 marks a class that the sample lacks, or no target."""
        if self.target is None:
            return np.zeros(len(frame), int)
        cells = frame[self.target.name]
        if self.column is not None:
            numbers = self.target.canonical(cells).to_numpy()
            return np.where(np.isnan(numbers), -1, np.searchsorted(self.classes, numbers, side="right"))
        places = [*pd.Index(self.classes).get_indexer(cells.cat.categories), -1]
        return np.array(places)[cells.cat.codes.to_numpy()]

    def count(self) -> tuple[np.ndarray, list[str]]:
        """Count the rows of each label, shape (k,); return sentences about which rows a fit sees, too.

        Raises
        ------
        InputError
            If a class has no row in the sample.
        """
        size = 1 if self.target is None else len(self.classes) + (self.column is not None)
        counts, unknown, absent = np.zeros(size, int), Counter(), Counter()
        for frame in self.stream.frames():
            labels = self._labels(frame)
            counts += np.bincount(labels[labels >= 0], minlength=size)
            if self.target is not None and self.column is None:
                unknown.update(frame[self.target.name][labels < 0].dropna().tolist())
            for kind in self.schema.columns:
                if isinstance(kind, Category):
                    cells = frame[kind.name]
                    places = np.append(kind.categories.get_indexer(cells.cat.categories), 0)
                    absent[kind.name] += int((places[cells.cat.codes.to_numpy()] < 0).sum())
        if unknown:
            listed = ", ".join(f"{label} ({n:,} rows)" for label, n in unknown.most_common(_SHOWN))
            remedy = f"of {len(self.stream):,} rows has no row of some classes: {listed}; take a larger sample"
            raise InputError("dataset.read.sample", f"{len(self.stream.sample):,}", remedy)
        lacking = [
            f"{name}: {n:,} of {len(self.stream):,} cells hold categories that the sample lacks or has in few rows; "
            "none of these is drawn"
            for name, n in absent.items()
            if n
        ]
        return counts, [self.stream.line(self.taken, int(counts.sum())), *lacking]


def canonical(kind: Kind, cells: pd.Series) -> pd.Series:
    """Translate cells as their kind does, categories once for each distinct value."""
    if not isinstance(kind, Category) or not isinstance(cells.dtype, pd.CategoricalDtype):
        return kind.canonical(cells)
    known = kind.canonical(pd.Series(cells.cat.categories))
    codes = np.append(known.cat.codes.to_numpy(), -1)[cells.cat.codes.to_numpy()]
    return pd.Series(pd.Categorical.from_codes(codes, dtype=known.dtype))


def limits(cells: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the limits between neighbouring bins of numbers, midway between the values on either side."""
    last = int(labels.max())
    low = np.array([cells[labels == label].max() for label in range(last)])
    high = np.array([cells[labels == label + 1].min() for label in range(last)])
    middle = low / 2 + high / 2
    return np.where(middle < high, np.maximum(middle, low), low)
