"""Constraints are read by a grammar that admits comparisons alone, and decided with missing cells as unknown."""

import numpy as np
import pytest

from trisynth.data.constraints.expressions import Cells, Constraint
from trisynth.errors import InputError

GAP = np.nan
CELLS = {
    "start": Cells(np.array([1.0, 5.0, GAP, 2.0])),
    "end": Cells(np.array([3.0, 4.0, 2.0, 2.0])),
    "date of birth": Cells(np.array([0.0, 18_000.0, GAP, 365.0]), date=True),
    "sex": Cells(np.array(["male", "female", None, "male"], dtype=object)),
    "100 %": Cells(np.array([0.5, 1.0, 2.0, GAP])),
    7: Cells(np.array([1.0, 2.0, 3.0, 4.0]), step=0.1),
}


def truth(text: str) -> list[float]:
    return Constraint.parse(text, CELLS).truth(CELLS).tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("end >= start", [1, 0, 0.5, 1]),
        ("end > start", [1, 0, 0.5, 0]),
        ("end == start", [0, 0, 0.5, 1]),
        ("end != start", [1, 1, 0.5, 0]),
        ("2 <= end <= 3", [1, 0, 1, 1]),
        ("end - start <= 2 * start", [1, 1, 0.5, 1]),
        ("abs(end - start) == 1", [0, 1, 0.5, 0]),
        ("max(start, end) ** 2 > 9", [0, 1, 0.5, 0]),
        ("sex == 'male'", [1, 0, 0.5, 1]),
        ("sex != 'male' or end > 2", [1, 1, 0.5, 0]),
        ("not (sex == 'male' and end == 3)", [0, 1, 1, 1]),
        ("sex in ['male', 'other']", [1, 0, 0.5, 1]),
        ("end not in [2, 4]", [1, 0, 0, 0]),
        ("`100 %` <= 1", [1, 1, 0, 0.5]),
        ("`date of birth` < '1971-01-01'", [1, 0, 0.5, 0]),
        ("`7` == `7` + 0.04", [1, 1, 1, 1]),
    ],
)
def test_a_constraint_is_met_broken_or_unknown(text, expected):
    assert truth(text) == expected
    assert Constraint.parse(text, CELLS).holds(CELLS).tolist() == [value > 0 for value in expected]


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("end = start", "write == for equality"),
        ("date of birth > 3", "in backticks"),
        ("ends >= start", "no column is called ends"),
        ("end", "must compare something"),
        ("1 < 2", "names no column"),
        ("", "must be a string"),
        (3, "must be a string"),
        ("end.real > 3", "contains attribute"),
        ("__import__('os').system('true') == 0", "contains call"),
        ("open(end) == 0", "contains call"),
        ("(lambda: 1)() < end", "contains call"),
        ("end[0] > 1", "contains subscript"),
        ("end in start", "needs a list"),
        ("min(end) > 1", "gives min 1 values instead of 2"),
        ("end is start", "unknown comparison"),
        ("end + (start > 1) > 1", "contains compare"),
        ("end > " + "1 + " * 300 + "1", "at most"),
        ("end < 1" + "0" * 400, "a number that is too large"),
        ("end < 1e999", "a number that is too large"),
        ("end > " + "(" * 90 + "1" + ")" * 91, "is not an expression"),
    ],
)
def test_what_is_no_constraint_is_refused_in_one_line(text, remedy):
    with pytest.raises(InputError, match=rf"^constraints=.*{remedy}") as caught:
        Constraint.parse(text, CELLS)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("sex > 'male'", "compares texts by size"),
        ("sex + 1 > 2", "cells are texts"),
        ("sex == 3 * end", "compares a text with a number"),
        ("end > 'often'", "a number, or a date"),
        ("`date of birth` > 'often'", "a number, or a date"),
    ],
)
def test_texts_and_numbers_are_not_mixed(text, remedy):
    with pytest.raises(InputError, match=rf"^constraints=.*{remedy}"):
        truth(text)


def test_huge_powers_end_at_once():
    assert truth("end < 9 ** 9 ** 9 ** 9") == [1, 1, 1, 1]
