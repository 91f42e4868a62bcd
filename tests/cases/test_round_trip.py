"""Tables of many kinds: prepared, synthesised from the facts beside them, and read again as the source is."""

import re
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trisynth import sampling, stages

ROWS = 200
RNG = np.random.default_rng(11)
LABELS = RNG.choice(["no", "yes"], ROWS, p=[0.7, 0.3])
DAYS = pd.Timestamp("2019-01-01") + pd.to_timedelta(RNG.integers(0, 900, ROWS), unit="D")
MONEY = RNG.normal(0, 3000, ROWS)


def swiss(value: float) -> str:
    """Write an amount of francs."""
    return f"CHF {abs(value):,.2f}".replace(",", "'")


def german(value: float) -> str:
    """Write an amount of euros."""
    return f"{abs(value):,.2f} €".translate(str.maketrans(",.", ".,"))


def accounting(value: float) -> str:
    """Write negative amounts in parentheses."""
    return f"({-value:,.2f})" if value < 0 else f"{value:,.2f}"


# Cells of one column, and the pattern that all synthetic ones have.
NUMBERS = {
    "euros": ([german(v) for v in MONEY], r"\d{1,3}(\.\d{3})*,\d\d €"),
    "francs": ([swiss(v) for v in MONEY], r"CHF \d{1,3}('\d{3})*\.\d\d"),
    "parentheses": ([accounting(v) for v in MONEY], r"\d{1,3}(,\d{3})*\.\d\d|\(\d{1,3}(,\d{3})*\.\d\d\)"),
    "percent": ([f"{v / 100:.1f}%" for v in MONEY], r"-?\d+\.\d%"),
    "last bits": ([str(round(v, 2) - 0.5 - 0.2) for v in MONEY / 1000], r"-?\d+\.\d{1,2}"),
}
TIMES = {
    "month first": ("%m/%d/%Y", DAYS.strftime("%m/%d/%Y")),
    "day first": ("%d.%m.%Y", DAYS.strftime("%d.%m.%Y")),
    "digits": ("%Y%m%d", DAYS.strftime("%Y%m%d")),
    "zone": ("%Y-%m-%dT%H:%M:%S%z", [f"{day.isoformat()}+02:00" for day in DAYS]),
}
CODES = {
    "zip": [f"{v:05d}" for v in RNG.choice([512, 10115, 99078], ROWS)],
    "postal code": [str(v) for v in RNG.choice([10115, 80331, 99078], ROWS)],
    "level": [f"lvl{v}" for v in RNG.choice([1, 5, 9], ROWS)],
    "ward": [f"ICU{v}" for v in RNG.choice([1, 5, 9], ROWS)],
    "lines": list(RNG.choice(["two\nlines", "one  gap", 'a "b", c'], ROWS)),
    "accents": list(RNG.choice(["Cafe\u0301", "Tee"], ROWS)),
    "letters": list(RNG.choice(["AA", "Aa", "aa"], ROWS)),
}


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Prepare a file, draw 120 rows of it, and return their path."""
    monkeypatch.chdir(tmp_path)

    def run(name: str, target: str = "y"):
        kind = "parquet" if name.endswith(".parquet") else "csv"
        given = [f"dataset={kind}", f"dataset.path={name}", f"dataset.target={target}", "paths.cache=cache"]
        stages.main(["prepare", *given])
        out = tmp_path / f"out.{kind}"
        sampling.main([*given, "generator=independent", "n=120", f"out={out}"])
        return out

    return run


def texts(path, **how) -> pd.DataFrame:
    """Read a file as texts."""
    return pd.read_csv(path, dtype=str, keep_default_na=False, **how)


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_are_written_as_they_came(made, name):
    cells, pattern = NUMBERS[name]
    pd.DataFrame({"amount": cells, "y": LABELS}).to_csv("mine.csv", sep=";", index=False)
    rows = texts(made("mine.csv"), sep=";")
    assert list(rows) == ["amount", "y"]
    assert [cell for cell in rows["amount"] if not re.fullmatch(pattern, cell)] == []


def test_scientific_numbers_stay_numbers(made):
    pd.DataFrame({"load": [f"{abs(v):.2e}" for v in MONEY], "y": LABELS}).to_csv("mine.csv", index=False)
    drawn = pd.read_csv(made("mine.csv"))["load"]
    assert pd.api.types.is_float_dtype(drawn)
    assert drawn.median() == pytest.approx(np.median(np.abs(MONEY)), rel=0.4)


@pytest.mark.parametrize("name", TIMES)
def test_dates_stay_dates_of_the_same_form(made, name):
    form, cells = TIMES[name]
    pd.DataFrame({"day": list(cells), "y": LABELS}).to_csv("mine.csv", index=False)
    drawn = pd.to_datetime(texts(made("mine.csv"))["day"], format=form).dt.tz_localize(None)
    assert drawn.between(DAYS.min(), DAYS.max()).all()


@pytest.mark.parametrize("name", CODES)
def test_codes_are_those_of_the_source(made, name):
    pd.DataFrame({name: CODES[name], "y": LABELS}).to_csv("mine.csv", index=False)
    assert set(texts(made("mine.csv"))[name]) == set(CODES[name])


def test_a_column_without_a_name_keeps_none(made):
    table = pd.DataFrame({"x": np.round(MONEY), "y": LABELS})
    table.to_csv("mine.csv")
    out = made("mine.csv")
    assert out.read_text().startswith(",x,y\n")
    assert not set(pd.read_csv(out, index_col=0).index) & set(table.index)


def test_arrow_types_come_back(made):
    columns = {
        "small": pa.array(RNG.integers(-5, 5, ROWS), pa.int8()),
        "unsigned": pa.array(RNG.integers(0, 200, ROWS), pa.uint8()),
        "single": pa.array(np.round(MONEY / 1000, 2), pa.float32()),
        "decimal": pa.array([Decimal(f"{v:.3f}") for v in MONEY / 1000], pa.decimal128(12, 3)),
        "coded": pa.array(RNG.choice(["aa", "bb"], ROWS)).dictionary_encode(),
        "large": pa.array(RNG.choice(["aa", "bb"], ROWS), pa.large_string()),
        "clock": pa.array(RNG.integers(0, 86400, ROWS).astype("int32")).cast(pa.time32("s")),
        "nothing": pa.nulls(ROWS),
        "bytes": pa.array([b"x", b"y"] * (ROWS // 2)),
        "day": pa.array(DAYS.date),
        "y": pa.array(LABELS == "yes"),
    }
    pq.write_table(pa.table(columns), "mine.parquet")
    # As the file has it: it stores times of day in milliseconds at least.
    source = pq.read_table("mine.parquet").replace_schema_metadata(None)
    rows = pq.read_table(made("mine.parquet"))
    assert rows.schema.remove_metadata() == source.schema
    assert pa.concat_tables([source, rows.replace_schema_metadata(None)]).num_rows == ROWS + 120
