"""All relations of a table: learned from training rows, and kept in every synthetic row."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from trisynth.data import tensors
from trisynth.data.constraints import Constraint, check_rows, checked
from trisynth.data.constraints.checks import cells_of
from trisynth.data.constraints.expressions import Cells
from trisynth.data.kinds import Kind
from trisynth.errors import InputError
from trisynth.generators.columns import with_column
from trisynth.generators.relations import declared, equalities
from trisynth.generators.relations.base import Relation, flagged, grids_of
from trisynth.generators.relations.learner import Learner
from trisynth.generators.relations.masses import Masses

# Rounds of further draws for rows that break a relation, fewest rows in each, and rounds of repairs.
_ROUNDS, _LEAST, _REPAIRS = 20, 256, 3

Draw = Callable[[np.ndarray, np.random.Generator], pd.DataFrame]


@dataclass(frozen=True)
class Relations:
    """Relations of a canonical table and the constraints that every row of it must meet.

    Parameters
    ----------
    steps : tuple of Relation
        In the order in which ``reduce`` applies them.
    constraints : tuple of Constraint
    shares : dict of str to float
        Fraction of the training rows that break each constraint.
    kinds : tuple of Kind
        Of the canonical columns.
    grids : dict of column to Grid
    target, labels : object and ndarray of object, or None
        Name of a target with classes, and the text of each label; constraints may contain it.
    searched : bool
        Whether relations were searched, not only declared.
    numeric_flags : bool
        Whether flags, such as those of equal cells, are 0 and 1 in the reduced table instead of a category. Where
        relations are searched, so are missing cells, frequent numbers and categories.
    """

    steps: tuple[Relation, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    shares: dict = field(default_factory=dict)
    kinds: tuple[Kind, ...] = ()
    grids: dict = field(default_factory=dict)
    target: object = None
    labels: np.ndarray | None = None
    searched: bool = False
    numeric_flags: bool = False

    @classmethod
    def learn(
        cls,
        table: pd.DataFrame,
        kinds: Sequence[Kind],
        constraints: Sequence[str] = (),
        *,
        search: bool = True,
        formulas: bool = True,
        numeric_flags: bool = False,
        kept: Collection = (),
        ranges: Mapping[object, tuple[float, float]] | None = None,
        target: object = None,
        classes: np.ndarray | None = None,
        labels: np.ndarray | None = None,
    ) -> "Relations":
        """Learn the relations of training rows.

        Parameters
        ----------
        table : DataFrame, shape (n, d)
            Canonical table.
        kinds : sequence of Kind
            Of its columns.
        constraints : sequence of str
            Declared expressions.
        search, formulas : bool, default=True
            Whether to search for relations, and for formulas of numbers among them.
        numeric_flags : bool, default=False
            See the class.
        kept : collection
            Columns that must not be taken out.
        ranges : mapping of column to (lower, upper), optional
            Narrower ranges than those of the training rows, that synthetic cells stay in.
        target, classes, labels : optional
            Name of a target with classes, its classes, and the number of each row's class.

        Raises
        ------
        InputError
            If a constraint cannot be read, or no training row meets it, or two contradict each other.
        """
        kinds = tuple(kind for kind in kinds if kind.name in table)
        texts = None if classes is None else np.array([*map(str, classes)], dtype=object)
        names = [kind.name for kind in kinds] + ([] if texts is None else [target])
        found = checked(constraints, names)
        grids = grids_of(table, kinds)
        for name, (lower, upper) in (ranges or {}).items():
            if name in grids:
                grids[name] = replace(grids[name], lower=lower, upper=upper)
        learner = Learner(table, kinds, grids, set(kept))
        shares = {}
        if found:
            empty = cls((), found, {}, kinds, grids, target, texts)
            shares = check_rows(found, empty.cells(table, labels))
            learner.declare(found, search)
        if search:
            learner.search(formulas)
        if search and numeric_flags:
            learner.mark()
        if not found and not learner.steps:
            return cls(searched=search)
        return cls(tuple(learner.steps), found, shares, kinds, grids, target, texts, search, numeric_flags)

    @classmethod
    def declared(
        cls, kinds: Sequence[Kind], constraints: Sequence[str], target: object = None, classes: np.ndarray | None = None
    ) -> "Relations":
        """Return declared constraints on columns whose ranges are declared, too; no row is read."""
        texts = None if classes is None else np.array([*map(str, classes)], dtype=object)
        found = checked(constraints, [kind.name for kind in kinds] + ([] if texts is None else [target]))
        grids = grids_of(pd.DataFrame({kind.name: [] for kind in kinds}), kinds) if found else {}
        return cls((), found, {}, tuple(kinds), grids, target, texts)

    def __bool__(self) -> bool:
        """Return whether there is any relation or constraint."""
        return bool(self.steps or self.constraints)

    @property
    def taken(self) -> list:
        """Columns that relations take out or replace."""
        return [name for step in self.steps for name in step.taken]

    @property
    def marked(self) -> bool:
        """Boolean: some values are marks of 0 and 1 in the reduced table."""
        return any(isinstance(step, Masses) for step in self.steps)

    @property
    def apart(self) -> list[Masses]:
        """Columns whose values are all marks, each drawn apart from the other columns."""
        return [step for step in self.steps if isinstance(step, Masses) and step.apart]

    @property
    def concerned(self) -> list:
        """Columns of any relation or constraint."""
        names = [name for step in self.steps for name in step.names]
        return list(dict.fromkeys(names + [name for one in self.constraints for name in one.columns]))

    def cells(self, table: pd.DataFrame, labels: np.ndarray | None) -> dict[object, Cells]:
        """Return the cells that constraints see."""
        names = {name for one in self.constraints for name in one.columns}
        cells = cells_of(table, [kind for kind in self.kinds if kind.name in names])
        if self.labels is not None and self.target in names:
            cells[self.target] = Cells(self.labels[labels])
        return cells

    def reduce(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the canonical table that a generator sees."""
        for step in self.steps:
            table = step.reduce(table)
        for name in [getattr(step, "helper", "") for step in self.steps] if self.numeric_flags else ():
            if name:
                table = with_column(table, name, flagged(table[name]).astype(float))
        return table

    def expand(self, table: pd.DataFrame, balance: bool = False) -> pd.DataFrame:
        """Return the canonical table of a reduced one; columns of relations are on their steps.

        With ``balance``, as many cells are equal as the rows are flagged to be, even if not in the flagged rows.
        """
        table = self._settled(table)
        for step in reversed(self.steps):
            if balance and isinstance(step, equalities.Equality):
                table = step.balanced(table, self.grids)
            table = step.expand(table, self.grids)
        if not self.steps:
            return table
        arrays = [name for name in table if _whole(table[name].dtype)]
        return table[[*(kind.name for kind in self.kinds if kind.name in table), *arrays]]

    def _settled(self, table: pd.DataFrame) -> pd.DataFrame:
        table, taken = table.copy(deep=False), set(self.taken)
        for name in self.concerned:
            if name in self.grids and name in table and name not in taken:
                table[name] = self.grids[name].settled(table[name].to_numpy(float))
        return table

    def valid(self, table: pd.DataFrame, labels: np.ndarray | None) -> np.ndarray:
        """Decide for each row whether it meets all relations and constraints within the training ranges."""
        found = np.ones(len(table), bool)
        for step in self.steps:
            found &= step.holds(table, self.grids)
            for name in step.names:
                if name in self.grids:
                    found &= self.grids[name].inside(table[name].to_numpy(float))
        cells = self.cells(table, labels) if self.constraints else {}
        for one in self.constraints:
            found &= one.holds(cells)
        return found

    def draw(
        self,
        sample: Draw,
        labels: np.ndarray,
        rng: np.random.Generator,
        protect: Callable[[pd.DataFrame], pd.DataFrame] = lambda table: table,
    ) -> pd.DataFrame:
        """Draw whole canonical rows that meet all relations and constraints.

        Rows that a generator draws against them are drawn again, up to 20 times. Of those that remain, a declared
        inequality moves one column to its limit, and what cannot be repaired so is replaced by another valid
        row of its class.

        Parameters
        ----------
        sample : callable
            Draws reduced rows for labels.
        labels : ndarray of int, shape (n,)
        rng : Generator
        protect : callable, optional
            Changes rare values of drawn rows.

        Raises
        ------
        InputError
            If the generator draws no row at all that meets the declared constraints.
        """
        drawn = protect(sample(labels, rng).reset_index(drop=True))
        if not self:
            return drawn
        table = self.expand(drawn, balance=True)
        valid = self.valid(table, labels)
        for _ in range(_ROUNDS):
            if valid.all():
                return table
            open_ = np.flatnonzero(~valid)
            asked = np.tile(labels[open_], max(1, _LEAST // len(open_)))
            more = self.expand(protect(sample(asked, rng).reset_index(drop=True)))
            table, valid = self._filled(table, labels, valid, more, asked, self.valid(more, asked))
        return self._mended(table, labels, valid, rng)

    def _filled(self, table, labels, valid, more, asked, good) -> tuple[pd.DataFrame, np.ndarray]:
        """Put valid rows of the same labels in the place of invalid ones."""
        into, out = [], []
        for label in np.unique(labels[~valid]):
            places, rows = np.flatnonzero(~valid & (labels == label)), np.flatnonzero(good & (asked == label))
            count = min(len(places), len(rows))
            into.append(places[:count])
            out.append(rows[:count])
        into, out = (np.concatenate(part) if part else np.zeros(0, int) for part in (into, out))
        valid = valid.copy()
        valid[into] = True
        return _replaced(table, into, more, out), valid

    def _mended(
        self, table: pd.DataFrame, labels: np.ndarray, valid: np.ndarray, rng: np.random.Generator
    ) -> pd.DataFrame:
        """Repair the rows that further draws did not: by declared inequalities first, then as whole rows."""
        open_ = np.flatnonzero(~valid)
        if len(open_) and self.constraints:
            part, fixed = table.iloc[open_].reset_index(drop=True), set(self.taken)
            for _ in range(_REPAIRS):
                for one in self.constraints:
                    if self.target not in one.columns or self.labels is None:
                        part = declared.repaired(part, one, self.kinds, self.grids, fixed)
                part = self.expand(self.reduce(part))
            good = np.flatnonzero(self.valid(part, labels[open_]))
            table = _replaced(table, open_[good], part, good)
            valid = valid.copy()
            valid[open_[good]] = True
        for label in np.unique(labels[~valid]):
            open_, rows = np.flatnonzero(~valid & (labels == label)), np.flatnonzero(valid & (labels == label))
            if not len(rows) and (self.labels is None or not any(self.target in c.columns for c in self.constraints)):
                rows = np.flatnonzero(valid)
            if len(rows):
                table = _replaced(table, open_, table, rng.choice(rows, len(open_)))
            elif self.constraints:
                remedy = "the generator draws no row that meets them; use another generator, or drop one of them"
                raise InputError("constraints", [one.text for one in self.constraints], remedy)
        return table

    def partial(self, table: pd.DataFrame) -> pd.DataFrame:
        """Reduce a canonical table of some columns, for evidence.

        Raises
        ------
        InputError
            If a column is given whose distribution, given the others, has no closed form.
        """
        for step in self.steps:
            table = step.evidence(table)
        return table

    def lines(self) -> list[str]:
        """Describe each relation and constraint in a line."""
        found = [f"relation kept: {step}" for step in self.steps if step.reported]
        for one in self.constraints:
            share = self.shares.get(one.text, 0.0)
            real = f"{share:.1%} of the real rows break it" if share else "every real row meets it"
            found.append(f"constraint met in every synthetic row: {one.text} ({real})")
        return found


def _replaced(table: pd.DataFrame, into: np.ndarray, other: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    """Copy rows of another table of the same columns to the given places."""
    source = np.arange(len(table))
    source[into] = len(table) + rows
    both = {}
    for name in table:
        a, b = table[name], other[name]
        if isinstance(a.dtype, pd.CategoricalDtype):
            codes = np.concatenate(
                [a.cat.codes.to_numpy(), b.cat.set_categories(a.cat.categories).cat.codes.to_numpy()]
            )
            both[name] = pd.Categorical.from_codes(codes[source], dtype=a.dtype)
        elif _whole(a.dtype):
            both[name] = pd.concat([a, b], ignore_index=True).take(source).array
        else:
            both[name] = np.concatenate([a.to_numpy(float), b.to_numpy(float)])[source]
    return pd.DataFrame(both, index=table.index)


def _whole(dtype: object) -> bool:
    """Tell cells that relations leave as they are, arrays and texts, from single values."""
    return tensors.is_cell(dtype)
