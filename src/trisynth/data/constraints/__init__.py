"""Constraints on the columns of a table, as a user declares them: their grammar, their logic, and checks of rows."""

from trisynth.data.constraints.checks import check_rows, checked
from trisynth.data.constraints.expressions import Constraint

__all__ = ["Constraint", "check_rows", "checked"]
