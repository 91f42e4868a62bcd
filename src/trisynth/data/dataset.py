"""Data set: a table, its target and their declared facts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trisynth.cache import write_atomic
from trisynth.config import digest
from trisynth.data import tensors
from trisynth.errors import InputError

KINDS = ("number", "category", "date", "duration", "tensor", "sequence", "identifier", "text", "ignore")
# Kinds of columns that are analysed; the others are not among the features.
ANALYSED = ("number", "category", "date", "duration", "tensor", "sequence")
# Meanings of the axes of a tensor: those of series, then those of images.
AXES = (
    ("time",),
    ("time", "channel"),
    ("height", "width"),
    ("height", "width", "channel"),
)
TASKS = ("classification", "regression")
# What is done with equal rows.
DUPLICATES = ("keep", "drop")
RELATIONS = ("found", "none")


@dataclass(frozen=True)
class Column:
    """Declared facts of one column; all are optional.

    Parameters
    ----------
    kind : {"number", "category", "date", "duration", "tensor", "sequence", "identifier", "text", "ignore"} or None
        None infers it from the cells. A tensor is an array of one shape, such as an image or a series; a sequence is a
        series whose length differs between rows. Identifiers and free text are not features: identifiers are replaced
        by fresh ones, and text is left out unless ``generate`` is true. "ignore" drops the column (outcomes recorded
        later).
    categories : tuple of str or None
        The admissible values of a category, in order.
    bounds : tuple of float or of str, or None
        Smallest and largest plausible value, inclusive; what lies outside is treated as missing. For dates, ISO texts.
    integer : bool or None
        Whether the numbers are whole.
    unit : str
        Unit of measurement, for axis labels.
    ordered : bool or None
        Whether the order of the categories has a meaning.
    format : str or None
        Format of the cells in the file, see ``formats``; None is the plain form.
    missing : tuple of str or None
        Texts of this column that stand for a missing cell, besides those of the data set.
    values : mapping of str to str or None, or None
        Texts that are read as another one; None reads them as missing.
    step : float or None
        Distance between possible numbers, from the lower bound on; a private fit uses it instead of looking at the
        cells.
    gaps : bool or None
        Whether cells may be missing; a private fit uses it instead of looking at the cells.
    generate : bool or None
        Whether free text is modelled; otherwise it is left out, and the column is empty in synthetic rows.
    max_length : int or None
        Maximum number of characters of a modelled text, by default 5,000; longer texts are cut.
    person : bool or None
        Whether an identifier names the person that the row belongs to. Rows of one person stay on one side of a split,
        and values count as rare if few persons, instead of few rows, have them.
    shape : tuple of int or None
        Shape of the arrays of a tensor.
    axes : tuple of str or None
        Meaning of the axes of a tensor: ``time``, ``height``, ``width``, ``channel``. None stands for a series if there
        is one axis, and for an image if there are two or three.
    """

    kind: str | None = None
    categories: tuple[str, ...] | None = None
    bounds: tuple[float, float] | tuple[str, str] | None = None
    integer: bool | None = None
    unit: str = ""
    ordered: bool | None = None
    format: str | None = None
    missing: tuple[str, ...] | None = None
    values: Mapping[str, str | None] | None = None
    step: float | None = None
    gaps: bool | None = None
    shape: tuple[int, ...] | None = None
    axes: tuple[str, ...] | None = None
    generate: bool | None = None
    max_length: int | None = None
    person: bool | None = None

    @property
    def analysed(self) -> bool:
        """True if the column is a feature, as far as its kind is known."""
        return self.kind in ANALYSED or bool(self.generate)


@dataclass(frozen=True)
class Spec:
    """Declared facts of a data set, as its yaml has them.

    Parameters
    ----------
    name : str
        Short name, used for folders and labels.
    target : str or None
        Column to predict; None for a table without one.
    task : {"classification", "regression"} or None
        None without a target.
    columns : mapping of str to Column
        Declared columns; a column that is not named here is inferred.
    modality : str
        Always "table".
    licence, note : str
        Terms of use, and remarks on the origin.
    constraints : tuple of str
        Expressions that every synthetic row meets; see :mod:`trisynth.data.constraints`.
    relations : {"found", "none"}
        Whether generators keep relations between columns that they find in the training rows.
    rare : int, default=0
        Categories of fewer rows are pooled for a fit, unless they are declared, and never drawn; see ``Generator.fit``.
    rows : int or None, default=None
        Declared number of rows, from which the delta of a private fit follows.
    confirmed : bool, default=True
        Whether the declared facts are known without the rows; a private fit needs that.
    found : mapping of str to str
        Formats of columns with declared bounds that were inferred from all rows together, where single cells would be
        read in another way.
    time : str or None, default=None
        Column of dates or numbers whose latest rows are the test rows; None draws them at random.
    """

    name: str
    target: str | None
    task: str | None = "classification"
    columns: Mapping[str, Column] = field(default_factory=dict)
    modality: str = "table"
    licence: str = ""
    note: str = ""
    constraints: tuple[str, ...] = ()
    relations: str = "found"
    rare: int = 0
    rows: int | None = None
    confirmed: bool = True
    found: Mapping[str, str] = field(default_factory=dict)
    time: str | None = None


@dataclass(frozen=True)
class Dataset:
    """Rows, their target and their declared facts.

    Parameters
    ----------
    X : DataFrame, shape (n, d)
        Features. The dtypes are the schema: ``float64`` and ``int64`` (``Int64`` where cells are missing) for
        numbers, ``category`` with string categories for categories, ``datetime64`` with or without a zone for dates,
        ``timedelta64`` for durations, Arrow lists of a fixed size for tensors (see ``data.tensors``), large strings of
        Arrow for modelled texts (see ``data.texts``). Identifiers, other texts and ignored columns are not among them.
        Index 0..n-1.
    y : Series of shape (n,) or None
        ``category`` for classification, ``float64`` for regression; no missing values. None without a target.
    spec : Spec
    place : int or None, default=None
        Position of the target in the whole table; None is the last.
    columns : mapping of str to Column, default={}
        Declared and inferred facts of all columns of the file in its order, also of those that are not analysed.
    persons : ndarray of int, shape (n,), or None, default=None
        Number of the person of each row; None where no column is declared to name persons.
    report : DataFrame or None, default=None
        What cleaning found and changed; see :func:`trisynth.data.cleaning.clean.clean`.
    layout : Layout or None, default=None
        Conversion back to the columns and spellings of a user's file; see ``data.layout``.
    """

    X: pd.DataFrame
    y: pd.Series | None
    spec: Spec
    place: int | None = None
    columns: Mapping[str, Column] = field(default_factory=dict, compare=False, repr=False)
    persons: np.ndarray | None = field(default=None, compare=False, repr=False)
    report: pd.DataFrame | None = field(default=None, compare=False, repr=False)
    layout: Any = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, frame: pd.DataFrame, spec: Spec) -> "Dataset":
        """Separate a whole table, renumbered from 0, into features and target.

        Parameters
        ----------
        frame : DataFrame, shape (n, d + 1)
            Every column of the data set, the target among them.
        spec : Spec

        Raises
        ------
        InputError
            If the table has no such target.
        """
        if spec.target is None:
            return cls(frame.reset_index(drop=True), None, spec)
        if spec.target not in frame.columns:
            raise InputError(
                "target", spec.target, f"the table has no such column; its columns are {list(frame.columns)}"
            )
        frame = frame.reset_index(drop=True)
        return cls(frame.drop(columns=spec.target), frame[spec.target], spec, frame.columns.get_loc(spec.target))

    @classmethod
    def read(cls, path: str | Path, spec: Spec) -> "Dataset":
        """Read a table that ``write`` wrote; from a ``.csv`` file, pandas infers the dtypes."""
        path = Path(path)
        return cls.of(pd.read_csv(path) if path.suffix == ".csv" else tensors.read_parquet(path), spec)

    def drawn(self, rows: pd.DataFrame) -> "Dataset":
        """Separate synthetic rows into features and target, with this data set's facts and categories."""
        made = Dataset.of(rows, self.spec)
        categories = {name: dtype for name, dtype in self.X.dtypes.items() if isinstance(dtype, pd.CategoricalDtype)}
        return replace(made, X=made.X.astype(categories))

    def write(self, path: str | Path) -> None:
        """Write the whole table, as CSV if the file's name ends in ``.csv``, otherwise as Parquet."""
        path, frame = Path(path), self.frame
        if path.suffix == ".csv":
            tensors.refuse_csv(frame, "path", path)
            content = frame.to_csv(index=False).encode()
        elif any(map(tensors.is_cell, frame.dtypes)):
            content = tensors.to_parquet(frame)
        else:
            content = frame.to_parquet(index=False)
        write_atomic(path, content)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.X)

    @property
    def frame(self) -> pd.DataFrame:
        """Whole table, shape (n, d + 1), with the target at its place."""
        # A whole copy joins the blocks of a wide table, which pandas would warn of.
        frame = self.X.copy(deep=len(self.X.columns) > 100)
        if self.y is None:
            return frame
        frame.insert(len(frame.columns) if self.place is None else self.place, self.spec.target, self.y)
        return frame

    @property
    def target_last(self) -> pd.DataFrame:
        """Whole table, shape (n, d + 1), with the target as last column."""
        return replace(self, place=None).frame

    @property
    def facts(self) -> dict[str, Column]:
        """Declared facts of the columns; the kind of the target follows from the task."""
        if self.y is None:
            return dict(self.spec.columns)
        kind = "number" if self.spec.task == "regression" else "category"
        target = replace(self.spec.columns.get(self.spec.target, Column()), kind=kind)
        return {**self.spec.columns, self.spec.target: target}

    @property
    def classes(self) -> list[str] | None:
        """Classes of the target, None where it is a number or there is none."""
        return list(self.y.cat.categories) if self.spec.task == "classification" else None

    @property
    def counts(self) -> dict[str, int]:
        """Rows of each class, or ``{"rows": n}`` where the target is a number or there is none."""
        return self.counts_of(self.X if self.y is None else self.y)

    def counts_of(self, y: pd.Series | pd.DataFrame) -> dict[str, int]:
        """Count the rows of each of this data set's classes in another target, such as that of a training set."""
        if self.classes is None:
            return {"rows": len(y)}
        counts = y.value_counts()
        return {str(label): int(counts.get(label, 0)) for label in self.classes}

    @staticmethod
    def person_numbers(frame: pd.DataFrame, facts: Mapping[Any, Column]) -> np.ndarray | None:
        """Return the number of the person of each row of a table; a row without a name is a person of its own.

        Raises
        ------
        InputError
            If several columns are declared to name persons.
        """
        named = [name for name in frame if facts.get(name, Column()).person]
        if len(named) > 1:
            raise InputError("columns", named, "several columns have person: true; keep one of them")
        if not named:
            return None
        codes = pd.factorize(frame[named[0]].astype(object))[0]
        unknown = codes < 0
        codes[unknown] = codes.max(initial=-1) + 1 + np.arange(unknown.sum())
        return codes

    @property
    def digest(self) -> str:
        """Digest of the cells, row by row; the position of the target does not matter."""
        hashes = pd.util.hash_pandas_object(tensors.hashable(self.target_last), index=False)
        return digest(hashes.to_list())

    def take(self, rows: Any) -> "Dataset":
        """Select row positions, renumbered from 0."""
        X, y = (None if part is None else part.iloc[rows].reset_index(drop=True) for part in (self.X, self.y))
        return replace(self, X=X, y=y, persons=None if self.persons is None else self.persons[rows])
