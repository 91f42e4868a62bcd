"""The checks of the cases find violations that are planted in synthetic rows, and none in rows of the same kind."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchmarks.cases import __main__ as command
from benchmarks.cases.checks import Table, faults

ROWS = 150


def rows(seed: int) -> pd.DataFrame:
    """Return patients with fresh identifiers, an order, a sum and a count."""
    rng = np.random.default_rng(seed)
    admitted = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 700, ROWS), unit="D")
    net = rng.integers(100, 9000, ROWS)
    tax = rng.integers(10, 900, ROWS)
    return pd.DataFrame(
        {
            "patient id": [f"P{number:06d}" for number in rng.permutation(900_000)[:ROWS]],
            "ward": rng.choice(["surgery", "medicine"], ROWS, p=[0.6, 0.4]),
            "admitted": admitted.strftime("%Y-%m-%d"),
            "discharged": (admitted + pd.to_timedelta(rng.integers(1, 15, ROWS), unit="D")).strftime("%Y-%m-%d"),
            "visits": rng.integers(0, 40, ROWS),
            "net": net,
            "tax": tax,
            "total": net + tax,
            "outcome": rng.choice(["well", "ill"], ROWS),
        }
    )


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Write real and changed synthetic rows, and return what the checks name."""
    folder = tmp_path_factory.mktemp("cases")

    def write(table: pd.DataFrame, name: str, kind: str) -> Path:
        path = folder / f"{name}.{kind}"
        table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path, index=False)
        return path

    def read(kind: str) -> Table:
        (folder / f"{kind}.yaml").write_text("target: outcome\n")
        return Table.read(write(rows(0), kind, kind))

    real = {kind: read(kind) for kind in ("csv", "parquet")}
    return lambda kind, change: faults(real[kind], real[kind].like(write(change(rows(1)), "made", kind)))


def copied(table: pd.DataFrame) -> pd.DataFrame:
    """Put an identifier of a real row into a synthetic one."""
    return table.assign(**{"patient id": [rows(0)["patient id"][7], *table["patient id"][1:]]})


def repeated(table: pd.DataFrame) -> pd.DataFrame:
    """Use an identifier twice."""
    return table.assign(**{"patient id": [table["patient id"][1], *table["patient id"][1:]]})


def swapped(table: pd.DataFrame) -> pd.DataFrame:
    """Change the order of two columns."""
    return table[["ward", "patient id", *list(table)[2:]]]


def late(table: pd.DataFrame) -> pd.DataFrame:
    """Discharge a patient before the admission."""
    return table.assign(discharged=["2019-12-01", *table["discharged"][1:]])


def fractional(table: pd.DataFrame) -> pd.DataFrame:
    """Write whole numbers with a decimal place."""
    return table.assign(visits=table["visits"].astype(float))


def invented(table: pd.DataFrame) -> pd.DataFrame:
    """Add a category that no real row has."""
    return table.assign(ward=["Surgery", *table["ward"][1:]])


def shifted(table: pd.DataFrame) -> pd.DataFrame:
    """Give nearly all rows one category."""
    return table.assign(ward=["medicine", *["surgery"] * (ROWS - 1)])


def unequal(table: pd.DataFrame) -> pd.DataFrame:
    """Change the sum in a twentieth of the rows."""
    return table.assign(total=table["total"] + (np.arange(ROWS) % 20 == 0))


def memorised(table: pd.DataFrame) -> pd.DataFrame:
    """Copy everything but the identifiers from real rows."""
    return rows(0).assign(**{"patient id": table["patient id"]})


def unlike(table: pd.DataFrame) -> pd.DataFrame:
    """Write an admission in another format."""
    return table.assign(admitted=["01/02/2020", *table["admitted"][1:]])


VIOLATIONS = [
    ("csv", copied, "patient id: 1 real identifiers"),
    ("csv", repeated, "patient id: identifiers repeated"),
    ("csv", swapped, "columns ['ward', 'patient id'"),
    ("csv", late, "admitted <= discharged in 0.993"),
    ("csv", fractional, "visits: written as ['0.0'"),
    ("csv", invented, "ward: written as ['Surgery']"),
    ("csv", unlike, "admitted: written as ['01/02/2020']"),
    ("csv", shifted, "ward: 'surgery' in 0.993 of the rows"),
    ("csv", unequal, "total = net + tax in 0.947"),
    ("csv", memorised, "150 rows repeat all near-unique cells"),
    ("parquet", fractional, "visits: double[pyarrow] for int64[pyarrow]"),
    ("parquet", copied, "patient id: 1 real identifiers"),
]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_rows_of_the_same_kind_pass(found, kind):
    assert found(kind, lambda table: table) == []


@pytest.mark.parametrize(("kind", "violation", "name"), VIOLATIONS, ids=[f"{v[0]} {v[1].__name__}" for v in VIOLATIONS])
def test_a_planted_violation_is_named(found, kind, violation, name):
    named = found(kind, violation)
    assert any(line.startswith(name) for line in named), named


def test_a_command_that_ends_with_a_traceback_is_named(tmp_path, monkeypatch):
    def broken(arguments):
        raise KeyError("ward")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "trisynth", broken)
    rows(0).to_csv("table.csv", index=False)
    (row,) = command.case(Path("table.csv"), "outcome", ["circuit"], None, run=False)
    assert row["prepare"] == 99 and row["faults"] == "prepare"
