"""Lap times, which are minutes and seconds as in 1:23.456, and clocks that leave out hours or minutes of zero."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth.data.formats.base import Format, listed
from trisynth.data.formats.fractions import FRACTION, Fraction
from trisynth.data.formats.lengths import in_seconds

_FORM = re.compile(
    rf"(?P<open>\[?)%(?P<dash>-?)(?P<first>[HM]):(?P<close>\]?)(?P<M>%M:)?%S(?P<f>{FRACTION})?"  # [%-H:]%M:%S.%3f
)
_TEXT = re.compile(r"(-?)(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d\d?)([.,]\d+)?")
_UNITS = {"H": (3600, 60, 1), "M": (60, 1)}


@dataclass(frozen=True)
class LapFormat(Format):
    """Lengths of time as ``%M:%S.%3f``; a first part in brackets is left out where it is zero.

    Parameters
    ----------
    first : {"H", "M"}
        First part.
    padded : bool
        Whether the first part has two digits at the least.
    optional : bool
        Whether the first part is left out where it is zero.
    fraction : Fraction or None
    """

    first: str
    padded: bool
    optional: bool
    fraction: Fraction | None

    @classmethod
    def of(cls, text: str) -> "LapFormat | None":
        """Read a format such as ``%M:%S``, ``%-M:%S.%3f``, ``[%-H:]%M:%S`` or ``[%-M:]%S.%f``; None if it is none."""
        found = _FORM.fullmatch(text)
        if not found or bool(found["open"]) != bool(found["close"]) or (found["first"] == "H") != bool(found["M"]):
            return None
        return cls(found["first"], not found["dash"], bool(found["open"]), Fraction.of(text))

    @property
    def text(self) -> str:
        """Text that ``of`` reads as this format."""
        first = f"%{'' if self.padded else '-'}{self.first}:"
        rest = "%M:%S" if self.first == "H" else "%S"
        return (f"[{first}]" if self.optional else first) + rest + (self.fraction.text if self.fraction else "")

    def parse(self, texts: Iterable[str]) -> pd.Series:
        """Read texts as lengths of time."""
        return in_seconds([self._read(text.strip()) for text in listed(texts)])

    def _read(self, text: str) -> float:
        found = _TEXT.fullmatch(text)
        if not found:
            return np.nan
        parts = [int(part) for part in found.groups()[1:4] if part is not None]
        units = _UNITS[self.first]
        if len(parts) not in (len(units), len(units) - self.optional) or any(part > 59 for part in parts[1:]):
            return np.nan
        whole = sum(part * unit for part, unit in zip(parts, units[-len(parts) :], strict=True))
        length = whole + float((found[5] or "0").replace(",", "."))
        return -length if found[1] else length

    def print(self, values: pd.Series) -> pd.Series:
        """Write lengths of time."""
        texts = [None if pd.isna(value) else self._one(value) for value in values]
        return pd.Series(texts, index=values.index, name=values.name, dtype=object)

    def _one(self, value: pd.Timedelta) -> str:
        fraction = self.fraction or Fraction(0)
        # Whole numbers of nanoseconds, which floats would round.
        length = fraction.rounded(abs(value.value))
        left, parts = length // 10**9, []
        for unit in _UNITS[self.first]:
            parts.append(left // unit)
            left %= unit
        if self.optional and not parts[0]:
            parts = parts[1:]
        first = f"{parts[0]:02d}" if self.padded else f"{parts[0]:d}"
        after = fraction.write([length])[0] if fraction.digits else ""
        sign = "-" * (value < pd.Timedelta(0))
        return sign + ":".join([first, *(f"{part:02d}" for part in parts[1:])]) + after
