"""Command line and result files that the benchmarks share."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from trisynth.cache import write_atomic

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def parser(module: str, description: str | None) -> argparse.ArgumentParser:
    """Build the parser of ``python -m benchmarks.<module>``, with an option for the folder of the results."""
    found = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{module}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("--out", type=Path, default=HERE, help="folder of the results (default: benchmarks)")
    return found


def write(table: pd.DataFrame, path: Path, digits: str = "%.4g") -> None:
    """Write a table of results as CSV, its floats in the format ``digits``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, table.to_csv(index=False, float_format=digits, lineterminator="\n"))


class Cells:
    """Results of a benchmark in a CSV file, a row for each cell; a cell that has a row is not run again.

    Parameters
    ----------
    path : Path
        The file, with the cells of earlier runs.
    key : sequence of str
        Columns that name a cell.
    """

    def __init__(self, path: Path, key: Sequence[str]):
        self.path, self.key = path, list(key)
        self._rows = pd.read_csv(path).to_dict("records") if path.exists() else []

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, cell: tuple) -> bool:
        return any(tuple(row[name] for name in self.key) == cell for row in self._rows)

    @property
    def table(self) -> pd.DataFrame:
        """All rows, in the order of their keys."""
        return pd.DataFrame(self._rows).sort_values(self.key, ignore_index=True)

    def add(self, cell: tuple, results: dict) -> None:
        """Add the row of a cell in place of an earlier one, and write the file."""
        self._rows = [row for row in self._rows if tuple(row[name] for name in self.key) != cell]
        self._rows.append(dict(zip(self.key, cell, strict=True)) | results)
        write(self.table, self.path)
