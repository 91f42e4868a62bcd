"""Protection of whole rows: synthetic rows that equal a training row in all near-unique columns are drawn again."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth.data.disclosure.seen import Seen
from trisynth.data.kinds import Kind

# Fraction of distinct cells of a near-unique column, fewest training rows, fewest known cells of a row, and rounds of
# further draws.
_UNIQUE, _ROWS, _KNOWN, _ROUNDS = 0.5, 20, 2, 8


@dataclass(frozen=True)
class Repeats:
    """Training rows in those columns of numbers and dates in which most rows differ.

    Parameters
    ----------
    columns : dict of name to Kind
        Near-unique columns by their name in the canonical table.
    seen : Seen
        Marks the rows, and others to hide which ones are real.
    frequent : ndarray of float
        Digests of what many training rows hold, such as zero in all of these columns; in order.
    """

    columns: dict[Hashable, Kind]
    seen: Seen
    frequent: np.ndarray

    @classmethod
    def learn(
        cls,
        columns: Mapping[Hashable, Kind],
        table: pd.DataFrame,
        rare: int,
        rng: np.random.Generator,
        persons: np.ndarray | None = None,
    ) -> "Repeats | None":
        """Learn what fewer than ``rare`` rows of a canonical training table hold; None without two such columns."""
        least = max(_UNIQUE * len(table), _ROWS)
        keys = {name: c for name, c in columns.items() if c.categories is None and table[name].nunique() > least}
        if len(keys) < _KNOWN:
            return None
        codes, known = _codes(keys, table)
        codes = codes[known]
        if persons is not None:
            # Several rows of one person count once.
            codes = np.unique(np.column_stack([codes, persons[known]]), axis=0)[:, 0]
        distinct, counts = np.unique(codes, return_counts=True)
        return cls(keys, Seen.learn(distinct[counts < rare], rng), distinct[counts >= rare])

    def replaced(
        self, table: pd.DataFrame, labels: np.ndarray, draw: Callable[[np.ndarray], pd.DataFrame]
    ) -> pd.DataFrame:
        """Draw rows that repeat a training row again, up to eight times.

        Parameters
        ----------
        table : DataFrame
            Synthetic canonical rows.
        labels : ndarray of int
            Of the rows.
        draw : callable
            Returns canonical rows for labels.
        """
        for _ in range(_ROUNDS):
            codes, known = _codes(self.columns, table)
            again = np.flatnonzero(known & self.seen.has(codes) & ~np.isin(codes, self.frequent))
            if not len(again):
                break
            fresh = draw(labels[again])
            place = np.arange(len(table))
            place[again] = len(table) + np.arange(len(again))
            table = pd.concat([table, fresh], ignore_index=True).take(place).set_axis(table.index)
        return table


def _codes(columns: Mapping[Hashable, Kind], table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return a number for each row, and which rows have enough known cells."""
    cells = pd.DataFrame({i: c.settled(table[name].to_numpy(float)) for i, (name, c) in enumerate(columns.items())})
    # Floats hold 52 bits exactly; adding zero makes -0.0 and 0.0 one value.
    digests = pd.util.hash_pandas_object(cells + 0.0, index=False).to_numpy() >> np.uint64(12)
    return digests.astype(float), (cells.notna().sum(axis=1) >= _KNOWN).to_numpy()
