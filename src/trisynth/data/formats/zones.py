"""Abbreviations of time zones, such as CET and CEST, behind the times of a file."""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta, timezone

import pandas as pd

# Zones by the abbreviations of their standard and summer time, with the hours from UTC.
_PAIRS = {
    ("WET", "WEST"): ("Europe/Lisbon", 0),
    ("GMT", "BST"): ("Europe/London", 0),
    ("CET", "CEST"): ("Europe/Berlin", 1),
    ("MEZ", "MESZ"): ("Europe/Berlin", 1),
    ("EET", "EEST"): ("Europe/Helsinki", 2),
    ("EST", "EDT"): ("America/New_York", -5),
    ("CST", "CDT"): ("America/Chicago", -6),
    ("MST", "MDT"): ("America/Denver", -7),
    ("PST", "PDT"): ("America/Los_Angeles", -8),
}
_HOURS = {name: hours + place for pair, (_, hours) in _PAIRS.items() for place, name in enumerate(pair)}
_HOURS |= {"UTC": 0, "MSK": 3, "JST": 9, "KST": 9}
ZONE = rf"(?P<name>{'|'.join(sorted(_HOURS, key=len, reverse=True))})"
_WRITTEN = re.compile(rf"%Z\{{({'|'.join(_HOURS)})(?:,({'|'.join(_HOURS)}))?\}}$")
_TIMES = re.compile(rf"\d:\d\d.*[ ]{ZONE}$")
_MOST, _SAMPLE = 0.9, 500
_END = re.compile(rf" ?{ZONE}$")


def directive(names: Iterable[str]) -> str | None:
    """Return the end of a format for the abbreviations of a column; None if they are not of one zone."""
    found = sorted(set(names), key=_HOURS.get)
    if len(found) == 1:
        return f"%Z{{{found[0]}}}"
    return f"%Z{{{','.join(found)}}}" if tuple(found) in _PAIRS else None


def of_zones(texts: Sequence[str]) -> bool:
    """Return whether nearly all texts are times with an abbreviation."""
    found = [bool(_TIMES.search(text)) for text in texts[:: max(1, len(texts) // _SAMPLE)]]
    return sum(found) > _MOST * len(found)


def split(text: str) -> tuple[str, tuple[str, ...]]:
    """Split a format into what precedes the abbreviation, and the abbreviations."""
    found = _WRITTEN.search(text)
    return (text[: found.start()].rstrip(" "), tuple(filter(None, found.groups()))) if found else (text, ())


def aware(dates: pd.Series, texts: pd.Series, names: tuple[str, ...]) -> pd.Series:
    """Return local times in the zone that their abbreviations name."""
    hours = texts.str.extract(_END, expand=False).map(_HOURS)
    return _moved((dates - pd.to_timedelta(hours, unit="h")).dt.tz_localize("UTC"), names)


def bare(texts: pd.Series) -> pd.Series:
    """Return texts without the abbreviations at their end."""
    return texts.str.replace(_END, "", regex=True)


def written(values: pd.Series, names: tuple[str, ...]) -> tuple[pd.Series, pd.Series]:
    """Return points in time as local ones, and the abbreviation of each."""
    local = _moved(values if values.dt.tz is not None else values.dt.tz_localize("UTC"), names)
    plain = local.dt.tz_localize(None)
    hours = (plain - local.dt.tz_convert(None)) / pd.Timedelta(1, "h")
    return plain, hours.map({_HOURS[name]: name for name in names})


def _moved(values: pd.Series, names: tuple[str, ...]) -> pd.Series:
    zone = _PAIRS[names][0] if len(names) > 1 else timezone(timedelta(hours=_HOURS[names[0]]))
    return values.dt.tz_convert(zone).dt.as_unit("ns")
