"""Formats of cells: texts to numbers, dates and durations, and back to the same texts.

A format is a short text, as a yaml declares it. For numbers it is an example: ``1.234,50 kg`` has a thousands point,
a decimal comma, two decimals and a unit. For dates it is a ``strptime`` text, or one of a few names. None is plain.
An end such as `` #٠`` gives the zero of other digits. Two formats with `` | `` between them are both read, and the
first is written.
"""

from trisynth.data.formats.base import OR, Alternatives, Format
from trisynth.data.formats.dates import DateFormat, DurationFormat
from trisynth.data.formats.digits import OtherDigits, split
from trisynth.data.formats.numbers import NumberFormat
from trisynth.errors import InputError

__all__ = ["FORMATS", "OR", "QUANTITIES", "DateFormat", "DurationFormat", "Format", "NumberFormat", "format_of"]

FORMATS: dict[str, type[Format]] = {"number": NumberFormat, "date": DateFormat, "duration": DurationFormat}
# Kinds of columns that have a format.
QUANTITIES = tuple(FORMATS)


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
        If the text is not a format of that kind.
    """
    if kind not in FORMATS:
        raise InputError(parameter, text, f"a column of kind {kind} has no format; leave it out")
    if text is not None and (not isinstance(text, str) or not text.strip()):
        raise InputError(parameter, text, "must be a string, such as '1.234,5 kg' for numbers or '%d.%m.%Y' for dates")
    if text is None:
        return FORMATS[kind].of(None)
    return Alternatives.of([_single(kind, part, parameter) for part in text.split(OR)])


def _single(kind: str, text: str, parameter: str) -> Format:
    inner, digits = split(text)
    found = FORMATS[kind].of(inner, parameter)
    return OtherDigits(found, digits) if digits else found
