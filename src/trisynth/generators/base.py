"""Base class of the generators.

A new generator subclasses ``Generator`` and implements two hooks, ``_fit`` and ``_sample``. They receive only the
canonical table (see ``data.kinds``) and whole-number labels. Validation, copies, seeds, dtypes, ranges and order are
handled here, once.
"""

import inspect
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from trisynth import seeds
from trisynth.config import instantiate, parameters_of
from trisynth.data.dataset import Column, Dataset
from trisynth.data.disclosure.rare import Guards
from trisynth.data.disclosure.withheld import Withheld
from trisynth.data.formats import QUANTITIES
from trisynth.data.inference import task_of
from trisynth.data.kinds import Category, Date, Duration, Kind, Number, Tensor, Text, learn
from trisynth.data.kinds import Sequence as Series
from trisynth.data.schema import Schema
from trisynth.data.stream import Stream
from trisynth.errors import InputError
from trisynth.generators import persistence
from trisynth.generators.balancing import balanced
from trisynth.generators.columns import fresh_name
from trisynth.generators.inputs import Training, check_kinds, training
from trisynth.generators.labels import owners, per_class, proportional, quantile_bins, rare_classes, sources
from trisynth.generators.passes import Passes
from trisynth.generators.relations import Relations
from trisynth.places import check_names, subclass

_LOG = logging.getLogger(__name__)


class Generator(BaseEstimator, ABC):
    """Base of all generators: stored arguments, ``fit`` and ``sample``.

    The constructor of a subclass only stores its arguments. After ``fit``:

    Attributes
    ----------
    labels_ : ndarray of shape (k,)
        Classes in sorted order, or the numbers of a numeric target's quantile bins. A numeric target is one
        more column of the table that the hooks see, so every conditional generator can do regression.
    counts_ : ndarray of shape (k,)
        Training rows of each label.
    """

    # Whether a fit keeps to a privacy budget, and nothing else of the rows leaves.
    private: ClassVar[bool] = False
    # Whether rows are copied on purpose, so that rare numbers are kept.
    copies: ClassVar[bool] = False
    # Whether arrays of a class of few rows are drawn from the rows of all classes.
    pools: ClassVar[bool] = False
    # Whether flags of relations are better modelled as 0 and 1 than as a category.
    numeric_flags: ClassVar[bool] = False
    # Kinds of columns that the hooks understand; a subclass for other cells names its own.
    kinds: ClassVar[tuple[type[Kind], ...]] = (Number, Category, Date, Duration)

    def __new__(cls, *_, **arguments):
        """Refuse an unknown argument by the line that a command prints, with the present name of a former one."""
        check_names("", cls, arguments)
        return super().__new__(cls)

    # A class without a constructor of its own would show the arguments of __new__ as its own.
    __new__.__signature__ = inspect.Signature([inspect.Parameter("cls", inspect.Parameter.POSITIONAL_ONLY)])

    @abstractmethod
    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> None:
        """Learn from a canonical table of shape (n, d) and labels of shape (n,) in 0..k-1."""

    @abstractmethod
    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        """Draw a canonical table of shape (len(labels), d), row i given ``labels[i]``; must not change ``self``."""

    def check(self) -> None:
        """Refuse constructor arguments that cannot be used; called before any row is read, and by ``fit``.

        Raises
        ------
        InputError
            For the first such argument.
        """

    def set_params(self, **params) -> "Generator":
        """Set constructor arguments by name and return the generator itself."""
        check_names("", type(self), {name.partition("__")[0]: value for name, value in params.items()})
        for name, value in params.items():
            argument, _, inner = name.partition("__")
            if inner and not hasattr(getattr(self, argument), "set_params"):
                raise InputError(name, value, f"has no arguments that can be set; set {argument} as a whole")
        return super().set_params(**params)

    def fit(
        self,
        X: pd.DataFrame | Dataset | Stream,
        y: Sequence | None = None,
        *,
        target: object = None,
        facts: Mapping[str, Column] | None = None,
        rare: int | None = None,
        constraints: Sequence[str] = (),
        relations: bool = True,
        seed: int = 0,
        **hints,
    ) -> "Generator":
        """Learn from real training rows.

        Parameters
        ----------
        X : DataFrame of shape (n, d), Dataset or Stream
            Numbers, categories, texts, booleans or dates; missing cells allowed; infinities count as missing. Of a
            stream, a generator uses the sample, or all rows if it can.
        y : array-like of shape (n,), optional
            Target separate from ``X``, without missing values. A Series is aligned with ``X`` by its index.
        target : optional
            Name of the target among the columns of ``X``. Without ``y`` and ``target``, all columns are treated alike.
        facts : mapping of str to Column, optional
            Declared facts of columns by name. Where the kind of the target is not declared, more than 20 distinct
            numbers or dates make it a number, as on the command line. Identifiers, free text, and dates, durations and
            numbers that are written as texts are recognised in a DataFrame; a declared kind has precedence.
        rare : int, optional
            A category of fewer rows is pooled with other such categories and never drawn, unless it is declared;
            numbers and dates of fewer rows are not reproduced. 0 switches this off. The default is 5, or what a
            data set declares.
        constraints : sequence of str, optional
            Expressions such as ``"end >= start"`` that every synthetic row meets (see ``data.constraints``).
        relations : bool, default=True
            Whether to search for relations between columns, which all synthetic rows then keep. A data set has its own
            choice and constraints.
        seed : int, default=0
            Seed of the stream ``generator.fit``.
        **hints
            Further arguments of this generator's ``_fit``, such as ``weights`` of the rows.

        Returns
        -------
        Generator
            Itself.

        Raises
        ------
        InputError
            If the arguments do not describe one table with a complete target, or no row meets the constraints.
        """
        known = list(inspect.signature(self._fit).parameters)[3:]
        for name in sorted(hints.keys() - known):
            raise InputError(name, hints[name], f"{type(self).__name__}.fit has no such argument; leave it out")
        self.check()
        rng = seeds.stream(seed, "generator.fit")
        stream = X if isinstance(X, Stream) else None
        given_as = stream.sample if stream else X
        given = training(given_as, y, target, facts, rare, constraints, relations)
        # A fit starts from nothing: state of an earlier one would be saved, too.
        for name in vars(self).keys() - self.get_params(deep=False).keys():
            delattr(self, name)
        self.order_ = list(given.X.columns)
        if given.y is not None:
            self.order_.insert(given.place, given.y.name)
        self.written_ = given.written
        self.withheld_ = Withheld.learn(given.X, given.facts, seed)
        X = given.X.drop(columns=self.withheld_.names)
        if not X.shape[1]:
            remedy = "are all identifiers or free text; declare the kind of a column in facts to have it modelled"
            remedy += ", of a text also generate=True"
            raise InputError("X", self.withheld_.names, remedy)
        self.schema_ = Schema.learn(X, given.facts, given.rare, given.persons)
        check_kinds(type(self), self.schema_.columns)
        table = self.schema_.canonical(X)
        labels = self._labelled(table, given)
        self.counts_ = np.bincount(labels)
        columns = {column.name: column for column in self.schema_.columns if column.flat}
        if self.numeric_target_:
            columns[self.target_column_] = self.target_
        self.guards_ = Guards.learn(columns, table, given.rare, seed, given.persons)
        self.rare_classes_ = []
        if self.target_ is not None and not self.numeric_target_:
            arrays = any(isinstance(column, Tensor | Series) for column in self.schema_.columns)
            held, pooled = owners(labels, given.persons), self.pools if arrays else None
            of = "rows of the sample" if stream else "rows" if given.persons is None else "persons"
            self.rare_classes_ = rare_classes(self.labels_, held, self.target_.name, given.rare, pooled, of)
        self.relations_ = self._related(table, labels, given)
        if not isinstance(given_as, Dataset):
            for line in self.notes:
                _LOG.warning(line)
        if given.persons is not None and "persons" in known:
            hints["persons"] = given.persons
        if "rows" in known:
            hints["rows"] = sources(labels, given.rare, given.persons)
        if stream:
            passes = Passes.of(self, stream, table, labels)
            self.counts_, self.streamed_ = passes.count()
            hints |= {"passes": passes} if passes.taken else {}
        self._fit(self.relations_.reduce(table), labels, rng, **hints)
        return self

    @property
    def notes(self) -> list[str]:
        """Sentences on columns parsed from texts, withheld, modelled as texts or protected, and on rare classes."""
        modelled = [column.line for column in self.schema_.columns if isinstance(column, Text)]
        found = [*self.written_.lines, *self.withheld_.lines, *modelled, *self.guards_.lines, *self.rare_classes_]
        return [*getattr(self, "streamed_", ()), *found]

    def _related(self, table: pd.DataFrame, labels: np.ndarray, given: Training) -> Relations:
        """Find the relations of the canonical table; the hooks see what they leave."""
        target = self.target_ and self.target_.name
        kinds = [column for column in self.schema_.columns if column.flat]
        kept, classes = (), self.labels_ if target is not None else None
        if self.numeric_target_:
            kinds.append(replace(self.target_, name=self.target_column_))
            kept, classes = (self.target_column_,), None
        return Relations.learn(
            table,
            kinds,
            given.constraints,
            search=given.relations,
            # A generator may leave the search for formulas out.
            formulas=getattr(self, "derived_columns", True),
            numeric_flags=self.numeric_flags,
            kept=kept,
            ranges={name: (guard.lower, guard.upper) for name, guard in self.guards_.numbers.items()},
            target=target,
            classes=classes,
            labels=labels,
        )

    def _labelled(self, table: pd.DataFrame, given: Training) -> np.ndarray:
        """Learn the target and label the training rows; a numeric target joins the canonical table."""
        self.numeric_target_, self.target_ = False, None
        if given.y is None:
            self.labels_ = np.zeros(1, dtype=int)
            return np.zeros(len(table), dtype=int)
        facts = given.facts.get(given.y.name, Column())
        kind = facts.kind or ("number" if task_of(given.y) == "regression" else "category")
        self.numeric_target_ = kind in QUANTITIES
        self.target_ = learn(given.y, replace(facts, kind=kind))
        cells = self.target_.canonical(given.y)
        if self.numeric_target_:
            labels = quantile_bins(cells.to_numpy() * self.target_.unit)
            self.target_column_ = fresh_name(table, given.y.name)
            table[self.target_column_] = cells
            self.labels_ = np.arange(labels.max() + 1)
            return labels
        present, labels = np.unique(cells.cat.codes.to_numpy(), return_inverse=True)
        self.labels_ = self.target_.categories.to_numpy()[present]
        return labels

    def sample(self, n: int | Mapping, seed: int = 0) -> pd.DataFrame:
        """Draw synthetic rows.

        Parameters
        ----------
        n : int or mapping of label to int
            A number keeps the training proportions of the labels, up to rounding; a mapping is met exactly.
        seed : int, default=0
            Seed of the stream ``generator.sample``.

        Returns
        -------
        DataFrame, shape (n, columns)
            The columns, order and dtypes of the training rows; a target that was given separately comes last. Rows in
            random order, index 0..n-1.
        """
        if not hasattr(self, "schema_"):
            raise InputError("generator", type(self).__name__, "is not fitted; call fit first")
        rng = seeds.stream(seed, "generator.sample")
        labels = self._asked(n, rng)
        if not len(labels):
            return self._restored(self._empty(), labels, seed)
        protect = self._protection(seed)

        def draw(labels: np.ndarray) -> pd.DataFrame:
            return self.relations_.draw(self._sample, labels, rng, protect)

        table = draw(labels)
        if self.guards_.rows is not None and not self.copies:
            table = self.guards_.rows.replaced(table, labels, draw)
        return self._restored(table, labels, seed)

    def _protection(self, seed: int) -> Callable[[pd.DataFrame], pd.DataFrame]:
        """Return the function that protects rare values of drawn rows, before relations are put back."""
        rng = seeds.stream(seed, "generator.guard")
        taken = self.relations_.taken
        return lambda table: self.guards_.apply(table, rng, numbers=not self.copies, skip=taken)

    def _restored(self, table: pd.DataFrame, labels: np.ndarray, seed: int) -> pd.DataFrame:
        """Translate canonical rows and their labels to a table like the training rows, with the same index."""
        restored = self.schema_.restore(table)
        if self.numeric_target_:
            restored[self.target_.name] = self.target_.restore(table[self.target_column_])
        elif self.target_ is not None:
            values = pd.Series(self.labels_[labels], index=table.index, dtype=object).astype(self.target_.dtype)
            restored[self.target_.name] = values
        for name, cells in self.withheld_.fresh(seed).take(len(table)).items():
            restored[name] = cells.set_axis(table.index)
        return self.written_.write(restored[self.order_])

    def _asked(self, n: int | Mapping, rng: np.random.Generator) -> np.ndarray:
        """Label the rows that ``n`` requests, in random order."""
        if not isinstance(n, Mapping):
            return rng.permutation(proportional(n, self.counts_, rng))
        if self.target_ is None or self.numeric_target_:
            reason = "a numeric target has no classes" if self.target_ else "without a target, rows have no classes"
            raise InputError("n", dict(n), f"{reason}; give a number of rows")
        return rng.permutation(per_class(n, self.labels_))

    def _empty(self) -> pd.DataFrame:
        columns = {c.name: c for c in self.schema_.columns}
        if self.numeric_target_:
            columns[self.target_column_] = self.target_
        return pd.DataFrame({name: c.canonical(pd.Series([], dtype=c.dtype)) for name, c in columns.items()})

    def fit_resample(self, X, y, seed: int = 0) -> tuple:
        """Return the rows and synthetic ones that balance the classes; see :func:`generators.balancing.balanced`."""
        return balanced(self, X, y, seed)

    def diagnostics(self) -> dict[str, float]:
        """Return numbers about the fit by name; a job's result lists them as ``generator/<name>``."""
        return {}

    def summary(self) -> str:
        """Return a readable summary of the fit; a job writes it to ``summary.txt`` unless it is empty."""
        return "\n".join(self.relations_.lines())

    def save(self, path: str | Path) -> None:
        """Write the fitted generator to one file of JSON and arrays; loading it runs no code from the file."""
        persistence.save(self, Path(path))

    @classmethod
    def load(cls, path: str | Path, allow: Iterable[str] = ()) -> "Generator":
        """Return a generator that ``save`` wrote; it draws the same rows as the one that was saved.

        ``allow`` names further packages whose objects the file may hold; see :func:`trisynth.config.locate`.
        """
        return persistence.load(Path(path), cls, allow)


def fit(config: Mapping, train: Dataset | Stream, seed: int = 0, allow: Iterable[str] = ()) -> Generator:
    """Fit the generator of a yaml of ``conf/generator``; errors name parameters as ``generator.<parameter>``."""
    with parameters_of("generator", config):
        return instantiate(config, "generator", kind=subclass(Generator), allow=allow).fit(train, seed=seed)
