"""Constraints are solved for a column, and contradictions among them are found without any row."""

import numpy as np
import pytest

from trisynth.data.constraints.expressions import Cells, Constraint
from trisynth.data.constraints.linear import bounds, possible

NAMES = ["a", "b", "c", "max"]


def parse(*texts: str) -> list[Constraint]:
    return [Constraint.parse(text, NAMES) for text in texts]


@pytest.mark.parametrize(
    ("text", "column", "sign", "value"),
    [
        ("a >= b", "a", ">=", 2.0),
        ("c == a + b", "c", "==", 3.0),
        ("a + b == c", "c", "==", 3.0),
        ("2 * a - b < 4", "a", "<", 3.0),
        ("5 - a >= b", "b", "<=", 4.0),
        ("a <= c / 2 + 1", "a", "<=", 6.0),
        ("c == a / b ** 2", "c", "==", 0.25),
        ("a <= max(b, c)", "a", "<=", 10.0),
    ],
)
def test_a_constraint_is_solved_for_the_column_that_stands_alone(text, column, sign, value):
    cells = {name: Cells(np.array([number])) for name, number in zip("abc", (1.0, 2.0, 10.0), strict=True)}
    found = bounds(*parse(text))[0]
    assert (found.column, found.sign) == (column, sign)
    assert found.value(cells) == pytest.approx(value)
    assert column not in found.inputs


def test_only_a_single_linear_comparison_is_solved():
    assert not bounds(*parse("0 <= a <= b")) and not bounds(*parse("a > b or c > b"))
    assert {bound.column for bound in bounds(*parse("a * b <= c"))} == {"c"}
    assert not bounds(*parse("a * b <= b"))[:0] and {b.column for b in bounds(*parse("a * b <= b"))} == set()
    assert bounds(*parse("a >= b"))[0].other == "b" and bounds(*parse("a >= 2 * b"))[0].other is None


@pytest.mark.parametrize(
    "texts",
    [
        ("a > b", "a < b"),
        ("a > b", "b >= a"),
        ("a > 5", "a <= 5"),
        ("a >= 5", "a <= 4.9"),
        ("c == a + b", "c > a + b"),
        ("a * b >= 5", "a * b < 3"),
        ("a < b", "b < c", "c < a"),
        ("a > 5 and a < 3",),
        ("a < a",),
        ("3 <= a <= 2",),
    ],
)
def test_contradictions_are_found(texts):
    assert not possible(parse(*texts))


@pytest.mark.parametrize(
    "texts",
    [
        ("a >= b", "a <= b"),
        ("a >= 5", "a <= 5"),
        ("a > b", "b > c"),
        ("a == b or a > c", "a != b"),
        ("a * b >= 5", "a < 0", "b < 0"),
        ("a < b", "a > -1e9"),
    ],
)
def test_what_numbers_can_meet_is_no_contradiction(texts):
    assert possible(parse(*texts))
