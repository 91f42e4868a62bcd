"""Columns of arrays: their way through Series, hashes, files, cleaning and splits, and what is refused in one line."""

import gzip
import io
import tarfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from trisynth.data import sequences, tensors
from trisynth.data.arrays.beats import beats
from trisynth.data.arrays.features import autocorrelation, summarised
from trisynth.data.arrays.images import GARMENTS, digits, fashion_mnist
from trisynth.data.arrays.sines import CLASSES, classified, sines
from trisynth.data.cleaning.clean import clean
from trisynth.data.dataset import Column, Dataset, Spec
from trisynth.data.kinds import Tensor, learn
from trisynth.data.readers import parquet
from trisynth.data.splits.split import split
from trisynth.errors import InputError

SPEC = Spec("shapes", "y", columns={"image": Column("tensor", shape=(2, 3))})


def table(n: int = 12) -> pd.DataFrame:
    arrays = np.random.default_rng(0).normal(size=(n, 2, 3)).astype(np.float32)
    y = pd.Categorical(np.where(np.arange(n) % 2, "a", "b"))
    return pd.DataFrame({"image": tensors.column(arrays), "x": np.arange(n) / 4, "y": y})


def test_arrays_come_back_whatever_rows_are_selected():
    arrays = np.arange(24, dtype=np.float32).reshape(4, 2, 3)
    cells = tensors.column(arrays, "image", pd.Index([9, 8, 7, 6]))
    assert tensors.is_tensor(cells.dtype) and cells.index.tolist() == [9, 8, 7, 6]
    for rows in ([0, 1, 2, 3], [2, 0], [3, 3, 1], []):
        assert np.array_equal(tensors.values(cells.iloc[rows]), arrays.reshape(4, 6)[rows])
    both = pd.concat([cells.iloc[1:], cells.iloc[:1]])
    assert np.array_equal(tensors.values(both), arrays.reshape(4, 6)[[1, 2, 3, 0]])


def test_a_data_set_with_arrays_has_all_verbs(tmp_path):
    dataset = Dataset.of(table(), SPEC)
    changed = table()
    arrays = tensors.values(changed["image"]).copy()
    arrays[3, 4] += 1
    other = Dataset.of(changed.assign(image=tensors.column(arrays)), SPEC)
    assert dataset.digest == Dataset.of(table(), SPEC).digest != other.digest
    assert dataset.take([3, 1]).X["image"].equals(dataset.X["image"].iloc[[3, 1]].reset_index(drop=True))
    dataset.write(tmp_path / "rows.parquet")
    again = Dataset.read(tmp_path / "rows.parquet", SPEC)
    assert again.frame.equals(dataset.frame) and again.digest == dataset.digest
    plain = pd.read_parquet(tmp_path / "rows.parquet")
    assert np.array_equal(np.stack(plain["image"]), tensors.values(dataset.X["image"]))
    assert plain["x"].dtype == float and plain["y"].dtype == dataset.y.dtype
    with pytest.raises(InputError, match=r"rows.csv': a CSV file cannot hold column image, whose cells are arrays"):
        dataset.write(tmp_path / "rows.csv")


def test_equal_arrays_are_duplicates_and_stay_on_one_side():
    one = table(60)
    raw = pd.concat([one, one.iloc[:10]], ignore_index=True)
    cfg = {"name": "shapes", "target": "y", "task": "classification", "source": "package"}
    columns = {"image": {"shape": [2, 3]}, "x": {"kind": "number"}, "y": {"kind": "category"}}
    dropped, report = clean(raw, {**cfg, "columns": columns, "duplicates": "drop"})
    assert len(dropped) == 60 and report["cells"].tolist() == [10]
    kept, _ = clean(raw, {**cfg, "columns": columns, "duplicates": "keep"})
    train, test = split(kept, seed=0)
    parts = [set(tensors.hashable(part.X)["image"]) for part in (train, test)]
    assert len(train) + len(test) == 70 and not parts[0] & parts[1]


def test_own_files_hold_arrays_of_one_size(tmp_path):
    lists = pa.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], pa.list_(pa.float64()))
    pa.parquet.write_table(pa.table({"s": lists, "y": ["a", "b", "a"]}), tmp_path / "mine.parquet")
    raw = parquet(tmp_path / "mine.parquet")
    cfg = {"name": "mine", "target": "y", "path": "mine.parquet"}
    with pytest.raises(InputError, match=r"columns.s.kind=.*set kind=tensor with the shape"):
        clean(raw, {**cfg, "columns": {}}, layout=False)
    found, _ = clean(raw, {**cfg, "columns": {"s": {"kind": "tensor", "axes": ["time"]}}}, layout=False)
    assert tensors.values(found.X["s"]).tolist() == [[1, 2], [3, 4], [5, 6]]
    assert found.columns["s"] == Column("tensor", shape=(2,), axes=("time",))


@pytest.mark.parametrize(
    ("lists", "facts", "line"),
    [
        ([[1.0, 2.0], [3.0]], {}, r"X='s': .*equal sizes: row 1 has 1 elements and row 0 has 2"),
        ([[1.0, 2.0], None], {}, r"X='s': row 1 has no array, or not all of it; drop such rows, 1 in all"),
        ([[2.0**24 + 1, 0.0], [3.0, 4.0]], {}, r"X='s': holds whole numbers beyond 16,777,216, which lose digits"),
        ([[1e39, 0.0], [3.0, 4.0]], {}, r"X='s': holds numbers beyond 3e38"),
        (
            [[1e9 + 0.1, 1e9], [1e9 + 0.7, 1e9]],
            {},
            r"X='s': holds numbers whose differences would be lost.*subtract an",
        ),
        ([[1.0, 2.0], [np.nan, 1.0]], {}, r"X='s': the array of row 1 holds NaN or infinity"),
        ([[1.0, 2.0], [3.0, 4.0]], {"shape": [3]}, r"columns.s.shape=\[3\]: has 3 elements, but the cells 2"),
        ([[1.0, 2.0], [3.0, 4.0]], {"shape": [2.5]}, r"columns.s.shape=.*: must be a list of whole numbers above 0"),
        ([[1.0, 2.0], [3.0, 4.0]], {"axes": ["up"]}, r"columns.s.axes=.*: must be one of these lists: time; time, ch"),
        ([[1.0, 2.0], [3.0, 4.0]], {"axes": ["time", "channel"]}, r"columns.s.axes=.*: name one of time, channel"),
    ],
)
def test_arrays_that_make_no_tensor_are_refused_in_one_line(lists, facts, line):
    cells = pd.Series(pa.array(lists, pa.list_(pa.float64())), dtype=pd.ArrowDtype(pa.list_(pa.float64())))
    raw = pd.DataFrame({"s": cells, "y": ["a", "b"]})
    cfg = {"name": "mine", "target": "y", "columns": {"s": {"kind": "tensor", **facts}}}
    with pytest.raises(InputError, match=line):
        clean(raw, cfg)


def test_a_tensor_keeps_range_and_grid_of_the_training_rows():
    cells = tensors.column(np.array([[0, 3], [16, 2]]), "image")
    kind = learn(cells)
    assert isinstance(kind, Tensor) and kind.whole and (kind.lower, kind.upper) == (0, 16)
    drawn = tensors.column(np.array([[-1.0, 2.6], [20.0, 0.2]]), "image")
    assert tensors.values(kind.restore(drawn)).tolist() == [[0, 3], [16, 0]]
    double = cells.astype(pd.ArrowDtype(pa.list_(pa.float64(), 2)))
    assert learn(double).restore(learn(double).canonical(double)).equals(double)
    with pytest.raises(InputError, match="X='image': holds whole numbers beyond 16,777,216"):
        learn(pd.Series([[2.0**24 + 1, 0.0]], dtype=double.dtype, name="image"))


def test_axes_follow_from_the_number_of_axes():
    shapes = {(6,): ("time",), (2, 3): ("height", "width"), (1, 2, 3): ("height", "width", "channel")}
    for shape, axes in shapes.items():
        assert learn(table()["image"], Column(shape=shape)).axes == axes
    assert learn(table()["image"], Column(shape=(2, 3), axes=("time", "channel"))).is_series


def test_known_data_sets_have_their_shapes():
    found = digits()
    assert found.shape == (1797, 2) and tensors.values(found["image"]).max() == 16
    series = tensors.values(sines(50)["series"]).reshape(50, 24, 5)
    assert sines(50).equals(sines(50)) and series.min() >= 0.5 and series.max() <= 1
    found = classified(600)
    assert set(found["speed"]) == set(CLASSES)
    features = summarised(found, {}).groupby(found["speed"])["series autocorrelation"].mean()
    assert features["slow"] > features["middle"] > features["fast"]


def test_beats_are_cut_around_the_peaks_of_a_record(tmp_path):
    record = np.zeros(5000)
    places = np.arange(150, 5000, 300)
    record[places] = 2.0
    np.savez(tmp_path / "record.npz", ecg=record)
    cells = tensors.values(beats(tmp_path / "record.npz")["beat"])
    # The last peak has too few samples behind it.
    assert cells.shape == (len(places) - 1, 64)
    assert (cells.argmax(axis=1) == 24).all() and cells.max() == 0.5
    np.savez(tmp_path / "flat.npz", ecg=np.zeros(5000))
    with pytest.raises(InputError, match="has 0 beats; ten are needed"):
        beats(tmp_path / "flat.npz")
    np.savez(tmp_path / "other.npz", eeg=record)
    with pytest.raises(InputError, match="is not a numpy file with an array ecg"):
        beats(tmp_path / "other.npz")


def test_an_image_may_be_a_list_of_lines_of_equal_sizes():
    images = np.arange(72.0).reshape(6, 3, 2, 2)
    cfg = {"name": "t", "target": "y", "columns": {"image": {"kind": "tensor", "shape": [3, 2, 2]}}}

    def raw(cells):
        found = pa.array(cells, pa.list_(pa.list_(pa.list_(pa.float64()))))
        return pd.DataFrame({"image": pd.array(found, dtype=pd.ArrowDtype(found.type)), "y": list("ababab")})

    read = clean(raw(images.tolist()), cfg)[0]
    assert (tensors.values(read.X["image"]) == images.reshape(6, 12)).all()
    for change, line in (
        (lambda cells: cells[4].pop(), "row 4 has 2 lists and row 0 has 3"),
        (lambda cells: cells[4][1].pop(), "row 4 has 1 lists and row 0 has 2"),
        (lambda cells: cells[2][2][0].append(1.0), "row 2 has 3 elements and row 0 has 2"),
        (lambda cells: cells[3][2].__setitem__(0, None), "row 3 has no array, or not all of it; drop such rows, 1"),
    ):
        cells = images.tolist()
        change(cells)
        with pytest.raises(InputError, match=f"X='image': (arrays of a tensor must have equal sizes: )?{line}"):
            clean(raw(cells), cfg)


def test_garments_are_read_from_the_files_of_their_package(tmp_path):
    rng = np.random.default_rng(0)
    images = {"train": rng.integers(0, 256, (6, 28, 28)), "t10k": rng.integers(0, 256, (4, 28, 28))}
    labels = {"train": np.arange(6), "t10k": np.arange(6, 10)}
    with tarfile.open(tmp_path / "data.tar.xz", "w:xz") as archive:
        for part in images:
            for kind, start, cells in (("images-idx3", 16, images[part]), ("labels-idx1", 8, labels[part])):
                content = gzip.compress(bytes(start) + cells.astype(np.uint8).tobytes())
                member = tarfile.TarInfo(f"./usr/share/datasets/fashion-mnist/{part}-{kind}-ubyte.gz")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    read = fashion_mnist(tmp_path / "data.tar.xz", n=8)
    assert read["garment"].tolist() == list(GARMENTS[:8])
    assert (tensors.values(read["image"]) == np.concatenate(list(images.values()))[:8].reshape(8, -1)).all()


def test_autocorrelation_of_known_series():
    wave = np.tile([1.0, -1.0], 50)[None, :, None]
    assert autocorrelation(wave, 1).item() == pytest.approx(-0.99)
    assert autocorrelation(np.ones((1, 9, 1)), 1).item() == 0.0


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (pa.array([[]] * 6, pa.list_(pa.float64())), "the arrays have no elements"),
        (pa.array([b"\x00"] * 6), "needs lists of numbers, but the column holds binary"),
        (pa.array(["1 2 3"] * 6), "needs lists of numbers, but the column holds string"),
        (pa.array([["a"]] * 6), "holds list<item: string>; declare another kind"),
        (pa.array([[True]] * 6), "holds list<item: bool>; write true and false as 1 and 0, or declare another kind"),
    ],
)
def test_what_is_no_array_is_no_tensor(cells, message):
    raw = pd.DataFrame({"image": pd.array(cells, dtype=pd.ArrowDtype(cells.type)), "y": list("ababab")})
    cfg = {"name": "t", "target": "y", "columns": {"image": {"kind": "tensor", "shape": [1]}}}
    with pytest.raises(InputError, match=message):
        clean(raw, cfg)


@pytest.mark.parametrize("kind", ["tensor", "sequence"])
def test_a_file_without_rows_is_refused_in_one_line(kind):
    raw = pd.DataFrame(
        {"image": pd.array([], dtype=pd.ArrowDtype(pa.list_(pa.float64()))), "y": pd.Series([], dtype=str)}
    )
    with pytest.raises(InputError, match=r"^dataset.name='t': 0 usable rows left"):
        clean(raw, {"name": "t", "target": "y", "columns": {"image": {"kind": kind}}})


def test_large_fractions_are_kept_as_others_are():
    """In double precision all numbers of such a size are whole, which they were not meant to be."""
    given = np.random.default_rng(0).normal(size=(20, 3)) * 1e25
    assert np.allclose(tensors.values(tensors.column(given, "s")), given, rtol=1e-6)
    for whole in (np.full((2, 2), 2.0**24 + 1), np.full((2, 2), 2**60 + 1)):
        with pytest.raises(InputError, match="whole numbers beyond 16,777,216, which lose digits"):
            tensors.column(whole, "s")
    with pytest.raises(InputError, match="holds numbers beyond 3e38"):
        tensors.column(given * 1e20, "s")


@pytest.mark.parametrize(
    ("make", "arrays", "line"),
    [
        (tensors.column, [[1, 2], [3]], r"one shape: row 1 has \(1,\) and row 0 has \(2,\); .* by sequences.column"),
        (tensors.column, [["a", "b"]], "must hold real numbers, but holds <U1"),
        (tensors.column, 3.0, r"must have shape \(n, ...\), n arrays with elements, but has \(\)"),
        (tensors.column, np.zeros((60, 0)), r"but has \(60, 0\)"),
        (tensors.column, np.zeros((3, 2), complex), "must hold real numbers, but holds complex128"),
        (tensors.column, [[2**24 + 1, 0]], "whole numbers beyond 16,777,216, which lose digits"),
        (
            sequences.column,
            [np.zeros((3, 2)), np.zeros((2, 1))],
            r"row 1 has \(2, 1\); .*equally many channels in all rows",
        ),
        (sequences.column, [1.0, 2.0], r"row 0 has \(\); each must have shape"),
        (sequences.column, [["a"]], "must hold real numbers, but holds <U1"),
        (tensors.column, [[True], [False]], "holds true and false from row 0 on; write 1 and 0"),
        (sequences.column, [[1.0], [True]], "holds true and false in row 1; write 1 and 0"),
        (tensors.column, [[1.0], [np.nan]], "the array of row 1 holds NaN or infinity; fill it in, or drop such rows"),
        (tensors.column, np.ma.masked_array([[1.0]], [[True]]), "the array of row 0 holds NaN or infinity"),
        (sequences.column, [[1.0], [2.0, np.inf]], "the sequence of row 1 holds NaN or infinity"),
        (sequences.column, [[1.0], []], "row 1 has no steps; drop such rows, 1 in all"),
        (sequences.column, [[[1, 2]], [[1, 2], [3]]], "row 1 has steps of different sizes"),
        (sequences.column, [[1.0], pd.NA], "has no array in row 1"),
        (tensors.column, None, "must be an array with one row for each sample, but is NoneType"),
        (sequences.column, 7, "must be an array with one row for each sample, but is int"),
    ],
)
def test_what_makes_no_column_is_refused_in_one_line(make, arrays, line):
    with pytest.raises(InputError, match=f"^X='s': .*{line}"):
        make(arrays, "s")


def test_arrays_as_objects_are_refused_by_the_line_that_names_the_remedy():
    """A DataFrame holds rows of arrays as objects, with which nothing can be fitted before they are converted."""
    cells = pd.Series([np.zeros(2), np.ones(2)] * 3, name="s")
    for attempt in (
        lambda: learn(cells),
        lambda: clean(pd.DataFrame({"s": cells, "y": list("ababab")}), {"name": "t", "target": "y"}),
    ):
        with pytest.raises(
            InputError, match=r"holds arrays as objects; make the column by trisynth.data.tensors.column"
        ):
            attempt()
    assert tensors.values(tensors.column(cells)).tolist() == [[0, 0], [1, 1]] * 3
    lists = pd.DataFrame(
        {"s": pd.Series([[1.0]] * 6, dtype=pd.ArrowDtype(pa.list_(pa.float64()))), "y": list("ababab")}
    )
    with pytest.raises(InputError, match=r"dataset.target='s': holds lists, which are no target"):
        clean(lists, {"name": "t", "target": "s"})


def test_numbers_whose_differences_single_precision_loses_are_refused():
    near = 1e9 + np.random.default_rng(0).normal(size=(6, 4))
    plain = np.zeros((6, 4))
    # One channel alone is lost; a constant is not, whatever its size.
    both = np.stack([near, plain], axis=2)
    for make in (tensors.column, sequences.column):
        for arrays in (near, both):
            with pytest.raises(InputError, match="X='t': holds numbers whose differences would be lost"):
                make(arrays, "t")
        kept = make(np.stack([near - 1e9, plain + 1e9 + 0.1], axis=2), "t")
        assert make(near.astype(np.float32), "t").shape == kept.shape == (6,)
        # Squares of half precision would overflow.
        assert len(make(np.array([[6e4, -6e4]] * 3, np.float16), "t")) == 3
    for dtype in (pa.list_(pa.float64(), 4), pa.list_(pa.float64())):
        cells = pd.Series(pa.array(near.tolist(), dtype), dtype=pd.ArrowDtype(dtype))
        raw = pd.DataFrame({"t": cells, "y": list("ababab")})
        for kind in ("tensor", "sequence"):
            if kind == "tensor" or not tensors.is_tensor(cells.dtype):
                with pytest.raises(InputError, match="X='t': holds numbers whose differences would be lost"):
                    clean(raw, {"name": "mine", "target": "y", "columns": {"t": {"kind": kind}}})


def test_images_that_pandas_reads_make_a_column(tmp_path):
    scans = np.random.default_rng(0).integers(0, 256, (4, 3, 2), np.uint8)
    path = tmp_path / "scans.parquet"
    pa.parquet.write_table(pa.table({"scan": pa.array(scans.tolist(), pa.list_(pa.list_(pa.uint8())))}), path)
    for read in (pd.read_parquet(path), pd.read_parquet(path, dtype_backend="pyarrow")):
        assert tensors.values(tensors.column(read["scan"])).tolist() == scans.reshape(4, 6).tolist()
        gaps = read["scan"].astype(object)
        gaps[2] = None
        assert np.array_equal(sequences.values(sequences.column(read["scan"])), scans)
        for make in (tensors.column, sequences.column):
            with pytest.raises(InputError, match="X='scan': has no array in row 2; drop such rows, 1 in all"):
                make(gaps)


@pytest.mark.parametrize("item", [pa.uint8(), pa.int64(), pa.float16(), pa.float64()], ids=str)
def test_flat_lists_of_a_fixed_size_are_series_whatever_their_numbers(item):
    numbers = np.arange(24).astype(item.to_pandas_dtype())
    lists = pa.FixedSizeListArray.from_arrays(pa.array(numbers, item), 4)
    raw = pd.DataFrame({"s": pd.Series(lists, dtype=pd.ArrowDtype(lists.type)), "y": list("ababab")})
    found, _ = clean(raw, {"name": "mine", "target": "y"})
    assert found.columns["s"] == Column("tensor", shape=(4,), axes=("time",))
    assert tensors.values(found.X["s"]).ravel().tolist() == list(range(24))
