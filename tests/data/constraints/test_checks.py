"""Declared constraints that contradict each other, or that no row meets, are named in one line."""

import pandas as pd
import pytest

from trisynth.data import tensors, texts
from trisynth.data.constraints import check_rows, checked
from trisynth.data.constraints.checks import cells_of, findings
from trisynth.data.dataset import Dataset, Spec
from trisynth.data.schema import Schema
from trisynth.data.spec import declared
from trisynth.errors import InputError

ROWS = pd.DataFrame(
    {
        "start": pd.to_datetime(["2020-01-01", "2020-02-01", None, "2020-03-01"]),
        "end": pd.to_datetime(["2020-01-05", "2020-01-01", "2020-01-01", "2020-03-01"]),
        "age": [20, 30, 40, 50],
        "sex": ["m", "f", "f", None],
    }
)


def shares(*texts: str) -> list[float]:
    schema = Schema.learn(ROWS)
    return list(check_rows(checked(texts, ROWS), cells_of(schema.canonical(ROWS), schema.columns)).values())


def test_the_fraction_that_breaks_a_constraint_is_told():
    assert shares("end >= start", "age < 45", "sex == 'm'") == [1 / 3, 1 / 4, 2 / 3]
    assert shares("end - start <= 4", "start >= '2020-02-01'") == [0, 1 / 3]


@pytest.mark.parametrize(
    ("texts", "named"),
    [
        (("age > 40", "age < 30"), r"\['age > 40', 'age < 30'\]: cannot both be met; drop one of the two"),
        (("age < age",), "'age < age': can never be met"),
        (("age > start", "start > end", "end > age"), "cannot all be met"),
        (("sex == 'x'", "age > 100"), "'age > 100': no row of the 4 meets it"),
        (("sex == 'm'", "age > 20", "age < 50"), "no row meets all of them"),
        (("sex != 'f'", "age == 30"), r"\[\"sex != 'f'\", 'age == 30'\]: no row meets both"),
    ],
)
def test_contradictions_name_the_two(texts, named):
    with pytest.raises(InputError, match=rf"^constraints=.*{named}") as caught:
        shares(*texts)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("cells", [tensors.column([[1.0, 2.0]] * 4), texts.column(["low", "high"] * 2)])
def test_arrays_and_texts_cannot_be_constrained(cells):
    spec = Spec("mine", None, None, columns={}, constraints=("scan > 0",))
    with pytest.raises(
        InputError, match=r"^dataset.constraints='scan > 0': .*texts, arrays and ignored columns cannot"
    ):
        findings(Dataset(ROWS.assign(scan=cells), None, spec))


def test_a_yaml_declares_constraints_and_relations():
    cfg = {"name": "mine", "target": "sex", "constraints": ["end >= start"], "relations": "none"}
    spec = declared(cfg, ROWS.columns)
    assert spec.constraints == ("end >= start",) and spec.relations == "none"
    assert declared({"name": "mine", "target": "sex"}, ROWS.columns).constraints == ()
    for wrong, parameter in (
        ({"constraints": "end >= start"}, "constraints"),
        ({"constraints": ["ends >= start"]}, "constraints"),
        ({"constraints": ["age > 3", "age < 2"]}, "constraints"),
        ({"constraints": [["age > 3"]]}, "constraints"),
        ({"constraints": [f"age > {-i}" for i in range(300)]}, "constraints"),
        ({"relations": "some"}, "relations"),
    ):
        with pytest.raises(InputError, match=rf"^dataset\.{parameter}="):
            declared({**cfg, **wrong}, ROWS.columns)
