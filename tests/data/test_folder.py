"""Folders of Parquet files: read in batches of equal size, sampled by row numbers, refused where parts do not fit."""

import gc
import json
import os
import weakref
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trisynth.cache import sealed, sha256
from trisynth.data.reading.folder import MANIFEST, Folder, error_of_quantiles
from trisynth.data.stream import Stream, read_folder
from trisynth.errors import InputError

ROWS = 500


def table(rows: int = ROWS) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "number": np.arange(rows),
            "dose": rng.normal(size=rows),
            "town": rng.choice(["Ulm", "Bonn", "Trier"], rows),
            "outcome": rng.choice(["sick", "well"], rows),
        }
    )


def write(frame: pd.DataFrame, folder: Path, cuts: list[int] = (), rows_of_group: int = 50) -> Path:
    folder.mkdir(exist_ok=True)
    for i, (first, last) in enumerate(zip([0, *cuts], [*cuts, len(frame)], strict=True)):
        frame[first:last].to_parquet(folder / f"part-{i}.parquet", index=False, row_group_size=rows_of_group)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return write(table(), tmp_path_factory.mktemp("rows"), [120, 121, 400])


def refused(path: Path) -> str:
    with pytest.raises(InputError) as error:
        Folder.open(path).digest  # noqa: B018
    assert "\n" not in str(error.value)
    return str(error.value)


@given(st.integers(1, 600), st.integers(2, 600), st.integers(0, 5))
def test_a_sample_depends_on_neither_files_nor_batches(folder, size, rows, seed):
    opened = Folder.open(folder)
    batches = list(opened.tables(size=size))
    assert [len(batch) for batch in batches[:-1]] == [size] * (len(batches) - 1)
    assert pa.concat_tables(batches)["number"].to_pylist() == list(range(ROWS))
    drawn = opened.sample(rows, seed)["number"].to_pylist()
    assert drawn == sorted(set(drawn))
    assert len(drawn) == min(rows, ROWS)


def test_other_files_of_the_same_rows_give_the_same_sample(folder, tmp_path):
    other = Folder.open(write(table(), tmp_path / "other", [7, 300], 23))
    assert other.sample(40, 1).equals(Folder.open(folder).sample(40, 1))
    assert other.digest != Folder.open(folder).digest


def test_every_row_is_drawn_equally_often(folder):
    opened = Folder.open(folder)
    counts = np.bincount(np.concatenate([opened.sample(50, seed)["number"].to_numpy() for seed in range(60)]))
    # 6 expected draws; a row with 20 has a probability of 1e-5.
    assert counts.sum() == 3_000
    assert counts.max() < 20


def test_folders_whose_names_hold_a_column_and_categories_of_other_codes(tmp_path):
    for year, categories in (("2023", 2), ("2024", 300)):
        (tmp_path / f"year={year}").mkdir()
        codes = pd.Categorical([f"c{i}" for i in range(categories)])
        pd.DataFrame({"code": codes}).to_parquet(tmp_path / f"year={year}" / "rows.parquet", index=False)
    found = pa.concat_tables(Folder.open(tmp_path).tables())
    assert found.schema.names == ["code", "year"]
    assert found["year"].to_pylist() == [2023] * 2 + [2024] * 300


def test_quantiles_of_a_sample_are_within_the_error():
    rng = np.random.default_rng(0)
    off = [np.abs(np.sort(rng.random(400)) - np.arange(1, 401) / 400).max() for _ in range(200)]
    assert np.mean(np.array(off) > error_of_quantiles(400)) <= 0.08


def test_a_folder_that_cannot_be_used_is_one_line(tmp_path):
    assert "holds no Parquet file" in refused(tmp_path)
    write(table(), tmp_path, [100])
    (tmp_path / "part-1.parquet").write_text("a,b\n1,2\n")
    assert "part-1.parquet" in refused(tmp_path)
    assert "is not a readable Parquet file" in refused(tmp_path)
    table().assign(dose="high").to_parquet(tmp_path / "part-1.parquet", index=False)
    assert "column dose is double in part-0.parquet and string in part-1.parquet" in refused(tmp_path)
    table().drop(columns="town").to_parquet(tmp_path / "part-1.parquet", index=False)
    assert "column town is string in part-0.parquet and absent in part-1.parquet" in refused(tmp_path)


def test_a_folder_that_differs_from_its_manifest_is_one_line(tmp_path):
    write(table(), tmp_path, [100])
    files = sorted(tmp_path.glob("*.parquet"))
    listed = [{"file": f.name, "rows": n, "sha256": sha256(f)} for f, n in zip(files, (100, 400), strict=True)]
    (tmp_path / MANIFEST).write_text(sealed({"files": listed}))
    assert Folder.open(tmp_path).rows == ROWS
    kept = files[0].read_bytes()
    table()[::-1][:100].to_parquet(files[0], index=False)
    assert "was changed after" in refused(tmp_path)
    table()[:90].to_parquet(files[0], index=False)
    assert "has 90 rows, and 100 in" in refused(tmp_path)
    files[0].unlink()
    assert "is listed in the manifest and absent" in refused(tmp_path)
    files[0].write_bytes(kept)
    (tmp_path / "more.parquet").write_bytes(kept)
    assert "is not listed in the manifest" in refused(tmp_path)
    (tmp_path / MANIFEST).write_text(json.dumps({"files": []}))
    assert "is damaged" in refused(tmp_path)
    # What another program sealed has the right digest, and may have any form.
    for odd in ({}, {"files": None}, {"files": [1]}, {"files": [listed[0] | {"rows": "1"}]}, {"files": {"a": 1}}):
        (tmp_path / MANIFEST).write_text(sealed(odd))
        assert "it does not list files with their rows and digests" in refused(tmp_path)


def test_equal_names_of_columns_are_one_line(tmp_path):
    column = pa.array([1.0, 2.0])
    pq.write_table(pa.Table.from_arrays([column, column], ["a\nb", "a\nb"]), tmp_path / "rows.parquet")
    assert refused(tmp_path).endswith("has two columns a b; rename one")


def test_the_footers_of_many_files_are_not_kept(tmp_path, monkeypatch):
    write(table(), tmp_path, [50, 100, 150, 200])
    alive, read = [], pq.read_metadata
    held = []

    def counted(file):
        gc.collect()  # a footer and its columns refer to each other
        held.append(sum(footer() is not None for footer in alive))
        footer = read(file)
        alive.append(weakref.ref(footer))
        return footer

    monkeypatch.setattr("trisynth.data.reading.folder.pq.read_metadata", counted)
    assert Folder.open(tmp_path).rows == ROWS
    assert max(held) <= 1


@pytest.mark.parametrize("change", ["longer", "shorter", "gone", "fifo"])
@pytest.mark.parametrize("moment", ["before", "during"])
def test_a_file_that_changes_between_passes_is_one_line(tmp_path, change, moment):
    write(table(), tmp_path, [100, 200, 300])
    opened, file = Folder.open(tmp_path), tmp_path / "part-0.parquet"

    def changed():
        file.unlink()
        if change == "fifo":
            os.mkfifo(file)
        elif change != "gone":
            table()[: 90 if change == "shorter" else 110].to_parquet(file, index=False)

    assert sum(map(len, opened.tables(size=50))) == ROWS
    with pytest.raises(InputError, match=r"part-0.parquet': has changed since the folder was opened"):
        if moment == "before":
            changed()
        for number, _ in enumerate(opened.tables(size=50)):
            if number == 5:
                changed()


def test_no_path_is_no_folder():
    for path in (None, 3):
        with pytest.raises(InputError, match=r"^path=.*must be a folder of Parquet files"):
            read_folder(path)


def test_a_stream_reads_cells_as_its_sample_does(tmp_path):
    frame = table().assign(
        town=lambda df: df["town"].where(df["dose"] > -1, " Ulm "),
        age=lambda df: df["number"] % 90 + 0.0,
        joined=pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(ROWS) % 40, unit="D"),
        weight=lambda df: [f"{60 + i % 30},5 kg" for i in df["number"]],
    )
    frame.loc[3, ["age", "town"]] = None
    write(frame, tmp_path / "rows", [10, 300])
    stream = read_folder(tmp_path / "rows", "outcome", sample=200)
    assert isinstance(stream, Stream)
    whole = read_folder(tmp_path / "rows", "outcome")
    read = pd.concat(stream.frames(), ignore_index=True)
    assert len(read) == len(stream) == ROWS
    for name, cells in whole.frame.items():
        kept = read[name].astype(object) if cells.dtype == "category" else read[name].astype(cells.dtype)
        assert kept.equals(cells.astype(kept.dtype)), name
