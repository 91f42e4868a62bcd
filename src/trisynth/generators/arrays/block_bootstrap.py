"""Block bootstrap within classes: the control that a generator of series or images must beat."""

from typing import ClassVar

import numpy as np
import pandas as pd

from trisynth.data import sequences, tensors
from trisynth.data.kinds import ENCODED, Kind, Sequence, Tensor
from trisynth.data.kinds.tensor import CHANNEL
from trisynth.errors import require_whole
from trisynth.generators.base import Generator


class BlockBootstrap(Generator):
    """Arrays patched together from blocks of training rows of the label, each at its own place.

    A series is cut into blocks of time, an image into tiles, at a random offset; each block is that of a random
    training row of the label at the same place (Künsch 1989, with places kept). What is longer than a block is lost;
    what is shorter is copied. A series of unequal lengths has the length of a random training row of the label, and
    its blocks come from rows that are as long. Other columns are drawn from their training cells within the label,
    independently. A label of fewer than ``rare`` rows (see ``fit``) is drawn as all rows are.

    Parameters
    ----------
    block_length : int, default=4
        Steps of a block, or height and width of a tile.
    """

    kinds: ClassVar[tuple[type[Kind], ...]] = (*ENCODED, Sequence)
    pools: ClassVar[bool] = True

    def __init__(self, block_length: int = 4):
        self.block_length = block_length

    def check(self) -> None:
        """Refuse a length that is not a whole number above 0."""
        require_whole("block_length", self.block_length, 1)

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator, rows: list[np.ndarray]) -> None:
        self.table_, self.rows_ = table.copy(), rows

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        arrays = {column.name: column for column in self.schema_.columns if isinstance(column, Tensor)}
        order = np.concatenate(self.rows_)
        counts = np.array([len(own) for own in self.rows_])
        first = np.cumsum(counts) - counts

        def rows(*shape: int) -> np.ndarray:
            """Draw training rows of the labels, shape (n, *shape)."""
            ends = counts[labels].reshape(-1, *[1] * len(shape))
            return order[first[labels].reshape(ends.shape) + (rng.random((len(labels), *shape)) * ends).astype(int)]

        columns = {}
        for name in self.table_:
            cells = self.table_[name]
            if tensors.is_sequence(cells.dtype):
                columns[name] = self._sequences(cells, labels, rng)
                continue
            if name not in arrays:
                columns[name] = cells.take(rows()).reset_index(drop=True)
                continue
            blocks, number = self._blocks(arrays[name], len(labels), rng)
            chosen = np.take_along_axis(rows(number), blocks, axis=1)
            columns[name] = tensors.column(tensors.values(cells)[chosen, np.arange(blocks.shape[1])], name)
        return pd.DataFrame(columns)

    def _sequences(self, cells: pd.Series, labels: np.ndarray, rng: np.random.Generator) -> pd.Series:
        """Draw series of unequal lengths."""
        known, sizes, drawn = sequences.values(cells), sequences.lengths(cells), []
        # Rows of each label, the shortest first, and their lengths.
        order = [rows[np.argsort(sizes[rows], kind="stable")] for rows in self.rows_]
        for label in labels:
            rows = order[label]
            length = int(sizes[rng.choice(rows)])
            ends = [*range(int(rng.integers(1, self.block_length + 1)), length, self.block_length), length]
            starts = [0, *ends[:-1]]
            first = np.searchsorted(sizes[rows], ends)
            chosen = rows[first + (rng.random(len(ends)) * (len(rows) - first)).astype(int)]
            parts = [known[row][start:end] for row, start, end in zip(chosen, starts, ends, strict=True)]
            drawn.append(np.concatenate(parts))
        return sequences.column(drawn, cells.name)

    def _blocks(self, column: Tensor, n: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        """Return the number of the block of each element, shape (n, size), and the number of blocks."""
        channels = column.shape[-1] if column.axes[-1] == CHANNEL else 1
        inner = column.shape[:-1] if column.axes[-1] == CHANNEL else column.shape
        blocks, number = np.zeros((n, *[1] * len(inner)), int), 1
        for axis, size in enumerate(inner):
            offset = rng.integers(self.block_length, size=(n, 1))
            along = (np.arange(size) + offset) // self.block_length
            most = (size - 1 + self.block_length - 1) // self.block_length + 1
            shape = [n, *[1] * len(inner)]
            shape[axis + 1] = size
            blocks, number = blocks * most + along.reshape(shape), number * most
        return np.repeat(blocks.reshape(n, -1), channels, axis=1), number
