"""Lengths of time that name their units: 1h 20min, 2 days 4 hours, or P3DT4H as in ISO 8601."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth.data.formats.base import Format, listed

# A year of 365.25 days, and its twelfth.
_YEAR, _MONTH = 31_557_600, 2_629_800
_NAMES = {
    _YEAR: ("y", "yr", "yrs", "year", "years", "jahr", "jahre", "an", "ans", "año", "años"),
    _MONTH: ("mo", "mos", "mon", "mth", "mths", "month", "months", "monat", "monate", "mois", "mes", "meses"),
    7 * 86_400: ("w", "wk", "wks", "week", "weeks", "wochen", "woche"),
    86_400: ("d", "day", "days", "tag", "tage", "j", "jour", "jours"),
    3_600: ("h", "hr", "hrs", "hour", "hours", "std", "stunde", "stunden", "heure", "heures"),
    60: ("m", "min", "mins", "minute", "minutes", "minuten"),
    1: ("s", "sec", "secs", "second", "seconds", "sek", "sekunden"),
}
_SECONDS = {name: seconds for seconds, names in _NAMES.items() for name in names}
# Plurals that lose their last letter beside a 1.
_PLURALS = {
    "yrs",
    "years",
    "mos",
    "mths",
    "months",
    "wks",
    "weeks",
    "days",
    "jours",
    "hrs",
    "hours",
    "heures",
    "mins",
    "minutes",
    "secs",
    "seconds",
}
_PART = re.compile(r"(?P<between>,? (?:and )?|)(?P<number>\d+(?:\.\d+)?)(?P<gap> ?)(?P<name>[^\W\d_]+\.?)")
_ISO = re.compile(r"P(?:\d+W)?(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?")
_ISO_PART = re.compile(r"(?P<between>P?T?)(?P<number>\d+(?:\.\d+)?)(?P<gap>)(?P<name>[WDHMS])")
# Longer ones do not fit into 64 bits of nanoseconds.
_LONGEST = 9e9
_PLAUSIBLE = 40


@dataclass(frozen=True)
class Part:
    """Number of one unit.

    Parameters
    ----------
    seconds : int
        Length of the unit.
    between : str
        Text before the number.
    name : str
        Unit, with the blank before it.
    width : int, default=1
        Digits that leading zeros fill up to.
    """

    seconds: int
    between: str
    name: str
    width: int = 1

    def text(self, number: float, decimals: int) -> str:
        """Write a number with its unit."""
        name = self.name[:-1] if number == 1 and self.name.strip().casefold() in _PLURALS else self.name
        return f"{number:0{self.width}.{decimals}f}{name}"


@dataclass(frozen=True)
class LengthFormat(Format):
    """Lengths of time with the names of their units, by an example such as ``1h 1min`` or ``P1DT1H*``.

    Parameters
    ----------
    parts : tuple of Part
        The largest unit first.
    brief : bool
        Whether parts of zero are left out; in an example, a ``*`` at the end.
    decimals : int
        Decimals of the smallest unit.
    """

    parts: tuple[Part, ...]
    brief: bool = False
    decimals: int = 0

    @classmethod
    def of(cls, text: str) -> "LengthFormat | None":
        """Read an example; None if it is none."""
        parts = _split(text.removesuffix("*"))
        if parts is None:
            return None
        after = parts[-1][1].partition(".")[2]
        made = tuple(Part(s, between, name, len(n.partition(".")[0])) for s, n, between, name in parts)
        return cls(made, text.endswith("*"), len(after))

    @classmethod
    def learn(cls, texts: Sequence[str], most: float) -> "LengthFormat | None":
        """Learn the units of a sample; None where fewer texts than ``most`` are lengths of two or more units."""
        found = [parts for text in texts if (parts := _split(text.removeprefix("-")))]
        units = sorted({part[0] for parts in found for part in parts}, reverse=True)
        if len(found) < max(1, most * len(texts)) or len(units) < 2:
            return None
        # Of cells such as 2h and 3min, none shows how both are joined.
        joined = Counter(between for parts in found for _, _, between, _ in parts[1:] if "T" not in between)
        iso = texts[0].removeprefix("-").startswith("P")
        if not iso and not joined:
            return None
        between = "" if iso else joined.most_common(1)[0][0]
        made, clock = [], False
        for seconds in units:
            own = [part for parts in found for part in parts if part[0] == seconds]
            name = max(Counter(part[3] for part in own).items(), key=lambda pair: (len(pair[0]), pair[1]))[0]
            numbers = [part[1].partition(".")[0] for part in own]
            width = 2 if any(n.startswith("0") and len(n) == 2 for n in numbers) else 1
            before = between if made else "P" * iso
            if iso and seconds < 86_400 and not clock:
                before, clock = before + "T", True
            made.append(Part(seconds, before, name, width))
        after = max(len(part[1].partition(".")[2]) for parts in found for part in parts if part[0] == units[-1])
        return cls(tuple(made), any(len(parts) < len(units) for parts in found), after)

    @property
    def text(self) -> str:
        """Example that ``of`` reads as this format."""
        ones = "".join(f"{part.between}{1:0{part.width}d}{part.name}" for part in self.parts[:-1])
        last = self.parts[-1]
        one = f"{1:0{last.width}d}" + ("." + "0" * self.decimals if self.decimals else "")
        return f"{ones}{last.between}{one}{last.name}" + "*" * self.brief

    def parse(self, texts: Iterable[str]) -> pd.Series:
        """Read texts as lengths of time."""
        seconds = []
        for text in listed(texts):
            text = text.strip()
            parts = _split(text.removeprefix("-"))
            length = sum(unit * float(number) for unit, number, _, _ in parts) if parts else np.nan
            seconds.append((-length if text.startswith("-") else length) if abs(length) < _LONGEST else np.nan)
        return in_seconds(seconds)

    def print(self, values: pd.Series) -> pd.Series:
        """Write lengths of time."""
        texts = [None if pd.isna(value) else self._one(value.total_seconds()) for value in values]
        return pd.Series(texts, index=values.index, name=values.name, dtype=object)

    def _one(self, seconds: float) -> str:
        smallest = self.parts[-1].seconds
        left = round(abs(seconds) / smallest, self.decimals)
        written, clock = "", False
        for part in self.parts:
            last = part is self.parts[-1]
            size = part.seconds // smallest
            number = left if last else left // size
            left = left - number * size
            # ISO 8601 has a T before hours, minutes and seconds.
            iso, short = self.parts[0].between.startswith("P"), part.seconds < 86_400
            if self.brief and not number and not (last and written in ("", "P")):
                continue
            before = part.between
            if iso:
                before = ("" if written else "P") + ("T" if short and not clock else "")
                clock = clock or short
            elif not written:
                before = ""
            written += before + part.text(number, self.decimals if last else 0)
        return "-" * (seconds < 0 and any(digit in written for digit in "123456789")) + written


def in_seconds(numbers: Sequence[float]) -> pd.Series:
    """Return lengths of time of a number of seconds; NaN is missing."""
    seconds = pd.Series(numbers, dtype=float)
    missing = seconds.isna()
    # pandas rounds memory that was never written where a number is missing, which can overflow.
    return pd.to_timedelta(seconds.mask(missing, 0.0), unit="s").astype("timedelta64[ns]").mask(missing)


def _split(text: str) -> list[tuple[int, str, str, str]] | None:
    """Split a length into its parts, each as seconds of the unit, number, text before it, and the unit's name."""
    if len(text) > _PLAUSIBLE:
        return None
    pattern = _ISO_PART if _ISO.fullmatch(text) else _PART
    parts, end = [], 0
    for found in pattern.finditer(text):
        name = found["name"].casefold().rstrip(".")
        seconds = _SECONDS.get(name)
        # After years, m is for months; both are parts of nothing smaller.
        seconds = _MONTH if name == "m" and parts and parts[0][0] == _YEAR else seconds
        if parts and seconds is not None and (parts[0][0] >= _MONTH) != (seconds >= _MONTH):
            return None
        if found.start() != end or seconds is None or (parts and seconds >= parts[-1][0]):
            return None
        parts.append((seconds, found["number"], found["between"], found["gap"] + found["name"]))
        end = found.end()
    if not parts or end != len(text) or any("." in number for _, number, _, _ in parts[:-1]):
        return None
    return parts
