"""Formats of dates, time stamps and durations."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timezone

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from trisynth.data.formats import zones
from trisynth.data.formats.base import Format, listed
from trisynth.data.formats.fractions import FRACTION, Fraction
from trisynth.data.formats.laps import LapFormat
from trisynth.data.formats.lengths import LengthFormat, in_seconds
from trisynth.data.formats.names import LANGUAGES
from trisynth.data.formats.numbers import NumberFormat
from trisynth.errors import InputError

# Names of formats that count from an origin: the origin, and the unit of the count.
COUNTS = {
    "excel": (pd.Timestamp(1899, 12, 30), "D"),
    "unix": (pd.Timestamp(1970, 1, 1), "s"),
    "unix_ms": (pd.Timestamp(1970, 1, 1), "ms"),
    "unix_us": (pd.Timestamp(1970, 1, 1), "us"),
}
_COUNT = re.compile(rf"(?P<name>{'|'.join(COUNTS)})(?:\.(?P<after>0+))?")
_DIRECTIVE = re.compile(r"%([-^+]?[a-zA-Z]|[1-9]f|:z|%)")
_NAMES = {flag + key for flag in ("", "-", "^", "+") for key in "BbAa"}
_PLAIN = {f"-{key}" for key in "dmHIV"} | {f"{digits}f" for digits in range(1, 10)}
_KNOWN = {*"YymdHMSfIpzjGVu", *_NAMES, *_PLAIN, "+d", ":z", "%"}
_CLOCK = re.compile(r"(-?)(\d+):(\d\d)(?::(\d\d)([.,]\d+)?)?(?: ?([AaPp])[Mm])?")
# Words behind a time of the day, or units behind a pace.
PACE = r" ?(?:min)?/(?:km|mi|mile|100m|500m)"
_OCLOCK = re.compile(rf"(?: (?:Uhr|[Hh]|hrs|uur|heures)|{PACE})$")
# Years of two digits, and the first of the hundred years that they stand for.
_CENTURY = re.compile(r"%y\{(\d{4})\}")
_CLOCKS = re.compile(rf"%(?P<dash>-?)(?P<H>H|I):%M(?P<S>:%S(?P<f>{FRACTION})?)?(?P<p> ?%p)?")
# Hours and minutes without a colon: what stands between them.
_BETWEEN = {"%H.%M": ".", "%-H.%M": ".", "%H%M": "", "%Hh%M": "h", "%-Hh%M": "h", "%HH%M": "H", "%-HH%M": "H"}
DAY = "%Y-%m-%d"
_DAY_NS = 86_400 * 10**9
# Days as in 1st, 22nd and 18th; French has one for the first day alone.
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th|er)\b", re.IGNORECASE)
_ENDS = dict.fromkeys(range(1, 32), "th") | {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}
_ENDS_FR = dict.fromkeys(range(1, 32), "") | {1: "er"}
# Before the code of a language at the end of a format.
LANGUAGE = " @"


@dataclass(frozen=True)
class DateFormat(Format):
    """Dates and time stamps as a file writes them.

    Parameters
    ----------
    text : str or None
        A ``strptime`` text with ``%-d``, ``%-m``, ``%-H``, ``%-I``, ``%-V`` for numbers without a leading zero, ``%3f``
        for milliseconds (see ``Fraction``) and ``%:z`` for an offset such as +01:00; ``%^b``, ``%-b`` and ``%+b`` write
        names in capitals, in small letters and with a capital first, and an end such as `` @de`` names their
        language; ``%+d`` is a day as in 1st, and ``%Z{CET,CEST}`` at the end abbreviates a zone. Or ``excel``,
        ``unix``, ``unix_ms``, ``unix_us`` for counts of days, seconds, milliseconds and microseconds, with decimals as
        in ``unix.000``. ``%y{1920}`` is
        a year of two digits from 1920 to 2019. None is ISO 8601, and is written with a time
        where any value has one.
    """

    text: str | None = None

    @classmethod
    def of(cls, text: str | None, parameter: str = "format") -> "DateFormat":
        """Check a format."""
        if text is None or _COUNT.fullmatch(text):
            return cls(text)
        _, mark, language = text.partition(LANGUAGE)
        if mark and language not in LANGUAGES:
            raise InputError(parameter, text, f"names no known language; the codes are {', '.join(LANGUAGES)}")
        body, names = zones.split(_CENTURY.sub("%y", text.partition(LANGUAGE)[0]))
        if names and zones.directive(names) is None:
            raise InputError(parameter, text, "must abbreviate one zone, such as %Z{CET} or %Z{CET,CEST}")
        found = [match[1] for match in _DIRECTIVE.finditer(body)]
        if not found or body.count("%") != len(found) + found.count("%") or not set(found) <= _KNOWN:
            remedy = f"must be a strptime format such as %d.%m.%Y, or one of {', '.join(COUNTS)}"
            raise InputError(parameter, text, remedy)
        try:
            # pandas refuses directives that are repeated or contradict each other.
            cls(text).parse([""])
        except (ValueError, re.error) as error:
            raise InputError(parameter, text, f"cannot be read ({error}); give each part of a date once") from None
        return cls(text)

    def parse(self, texts: Iterable[str]) -> pd.Series:
        """Read texts as points in time; with offsets that differ, in the zone of most of them."""
        array = texts if isinstance(texts, pa.Array) else pa.array(list(texts), pa.string())
        if self.text is None:
            return _iso(pc.utf8_trim_whitespace(array))
        texts = pd.Series(pc.utf8_trim_whitespace(array).to_pylist(), dtype=object)
        if _COUNT.fullmatch(self.text):
            return _counted(pd.to_numeric(texts, errors="coerce").to_numpy(float), self.text)
        if century := _CENTURY.search(self.text):
            return _in_century(DateFormat(_CENTURY.sub("%y", self.text)).parse(array), int(century[1]))
        text, _, language = self.text.partition(LANGUAGE)
        text, names = zones.split(text)
        if fraction := Fraction.of(text):
            texts = pd.Series(fraction.filled(texts), dtype=object)
            text = text.replace(f"f{fraction.end}", "f") if fraction.end else text
        strptime = re.sub(r"%([-^+](?=[a-zA-Z])|[1-9](?=f)|:(?=z))", "%", text)
        whole = texts
        if names:
            texts = zones.bare(texts)
        if "%+d" in text:
            texts = texts.str.replace(_ORDINAL, "", regex=True)
        if language:
            distinct = list(texts.dropna().unique())
            keys = [key for key in "BbAa" if f"%{key}" in strptime]
            texts = texts.map(dict(zip(distinct, LANGUAGES[language].english(distinct, keys), strict=True)))
        if "%V" in strptime and "%u" not in strptime:
            strptime, texts = f"{strptime} %u", texts + " 1"
        strptime = strptime[:-1] + "%z" if strptime.endswith("Z") and not strptime.endswith("%Z") else strptime
        if names:
            return zones.aware(_read(texts, strptime, False), whole, names)
        aware = "%z" in strptime
        dates = _read(texts, strptime, aware)
        if aware:
            return _in_zone(dates, texts, self.text)
        return dates.astype("datetime64[ns]")

    def print(self, values: pd.Series) -> pd.Series:
        """Write points in time, in their own zone."""
        present = values.dropna()
        text = self.text or _needed(present)
        if _COUNT.fullmatch(text):
            return _counts(values, text)
        text, _, language = _CENTURY.sub("%y", text).partition(LANGUAGE)
        text, abbreviations = zones.split(text)
        end = ""
        if abbreviations:
            present, end = zones.written(present, abbreviations)
            text += " "
        zone = present.dt.tz
        if fraction := Fraction.of(text):
            present = _rounded(present, fraction)
        names = LANGUAGES[language or "en"]
        pieces = re.split(rf"({FRACTION}|%:z|%\+d|%-[dmHIV]|%[-^+]?[BbAa])", text)
        written = pd.Series("", index=present.index, dtype=object)
        for piece in pieces:
            if fraction and piece == fraction.text:
                part = pd.Series(fraction.write(_whole(present)), index=present.index, dtype=object)
            elif piece == "%:z":
                offset = present.dt.strftime("%z") if zone is not None else pd.Series("+0000", index=present.index)
                part = offset.str[:3] + ":" + offset.str[3:5]
            elif piece[:1] == "%" and piece[1:] in _NAMES:
                places = present.dt.month - 1 if piece[-1] in "Bb" else present.dt.weekday
                part = pd.Series(names.write(piece[1:], places), index=present.index, dtype=object)
            elif piece == "%+d":
                ends = _ENDS_FR if language.startswith("fr") else _ENDS
                part = present.dt.strftime("%d").str.lstrip("0") + present.dt.day.map(ends)
            elif piece.startswith("%-"):
                part = present.dt.strftime(f"%{piece[2]}").str.lstrip("0").replace("", "0")
            else:
                part = present.dt.strftime(piece) if "%" in piece else piece
            written = written + part
        written = written + end
        return written.reindex(values.index).astype(object).where(values.notna(), None)


@dataclass(frozen=True)
class DurationFormat(Format):
    """Lengths of time as a file writes them: a clock as in 36:15:00, or pandas' 1 days 12:15:00.

    Parameters
    ----------
    text : str or None
        ``%H:%M:%S`` or ``%H:%M``; ``%-H`` for hours without a leading zero, ``%S.%3f`` for fractions (``Fraction``),
        ``%I:%M %p`` for times of the day in two halves, ``%H%M``, ``%Hh%M`` or ``%H.%M`` for 0930, 9h30 or 09.30, all
        with a word such as ``Uhr`` at the end where the file has one. None is pandas' text.
        Other texts are examples with the names of units, see ``LengthFormat``, or lap times, see ``LapFormat``.
    """

    text: str | None = None

    @classmethod
    def of(cls, text: str | None, parameter: str = "format") -> Format:
        """Check a format."""
        body = _OCLOCK.sub("", text or "")
        clock = _CLOCKS.fullmatch(body)
        lap = body != (text or "") and LapFormat.of(body)
        if text is None or lap or body in _BETWEEN or (clock and (clock["H"] == "I") == bool(clock["p"])):
            return cls(text)
        if (other := LapFormat.of(text) or LengthFormat.of(text)) is None:
            remedy = "must be %H:%M:%S, %H:%M, %I:%M %p, %M:%S.%3f, or an example such as 1h 1min or P1DT1H"
            raise InputError(parameter, text, remedy)
        return other

    def parse(self, texts: Iterable[str]) -> pd.Series:
        """Read texts as lengths of time."""
        texts = pd.Series(listed(texts), dtype=object)
        if self.text is None:
            return pd.to_timedelta(texts, errors="coerce").astype("timedelta64[ns]")
        if end := _OCLOCK.search(self.text):
            return DurationFormat.of(self.text[: end.start()]).parse([_OCLOCK.sub("", text.strip()) for text in texts])
        if self.text in _BETWEEN:
            pattern = re.compile(r"(\d?\d)" + re.escape(_BETWEEN[self.text]) + r"([0-5]\d)")
            found = [pattern.fullmatch(text.strip()) for text in texts]
            return in_seconds([int(each[1]) * 3600 + int(each[2]) * 60 if each else np.nan for each in found])
        seconds, clock = [], _CLOCKS.fullmatch(self.text)
        for text in texts:
            found = _CLOCK.fullmatch(text.strip())
            if not found or bool(found[4]) != bool(clock["S"]) or bool(found[6]) != bool(clock["p"]):
                seconds.append(np.nan)
                continue
            hours = int(found[2])
            if found[6]:
                hours = hours % 12 + 12 * (found[6] in "Pp") if 1 <= hours <= 12 else np.nan
            length = hours * 3600 + int(found[3]) * 60 + int(found[4] or 0) + float((found[5] or "0").replace(",", "."))
            seconds.append(-length if found[1] else length)
        return in_seconds(seconds)

    def print(self, values: pd.Series) -> pd.Series:
        """Write lengths of time."""
        if end := _OCLOCK.search(self.text or ""):
            written = DurationFormat.of(self.text[: end.start()]).print(values)
            return written.where(written.isna(), written + end[0])
        texts = [None if pd.isna(value) else self._one(value) for value in values]
        return pd.Series(texts, index=values.index, name=values.name, dtype=object)

    def _one(self, value: pd.Timedelta) -> str:
        if self.text is None:
            return str(value)
        if self.text in _BETWEEN:
            minutes = round(abs(value.total_seconds()) / 60)
            hours = minutes // 60
            return f"{hours if '-' in self.text else f'{hours:02d}'}{_BETWEEN[self.text]}{minutes % 60:02d}"
        clock = _CLOCKS.fullmatch(self.text)
        fraction = Fraction.of(self.text) or Fraction(0)
        # Whole numbers of nanoseconds, which floats would round.
        length = fraction.rounded(abs(value.value))
        total = length // 10**9
        hours, minutes, rest = total // 3600, total // 60 % 60, total % 60
        after = fraction.write([length])[0] if fraction.digits else ""
        seconds = f":{rest:02d}{after}" if clock["S"] else ""
        half = ""
        if clock["p"]:
            half = clock["p"].replace("%p", "PM" if hours % 24 >= 12 else "AM")
            hours = (hours - 1) % 12 + 1
        shown = f"{hours:d}" if clock["dash"] else f"{hours:02d}"
        return f"{'-' * (value < pd.Timedelta(0))}{shown}:{minutes:02d}{seconds}{half}"


def _iso(array: pa.Array) -> pd.Series:
    aware = pc.match_substring_regex(array, r"[T ]\d\d:?\d\d.*(?:Z|[+-]\d\d:?\d\d)$")
    aware = bool(pc.any(aware).as_py())
    texts = pd.Series(array.to_pylist(), dtype=object)
    dates = _read(texts, "ISO8601", aware)
    return _in_zone(dates, texts, None) if aware else dates.astype("datetime64[ns]")


def _read(texts: pd.Series, format: str, aware: bool) -> pd.Series:
    # pandas reads these two as the present time, whatever the format.
    moving = texts.str.lower().isin(["now", "today"])
    return pd.to_datetime(texts.mask(moving, None), format=format, errors="coerce", utc=aware)


def _whole(times: pd.Series) -> list[int]:
    """Return whole nanoseconds since 1970, without a time zone."""
    plain = times.dt.tz_convert(None) if times.dt.tz is not None else times
    return plain.astype("datetime64[ns]").astype("int64").tolist()


def _rounded(times: pd.Series, fraction: Fraction) -> pd.Series:
    """Round points in time to the digits that are written."""
    whole = pd.to_datetime([fraction.rounded(each) for each in _whole(times)])
    zone = times.dt.tz
    whole = whole.tz_localize("UTC").tz_convert(zone) if zone is not None else whole
    return pd.Series(whole, index=times.index)


def _in_zone(dates: pd.Series, texts: pd.Series, format: str | None) -> pd.Series:
    """Put UTC times in the zone of most of their texts."""
    if format is not None and format.endswith("Z"):
        return dates.astype("datetime64[ns, UTC]")
    offset = next(iter(offsets(texts)), "Z")
    if offset not in ("Z", "+0000"):
        sign, hours, minutes = offset[0], int(offset[1:3]), int(offset[3:5])
        offset = pd.Timedelta(hours=hours, minutes=minutes) * (-1 if sign == "-" else 1)
        return dates.dt.tz_convert(timezone(offset.to_pytimedelta())).dt.as_unit("ns")
    return dates.astype("datetime64[ns, UTC]")


def offsets(texts: pd.Series) -> list[str]:
    """Return the offsets from UTC at the end of texts, the most frequent first."""
    found = texts.str.extract(r"\d\d(Z|[ ]?[+-]\d\d:?\d\d)(?:\[.*\])?$", expand=False).dropna()
    counts = found.str.replace(r"[: ]", "", regex=True).replace("+0000", "Z").value_counts()
    return sorted(counts.index, key=lambda offset: (-counts[offset], offset))


def _counted(numbers: np.ndarray, name: str) -> pd.Series:
    origin, unit = COUNTS[_COUNT.fullmatch(name)["name"]]
    size = pd.Timedelta(1, unit).value
    # Counts so large that no date is meant would overflow.
    numbers = np.where(np.abs(numbers) * (size / _DAY_NS) < 80_000, numbers, np.nan)
    missing = np.isnan(numbers)
    whole = np.floor(np.where(missing, 0.0, numbers))
    # A float has microseconds of today's time stamps, and milliseconds of Excel's days.
    last = 1_000_000 if unit == "D" else 1_000
    part = np.rint(np.where(missing, 0.0, numbers - whole) * (size / last)).astype(np.int64) * last
    lengths = pd.Series(pd.to_timedelta(whole.astype(np.int64) * size + part, unit="ns")).mask(missing)
    return (origin + lengths).astype("datetime64[ns]")


def _counts(values: pd.Series, name: str) -> pd.Series:
    found = _COUNT.fullmatch(name)
    origin, unit = COUNTS[found["name"]]
    if unit == "D" and not found["after"]:
        return NumberFormat().print(((values - origin) / pd.Timedelta(1, unit)).round(6))
    size, decimals = pd.Timedelta(1, unit).value, len(found["after"] or "")
    texts = []
    for length in values - origin:
        # Whole numbers, which floats would round.
        count = None if pd.isna(length) else round(length.value * 10**decimals / size)
        count = count if count is None or decimals else (2 * length.value + size) // (2 * size)
        sign, digits = ("-", str(-count)) if (count or 0) < 0 else ("", str(count))
        digits = digits.zfill(decimals + 1)
        place = len(digits) - decimals
        texts.append(None if count is None else f"{sign}{digits[:place]}{'.' * bool(decimals)}{digits[place:]}")
    return pd.Series(texts, index=values.index, name=values.name, dtype=object)


def _needed(present: pd.Series) -> str:
    """Return the shortest ISO format that loses nothing."""
    naive = present.dt.tz_localize(None)
    zone = "" if present.dt.tz is None else "%:z"
    if not zone and (naive == naive.dt.normalize()).all():
        return DAY
    fraction = ".%f" if (naive.dt.microsecond != 0).any() else ""
    return f"{DAY} %H:%M:%S{fraction}{zone}"


def _in_century(dates: pd.Series, first: int) -> pd.Series:
    """Move years that were read from two digits into the hundred years from the first on."""
    years = dates.dt.year.fillna(first).astype(int)
    moved = first + (years - first) % 100 - years
    for shift in sorted(set(moved) - {0}):
        chosen = (moved == shift).to_numpy()
        dates = dates.mask(chosen, dates[chosen] + pd.DateOffset(years=int(shift)))
    return dates
