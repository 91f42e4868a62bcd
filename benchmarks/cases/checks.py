"""Checks of synthetic rows against the file that they imitate."""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from pandas.api import types

from trisynth import data
from trisynth.commandline import composed
from trisynth.data.dataset import Column, Dataset
from trisynth.data.formats import OR, format_of
from trisynth.data.readers import delimited

# A value in this fraction of the real rows must have nearly the same fraction in the synthetic ones.
FREQUENT, NEARLY = 0.05, 0.12
# Rows from which on what they hold is no person's.
SHARED = 5
_PLAIN = 10
# Most columns whose orders and sums are checked.
_COLUMNS = 300
# Characters behind the digits of a whole number from which on a file has the digits of floats.
_FLOAT = 16


@dataclass(frozen=True)
class Table:
    """A file as it stands and as it is read.

    Parameters
    ----------
    raw : DataFrame
        Cells as texts, or with the types of the file.
    clean : DataFrame
        Cells with their meaning, by the facts of the real file.
    facts : mapping of str to Column
    dialect : dict
        Arguments of pandas' reader; empty for a file with types.
    config : dict
        Configuration that reads the real file.
    """

    raw: pd.DataFrame
    clean: pd.DataFrame
    facts: Mapping[str, Column]
    dialect: dict[str, Any]
    config: dict[str, Any]

    @classmethod
    def read(cls, source: Path) -> "Table":
        """Read a real file by the facts that were written beside it."""
        kind = "parquet" if source.suffix == ".parquet" else "csv"
        config = composed([f"dataset={kind}", f"dataset.path={source}"])["dataset"]
        real, _ = data.prepare(config, ".", data.reader(config, ()), layout=True)
        return cls(*_cells(source, config, real.columns), real.columns, _dialect(source, real), config)

    def like(self, file: Path) -> "Table":
        """Read synthetic rows of this file by the same facts."""
        raw, clean = _cells(file, self.config, self.facts)
        return replace(self, raw=raw, clean=clean)

    @staticmethod
    def last(file: Path) -> str | None:
        """Return the last column's name."""
        try:
            names = pq.read_schema(file).names if file.suffix == ".parquet" else list(delimited(file))
        except Exception:
            return None
        return str(names[-1])

    @property
    def identifiers(self) -> list[str]:
        """Names of the columns of identifiers."""
        return [name for name, fact in self.facts.items() if fact.kind == "identifier"]

    @property
    def for_metrics(self) -> pd.DataFrame:
        """Cells with their meaning and identifiers, as other libraries take them."""
        table = self.clean.copy()
        for name in table:
            if isinstance(table[name].dtype, pd.CategoricalDtype):
                table[name] = table[name].astype(object)
            elif isinstance(table[name].dtype, pd.DatetimeTZDtype):
                table[name] = table[name].dt.tz_convert("UTC").dt.tz_localize(None)
            elif types.is_timedelta64_dtype(table[name].dtype):
                table[name] = table[name].dt.total_seconds()
            elif types.is_numeric_dtype(table[name].dtype):
                table[name] = table[name].astype(float)
        for name in self.identifiers:
            table[name] = self.raw[name].astype(str).to_numpy()[: len(table)] if len(self.raw) == len(table) else None
        return table.dropna(axis=1, how="all")

    @property
    def metadata(self) -> dict[str, str]:
        """Return the kind of each column as sdmetrics names it."""
        table, kinds = self.for_metrics, {}
        for name in table:
            if name in self.identifiers:
                kinds[name] = "id"
            elif types.is_datetime64_any_dtype(table[name].dtype):
                kinds[name] = "datetime"
            else:
                kinds[name] = "numerical" if types.is_numeric_dtype(table[name].dtype) else "categorical"
        return kinds


def _dialect(source: Path, real: Dataset) -> dict[str, Any]:
    if source.suffix == ".parquet":
        return {}
    form = real.layout.dialect
    # Lines around the table are not in synthetic rows, and other libraries take them for cells.
    around = bool(delimited(source).attrs["notes"])
    return {"sep": form.separator, "encoding": form.encoding, "around": around}


def _cells(file: Path, config: Mapping, columns: Mapping[str, Column]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the cells as they stand and with their meaning."""
    typed = file.suffix == ".parquet"
    raw = pd.read_parquet(file, dtype_backend="pyarrow") if typed else delimited(file)
    # Bounds and categories stay inferred, so that nothing is mended here.
    facts = {str(name): {k: v for k, v in vars(f).items() if v} for name, f in columns.items()}
    own = {**config, "path": str(file), "target": None, "task": None, "columns": facts, "constraints": None}
    clean, _ = data.prepare(own, ".", data.reader(own, ()), layout=False)
    return raw, clean.frame


def faults(real: Table, made: Table) -> list[str]:
    """Name everything that differs from the real file, or that must not be in synthetic rows."""
    return [*_structure(real, made), *_private(real, made), *_shares(real, made), *_relations(real, made)]


def _structure(real: Table, made: Table) -> Iterator[str]:
    if list(real.raw) != list(made.raw):
        yield f"columns {list(made.raw)}"
        return
    for name in real.raw:
        old, new = real.raw[name], made.raw[name]
        if new.isna().all() or (new.astype(str) == "").all():
            continue
        if old.dtype != new.dtype:
            yield f"{name}: {new.dtype} for {old.dtype}"
        if not real.dialect or name in real.identifiers:
            continue
        category = name in real.clean and isinstance(real.clean[name].dtype, pd.CategoricalDtype)
        known = set(old.astype(str))
        odd = set(new.astype(str)) - known
        if name in real.clean and real.clean[name].isna().any():
            # A rare text that stands for a missing cell is not written.
            odd -= {""}
        if not category:
            plain = name in real.facts and real.facts[name].kind == "number" and _is_plain(real.facts[name].format)
            most = max(map(_decimals, known), default=0) if plain else 0
            # Decimals of a plain number end where the value does: 0.4 stands among 0.412 and 0.38.
            forms = {_open_form(cell) if plain else _form(cell) for cell in known}
            odd = {
                cell
                for cell in odd
                if (_open_form(cell) if plain else _form(cell)) not in forms
                or (plain and most < _FLOAT and _decimals(cell) > most)
            }
        if odd:
            yield f"{name}: written as {sorted(odd)[:3]}"
    if len(pd.concat([real.raw, made.raw])) != len(real.raw) + len(made.raw):
        yield "rows cannot be appended"


def _is_plain(form: str | None) -> bool:
    """Tell whether numbers have as many decimals as their value, with a power of ten or without."""
    parts = [format_of("number", part) for part in form.split(OR)] if form else []
    return all(part.plain and part.more for part in parts)


def _form(cell: str) -> str:
    """Reduce a cell to its form: letters of a name stay, digits before the last mark count once."""
    digits = re.sub(r"\d", "9", cell)
    whole, mark, rest = digits.rpartition(".") if digits.count(".") == 1 else (digits, "", "")
    return re.sub(r"(9+[., '’ ]?)+", "9", whole) + mark + rest


def _open_form(cell: str) -> str:
    """Reduce a plain number to its form without decimals."""
    number, power = re.fullmatch(r"(.*?)((?:[eE][-+]?[0-9]+)?)", cell).groups()
    return _form(number)[: -_decimals(number) or None] + power[:2]


def _decimals(cell: str) -> int:
    """Count the characters from the decimal point on; 0 where there are other signs."""
    found = re.search(r"\.[0-9]+$", re.sub(r"[eE][-+]?[0-9]+$", "", cell))
    return len(found[0]) if found else 0


def _private(real: Table, made: Table) -> Iterator[str]:
    for name, fact in real.facts.items():
        if name not in made.raw:
            continue
        old, new = real.raw[name].dropna().astype(str), made.raw[name].dropna().astype(str)
        old, new = old[old != ""], new[new != ""]
        if fact.kind == "text" and len(new):
            yield f"{name}: {len(new)} texts"
        if fact.kind == "identifier":
            if copied := int(new.isin(set(old)).sum()):
                yield f"{name}: {copied} real identifiers"
            if not new.is_unique:
                yield f"{name}: identifiers repeated"
    keys = [name for name in real.clean if real.clean[name].nunique() > 0.5 * len(real.clean)]
    if len(keys) >= 3:
        # What many rows hold, such as zero in all columns, identifies none.
        rows = real.clean[keys].astype(str).agg("|".join, axis=1).value_counts()
        known = set(rows[rows < SHARED].index)
        copied = int(made.clean[keys].astype(str).agg("|".join, axis=1).isin(known).sum())
        if copied > 0.01 * len(made.clean):
            yield f"{copied} rows repeat all near-unique cells of a real row"


def _shares(real: Table, made: Table) -> Iterator[str]:
    for name in real.clean:
        shares = real.clean[name].value_counts(normalize=True, dropna=False)
        drawn = made.clean[name].value_counts(normalize=True, dropna=False)
        for value, share in shares[shares >= FREQUENT].items():
            # Rows without a target are dropped, and a line reports that.
            if name == real.config.get("target") and pd.isna(value):
                continue
            other = drawn.get(value, 0.0) if pd.notna(value) else float(made.clean[name].isna().mean())
            # Three standard errors of small tables are no fault.
            noise = 3 * np.sqrt(2 * share * (1 - share) / max(len(made.clean), 1))
            if abs(other - share) > max(noise, NEARLY * share):
                yield f"{name}: {value!r} in {other:.3f} of the rows, real {share:.3f}"


def _relations(real: Table, made: Table) -> Iterator[str]:
    # All pairs of thousands of columns would take hours.
    names = [name for name in real.clean if _is_quantity(real.clean[name])][:_COLUMNS]
    numbers = {name: _floats(real.clean[name]) for name in names}
    drawn = {name: _floats(made.clean[name]) for name in numbers}
    for a, b in itertools.permutations(numbers, 2):
        close = np.nanmedian(numbers[b] - numbers[a]) < 0.2 * np.nanstd(numbers[a])
        if close and not (numbers[a] > numbers[b]).any() and (drawn[a] > drawn[b]).any():
            yield f"{a} <= {b} in {1 - (drawn[a] > drawn[b]).mean():.3f}"
    for (a, b), c in itertools.product(itertools.combinations(list(numbers)[:_PLAIN], 2), numbers):
        if c in (a, b) or np.nanstd(numbers[a]) == 0 or np.nanstd(numbers[b]) == 0:
            continue
        exact = np.abs(numbers[a] + numbers[b] - numbers[c]) < 1e-6
        if exact.mean() > 0.99 and (share := float((np.abs(drawn[a] + drawn[b] - drawn[c]) < 1e-6).mean())) < 0.98:
            yield f"{c} = {a} + {b} in {share:.3f}"


def _is_quantity(cells: pd.Series) -> bool:
    dtype = cells.dtype
    number = types.is_numeric_dtype(dtype) or types.is_datetime64_any_dtype(dtype)
    return bool(number and not types.is_bool_dtype(dtype) and cells.nunique() > _PLAIN)


def _floats(cells: pd.Series) -> np.ndarray:
    if types.is_datetime64_any_dtype(cells.dtype):
        naive = cells.dt.tz_convert("UTC").dt.tz_localize(None) if cells.dt.tz else cells
        return ((naive - pd.Timestamp("1970-01-01")) / pd.Timedelta("1D")).to_numpy(float)
    return cells.to_numpy(float, na_value=np.nan)
