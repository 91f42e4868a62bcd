"""Privacy budget: epsilon, delta and what they protect."""

import math
from dataclasses import dataclass

from trisynth.errors import InputError, require_flag, require_whole
from trisynth.places import part

UNITS = ("row", "person")
# Noise of a larger epsilon is none, and the distribution of its loss takes more memory than there is.
_LARGEST = 10_000
# A larger delta is above 1 / rows of any table worth fitting.
_MOST_DELTA = 0.1


@part
@dataclass(frozen=True)
class Budget:
    """Budget of one private fit, handed to a generator like a loss.

    Neighbouring tables differ by one row, or by all rows of one person, that is added or removed.

    Parameters
    ----------
    epsilon : float or None, default=None
        Bound on the privacy loss; None fits without noise, as the ceiling of a method, and promises nothing.
    delta : float or None, default=None
        Probability with which the loss may exceed ``epsilon``; None is 1 / (n sqrt(n)) of the declared ``rows`` n.
    unit : {"row", "person"}, default="row"
        What is protected.
    person : str or None, default=None
        Column that identifies the person of each row; needed by ``unit: person``.
    rows_per_person : int, default=1
        Maximum number of rows of one person that a fit uses; the others are left out.
    rows : int or None, default=None
        Declared number of rows, which must not be counted; a data set's yaml may declare it instead.
    seeded : bool, default=False
        Draw the noise from the seed of the fit, for tests. Whoever knows the seed can remove such noise, so the
        result is marked as not private.
    """

    epsilon: float | None = None
    delta: float | None = None
    unit: str = "row"
    person: str | None = None
    rows_per_person: int = 1
    rows: int | None = None
    seeded: bool = False

    def check(self, parameter: str = "privacy") -> None:
        """Refuse values that do not describe a budget.

        Raises
        ------
        InputError
            For the first such value.
        """
        if self.epsilon is not None and not _positive(self.epsilon):
            remedy = "must be a number above 0; privacy=none fits without noise and promises nothing"
            raise InputError(f"{parameter}.epsilon", self.epsilon, remedy)
        if self.epsilon is not None and self.epsilon > _LARGEST:
            remedy = f"must be at most {_LARGEST:,}, which already promises nothing; privacy=none fits without noise"
            raise InputError(f"{parameter}.epsilon", self.epsilon, remedy)
        if self.delta is not None and not (_positive(self.delta) and self.delta <= _MOST_DELTA):
            raise InputError(f"{parameter}.delta", self.delta, "must lie above 0 and below 1 / rows, such as 1e-6")
        if self.unit not in UNITS:
            raise InputError(f"{parameter}.unit", self.unit, f"must be one of {', '.join(UNITS)}")
        if self.unit == "person" and not self.person:
            remedy = "needs the column that identifies a person; set privacy.person, or unit: row where each row is one"
            raise InputError(f"{parameter}.unit", self.unit, remedy)
        if self.unit == "row" and self.person:
            raise InputError(f"{parameter}.person", self.person, "has no effect with unit: row; set unit: person")
        for name in ("rows_per_person", "rows"):
            if name != "rows" or self.rows is not None:
                require_whole(f"{parameter}.{name}", getattr(self, name), 1)
        require_flag(f"{parameter}.seeded", self.seeded)
        if self.rows is not None:
            self._check_delta(self.rows, parameter)

    def settled(self, rows: int | None, parameter: str = "privacy") -> "Budget":
        """Return the budget with its delta, for a table of ``rows`` declared rows.

        Raises
        ------
        InputError
            If delta is neither given nor follows from declared rows, or is above 1 / rows.
        """
        self.check(parameter)
        rows = self.rows or rows
        if self.epsilon is None:
            return self
        if self.delta is None and rows is None:
            remedy = (
                "is needed where no number of rows is declared; declare rows in the data set's yaml (rows: 5000) or "
                "as privacy.rows, or set privacy.delta below 1 / rows"
            )
            raise InputError(f"{parameter}.delta", None, remedy)
        if self.delta is not None and rows is not None:
            self._check_delta(rows, parameter)
        delta = self.delta if self.delta is not None else 1 / (rows * math.sqrt(rows))
        values = {**vars(self), "delta": min(delta, _MOST_DELTA), "rows": rows}
        return Budget(**values)

    def _check_delta(self, rows: int, parameter: str) -> None:
        if self.delta is not None and self.delta > 1 / rows:
            remedy = f"must be at most 1 / {rows} rows; a larger one allows a row to be published; null chooses it"
            raise InputError(f"{parameter}.delta", self.delta, remedy)

    @property
    def sensitivity(self) -> int:
        """Rows by which neighbouring tables differ."""
        return self.rows_per_person if self.unit == "person" else 1


def _positive(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 < value < math.inf
