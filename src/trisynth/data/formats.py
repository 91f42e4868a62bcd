"""Formats of cells: texts to numbers, dates and durations, and back to the same texts.

A format is a short text, as a yaml declares it. For numbers it is an example: ``1.234,50 kg`` has a thousands point,
a decimal comma, two decimals and a unit. For dates it is a ``strptime`` text, or one of a few names. None is plain.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable

import pandas as pd

from trisynth.errors import InputError

QUANTITIES = ("number", "date", "duration")


class Format(ABC):
    """Base of the formats: texts to values, and values to texts."""

    @abstractmethod
    def parse(self, texts: Iterable[str]) -> pd.Series:
        """Read texts as values; what does not fit becomes missing.

        Returns
        -------
        Series, shape (n,)
            ``int64``, ``Int64`` or ``float64``, ``datetime64[ns]`` with or without a zone, or ``timedelta64[ns]``.
        """

    @abstractmethod
    def print(self, values: pd.Series) -> pd.Series:
        """Write values as texts, dtype object, with None for a missing one and the same index."""


def format_of(kind: str, text: str | None = None, parameter: str = "format") -> Format:
    """Return the format of a column.

    Parameters
    ----------
    kind : {"number", "date", "duration"}
    text : str or None, default=None
        Declared format; None is the plain one.
    parameter : str, default="format"
        Name of ``text`` in errors.

    Raises
    ------
    InputError
        If the text is no format of that kind.
    """
    # Imported here: both modules derive their classes from the base above.
    from trisynth.data.dates import DateFormat, DurationFormat
    from trisynth.data.numbers import NumberFormat

    formats = {"number": NumberFormat, "date": DateFormat, "duration": DurationFormat}
    if kind not in formats:
        raise InputError(parameter, text, f"a column of kind {kind} has no format; leave it out")
    if text is not None and (not isinstance(text, str) or not text.strip()):
        raise InputError(parameter, text, "must be a text, such as '1.234,5 kg' for numbers or '%d.%m.%Y' for dates")
    return formats[kind].of(text, parameter)
