"""Declared facts are checked by name, type and value before any cell is read."""

import pytest

from trisynth.data.dataset import Column
from trisynth.data.spec import checked_facts, declared
from trisynth.errors import InputError

NAN = float("nan")


@pytest.mark.parametrize(
    ("facts", "parameter"),
    [
        (3, "facts"),
        ("number", "facts"),
        ({"a": 3}, "facts.a"),
        ({"a": "number"}, "facts.a"),
        ({"a": ["number"]}, "facts.a"),
        ({"a": {"bounds": 3}}, "facts.a.bounds"),
        ({"a": {"bounds": [1]}}, "facts.a.bounds"),
        ({"a": {"bounds": ["x", "y"]}}, "facts.a.bounds"),
        ({"a": {"bounds": [".nan", 1]}}, "facts.a.bounds"),
        ({"a": {"bounds": [NAN, 1]}}, "facts.a.bounds"),
        ({"a": {"bounds": {"low": 1, "high": 2}}}, "facts.a.bounds"),
        ({"a": {"categories": 3}}, "facts.a.categories"),
        ({"a": {"categories": "xy"}}, "facts.a.categories"),
        ({"a": {"categories": []}}, "facts.a.categories"),
        ({"a": {"categories": ["x", "x"]}}, "facts.a.categories"),
        ({"a": {"integer": "perhaps"}}, "facts.a.integer"),
        ({"a": {"unit": {"mg": 1}}}, "facts.a.unit"),
        ({"a": {"ordered": True}}, "facts.a.ordered"),
        ({"a": {"format": "many"}}, "facts.a.format"),
        ({"a": {"format": "%d.%m.%Y", "kind": "number"}}, "facts.a.format"),
        ({"a": {"kind": "date", "bounds": ["2020-01-02", "2020-01-01"]}}, "facts.a.bounds"),
        ({"a": {"kind": "date", "bounds": ["2020-01-02", "today"]}}, "facts.a.bounds"),
        ({"a": {"missing": "unknown"}}, "facts.a.missing"),
        ({"a": {"values": ["yes"]}}, "facts.a.values"),
        ({"a": {"values": {"yes": ["no"]}}}, "facts.a.values"),
        ({"a": {"kind": "sequence", "shape": [12]}}, "facts.a.shape"),
        ({"a": {"kind": "number", "max_length": 9}}, "facts.a.max_length"),
        ({"a": {"kind": "tensor", "bounds": [0, 1]}}, "facts.a.bounds"),
        ({"a": {"kind": "text", "generate": True, "categories": ["x"]}}, "facts.a.categories"),
        ({"a": {"kind": "text", "generate": True, "integer": True}}, "facts.a.integer"),
        ({"a": Column(kind="foo")}, "facts.a.kind"),
        ({"a": Column(bounds=(2, 1))}, "facts.a.bounds"),
        ({"a": Column(categories="xy")}, "facts.a.categories"),
    ],
)
def test_a_fact_of_a_wrong_type_or_value_is_named(facts, parameter):
    with pytest.raises(InputError) as caught:
        checked_facts(facts, ["a", "b"])
    assert caught.value.parameter == parameter


def test_facts_given_as_objects_and_as_mappings_are_equal():
    given = {"bounds": [0, 1], "unit": "mg"}
    assert checked_facts({"a": given}, ["a"]) == checked_facts({"a": Column(bounds=(0, 1), unit="mg")}, ["a"])


def test_the_kind_follows_from_the_other_facts():
    facts = {"a": {"format": "%d.%m.%Y"}, "b": {"bounds": ["2020-01-01", "2020-12-31"]}, "c": {"format": "1,5 kg"}}
    assert {name: fact.kind for name, fact in checked_facts(facts, list("abc")).items()} == {
        "a": "date",
        "b": "date",
        "c": "number",
    }


def test_a_table_needs_no_target():
    spec = declared({"name": "mine", "target": None}, ["a", "b"])
    assert spec.target is None and spec.task is None
    with pytest.raises(InputError, match=r"dataset\.task=.*needs a target"):
        declared({"name": "mine", "target": None, "task": "regression"}, ["a", "b"])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "../../elsewhere"),
        ("name", ".."),
        ("name", ""),
        ("name", ["a"]),
        ("missing", "NA"),
        ("missing", {"a": 1}),
        ("note", {"a": 1}),
        ("licence", ["MIT"]),
    ],
)
def test_a_data_set_is_described_by_texts_and_lists(key, value):
    with pytest.raises(InputError) as caught:
        declared({"name": "mine", "target": "a", key: value}, ["a", "b"])
    assert caught.value.parameter == f"dataset.{key}"
