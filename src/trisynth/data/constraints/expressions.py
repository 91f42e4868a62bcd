"""Grammar of constraints: comparisons of columns, numbers and texts, read without running any code.

A constraint is an expression in Python's notation: ``end >= start``, ``0 <= age <= 120``, ``total == net + tax``,
``pregnant == "no" or sex == "female"``. A name that is not a plain word is written in backticks. Dates and durations
count in days, and a date may be compared with a text such as ``"2020-01-31"``. A comparison with a
missing cell is unknown, and an unknown constraint counts as met.
"""

import ast
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from trisynth.errors import InputError

# Longest text and most parts of an expression.
_LETTERS, _PARTS = 1_000, 200
# Relative rounding error of computed numbers.
ROUNDING = 1e-12
_UNKNOWN = 0.5
_QUOTED = re.compile(r"`([^`]*)`|(\"[^\"]*\"|'[^']*')")
_PLACE = "_column_{}_"

_ARITHMETIC: dict[type, Callable] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.true_divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
    ast.Pow: np.power,
}
_FUNCTIONS: dict[str, tuple[int, Callable]] = {
    "abs": (1, np.abs),
    "round": (1, np.rint),
    "floor": (1, np.floor),
    "ceil": (1, np.ceil),
    "sqrt": (1, np.sqrt),
    "log": (1, np.log),
    "exp": (1, np.exp),
    "min": (2, np.minimum),
    "max": (2, np.maximum),
}
SIGNS: dict[type, str] = {
    ast.LtE: "<=",
    ast.Lt: "<",
    ast.GtE: ">=",
    ast.Gt: ">",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.In: "in",
    ast.NotIn: "not in",
}
_USE = "use columns, numbers, + - * / **, <= < >= > == !=, and, or, not, in, and " + ", ".join(_FUNCTIONS)


@dataclass(frozen=True)
class Cells:
    """Cells of one column, as an expression sees them.

    Parameters
    ----------
    array : ndarray, shape (n,)
        Numbers, or texts with None for a missing cell. Dates and durations count in days.
    step : float, default=0
        Unit of the last recorded digit; 0 where there is none.
    date : bool, default=False
        Whether the numbers are days since 1970.
    """

    array: np.ndarray
    step: float = 0.0
    date: bool = False

    @property
    def text(self) -> bool:
        """True where the cells are texts, not numbers."""
        return self.array.dtype == object


@dataclass(frozen=True)
class Constraint:
    """One declared constraint.

    Parameters
    ----------
    text : str
        As it was declared.
    columns : tuple
        Names of the table's columns that it contains, in the order of the text.
    """

    text: str
    columns: tuple

    @classmethod
    def parse(cls, text: object, names: Iterable, parameter: str = "constraints") -> "Constraint":
        """Read a constraint on a table with the columns ``names``.

        Raises
        ------
        InputError
            If it is not a comparison, contains anything but columns, constants and the operators of the grammar, or
            names a column that the table lacks.
        """
        if not isinstance(text, str) or not text.strip():
            raise InputError(parameter, text, "must be a string such as 'end >= start'")
        tree, quoted = _tree(text, parameter)
        _check(tree, text, parameter, truth=True)
        known = {unicodedata.normalize("NFKC", str(name)): name for name in names}
        found: dict[str, object] = {}
        for written in _names(tree, quoted):
            name = unicodedata.normalize("NFKC", written)
            if name not in known:
                shown = ", ".join(map(str, list(known)[:20]))
                remedy = f"no column is called {written}; put names like `date of birth` in backticks; the columns are"
                raise InputError(parameter, text, f"{remedy} {shown}")
            found[written] = known[name]
        if not found:
            raise InputError(parameter, text, "names no column; compare columns, as in 'end >= start'")
        return cls(text, tuple(found.values()))

    @property
    def tree(self) -> ast.expr:
        """Parsed expression."""
        return _parsed(self.text)[0]

    def name(self, node: ast.Name) -> object:
        """Return the column that a name of the tree stands for."""
        quoted = _parsed(self.text)[1]
        written = unicodedata.normalize("NFKC", quoted.get(node.id, node.id))
        return next(name for name in self.columns if unicodedata.normalize("NFKC", str(name)) == written)

    def truth(self, cells: Mapping[object, Cells]) -> np.ndarray:
        """Decide the constraint in every row: 1 met, 0 broken, 0.5 unknown, as a cell is missing."""
        with np.errstate(all="ignore"):
            return _Evaluation(self, cells).truth(self.tree)

    def holds(self, cells: Mapping[object, Cells]) -> np.ndarray:
        """Decide for every row whether the constraint is met or unknown."""
        return self.truth(cells) > 0

    def value(self, node: ast.expr, cells: Mapping[object, Cells]) -> np.ndarray:
        """Compute a part of the constraint in every row."""
        with np.errstate(all="ignore"):
            return _Evaluation(self, cells).value(node)


@cache
def _parsed(text: str) -> tuple[ast.expr, dict[str, str]]:
    return _tree(text, "constraints")


def _tree(text: str, parameter: str) -> tuple[ast.expr, dict[str, str]]:
    """Parse a text; names in backticks are replaced by words, which the second result maps to them."""
    if len(text) > _LETTERS:
        raise InputError(parameter, text, f"must have at most {_LETTERS:,} characters")
    quoted: dict[str, str] = {}

    def word(match: re.Match) -> str:
        if match[1] is None:
            return match[2]
        place = _PLACE.format(len(quoted))
        quoted[place] = match[1]
        return place

    try:
        tree = ast.parse(_QUOTED.sub(word, text).strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        equals = re.search(r"(?<![<>=!])=(?!=)", text)
        remedy = "write == for equality" if equals else "write a name that is not a plain word in backticks"
        raise InputError(parameter, text, f"is not an expression such as 'end >= start'; {remedy}") from None
    if sum(1 for _ in ast.walk(tree)) > _PARTS:
        raise InputError(parameter, text, f"must have at most {_PARTS} parts")
    return tree, quoted


def columns_in(tree: ast.expr) -> list[ast.Name]:
    """List the nodes of an expression that stand for columns, which names of functions do not."""
    functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return [node for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in functions]


def _names(tree: ast.expr, quoted: Mapping[str, str]) -> list[str]:
    found = columns_in(tree)
    found.sort(key=lambda node: (node.lineno, node.col_offset))
    return list(dict.fromkeys(quoted.get(node.id, node.id) for node in found))


def _check(node: ast.AST, text: str, parameter: str, truth: bool) -> None:
    """Refuse everything that the grammar does not contain."""

    def refuse(remedy: str) -> None:
        raise InputError(parameter, text, f"{remedy}; {_USE}")

    def inner(part: ast.AST, truth: bool = False) -> None:
        _check(part, text, parameter, truth)

    match node:
        case ast.BoolOp() if truth:
            for part in node.values:  # noqa: PD011
                inner(part, True)
        case ast.UnaryOp(op=ast.Not()) if truth:
            inner(node.operand, True)
        case ast.Compare() if truth:
            if any(type(sign) not in SIGNS for sign in node.ops):
                refuse("contains an unknown comparison")
            for sign, part in zip([None, *node.ops], [node.left, *node.comparators], strict=True):
                if isinstance(sign, ast.In | ast.NotIn):
                    if not isinstance(part, ast.List | ast.Tuple | ast.Set):
                        refuse("needs a list after in, such as ['a', 'b']")
                    for each in part.elts:
                        inner(each)
                else:
                    inner(part)
        case _ if truth:
            refuse("must compare something, as in 'end >= start'")
        case ast.BinOp() if type(node.op) in _ARITHMETIC:
            inner(node.left)
            inner(node.right)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
            inner(node.operand)
        case ast.Call(func=ast.Name(id=name), keywords=[]) if name in _FUNCTIONS:
            if len(node.args) != _FUNCTIONS[name][0]:
                refuse(f"gives {name} {len(node.args)} values instead of {_FUNCTIONS[name][0]}")
            for part in node.args:
                inner(part)
        case ast.Constant(value=int() | float() as number) if abs(number) > sys.float_info.max:
            refuse("contains a number that is too large")
        case ast.Constant(value=bool() | int() | float() | str()) | ast.Name():
            return
        case _:
            refuse(f"contains {type(node).__name__.lower()}, which a constraint cannot contain")


@dataclass(frozen=True)
class _Evaluation:
    """Evaluation of one constraint on the cells of some rows."""

    constraint: Constraint
    cells: Mapping[object, Cells]

    @property
    def _rows(self) -> int:
        return len(next(iter(self.cells.values())).array)

    def truth(self, node: ast.AST) -> np.ndarray:
        # Kleene's logic of three values: and is the smallest, or the largest.
        match node:
            case ast.BoolOp(op=ast.And()):
                return np.min([self.truth(part) for part in node.values], axis=0)  # noqa: PD011
            case ast.BoolOp():
                return np.max([self.truth(part) for part in node.values], axis=0)  # noqa: PD011
            case ast.UnaryOp():
                return 1.0 - self.truth(node.operand)
        pairs = zip([node.left, *node.comparators], node.ops, node.comparators, strict=False)
        return np.min([self._compared(left, sign, right) for left, sign, right in pairs], axis=0)

    def _compared(self, left: ast.expr, sign: ast.cmpop, right: ast.expr) -> np.ndarray:
        if isinstance(sign, ast.In | ast.NotIn):
            within = np.max([self._compared(left, ast.Eq(), each) for each in right.elts], axis=0)
            return within if isinstance(sign, ast.In) else 1.0 - within
        if self._text(left) or self._text(right):
            return self._compared_texts(left, sign, right)
        a, b = self.value(left, self._dated(right)), self.value(right, self._dated(left))
        allowed = ROUNDING * np.maximum(np.abs(a), np.abs(b))
        allowed = np.where(np.isfinite(allowed), allowed, 0.0)
        equal = allowed
        if isinstance(sign, ast.Eq | ast.NotEq):
            steps = [self._column(side).step for side in (left, right) if isinstance(side, ast.Name)]
            equal = np.maximum(allowed, max(steps, default=0.0) / 2 * (1 + 1e-6))
        found = {
            ast.LtE: lambda: a <= b + allowed,
            ast.GtE: lambda: a >= b - allowed,
            ast.Lt: lambda: a < b - allowed,
            ast.Gt: lambda: a > b + allowed,
            ast.Eq: lambda: np.abs(a - b) <= equal,
            ast.NotEq: lambda: np.abs(a - b) > equal,
        }[type(sign)]()
        unknown = np.isnan(a) | np.isnan(b)
        return np.broadcast_to(np.where(unknown, _UNKNOWN, found), (self._rows,)).astype(float)

    def _compared_texts(self, left: ast.expr, sign: ast.cmpop, right: ast.expr) -> np.ndarray:
        text = self.constraint.text
        if not isinstance(sign, ast.Eq | ast.NotEq):
            raise InputError("constraints", text, "compares texts by size; compare them by ==, != or in")
        a, b = (self._texts(side) for side in (left, right))
        unknown = np.array([cell is None for cell in a]) | np.array([cell is None for cell in b])
        equal = np.where(unknown, _UNKNOWN, (a == b).astype(float))
        return equal if isinstance(sign, ast.Eq) else 1.0 - equal

    def _texts(self, node: ast.expr) -> np.ndarray:
        if isinstance(node, ast.Constant):
            return np.full(self._rows, str(node.value), dtype=object)
        if isinstance(node, ast.Name) and self._column(node).text:
            return self._column(node).array
        raise InputError("constraints", self.constraint.text, "compares a text with a number; put the value in quotes")

    def _text(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and self._column(node).text

    def _dated(self, node: ast.expr) -> bool:
        return any(self._column(part).date for part in columns_in(node))

    def _column(self, node: ast.Name) -> Cells:
        return self.cells[self.constraint.name(node)]

    def value(self, node: ast.expr, dated: bool = False) -> np.ndarray:
        match node:
            case ast.BinOp():
                left, right = self.value(node.left), self.value(node.right)
                return _ARITHMETIC[type(node.op)](left, right)
            case ast.UnaryOp():
                value = self.value(node.operand)
                return -value if isinstance(node.op, ast.USub) else value
            case ast.Call():
                return _FUNCTIONS[node.func.id][1](*map(self.value, node.args))
            case ast.Constant(value=str() as text):
                return self._day(text, dated)
            case ast.Constant():
                return np.float64(node.value)
        if self._text(node):
            name = self.constraint.name(node)
            raise InputError("constraints", self.constraint.text, f"computes with {name}, whose cells are texts")
        return self._column(node).array

    def _day(self, text: str, dated: bool) -> np.ndarray:
        try:
            if dated:
                return np.float64((pd.Timestamp(text) - pd.Timestamp(0)) / pd.Timedelta(days=1))
        except (ValueError, TypeError):
            pass
        remedy = f"compares a number with the text {text!r}; give a number, or a date such as '2020-01-31'"
        raise InputError("constraints", self.constraint.text, remedy)
