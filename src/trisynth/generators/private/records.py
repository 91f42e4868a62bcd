"""Rows of a private fit, in one batch or many: what leaves them are counts for the ledger."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from trisynth.errors import InputError
from trisynth.generators.private.tables.axes import Axis
from trisynth.generators.private.tables.leaves import counts_of

Batch = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Records:
    """Positions on the grids, shape (axes, n), and labels, shape (n,), of all rows.

    Parameters
    ----------
    batches : callable
        Begins to read all rows, a batch at a time.
    streamed : bool, default=False
        Whether the rows are too many to be held at once.
    """

    batches: Callable[[], Iterator[Batch]]
    streamed: bool = False

    @classmethod
    def of(cls, positions: np.ndarray, labels: np.ndarray) -> "Records":
        """Hold rows in memory."""
        return cls(lambda: iter([(positions, labels)]))

    def counted(
        self, count: Callable[[np.ndarray, np.ndarray], dict[Hashable, np.ndarray]]
    ) -> dict[Hashable, np.ndarray]:
        """Sum tables of counts over all batches, in one pass; as counts are whole, batches do not matter.

        The numbers are secret until noise is added.
        """
        found: dict[Hashable, np.ndarray] = {}
        for positions, labels in self.batches():
            for name, table in count(positions, labels).items():
                found[name] = found[name] + table if name in found else table
        return found

    def singles(self, axes: Sequence[Axis], kinds: int) -> tuple[list[list[np.ndarray]], np.ndarray]:
        """Count single columns on each of their grids, and the rows of each label, in one pass."""

        def count(positions: np.ndarray, labels: np.ndarray) -> dict[Hashable, np.ndarray]:
            found = {
                (i, width): counts_of(axis, cells, width)
                for i, (axis, cells) in enumerate(zip(axes, positions, strict=True))
                for width in axis.levels
            }
            return {**found, "labels": np.bincount(labels, minlength=kinds).astype(float)}

        found = self.counted(count)
        return [[found[i, width] for width in axis.levels] for i, axis in enumerate(axes)], found["labels"]

    def whole(self, generator: str) -> Batch:
        """Return all rows at once.

        Raises
        ------
        InputError
            If they are too many; a sample would not have the promised privacy.
        """
        if self.streamed:
            remedy = "needs all rows at once, but a folder is read in batches; use raked_pairs or dp_circuit"
            raise InputError("generator", generator, remedy)
        return next(self.batches())
