"""A user's Parquet file with arrays, from the command line to synthetic rows in the form of the file."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trisynth.commandline import composed
from trisynth.errors import InputError
from trisynth.sampling import synthesize


@pytest.fixture
def arguments(tmp_path) -> list[str]:
    """A table of signals as lists, with the facts of their column."""
    rng = np.random.default_rng(0)
    y = np.arange(90) % 2
    signals = rng.normal(size=(90, 6)).cumsum(axis=1) + 3 * y[:, None]
    scans = rng.integers(0, 256, (90, 2, 3, 2)).tolist()
    columns = {
        "id": [f"P{i:05d}" for i in rng.choice(90_000, 90, replace=False)],
        "signal": pa.array(signals.tolist(), pa.list_(pa.float64())),
        "leads": pa.array(signals.reshape(90, 2, 3).tolist(), pa.list_(pa.list_(pa.float64(), 3), 2)),
        "scan": pa.array(scans, pa.list_(pa.large_list(pa.list_(pa.uint8())))),
        "age": rng.integers(20, 90, 90),
        "ill": np.where(y, "yes", "no"),
    }
    pq.write_table(pa.table(columns), tmp_path / "mine.parquet")
    paths = [f"paths.{name}={tmp_path / name}" for name in ("raw", "cache", "runs", "sweeps")]
    facts = ["+dataset.columns.signal.kind=tensor", "+dataset.columns.signal.axes=[time]"]
    facts += [f"+dataset.columns.{name}.kind=tensor" for name in ("leads", "scan")]
    return ["dataset=parquet", f"dataset.path={tmp_path}/mine.parquet", "dataset.target=ill", *facts, *paths]


def test_rows_come_back_in_the_types_of_the_file(arguments, tmp_path):
    out = tmp_path / "rows.parquet"
    assert synthesize(composed([*arguments, "generator=block_bootstrap"]), {"yes": 7, "no": 5}, str(out)) == 12
    real, drawn = pq.read_table(tmp_path / "mine.parquet"), pq.read_table(out)
    assert drawn.schema.equals(real.schema) and drawn["ill"].to_pylist().count("yes") == 7
    assert {len(cell) for cell in drawn["signal"].to_pylist()} == {6}
    assert np.array(drawn["leads"].to_pylist()).shape == (12, 2, 3)
    assert np.array(drawn["scan"].to_pylist()).shape == (12, 2, 3, 2)
    assert not set(drawn["id"].to_pylist()) & set(real["id"].to_pylist())


def test_a_csv_file_and_another_generator_are_refused_in_one_line(arguments, tmp_path):
    with pytest.raises(InputError, match=r"^out='\S+rows.csv': a CSV file cannot hold column signal"):
        synthesize(composed([*arguments, "generator=block_bootstrap"]), 5, str(tmp_path / "rows.csv"))
    with pytest.raises(InputError, match=r"signal.*Circuit does not take columns of kind tensor; it takes number, cat"):
        synthesize(composed([*arguments, "generator=circuit"]), 5, str(tmp_path / "rows.parquet"))
    assert not list(tmp_path.glob("rows.*"))


def test_series_of_unequal_lengths_come_back_in_the_types_of_the_file(tmp_path):
    rng = np.random.default_rng(0)
    lists = [rng.normal(size=size).tolist() for size in rng.integers(2, 7, 90)]
    columns = {
        "walk": pa.array(lists, pa.list_(pa.float64())),
        "steps": pa.array([[[number, -number] for number in row] for row in lists]),
        "ill": np.where(np.arange(90) % 2, "yes", "no"),
    }
    pq.write_table(pa.table(columns), tmp_path / "mine.parquet")
    given = ["dataset=parquet", f"dataset.path={tmp_path}/mine.parquet", "dataset.target=ill"]
    given += [f"+dataset.columns.{name}.kind=sequence" for name in ("walk", "steps")]
    given += [f"paths.{name}={tmp_path / name}" for name in ("raw", "cache", "runs", "sweeps")]
    out = tmp_path / "rows.parquet"
    assert synthesize(composed([*given, "generator=autoregressive"]), 20, str(out)) == 20
    drawn = pq.read_table(out)
    assert drawn.schema.equals(pq.read_table(tmp_path / "mine.parquet").schema)
    assert all(2 <= len(cell) <= 6 for cell in drawn["walk"].to_pylist())
    assert all(len(step) == 2 for cell in drawn["steps"].to_pylist() for step in cell)
    with pytest.raises(InputError, match="a CSV file cannot hold column walk"):
        synthesize(composed([*given, "generator=autoregressive"]), 5, str(tmp_path / "rows.csv"))
