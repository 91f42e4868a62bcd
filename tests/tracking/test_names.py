"""Every name has a spelling that MLflow admits, and short ones can be read back from it."""

import posixpath
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trisynth.tracking.names import FULL_NAME, full_names, mlflow_name, plain_name, shown

ODD = (
    "",
    "a/b",
    "c//d",
    "..",
    ".",
    "/",
    "//",
    "/a",
    "a/",
    "a/../b",
    "a/./b",
    "[x]",
    "'q\"",
    "a\nb",
    "=cmd",
    "日本",
    "-x2f-",
)


def admitted(name: str) -> bool:
    """Return whether MLflow admits a name of a parameter or metric; its rules as of version 3."""
    plain = posixpath.normpath(name)
    path = plain == name and plain != "." and not plain.startswith(("..", "/"))
    return path and len(name) <= 250 and re.fullmatch(r"[/A-Za-z0-9_.\- ]+", name) is not None


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_admitted_and_read_back(name):
    assert admitted(mlflow_name(name))
    assert plain_name(mlflow_name(name)) == name


@given(st.text(st.sampled_from("ax-2f./ ä[]'\"%") | st.characters(codec="utf-8"), max_size=30))
def test_any_name_is_admitted_and_read_back(name):
    assert admitted(mlflow_name(name))
    assert plain_name(mlflow_name(name)) == name
    assert full_names([name]) == {}


def test_usual_names_stay_as_they_are():
    for name in (
        "real/f1_macro",
        "fidelity/c2st boosting",
        "generator.k_neighbors",
        "F1_gain/saheart/borderline_smote",
    ):
        assert mlflow_name(name) == name


def test_long_names_are_cut_stay_apart_and_are_kept_in_a_tag():
    names = ["real/recall_" + "ä" * 300, "real/recall_" + "ä" * 301, "x" * 251]
    assert all(map(admitted, map(mlflow_name, names)))
    assert len(set(map(mlflow_name, names))) == 3
    tags = full_names(["short", *names])
    assert list(tags.values()) == names
    assert all(tag.removeprefix(FULL_NAME) == mlflow_name(n)[-16:] for tag, n in zip(tags, names, strict=True))


def test_long_values_are_cut_where_a_reader_sees_it():
    assert shown(3) == "3"
    assert shown("x" * 501) == "x" * 497 + "..."
