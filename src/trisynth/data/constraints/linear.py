"""Linear form of constraints: solved for a column, and tested for contradictions by linear programming."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trisynth.data.constraints.expressions import SIGNS, Cells, Constraint, columns_in

# A strict inequality must hold by more than this.
_MARGIN = 1e-9
_FLIPPED = {"<=": ">=", "<": ">", ">=": "<=", ">": "<", "==": "=="}


@dataclass(frozen=True)
class Bound:
    """Constraint on one column by the others: ``column sign sum of the terms``.

    Parameters
    ----------
    constraint : Constraint
    column : object
        Name of the column, which no term contains.
    sign : str
        One of <= < >= > ==.
    constant : float
    terms : tuple of (ast.expr, float)
        Parts of the constraint with their coefficients.
    """

    constraint: Constraint
    column: object
    sign: str
    constant: float
    terms: tuple

    @property
    def inputs(self) -> tuple:
        """Columns of the terms."""
        return tuple(name for name in self.constraint.columns if name != self.column)

    @property
    def other(self) -> object:
        """Name of the only other column where the bound is that column itself, else None."""
        if (
            not self.constant
            and len(self.terms) == 1
            and self.terms[0][1] == 1
            and isinstance(self.terms[0][0], ast.Name)
        ):
            return self.constraint.name(self.terms[0][0])
        return None

    def value(self, cells: Mapping[object, Cells]) -> np.ndarray:
        """Compute the bound in every row; dates count in days."""
        total = np.float64(self.constant)
        for node, coefficient in self.terms:
            total = total + coefficient * self.constraint.value(node, cells)
        return total


def bounds(constraint: Constraint) -> list[Bound]:
    """Solve a constraint for each of its columns, the one that stands alone on a side first.

    A constraint that is not a single comparison, and a column within a product or a function, have no solution.
    """
    tree = constraint.tree
    if not isinstance(tree, ast.Compare) or len(tree.ops) != 1 or SIGNS[type(tree.ops[0])] not in _FLIPPED:
        return []
    sign, left, right = SIGNS[type(tree.ops[0])], tree.left, tree.comparators[0]
    terms, constant = _difference(left, right)
    if any(isinstance(node, ast.Constant) for node, _ in terms.values()):
        return []
    found = []
    for node, coefficient in terms.values():
        others = [(other, value) for other, value in terms.values() if other is not node]
        if not isinstance(node, ast.Name) or not coefficient:
            continue
        column = constraint.name(node)
        if any(constraint.name(part) == column for other, _ in others for part in columns_in(other)):
            continue
        solved = tuple((other, -value / coefficient) for other, value in others)
        found.append(
            Bound(constraint, column, sign if coefficient > 0 else _FLIPPED[sign], -constant / coefficient, solved)
        )
    alone = {constraint.name(side): -i for i, side in enumerate((right, left)) if isinstance(side, ast.Name)}
    return sorted(found, key=lambda bound: alone.get(bound.column, 1))


def possible(constraints: Sequence[Constraint]) -> bool:
    """Decide whether numbers exist that meet all constraints, as far as their linear parts show.

    Products and functions count as numbers of their own; anything but a comparison of numbers counts as met.
    """
    rows, strict, equal = [], [], []
    for constraint in constraints:
        for left, sign, right in _comparisons(constraint.tree):
            if sign not in _FLIPPED:
                continue
            terms, constant = _difference(left, right)
            if any(isinstance(node, ast.Constant) for node, _ in terms.values()):
                continue
            named = {_key(constraint, node): value for node, value in terms.values()}
            factor = -1.0 if sign in (">=", ">") else 1.0
            rows.append(({key: factor * value for key, value in named.items()}, factor * constant))
            strict.append(sign in ("<", ">"))
            equal.append(sign == "==")
    if not rows:
        return True
    from scipy.optimize import linprog

    keys = list(dict.fromkeys(key for terms, _ in rows for key in terms))
    matrix = np.array(
        [[terms.get(key, 0.0) for key in keys] + [float(s)] for (terms, _), s in zip(rows, strict, strict=True)]
    )
    right = np.array([-constant for _, constant in rows])
    same = np.array(equal)
    # The margin of the strict inequalities, at most 1, is the last variable.
    cost = np.append(np.zeros(len(keys)), -1.0)
    found = linprog(
        cost,
        A_ub=matrix[~same] if (~same).any() else None,
        b_ub=right[~same] if (~same).any() else None,
        A_eq=matrix[same] if same.any() else None,
        b_eq=right[same] if same.any() else None,
        bounds=[(None, None)] * len(keys) + [(0, 1)],
    )
    return found.status != 2 and (found.x is None or not any(strict) or found.x[-1] > _MARGIN)


def _comparisons(tree: ast.expr) -> list[tuple[ast.expr, str, ast.expr]]:
    if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And):
        return [found for part in tree.values for found in _comparisons(part)]
    if not isinstance(tree, ast.Compare):
        return []
    sides = zip([tree.left, *tree.comparators], tree.ops, tree.comparators, strict=False)
    return [(left, SIGNS[type(sign)], right) for left, sign, right in sides]


def _key(constraint: Constraint, node: ast.expr) -> str:
    return str(constraint.name(node)) if isinstance(node, ast.Name) else ast.unparse(node)


def _difference(left: ast.expr, right: ast.expr) -> tuple[dict, float]:
    """Collect the terms of left minus right by their text, and the constant."""
    terms: dict[str, tuple[ast.expr, float]] = {}
    constant = _collect(left, 1.0, terms) + _collect(right, -1.0, terms)
    return {key: term for key, term in terms.items() if term[1]}, constant


def _collect(node: ast.expr, factor: float, terms: dict) -> float:
    """Add the terms of an expression, times a factor, and return its constant."""
    number = _number(node)
    if number is not None:
        return factor * number
    match node:
        case ast.BinOp(op=ast.Add()):
            return _collect(node.left, factor, terms) + _collect(node.right, factor, terms)
        case ast.BinOp(op=ast.Sub()):
            return _collect(node.left, factor, terms) + _collect(node.right, -factor, terms)
        case ast.UnaryOp(op=ast.USub()):
            return _collect(node.operand, -factor, terms)
        case ast.UnaryOp():
            return _collect(node.operand, factor, terms)
        case ast.BinOp(op=ast.Mult()) if _number(node.left) is not None:
            return _collect(node.right, factor * _number(node.left), terms)
        case ast.BinOp(op=ast.Mult()) if _number(node.right) is not None:
            return _collect(node.left, factor * _number(node.right), terms)
        case ast.BinOp(op=ast.Div()) if _number(node.right):
            return _collect(node.left, factor / _number(node.right), terms)
    key = ast.unparse(node)
    known = terms.get(key, (node, 0.0))
    terms[key] = known[0], known[1] + factor
    return 0.0


def _number(node: ast.expr) -> float | None:
    """Return the value of an expression without columns, None if it has some or is a text."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.UnaryOp(op=ast.USub()) if (value := _number(node.operand)) is not None:
            return -value
        case ast.BinOp(op=ast.Pow() | ast.Add() | ast.Sub() | ast.Mult() | ast.Div() as op):
            left, right = _number(node.left), _number(node.right)
            if left is not None and right is not None:
                with np.errstate(all="ignore"):
                    a, b = np.float64(left), np.float64(right)
                    pairs = {ast.Pow: np.power, ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply}
                    found = float(pairs.get(type(op), np.true_divide)(a, b))
                return found if np.isfinite(found) else None
    return None
