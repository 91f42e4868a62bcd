"""Equalities that a user declares, solved for one column, and repairs of declared inequalities."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from trisynth.data.constraints import Constraint
from trisynth.data.constraints.checks import cells_of, seconds
from trisynth.data.constraints.linear import Bound, bounds
from trisynth.data.kinds import Kind
from trisynth.generators.columns import with_column
from trisynth.generators.relations.base import Grid, Relation
from trisynth.generators.relations.computed import dropped, helper_of, restored


def _bound(constraint: Constraint, column: object) -> Bound:
    return next(bound for bound in bounds(constraint) if bound.column == column)


@dataclass(frozen=True)
class Declared(Relation):
    """Declared equality: one of its columns is computed from the others.

    Parameters
    ----------
    constraint : Constraint
    derived : object
    kinds : tuple of Kind
        Of its columns.
    helper : str
        See ``Computed``.
    """

    constraint: Constraint
    derived: object
    kinds: tuple
    helper: str = ""

    reported: ClassVar[bool] = False

    @property
    def names(self) -> tuple:
        """All columns of the constraint."""
        return self.constraint.columns

    def reduce(self, table: pd.DataFrame) -> pd.DataFrame:
        """Drop the column."""
        return dropped(table, self.derived, self.helper)

    def expand(self, table: pd.DataFrame, grids: Mapping[object, Grid]) -> pd.DataFrame:
        """Compute the column and round it to its step."""
        value = required(self.constraint, self.derived, table, self.kinds)
        return restored(table, self.derived, grids[self.derived].rounded(value), self.helper)

    def holds(self, table: pd.DataFrame, grids: Mapping[object, Grid]) -> np.ndarray:
        """Decide the constraint; unknown rows hold."""
        return self.constraint.holds(cells_of(table, self.kinds))

    def __str__(self) -> str:
        """Write the constraint as it was declared."""
        return self.constraint.text


def required(constraint: Constraint, column: object, table: pd.DataFrame, kinds: Sequence[Kind]) -> np.ndarray:
    """Compute the value, or limit, that a constraint requires of a column, in canonical units."""
    cells = cells_of(table, [kind for kind in kinds if kind.name != column])
    scale = next(seconds(kind) for kind in kinds if kind.name == column)
    return np.broadcast_to(_bound(constraint, column).value(cells) * scale, len(table)).astype(float)


def solved(
    table: pd.DataFrame, constraint: Constraint, kinds: Mapping[object, Kind], grids: Mapping, taken: Collection
) -> Declared | None:
    """Return a declared equality as a relation, solved for a column that no other relation takes out."""
    own = tuple(kinds[name] for name in constraint.columns if name in kinds)
    for bound in bounds(constraint):
        if bound.sign != "==" or bound.column not in grids or bound.column in taken:
            continue
        if len(own) < len(constraint.columns) or not set(bound.inputs) <= set(table.columns):
            continue
        helper = helper_of(table, bound.column, bound.inputs) if bound.inputs else ""
        if helper is not None:
            return Declared(constraint, bound.column, own, helper)
    return None


def repaired(
    table: pd.DataFrame, constraint: Constraint, kinds: Sequence[Kind], grids: Mapping[object, Grid], fixed: Collection
) -> pd.DataFrame:
    """Move one column of each row that breaks an inequality to the nearest value that meets it.

    Rows stay as they are where no single column can be moved within its range.
    """
    own = [kind for kind in kinds if kind.name in constraint.columns]
    for bound in bounds(constraint):
        name = bound.column
        if name not in grids or name in fixed:
            continue
        broken = ~constraint.holds(cells_of(table, own))
        if not broken.any():
            break
        grid, limit = grids[name], required(constraint, name, table, own)
        gap = grid.step or 1e-6 * max(grid.upper - grid.lower, 1e-300)
        if bound.sign in ("<=", "<"):
            value = grid.rounded(limit, "down")
            value = np.where((bound.sign == "<") & (value >= limit), value - gap, value)
        elif bound.sign in (">=", ">"):
            value = grid.rounded(limit, "up")
            value = np.where((bound.sign == ">") & (value <= limit), value + gap, value)
        else:
            value = grid.rounded(limit)
        kept = table[name].to_numpy(float)
        table = with_column(table, name, np.where(broken & grid.inside(value), value, kept))
    return table
