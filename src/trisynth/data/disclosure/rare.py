"""Protection of rare values: synthetic cells that equal a value of few training rows, such as a birth date, move."""

from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth import seeds
from trisynth.data.disclosure.repeats import Repeats
from trisynth.data.disclosure.seen import Seen
from trisynth.data.kinds import Category, Kind

# Largest fraction of the possible values between the smallest and the largest that rare ones may fill: beyond it, as
# for ages in years, a value identifies nobody.
_SPARSE = 0.2
# Most names in a line.
_NAMED = 20
# Fewest training rows, knots of the distances between neighbours, and trials of a move.
_ROWS, _KNOTS, _TRIALS = 20, 33, 60

Settle = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Guard:
    """Rare values of one canonical column of numbers, and the rule that replaces them.

    A value is rare if fewer than ``rare`` training rows hold it, or so few persons where rows belong to such. A
    synthetic cell moves by about the distance between neighbouring values if ``Seen`` marks it: it marks all rare
    values, and others to hide which ones are real,
    but not values of many rows. Cells beyond the ``rare`` smallest and largest training cells are
    moved inside.

    Parameters
    ----------
    lower, upper : float
        Range that synthetic cells stay in.
    knots : ndarray
        Quantiles of the rare values, smoothed.
    between : float
        Rare values between two knots.
    seen : Seen
    frequent : ndarray
        Values of at least ``rare`` training rows, in order.
    """

    lower: float
    upper: float
    knots: np.ndarray
    between: float
    seen: Seen
    frequent: np.ndarray

    @classmethod
    def learn(
        cls, cells: np.ndarray, step: float, rare: int, rng: np.random.Generator, persons: np.ndarray | None = None
    ) -> "Guard | None":
        """Learn a column of canonical training cells; None where no value needs protection.

        Parameters
        ----------
        cells : ndarray of shape (n,)
            As ``settle`` leaves them.
        step : float
            Distance of possible values, 0 where there is none.
        rare : int
        rng : Generator
        persons : ndarray of int, shape (n,), optional
            Number of the person of each row: a value of several rows of one person counts once.
        """
        known = np.isfinite(cells)
        if persons is None:
            cells = np.sort(cells[known])
        else:
            cells = np.unique(np.column_stack([cells, persons])[known], axis=0)[:, 0]
        values, counts = np.unique(cells, return_counts=True)
        few = values[counts < rare]
        if rare < 1 or len(cells) < max(_ROWS, 4 * rare) or not len(few):
            return None
        possible = (few[-1] - few[0]) / step + 1 if step else np.inf
        if len(few) > _SPARSE * possible:
            return None
        grid = np.quantile(few, np.linspace(0, 1, min(_KNOTS, len(few) + 1)))
        knots = np.concatenate([grid[:1], (grid[1:] + grid[:-1]) / 2, grid[-1:]])
        between = max(len(few) / (len(grid) - 1), 1.0)
        frequent = values[counts >= rare]
        return cls(float(cells[rare - 1]), float(cells[-rare]), knots, between, Seen.learn(few, rng), frequent)

    def _held(self, cells: np.ndarray) -> np.ndarray:
        return self.seen.has(cells) & ~np.isin(cells, self.frequent)

    def apply(self, cells: np.ndarray, step: float, settle: Settle, rng: np.random.Generator) -> np.ndarray:
        """Move rare values of synthetic cells, shape (n,); all others stay as they are.

        Parameters
        ----------
        cells : ndarray of shape (n,)
        step : float
        settle : callable
            Gives canonical numbers the values that they have after their way to the original dtype and back.
        rng : Generator
        """
        moved = np.clip(cells, self.lower, self.upper)
        settled = settle(moved)
        held = np.flatnonzero(np.isfinite(settled) & self._held(settled))
        widths = np.maximum(np.diff(self.knots) / self.between, step)
        for trial in range(_TRIALS):
            if not len(held):
                break
            place = np.clip(np.searchsorted(self.knots, settled[held]) - 1, 0, len(widths) - 1)
            reach = np.maximum(widths[place], np.spacing(np.abs(settled[held])) * 4) * 1.2**trial
            proposed = settle(settled[held] + reach * rng.uniform(-1.5, 1.5, len(held)))
            free = (proposed >= self.lower) & (proposed <= self.upper) & ~self._held(proposed)
            moved[held[free]] = proposed[free]
            held = held[~free]
        # Where no free value is near, any free one; a frequent one where the marks leave none.
        for _ in range(_TRIALS):
            if not len(held):
                break
            proposed = settle(rng.uniform(self.lower, self.upper, len(held)))
            free = ~self._held(proposed)
            moved[held[free]] = proposed[free]
            held = held[~free]
        if len(held):
            moved[held] = rng.choice(self.frequent, len(held)) if len(self.frequent) else np.nan
        return moved


@dataclass(frozen=True)
class Guards:
    """Protection of all columns of a canonical table.

    Parameters
    ----------
    columns : dict of name to Kind
        Columns as the training rows show them, by their name in the canonical table.
    numbers : dict of name to Guard
        Columns of numbers whose rare values are protected.
    rows : Repeats or None, default=None
        Training rows that are not repeated in all near-unique columns.
    """

    columns: dict[Hashable, Kind]
    numbers: dict[Hashable, Guard]
    rows: Repeats | None = None

    @classmethod
    def learn(
        cls,
        columns: dict[Hashable, Kind],
        table: pd.DataFrame,
        rare: int,
        seed: int,
        persons: np.ndarray | None = None,
    ) -> "Guards":
        """Learn which columns of a canonical training table need protection; none where ``rare`` is 0."""
        numbers = {}
        for name, column in columns.items():
            if rare and column.categories is None:
                rng = seeds.stream(seed, "guard", name)
                cells = column.settled(table[name].to_numpy())
                if guard := Guard.learn(cells, _step(column), rare, rng, persons):
                    numbers[name] = guard
        pooled = {name: c for name, c in columns.items() if name in numbers or getattr(c, "pool", None)}
        rng = seeds.stream(seed, "guard.rows")
        rows = Repeats.learn(columns, table, rare, rng, persons) if rare else None
        return cls(pooled, numbers, rows)

    def apply(
        self, table: pd.DataFrame, rng: np.random.Generator, numbers: bool = True, skip: Collection = ()
    ) -> pd.DataFrame:
        """Change rare values of a synthetic canonical table, those of categories always; leave ``skip`` as it is."""
        changed = {}
        for name, column in self.columns.items():
            if name in skip:
                continue
            if isinstance(column, Category):
                changed[name] = column.refill(table[name], rng)
            elif numbers:
                cells = table[name].to_numpy()
                moved = self.numbers[name].apply(cells, _step(column), column.settled, rng)
                changed[name] = pd.Series(moved, index=table.index)
        return _assigned(table, changed)

    @property
    def lines(self) -> list[str]:
        """One sentence for each kind of protection in use."""
        found = []
        for column in self.columns.values():
            if not isinstance(column, Category):
                continue
            values, rows = column.pooled
            few = f"{values} rare {'category' if values == 1 else 'categories'} ({rows} rows)"
            if len(column.categories):
                found.append(f"{column.name}: {few} pooled; declare them in categories to keep them")
            else:
                end = "the column is left empty in synthetic rows; declare categories or set rare: 0 to keep them"
                found.append(f"{column.name}: only {few}; {end}")
        if self.numbers:
            names = [str(self.columns[name].name) for name in self.numbers]
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            names = ", ".join(names[:_NAMED]) + more
            found.append(f"{names}: values that few rows hold are not reproduced")
        return found


def _assigned(table: pd.DataFrame, changed: dict[Hashable, pd.Series]) -> pd.DataFrame:
    table = table.copy(deep=False)
    for name, cells in changed.items():
        table[name] = cells
    return table


def _step(column: Kind) -> float:
    return column.step / column.unit
