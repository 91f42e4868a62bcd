"""Command line and result file that the benchmarks share."""

import argparse
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
