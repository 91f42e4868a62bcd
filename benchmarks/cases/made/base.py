"""Register of the tables, and what their makers share. The cells of a table follow from its name."""

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

ROWS = 240
Maker = Callable[[np.random.Generator], "pd.DataFrame | str"]
MADE: dict[str, tuple[Maker, dict]] = {}


def made(name: str, **written) -> Callable[[Maker], Maker]:
    """Register a maker of a table, and how the file is written; the target is the last column."""

    def register(maker: Maker) -> Maker:
        MADE[name] = maker, written
        return maker

    return register


def days(rng: np.random.Generator, first: str = "2019-01-01", span: int = 1200) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(pd.Timestamp(first) + pd.to_timedelta(rng.integers(0, span, ROWS), unit="D"))


def texts(values, form: str) -> list[str]:
    return [form.format(value) for value in values]


def marks(cells: list[str], before: str, after: str) -> list[str]:
    """Exchange signs, such as decimal points and commas."""
    return [cell.translate(str.maketrans(before, after)) for cell in cells]


def gaps(rng: np.random.Generator, cells, share: float = 0.08, text: str = "") -> np.ndarray:
    """Replace some cells by a text."""
    return np.where(rng.random(len(cells)) < share, text, np.asarray(cells, dtype=object))


def outcome(rng: np.random.Generator, score=0.0, names=("no", "yes")) -> np.ndarray:
    return np.where(rng.random(ROWS) < 1 / (1 + np.exp(-np.asarray(score))), names[1], names[0])


def write(folder: Path) -> None:
    """Write all tables into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (maker, written) in MADE.items():
        written = dict(written)
        top, encoding, ending = (written.pop(key, default) for key, default in _FILE.items())
        table = maker(np.random.default_rng([14, zlib.crc32(name.encode())]))
        text = top + (table if isinstance(table, str) else table.to_csv(index=False, **written))
        (folder / f"{name}{ending}").write_bytes(text.encode(encoding, errors="replace"))


_FILE = {"top": "", "encoding": "utf-8", "ending": ".csv"}
