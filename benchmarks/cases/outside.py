"""Checks by polars, pyarrow and sdmetrics in an environment of their own: reads folders, answers each in JSON.

One process answers for all tables, because these libraries take seconds to import.
"""

import contextlib
import io
import json
import sys
import warnings
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
from sdmetrics.reports.single_table import DiagnosticReport

# Rows from which on what they hold is no person's.
SHARED = 5


def appended(source: str, out: str, read: dict) -> list[str]:
    """Append the synthetic rows to the real ones by three libraries."""
    broken = []
    if not read:
        tables = [pq.read_table(name) for name in (source, out)]
        if not tables[0].schema.remove_metadata().equals(tables[1].schema.remove_metadata()):
            broken.append("arrow: another schema")
        pa.concat_tables([table.replace_schema_metadata() for table in tables])
        frames = [pd.read_parquet(name) for name in (source, out)]
        changed = frames[0].dtypes.ne(frames[1].dtypes)
        broken += [f"pandas: {name} is {frames[1][name].dtype}" for name in changed[changed].index]
        pl.concat([pl.read_parquet(name) for name in (source, out)])
        return broken
    if read.pop("around") or not source.endswith((".csv", ".tsv", ".txt")):
        return broken
    frames = [pd.read_csv(name, **read) for name in (source, out)]
    empty = frames[1].isna().all()
    # pandas reads whole numbers with gaps as floats; rows without a gap are whole.
    gaps = frames[0].isna().any() & ~frames[1].isna().any() & frames[1].dtypes.eq("int64")
    changed = frames[0].dtypes.ne(frames[1].dtypes) & ~empty & ~gaps
    broken += [f"pandas: {name} is {frames[1][name].dtype}" for name in changed[changed].index]
    pd.concat(frames)
    texts = [io.BytesIO(Path(name).read_bytes().decode(read["encoding"]).encode()) for name in (source, out)]
    polars = [pl.read_csv(text, separator=read["sep"], infer_schema_length=None) for text in texts]
    # polars takes a file whose lines end with a carriage return alone for one line, the real one too.
    if len(polars[0]) == len(frames[0]):
        broken += [
            f"polars: {name} is {polars[1].schema.get(name)}, not {kind}"
            for name, kind in polars[0].schema.items()
            if polars[1].schema.get(name) != kind and not _all_null(polars[1], name)
        ]
        if not broken:
            pl.concat(polars, how="vertical_relaxed")
    options = pc.ParseOptions(delimiter=read["sep"], newlines_in_values=True)
    encoding = pc.ReadOptions(encoding=read["encoding"].removesuffix("-sig"))
    arrow = [pc.read_csv(name, encoding, options) for name in (source, out)]
    # Arrow joins no table of equal names, not even to itself.
    if len(set(arrow[0].column_names)) == len(arrow[0].column_names):
        pa.concat_tables(_like_texts(arrow), promote_options="permissive")
    return broken


def _all_null(table: pl.DataFrame, name: str) -> bool:
    return name in table.columns and table[name].is_null().all()


def _like_texts(tables: list[pa.Table]) -> list[pa.Table]:
    """Read columns as texts of which one table has a cell that is no date, such as 2004-12-??, and the other none."""
    texts = {
        name for table in tables for name in table.column_names if pa.types.is_string(table.schema.field(name).type)
    }
    return [
        table.cast(pa.schema([pa.field(f.name, pa.string()) if f.name in texts else f for f in table.schema]))
        for table in tables
    ]


def diagnosed(folder: Path, columns: dict) -> list[str]:
    """Return what sdmetrics' diagnostic report does not score with 1."""
    real, made = (pd.read_parquet(folder / f"{name}.parquet") for name in ("real", "made"))
    # Categories of fewer rows are pooled: where all are, the column is left empty.
    withheld = [name for name in real if name not in made and real[name].value_counts().max() < SHARED]
    real, columns = real.drop(columns=withheld), {name: columns[name] for name in columns if name not in withheld}
    if list(real) != list(made):
        return [f"columns with cells differ: {sorted(set(real) ^ set(made))}"]
    about = {"columns": {name: {"sdtype": kind} for name, kind in columns.items()}}
    report = DiagnosticReport()
    with contextlib.redirect_stdout(io.StringIO()):
        report.generate(real, made, about, verbose=False)
    scores = report.get_properties().set_index("Property")["Score"]
    broken = [f"sdmetrics: {name} {score:.4f}" for name, score in scores.items() if not score >= 1]
    if broken:
        parts = report.get_details("Data Validity")
        broken += [f"{row.Column} {row.Score:.4f}" for row in parts.itertuples() if row.Score < 1]
    return broken


def checked(folder: Path) -> list[str]:
    """Return the list of what is broken in one table."""
    facts = json.loads((folder / "facts.json").read_text())
    broken = []
    try:
        broken += appended(facts["source"], facts["out"], facts["read"])
    except Exception as error:
        broken.append(f"{type(error).__module__}: {str(error).splitlines()[0][:120]}")
    try:
        broken += diagnosed(folder, facts["columns"])
    except Exception as error:
        broken.append(f"outside: {str(error).splitlines()[0][:120]}")
    return broken


def main() -> None:
    """Answer every line with one line."""
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        print(json.dumps(checked(Path(line.strip()))), flush=True)


if __name__ == "__main__":
    main()
