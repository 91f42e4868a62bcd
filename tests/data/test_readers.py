"""Files become raw tables; what is no table is refused in one line."""

import bz2
import datetime
import gzip
import io
import lzma
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from trisynth.data.readers import delimited, keel, openml, parquet
from trisynth.errors import InputError

KEEL = "@relation r\n@attribute Age real [0, 9]\n@attribute 'Blood group' {A, B}\n@inputs Age\n@data\n1.0, A\n 2, B\n"


@pytest.fixture
def file(tmp_path):
    def write(content, name="table.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_separators_marks_and_encodings_are_recognised(file, separator, encoding):
    text = f"näme{separator}b\r\n1,5{separator}é\r\n" if separator != "," else "näme,b\r\n1.5,é\r\n"
    raw = delimited(file(text.encode(encoding)))
    assert list(raw) == ["näme", "b"]
    assert raw["b"].tolist() == ["é"]


def test_cells_stay_texts(file):
    raw = delimited(file('a,b\n007,\nNA,"x,\ny"\n'))
    assert raw.to_numpy().tolist() == [["007", ""], ["NA", "x,\ny"]]


def test_names_and_labels_are_given_in_the_config(file):
    raw = delimited(file("1,0\n2,7\n"), header=False, names=["sex", "x"], labels={"sex": {1: "male", "2": "female"}})
    assert raw.to_dict("list") == {"sex": ["male", "female"], "x": ["0", "7"]}


def test_an_unnamed_column_gets_a_name(file):
    assert list(delimited(file(",a\n0,1\n"))) == ["column_0", "a"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        (" \n\n", "is empty"),
        ("a,b\n1,2\n1,2,3\n", "line 3 has 3 cells and the first has 2"),
        ('a,b\n"x\ny",2\n1\n', "line 4 has 1 cells and the first has 2"),
        (b"\xff\xfea\x00,", "is not text"),
    ],
)
def test_a_broken_file_is_named_with_its_line(file, content, message):
    path = file(content)
    with pytest.raises(InputError, match=rf"dataset\.path=.*{path.name}.*{message}"):
        delimited(path)


def test_wrong_names_are_refused(file):
    with pytest.raises(InputError, match=r"dataset\.read\.names.*1 names for the 2 columns"):
        delimited(file("a,b\n1,2\n"), names=["a"])
    with pytest.raises(InputError, match=r"dataset\.read\.labels\.c.*no such column"):
        delimited(file("a,b\n1,2\n"), labels={"c": {"1": "one"}})


@pytest.mark.parametrize("read", [delimited, keel, parquet])
def test_a_missing_file_is_an_input_error(read, tmp_path):
    with pytest.raises(InputError, match=r"dataset\.path="):
        read(tmp_path / "absent")


def test_keel_takes_the_declared_names(file):
    raw = keel(file(KEEL))
    assert list(raw) == ["Age", "Blood group"]
    assert raw.to_numpy().tolist() == [["1.0", " A"], [" 2", " B"]]
    assert list(keel(file(KEEL), names=["age", "group"], labels={"group": {"A": "a"}})["group"]) == [
        "a",
        " B",
    ]


@pytest.mark.parametrize("content", ["a,b\n1,2\n", "@attribute a real\n@data\n", "@data\n1\n"])
def test_keel_refuses_other_formats(file, content):
    with pytest.raises(InputError, match="KEEL"):
        keel(file(content))


def test_parquet_keeps_dtypes_and_refuses_other_formats(file, tmp_path):
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    frame.to_parquet(tmp_path / "table.parquet")
    pd.testing.assert_frame_equal(parquet(tmp_path / "table.parquet"), frame)
    with pytest.raises(InputError, match=r"dataset\.path=.*not a readable Parquet"):
        parquet(file("a,b\n1,2\n"))


def test_openml_failures_become_one_line(monkeypatch):
    def unreachable(**_):
        raise OSError("no route\nto host")

    monkeypatch.setattr("sklearn.datasets.fetch_openml", unreachable)
    with pytest.raises(InputError, match=r"dataset\.data_id=31: the download from OpenML failed \(no route\)"):
        openml(31)


@pytest.mark.parametrize("separator", [";;", 3, ["a"]])
def test_a_separator_is_one_character(tmp_path, separator):
    (tmp_path / "t.csv").write_text("a;b\n1;2\n")
    with pytest.raises(InputError, match=r"^dataset\.read\.separator="):
        delimited(tmp_path / "t.csv", separator=separator)


def zipped(content: bytes, *names: str, method: int = zipfile.ZIP_STORED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name in names or ("table.csv",):
            archive.writestr(name, content)
    return target.getvalue()


PLAIN = "a,b,y\n2.5,8,yes\n-1.5,6,no\n0.25,6,yes\n1.5,2,no\n"


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zipped], ids=["gz", "bz2", "xz", "zip"])
def test_compressed_files_are_unpacked(file, pack):
    raw = delimited(file(pack(PLAIN.encode()), "table.bin"))
    assert raw.equals(delimited(file(PLAIN))) and "unpacked" in raw.attrs["notes"][0]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_of_a_method_that_has_no_limit_is_one_line(file, method):
    packed = zipped(PLAIN.encode(), method=method)
    for content in (packed, packed[:45] + bytes(20) + packed[65:]):
        with pytest.raises(InputError, match=r"is a zip with an unusual compression method; unpack it yourself$"):
            delimited(file(content))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        # Bytes from the end: where the directory begins. From the directory: a flag for names in UTF-8, and the name.
        ({"end": {-6: 0xFF, -5: 0xFF}}, "negative seek"),
        ({"directory": {9: 0x08, 46: 0xFF}}, "codec"),
    ],
    ids=["place before the file", "name of no encoding"],
)
def test_a_zip_that_is_described_wrongly_is_one_line(file, changes, reason):
    packed = bytearray(zipped(PLAIN.encode()))
    starts = {"end": len(packed), "directory": packed.index(b"PK\x01\x02")}
    for start, values in changes.items():
        for place, value in values.items():
            packed[starts[start] + place] = value
    with pytest.raises(InputError, match=rf"cannot be unpacked \(.*{reason}.*\); unpack it yourself$"):
        delimited(file(bytes(packed)))


def test_names_in_a_zip_neither_end_the_line_nor_command_the_terminal(file):
    with pytest.raises(InputError) as caught:
        delimited(file(zipped(PLAIN.encode(), "a\n\x1b[2J.csv", "b.csv")))
    assert str(caught.value).endswith(r"holds 2 files (a \x1b[2J.csv, b.csv); unpack one of them")


@pytest.mark.parametrize(
    ("content", "note"),
    [
        ("# exported\n# today\n" + PLAIN, "2 lines before the header left out: '# exported'"),
        ("Report of the, laboratory\n\n" + PLAIN, "1 lines before the header left out"),
        ("Export of May,,\n,,\n" + PLAIN, "1 lines before the header left out: 'Export of May,,'"),
        (PLAIN.replace("0.25", "# a remark\n0.25"), "1 comments left out"),
        (PLAIN.replace("y\n", "y\nkg,n,\n", 1), "the line under the header is read as units: a in kg"),
    ],
)
def test_what_stands_around_a_table_is_left_out(file, content, note):
    raw = delimited(file(content))
    assert raw.to_numpy().tolist() == delimited(file(PLAIN, "plain.csv")).to_numpy().tolist()
    assert any(note in text for text in raw.attrs["notes"])


@pytest.mark.parametrize("before", ["", "Report\n\n", '"Report of 5 cm\n'])
@pytest.mark.parametrize("name", ["weight\n(kg)", "w\n#\nkg"])
def test_a_name_may_have_line_breaks(file, before, name):
    raw = delimited(file(before + PLAIN.replace("b,", f'"{name}",', 1)))
    assert list(raw) == ["a", name, "y"]
    raw = delimited(file(before + PLAIN.replace("a,", f'"{name}",', 1)))
    assert list(raw) == [name, "b", "y"] and len(raw) == 4


def test_a_line_inside_a_cell_is_no_comment(file):
    raw = delimited(file(PLAIN.replace("8", '"8\n# seen twice"')))
    assert raw["b"].tolist()[0] == "8\n# seen twice" and not raw.attrs["notes"]


def test_blanks_around_names_are_written_as_in_the_file(file):
    raw = delimited(file("a, b ,y\n1,2,no\n"))
    assert list(raw) == ["a", "b", "y"]
    assert raw.attrs["dialect"].texts(raw, header=True) == b"a, b ,y\n1,2,no\n"


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"])
def test_line_ends_are_kept(file, end):
    raw = delimited(file(PLAIN.replace("\n", end).replace("b,", '"b\nc",', end != "\r").encode()))
    assert raw["a"].tolist() == ["2.5", "-1.5", "0.25", "1.5"] and raw.attrs["dialect"].line_end == end


def test_a_header_with_unnamed_columns_is_no_title(file):
    for top in ("a,\n", "a,,\n"):
        width = top.count(",")
        raw = delimited(file(top + "\n".join(["x" + ",red" * width, "z" + ",blue" * width])))
        assert raw.columns[0] == "a" and len(raw) == 2
    raw = delimited(file("Export,,\n1,2,3\n4,5,6\n"))
    assert len(raw) == 2


def test_a_first_row_of_data_is_no_line_of_units(file):
    for first in ("unknown,3,yes", ">90,3,no", "high,3,no", "3,4,yes"):
        raw = delimited(file(PLAIN.replace("y\n", f"y\n{first}\n", 1)))
        assert len(raw) == 5 and not raw.attrs["units"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.xlsx", zipped(b"a,b\n1,2\n", "[Content_Types].xml")[:60], "is a damaged workbook (.*save its sheet as CSV"),
        ("t.ods", zipped(b"a,b\n1,2\n", "content.xml")[:60], "is a damaged workbook"),
        ("t.xlsx", b"\x01\x02\x8a\x03 damaged \x07", "is neither text nor a workbook of a known type; open it"),
    ],
    ids=["xlsx", "ods", "text"],  # the bytes of an archive hold the time
)
def test_a_damaged_workbook_is_one_line_with_a_remedy(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message.replace("(.", "[(].")):
        delimited(tmp_path / name)
    (tmp_path / "rows.xls").write_text("a,b\n1,2\n")
    assert len(delimited(tmp_path / "rows.xls")) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PAR1 and more", "is a Parquet file; use dataset=parquet"),
        (b"<!DOCTYPE html><html>", "is a web page"),
        (b'[{"a": 1}]', "is JSON"),
        (b"\x1f\x8b broken", "cannot be unpacked"),
        (zipped(b"a,b\n1,2\n", "[Content_Types].xml"), "is an Excel workbook; save its sheet as CSV"),
        (zipped(zipped(b"a", "[Content_Types].xml"), "t.xlsx"), "holds an Excel workbook; save its sheet as CSV"),
        (gzip.compress(zipped(PLAIN.encode()), mtime=0), "holds another archive; unpack it and give its table"),
        (
            gzip.compress(bytes(257) + b"ustar" + bytes(250), mtime=0),
            "is a tar archive; unpack it and give the CSV file",
        ),
        (40 * PLAIN.encode() + b"1\x00,2,no", r"contains 1 NUL characters, which no text has; remove them: tr -d"),
    ],
)
def test_other_kinds_of_file_are_one_line(file, content, message):
    with pytest.raises(InputError, match=message) as error:
        delimited(file(content))
    assert "\n" not in str(error.value)


def test_parquet_keeps_whole_numbers_with_gaps_and_dates(tmp_path):
    days = [datetime.date(2020, 1, 2), None]
    frame = pd.DataFrame({"key": ["p", "q"], "n": pd.array([2**60 + 1, None], "Int64"), "day": days})
    frame.set_index("key").to_parquet(tmp_path / "t.parquet")
    raw = parquet(tmp_path / "t.parquet")
    assert raw["n"].tolist()[0] == 2**60 + 1 and raw["day"].tolist()[0] == days[0]
    assert raw["key"].tolist() == ["p", "q"]


def test_a_small_parquet_file_of_many_rows_is_refused_before_it_is_read(tmp_path):
    table = pa.table({"a": pa.array(np.zeros(40_000_000, dtype=np.int8))})
    pyarrow.parquet.write_table(table, tmp_path / "bomb.parquet")
    with pytest.raises(InputError, match="unpacks to more than 100 times its size"):
        parquet(tmp_path / "bomb.parquet")


@pytest.mark.parametrize("top", ["Vitals,Vitals,out", "Vitals,,out", "a,b,c"])
def test_two_lines_of_names_are_one_line_of_error(tmp_path, top):
    rows = "".join(f"{150 + i},{50 + i},{'ab'[i % 2]}\n" for i in range(9))
    (tmp_path / "t.csv").write_text(f"{top}\nheight,weight,y\n{rows}")
    with pytest.raises(InputError, match="two lines of names"):
        delimited(tmp_path / "t.csv")


def _repeated(rows: int, size: int) -> pa.Array:
    """One long text in many rows, which a file holds once."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype="int32")), pa.array(["x" * size]))


@pytest.mark.parametrize("kind", ["texts", "lists of texts", "lists of numbers"])
def test_a_parquet_file_that_would_fill_the_memory_is_refused_before_it_is_read(tmp_path, kind, monkeypatch):
    monkeypatch.setattr("trisynth.data.reading.content._UNPACKED", 1_000_000)
    ends = pa.array(np.arange(11, dtype="int32") * 100_000)
    cells = {
        "texts": lambda: _repeated(1000, 100_000),
        "lists of texts": lambda: pa.ListArray.from_arrays(
            pa.array([0, 500, 1000], pa.int32()), _repeated(1000, 100_000)
        ),
        "lists of numbers": lambda: pa.ListArray.from_arrays(ends, pa.array(np.zeros(1_000_000, dtype="int8"))),
    }
    pyarrow.parquet.write_table(pa.table({"a": cells[kind]()}), tmp_path / "f", store_schema=False)
    with pytest.raises(InputError, match=r"unpacks to more than 100 times its size"):
        parquet(tmp_path / "f")
    if kind == "texts":
        with pytest.raises(InputError, match=r"unpacks to more than 100 times its size"):
            parquet(tmp_path)


def test_many_texts_that_differ_are_no_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr("trisynth.data.reading.content._UNPACKED", 100_000)
    texts = pa.array(np.arange(20_000).astype(str))
    pyarrow.parquet.write_table(pa.table({"a": texts, "b": _repeated(20_000, 3)}), tmp_path / "f")
    assert parquet(tmp_path / "f")["a"].nunique() == 20_000


@pytest.mark.parametrize("described", [b'{"index_', b"[1]", b"3", b'{"index_columns": 3}', b'{"index_columns": ["b"]}'])
def test_a_damaged_description_by_pandas_changes_no_column(tmp_path, described):
    table = pa.table({"a": [1, 2], "__index_level_0__": [3, 4]})
    pyarrow.parquet.write_table(table.replace_schema_metadata({"pandas": described}), tmp_path / "f")
    assert list(parquet(tmp_path / "f")) == ["a", "__index_level_0__"]


def test_an_unknown_time_zone_is_a_mistake(tmp_path):
    pyarrow.parquet.write_table(pa.table({"a": pa.array([1], pa.timestamp("us", tz="No/Where"))}), tmp_path / "f")
    with pytest.raises(InputError, match=r"No/Where.*is a time zone that is not known here"):
        parquet(tmp_path / "f")


@pytest.mark.parametrize(
    ("change", "kind", "gone"),
    [
        (lambda rows: rows.__setitem__(12, None), pa.list_(pa.list_(pa.float64(), 2), 2), [12]),
        (lambda rows: rows[7].__setitem__(1, None), pa.list_(pa.list_(pa.float64(), 2), 2), [7]),
        (lambda rows: rows[7].__setitem__(1, None), pa.list_(pa.list_(pa.float32(), 2)), [7]),
        (
            lambda rows: (rows.__setitem__(0, None), rows.__setitem__(3, None)),
            pa.list_(pa.list_(pa.float64()), 2),
            [0, 3],
        ),
    ],
)
def test_lists_of_a_fixed_size_that_are_missing_are_named_with_their_row(tmp_path, change, kind, gone):
    """pyarrow writes such a file and refuses to read it."""
    rows = np.random.default_rng(0).normal(size=(20, 2, 2)).tolist()
    change(rows)
    columns = {"age": pa.array(range(20)), "scan": pa.array(rows, kind), "name": pa.array(["x"] * 20)}
    (tmp_path / "rows").mkdir()
    path = tmp_path / "rows" / "t.parquet"
    pyarrow.parquet.write_table(pa.table(columns), path, row_group_size=6)
    with pytest.raises(InputError) as error:
        parquet(path)
    remedy = f"has no array, or not all of it; drop such rows, {len(gone)} in all"
    assert str(error.value) == f"X='scan': row {gone[0]} {remedy}"
    with pytest.raises(InputError) as error:
        parquet(tmp_path / "rows")
    assert str(error.value) == f"X='scan': row {gone[0]} of t.parquet {remedy}"
    # What else is wrong with a file is reported as before.
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="is not a readable Parquet file"):
        parquet(path)
