"""Base class of the generators with a privacy budget.

A private fit takes everything but counts from declared facts: kinds, ranges, steps, categories, missingness, labels and
types. Its hook sees positions on public grids and may use them only in queries of the ledger.
"""

import logging
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.base import clone

from trisynth import seeds
from trisynth.data.cleaning.written import Written
from trisynth.data.dataset import Column, Dataset
from trisynth.data.disclosure.rare import Guards
from trisynth.data.disclosure.withheld import WITHHELD, Identifier, Withheld
from trisynth.data.formats import QUANTITIES
from trisynth.data.kinds import Kind
from trisynth.data.schema import Schema
from trisynth.data.spec import checked_facts, nearest
from trisynth.data.stream import Stream
from trisynth.errors import InputError
from trisynth.generators.base import Generator
from trisynth.generators.columns import with_column
from trisynth.generators.inputs import check_kinds
from trisynth.generators.private.declared import (
    complete,
    declared_kind,
    encoded,
    require_formats,
    require_kinds,
)
from trisynth.generators.private.records import Records
from trisynth.generators.private.tables.axes import Axis
from trisynth.generators.relations import Relations
from trisynth.privacy import Budget
from trisynth.privacy.noise import Noise, SeededNoise

_LOG = logging.getLogger(__name__)
NOT_PRIVATE = "NOT PRIVATE"


class PrivateGenerator(Generator):
    """Base of generators with a privacy budget.

    Parameters
    ----------
    privacy : Budget or None
        Must be given; ``Budget()`` fits without noise and promises nothing.

    Attributes
    ----------
    ledger_ : Ledger
        Queries and what they spent; with it, the saved generator states its epsilon and delta.
    spent_ : dict of str to float
        ``epsilon`` and ``delta`` of the fit, and ``epsilon_rdp``, a second and looser bound.
    """

    private: ClassVar[bool] = True

    def __init__(self, privacy: Budget | None = None):
        self.privacy = privacy

    @abstractmethod
    def _learn(self, records: Records, noise: Noise) -> None:
        """Query positions on the grids ``axes_`` and labels, by a ledger alone."""

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> None:
        """Refuse: the hook of other generators sees the cells themselves, which a private fit may not use."""
        raise NotImplementedError(f"{type(self).__name__} learns by _learn")

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        if not isinstance(self.privacy, Budget):
            remedy = "must be a budget, such as Budget(epsilon=1.0, delta=1e-6); a run takes it from privacy=dp"
            raise InputError("privacy", self.privacy, remedy)
        self.privacy.check()

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
    ) -> "PrivateGenerator":
        """Learn from rows under the budget, once; see ``Generator.fit`` for the parameters.

        Facts of all columns must be declared. Rare categories are not pooled, since those that are declared are
        public, and relations are not searched; ``rare`` and ``relations`` have no effect.

        Raises
        ------
        InputError
            If a fact is missing, the arguments do not describe one table, or the budget was spent by an earlier fit.
        """
        for name in sorted(hints):
            raise InputError(name, hints[name], f"{type(self).__name__}.fit has no such argument; leave it out")
        self.check()
        if isinstance(X, Stream) and self.privacy.person is not None:
            # Rows of a person may lie in different batches.
            remedy = "is counted over all rows at once, which batches do not show; use a file, or protect rows"
            raise InputError("privacy.person", self.privacy.person, remedy)
        if hasattr(self, "ledger_"):
            remedy = "was spent by an earlier fit; another fit would spend more: clone the generator to spend it again"
            raise InputError("privacy", self.privacy.epsilon, remedy)
        stream = X if isinstance(X, Stream) else None
        table, names = self._declare(stream.sample if stream else X, y, target, facts, constraints)
        self._spend(self._streamed(stream, names) if stream else Records.of(*self._encode(table, names)), seed)
        if not isinstance(X, Dataset | Stream):
            for line in self.notes:
                _LOG.warning(line)
        return self

    def _spend(self, records: Records, seed: int) -> None:
        noise = SeededNoise(seeds.stream(seed, "privacy.noise")) if self.privacy.seeded else Noise()
        self._learn(records, noise)
        self._settle()

    def fits(self, dataset: Dataset) -> Callable[[int], "PrivateGenerator"]:
        """Return a function of a seed that makes new fits on a data set, each with the whole budget, for audits.

        Declared facts and cells are read once, so that many fits take less time.
        """
        first = clone(self)
        first.check()
        records = Records.of(*first._encode(*first._declare(dataset, None, None, None, ())))

        def make(seed: int) -> "PrivateGenerator":
            made = copy(first)
            made._spend(records, seed)
            return made

        return make

    def require_declared(self, dataset: Dataset) -> None:
        """Refuse a data set whose declared facts a fit would refuse; nothing is fitted, and no cell is looked at.

        Raises
        ------
        InputError
            For a budget, fact or kind that ``fit`` refuses.
        """
        self.check()
        copy = type(self)(**self.get_params(deep=False))
        copy._declare(dataset, None, None, None, ())

    def _declare(self, X, y, target, facts, constraints) -> tuple[pd.DataFrame, list]:
        """Take order, schema, target and grids from declared facts; return the table and the names of its features."""
        own = isinstance(X, Dataset)
        parameter, rows = ("dataset.columns", X.spec.rows) if own else ("facts", None)
        found: Mapping[object, str] = {}
        persons, person = None, self.privacy.person
        # Nothing else that a user may declare makes such a column possible.
        frame = X.frame if own else _whole(X, y, target)[0]
        require_kinds(frame, checked_facts(X.facts if own else facts, list(frame.columns), parameter), parameter)
        if own:
            if not X.spec.confirmed:
                remedy = "the facts were read from the rows; correct them, then set confirmed: true in the yaml"
                raise InputError("dataset.confirmed", False, remedy)
            found = X.spec.found
            # Identifiers of a file are not among its features.
            if person in X.columns and not X.columns[person].person:
                remedy = "is not declared as a column of persons; set kind: identifier and person: true for it"
                raise InputError("privacy.person", person, remedy)
            if person in X.columns and person not in X.X:
                persons = X.persons
            X, target, facts, constraints = X.frame, X.spec.target, X.facts, (*X.spec.constraints, *constraints)
        X, target = _whole(X, y, target)
        budget = self.privacy.settled(rows)
        declared = checked_facts(facts, list(X.columns), parameter)
        if person is not None and persons is None and person not in X:
            remedy = f"names the column of persons, which the table lacks; {nearest(person, X.columns)}"
            raise InputError("privacy.person", person, remedy)
        self.order_ = list(X.columns)
        self.withheld_ = Withheld.declared(X, {n: f for n, f in declared.items() if f.kind in WITHHELD}, person)
        names = [name for name in X if name != target and name not in self.withheld_.names]
        if not names:
            raise InputError("X", self.order_, "has no column besides identifiers, free text and the target")
        complete(declared, {name: X[name].dtype for name in [*names, *([] if target is None else [target])]}, parameter)
        require_formats(found, parameter)
        kinds = [declared_kind(name, declared[name], X[name].dtype, parameter) for name in names]
        self.schema_ = Schema(tuple(kinds))
        check_kinds(type(self), self.schema_.columns)
        self.numeric_target_, self.target_ = False, None
        self.labels_ = np.zeros(1, dtype=int)
        if target is not None:
            self.target_ = declared_kind(target, declared[target], X[target].dtype, parameter)
            self.numeric_target_ = self.target_.kind in QUANTITIES
            if self.numeric_target_:
                self.target_column_ = target
                kinds.append(self.target_)
            else:
                self.labels_ = self.target_.categories.to_numpy()
        self.axes_ = tuple(Axis.of(kind) for kind in kinds)
        self.guards_, self.written_, self.rare_classes_ = Guards({}, {}), Written(), []
        self.relations_ = Relations.declared(kinds, constraints, target, self.labels_ if target is not None else None)
        self._budget = budget
        return X if persons is None else X.assign(**{person: persons}), names

    def _encode(self, table: pd.DataFrame, names: list) -> tuple[np.ndarray, np.ndarray]:
        """Return positions on the grids, shape (axes, n), and labels; each row by itself."""
        if self.privacy.person in table:
            table = table[table.groupby(self.privacy.person, sort=False).cumcount() < self.privacy.rows_per_person]
        labels = np.zeros(len(table), int)
        if self.target_ is not None:
            cells = encoded(self.target_, table[self.target_.name])
            known = cells.notna().to_numpy()
            table, cells = table[known], cells[known]
            labels = np.zeros(len(table), int) if self.numeric_target_ else cells.cat.codes.to_numpy().astype(int)
        cells = [
            axis.positions(encoded(kind, table[kind.name]))
            for axis, kind in zip(self.axes_, self._kinds(), strict=True)
        ]
        return np.array(cells), labels

    def _streamed(self, stream: Stream, names: list) -> Records:
        """Encode the rows of a stream, a batch at a time."""
        return Records(lambda: (self._encode(frame, names) for frame in stream.frames()), streamed=True)

    def place(self, row: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return the positions of one row's cells on the grids, and its label, for ``traces``."""
        return self._encode(row, list(row))

    def traces(self, positions: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Return the fitted tables' values at the cells of a row that was placed, for audits; empty without tables."""
        return self._traces(positions, labels)

    def _traces(self, positions: np.ndarray, labels: np.ndarray) -> np.ndarray:
        return np.zeros(0)

    def _kinds(self) -> list[Kind]:
        """Return the kinds of the columns of ``axes_``."""
        return [*self.schema_.columns, *([self.target_] if self.numeric_target_ else [])]

    def _settle(self) -> None:
        """Record what was spent; the budget that was used replaces the working copy."""
        del self._budget
        if self.ledger_.budget.epsilon is None:
            self.spent_ = {}
            return
        self.spent_ = {
            "epsilon": self.ledger_.spent(),
            "delta": self.ledger_.budget.delta,
            "epsilon_rdp": self.ledger_.spent_by_rdp(),
        }

    @property
    def notes(self) -> list[str]:
        """One sentence on what the fit promises, and one for each column that is withheld."""
        running = "identifiers; synthetic rows have running numbers, since the form of the real ones is not read"
        lines = (f"{c.name}: {running}" if isinstance(c, Identifier) else c.line for c in self.withheld_.columns)
        return [self.promise, *lines]

    @property
    def promise(self) -> str:
        """One sentence on what the fit promises; it begins with NOT PRIVATE where that is nothing."""
        if not self.spent_:
            return f"{NOT_PRIVATE}: no budget was given (privacy=none); the fit has no noise"
        budget, spent = self.ledger_.budget, self.spent_
        unit = "row" if budget.unit == "row" else f"person (at most {budget.rows_per_person} rows each)"
        text = f"epsilon {spent['epsilon']:.4g} and delta {spent['delta']:.3g} per {unit} were spent on the fit"
        if budget.seeded:
            return f"{NOT_PRIVATE}: the noise is from a seed (privacy.seeded=true); else {text}"
        return f"privacy: {text}; scores on real rows are not covered by it"

    def diagnostics(self) -> dict[str, float]:
        """Return epsilon and delta of the fit, and whether its noise is from a seed."""
        if not self.spent_:
            return {"not_private": 1.0}
        return {**self.spent_, "not_private": float(self.ledger_.budget.seeded)}

    def summary(self) -> str:
        """Return the promise, the queries that were charged, and relations, one a line."""
        lines = [self.promise]
        for name, share in self.ledger_.plan.items() if self.spent_ else ():
            if share.adaptive:
                how = "with noise that depends on earlier answers"
            else:
                how = "choices" if share.choice else f"counts with noise of {self.ledger_.sigma(name):.4g}"
            lines.append(f"charged: {self.ledger_.charged[name]} {name}, {how}")
        return "\n".join(lines + self.relations_.lines())


def _whole(X: object, y: Sequence | None, target: object) -> tuple[pd.DataFrame, object]:
    """Return one table with the target inside, and its name; no cell is looked at."""
    if not isinstance(X, pd.DataFrame) or not len(X) or not X.shape[1]:
        value = X.shape if isinstance(X, pd.DataFrame) else type(X).__name__
        raise InputError("X", value, "must be a DataFrame with rows and columns")
    if not X.columns.is_unique:
        raise InputError("X", list(X.columns[X.columns.duplicated()]), "column names must be unique; rename them")
    if target is not None:
        if y is not None:
            raise InputError("target", target, "cannot be combined with y; give one of the two")
        if target not in X:
            raise InputError("target", target, f"X has no such column; {nearest(target, X.columns)}")
        return X.reset_index(drop=True), target
    if y is None:
        return X.reset_index(drop=True), None
    from trisynth.generators.inputs import aligned

    y = aligned(X, y)
    return with_column(X, y.name, y).reset_index(drop=True), y.name
