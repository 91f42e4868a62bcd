"""Files become raw tables; what is no table is refused in one line."""

import pandas as pd
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
