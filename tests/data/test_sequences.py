"""Columns of series of unequal lengths: selection, hashes, files, cleaning, and what is refused in one line."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from trisynth.data import sequences, tensors
from trisynth.data.arrays import episodes
from trisynth.data.arrays.features import summarised
from trisynth.data.cleaning.clean import clean
from trisynth.data.dataset import Column, Dataset, Spec
from trisynth.data.kinds import Sequence, learn
from trisynth.data.readers import parquet
from trisynth.data.splits.split import split
from trisynth.encoders.table import TableEncoder
from trisynth.errors import InputError

SPEC = Spec("walks", "y", columns={"walk": Column("sequence")})
CELLS = [np.arange(2 * size, dtype=np.float32).reshape(size, 2) + size for size in (3, 1, 5, 2)]


def table(n: int = 12) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    cells = [rng.normal(size=(size, 2)) for size in rng.integers(1, 9, n)]
    y = pd.Categorical(np.where(np.arange(n) % 2, "a", "b"))
    return pd.DataFrame({"walk": sequences.column(cells), "x": np.arange(n) / 4, "y": y})


def test_sequences_come_back_whatever_rows_are_selected():
    cells = sequences.column(CELLS, "walk", pd.Index([9, 8, 7, 6]))
    assert tensors.is_sequence(cells.dtype) and cells.dtype == sequences.dtype_of(2)
    for rows in ([0, 1, 2, 3], [2, 0], [3, 3, 1], []):
        chosen = cells.iloc[rows]
        assert sequences.lengths(chosen).tolist() == [len(CELLS[row]) for row in rows]
        found = sequences.values(chosen)
        assert all(np.array_equal(a, CELLS[row]) for a, row in zip(found, rows, strict=True))
    both = pd.concat([cells.iloc[1:], cells.iloc[:1]])
    assert np.array_equal(sequences.values(both)[3], CELLS[0])


def test_a_data_set_with_sequences_has_all_verbs(tmp_path):
    dataset = Dataset.of(table(), SPEC)
    changed = sequences.mapped(dataset.X["walk"], lambda steps: steps + (np.arange(len(steps))[:, None] == 5))
    other = Dataset.of(table().assign(walk=changed), SPEC)
    assert dataset.digest == Dataset.of(table(), SPEC).digest != other.digest
    dataset.write(tmp_path / "rows.parquet")
    again = Dataset.read(tmp_path / "rows.parquet", SPEC)
    assert again.frame.dtypes.equals(dataset.frame.dtypes) and again.digest == dataset.digest
    plain = pd.read_parquet(tmp_path / "rows.parquet")
    assert [len(cell) for cell in plain["walk"]] == sequences.lengths(dataset.X["walk"]).tolist()
    with pytest.raises(InputError, match=r"rows.csv': a CSV file cannot hold column walk, whose cells are arrays"):
        dataset.write(tmp_path / "rows.csv")
    train, test = split(Dataset.of(table(60), SPEC), 0)
    assert len(train) + len(test) == 60


@pytest.mark.parametrize("nested", [False, True])
def test_lists_of_a_users_file_are_read_as_declared(tmp_path, nested):
    lists = [[1.0, 2.0, 4.0], [3.0], [5.0, 6.0]]
    lists = [[[number, -number] for number in cell] for cell in lists] if nested else lists
    pa.parquet.write_table(pa.table({"s": lists, "y": ["a", "b", "a"]}), tmp_path / "mine.parquet")
    cfg = {"name": "mine", "target": "y", "path": f"{tmp_path}/mine.parquet"}
    raw = parquet(tmp_path / "mine.parquet")
    dataset, _ = clean(raw, {**cfg, "columns": {"s": {"kind": "sequence"}}})
    assert sequences.lengths(dataset.X["s"]).tolist() == [3, 1, 2]
    assert sequences.channels_of(dataset.X["s"].dtype) == 1 + nested and dataset.facts["s"].kind == "sequence"
    if not nested:
        with pytest.raises(InputError, match=r"row 1 has 1 elements and row 0 has 3"):
            clean(raw, {**cfg, "columns": {"s": {"kind": "tensor"}}})
        with pytest.raises(InputError, match=r"kind=sequence for series of unequal lengths"):
            clean(raw, cfg)


@pytest.mark.parametrize(
    ("lists", "line"),
    [
        ([[1.0], [], [2.0]], r"row 1 has no steps; drop such rows, 1 in all"),
        ([[1.0], None, [2.0]], r"row 1 has no steps"),
        ([[1.0], [2.0, float("nan")], [2.0]], r"the sequence of row 1 holds NaN or infinity.*1 in all"),
        ([[[1.0, 2.0]], [[3.0]], [[1.0, 2.0]]], r"row 1 has steps that are not of 2 numbers"),
        ([[[]], [[3.0]], [[1.0]]], r"row 0 has steps without numbers"),
    ],
)
def test_bad_sequences_are_refused_in_one_line(lists, line):
    kind = pa.list_(pa.list_(pa.float64())) if isinstance(lists[0][0], list) else pa.list_(pa.float64())
    raw = pd.DataFrame({"s": pd.Series(lists, dtype=pd.ArrowDtype(kind)), "y": ["a", "b", "a"]})
    with pytest.raises(InputError, match=line):
        clean(raw, {"name": "mine", "target": "y", "columns": {"s": {"kind": "sequence"}}})


def test_a_kind_keeps_range_and_whole_numbers():
    known = learn(sequences.column([np.array([1, 5]), np.array([2, 3, 4])], "s"))
    assert isinstance(known, Sequence) and (known.longest, known.lower, known.upper, known.whole) == (3, 1, 5, True)
    restored = sequences.values(known.restore(sequences.column([np.array([0.2, 4.4, 9.0])], "s")))
    assert restored[0].ravel().tolist() == [1, 4, 5]


def test_features_and_encoded_places_are_those_of_each_sequence():
    X = pd.DataFrame({"s": sequences.column([np.array([0.0, 2.0, 4.0]), np.array([7.0])])})
    found = sequences.spread(X)
    assert found["s[length]"].tolist() == [3, 1] and found["s[mean]"].tolist() == [2, 7]
    assert found["s[deviation]"].tolist() == pytest.approx([(8 / 3) ** 0.5, 0])
    assert summarised(X, {}).equals(found)
    assert sequences.resampled(X["s"], 5)[:, :, 0].tolist() == [[0, 1, 2, 3, 4], [7] * 5]
    assert sequences.padded(X["s"], 2).tolist() == [[[0, 1], [2, 1]], [[7, 1], [0, 0]]]
    encoder = TableEncoder().fit(X)
    matrix = encoder.transform(X)
    assert matrix.shape == (2, 1 + sequences.POINTS) and np.allclose(matrix.mean(axis=0), 0)
    with pytest.raises(InputError, match="sequences, which cannot be restored"):
        encoder.inverse(matrix)


def test_simulated_episodes_have_the_stated_distribution():
    rows = episodes.simulate(1500, 1)
    size = sequences.lengths(rows["episode"])
    brief = (rows["course"] == "brief").to_numpy()
    assert size[brief].mean() - episodes.SHORTEST == pytest.approx(episodes.RATE["brief"], abs=0.3)
    cells = [cell for cell, own in zip(sequences.values(rows["episode"]), brief, strict=True) if own]
    before, after = np.concatenate([cell[:-1] for cell in cells]), np.concatenate([cell[1:] for cell in cells])
    assert np.allclose(after.var(axis=0), 1, atol=0.05)
    assert (before * after).mean(axis=0) == pytest.approx(episodes.PHI["brief"], abs=0.05)
    found = [episodes.bayes_accuracy(600, lengths=lengths) for lengths in (True, False)]
    assert 0.8 < found[1] + 0.03 < found[0] < 0.98
