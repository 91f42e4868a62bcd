"""Learning of relations: declared ones first, then a search, each step on the columns that earlier steps left."""

from collections.abc import Mapping, Sequence

import pandas as pd

from trisynth.data.constraints import Constraint
from trisynth.data.constraints.linear import bounds
from trisynth.data.kinds import Category, Date, Kind
from trisynth.data.schema import Schema
from trisynth.generators.relations import (
    calendar,
    declared,
    equalities,
    functional,
    masses,
    multiples,
    orders,
    searches,
)
from trisynth.generators.relations.base import Grid, Relation
from trisynth.generators.relations.formulas import DerivedColumns, Formulas


class Learner:
    """Steps that remove the columns of relations from a table, and the table that remains."""

    def __init__(self, table: pd.DataFrame, kinds: Sequence[Kind], grids: Mapping[object, Grid], kept: set):
        self.table, self.kinds, self.grids, self.kept = table, kinds, grids, kept
        self.steps: list[Relation] = []

    @property
    def _taken(self) -> set:
        return self.kept | {name for step in self.steps for name in step.taken}

    @property
    def _free(self) -> list[Kind]:
        """Columns that no step has taken."""
        taken = {name for step in self.steps for name in step.taken}
        return [kind for kind in self.kinds if kind.name not in taken and kind.name in self.table]

    @property
    def _open(self) -> list[Kind]:
        """Free columns that may be taken."""
        return [kind for kind in self._free if kind.name not in self.kept]

    def _add(self, step: Relation) -> None:
        self.steps.append(step)
        self.table = step.reduce(self.table)

    def declare(self, constraints: Sequence[Constraint], search: bool) -> None:
        """Take out one column of each declared equality, and replace the upper column of declared orders.

        With ``search``, the upper columns keep the orders that are found, too.
        """
        by_name = {kind.name: kind for kind in self.kinds}
        whole = self.table
        for one in constraints:
            step = declared.solved(self.table, one, by_name, self.grids, self._taken)
            if step is not None:
                self._add(step)
                continue
            # An equality that reads what another one takes out is reduced before it, and computed after it.
            read = self.kept | {name for other in self.steps for name in other.names}
            step = declared.solved(whole, one, by_name, self.grids, read)
            if step is not None:
                self.steps.insert(0, step)
                self.table = step.reduce(self.table)
        lowers: dict = {}
        for one in constraints:
            for bound in bounds(one)[:1]:
                upper, lower = (bound.column, bound.other) if bound.sign in (">", ">=") else (bound.other, bound.column)
                if bound.other is None or bound.sign == "==" or not {upper, lower} <= self.grids.keys():
                    continue
                if by_name[upper].kind == by_name[lower].kind:
                    lowers.setdefault(upper, {})[lower] = bound.sign in ("<", ">")
        self._declare_orders(lowers, search)

    def _declare_orders(self, lowers: dict, search: bool) -> None:
        found = orders.below(self.table, self._open, self.grids) if search and lowers else {}
        # An upper column is replaced before the lower ones of its own: a chain is reduced from its top.
        while lowers:
            below = {low for edges in lowers.values() for low in edges}
            tops = [name for name in lowers if name not in below]
            for name in tops:
                edges = {low: strict for low, strict in lowers.pop(name).items() if low in self.table}
                # Where a declared lower cell is missing, an order over another column may still hold.
                if name in found and not any(edges.values()):
                    own = orders.direct(self.table, found, name) - self._taken
                    edges |= dict.fromkeys(sorted(own - edges.keys(), key=str), False)
                if name not in self._taken and edges:
                    step = orders.declared(self.table, name, edges)
                    if step is not None:
                        self._add(step)
            if not tops:
                return

    def search(self, formulas: bool) -> None:
        """Search for all kinds of relations."""
        # A pooled category is refilled, and would break a function.
        plain = [kind.name for kind in self._open if not getattr(kind, "pool", None)]
        for step in functional.search(self.table, plain):
            self._add(step)
        for step in calendar.names(self.table, self._open):
            self._add(step)
        if formulas:
            self._search_formulas()
        kinds = self._open
        for step in orders.search(self.table, kinds, self.grids, [kind.name for kind in kinds]):
            self._add(step)
        for step in multiples.search(self.table, self._free, self.grids):
            self._add(step)
        free = [kind.name for kind in self._open]
        for step in equalities.search(self.table, self._free, self.grids, free):
            self._add(step)

    def mark(self) -> None:
        """Replace missing cells, frequent numbers and categories by marks of 0 and 1."""
        for step in masses.search(self.table, self._free):
            self._add(step)

    def _search_formulas(self) -> None:
        plain = [kind for kind in self._open if not isinstance(kind, Category | Date)]
        found = DerivedColumns.learn(self.table, Schema(tuple(plain)))
        # Spans come first: a stay is the difference of its dates.
        busy = (*self.kept, *found.steps)
        for step in searches.search(self.table, self._free, self.grids, busy):
            self._add(step)
        if found.formulas:
            self._add(Formulas(found))
