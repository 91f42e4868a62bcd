"""Recognition of the format that a column of dates, time stamps or durations is written in."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from trisynth.data.formats.dates import DAY, LANGUAGE, PACE, offsets
from trisynth.data.formats.fractions import Fraction
from trisynth.data.formats.lengths import LengthFormat
from trisynth.data.formats.names import LANGUAGES, named
from trisynth.data.formats.zones import ZONE, directive
from trisynth.data.profile.laps import lap_format

_MONTH = r"(?P<month>[^\W\d_]{3,10}\.?)"
# Calendar weeks, as in KW 12/2024.
_WEEK = r"(?:KW|CW|Kalenderwoche|Woche|[Ww]eek|[Ww]k|WK|W|[Ss]emaine|[Ss]em\.?)"
_OF_YEAR = rf"(?P<w>{_WEEK} ?)(?P<V>0[1-9]|[1-4]\d|5[0-3]|[1-9])"
_END = r"(?P<o>(?:st|nd|rd|th|er)?)"
_DATES = (
    re.compile(r"(?P<Y>\d{4})(?P<s>\.(?= ?\d{1,2}\. ?\d{1,2}\.) ?)(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})\."),
    re.compile(r"(?P<Y>\d{4})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})"),
    re.compile(r"(?P<a>\d{1,2})(?P<s>[-/. ])(?P<b>\d{1,2})(?P=s)(?P<Y>\d{4}|\d{2})"),
    re.compile(
        rf"(?P<d>\d{{1,2}}){_END}(?P<s>[-/ .]|\. ?| de | of ){_MONTH}(?P<t>[-/ .,]|, | de )(?P<Y>\d{{4}}|\d{{2}})"
    ),
    re.compile(rf"{_MONTH}(?P<s>[ -])(?P<d>\d{{1,2}}){_END}(?P<t>,? |-)(?P<Y>\d{{4}})"),
    re.compile(r"(?P<Y>(?:18|19|20|21)\d{2})(?P<s>[-/.])(?P<m>0[1-9]|1[0-2])"),
    re.compile(r"(?P<m>0[1-9]|1[0-2])(?P<s>[-/.])(?P<Y>(?:18|19|20|21)\d{2})"),
    re.compile(rf"{_MONTH}(?P<s>[ -])(?P<Y>(?:18|19|20|21)\d{{2}})"),
    re.compile(r"(?P<Y>(?:18|19|20|21)\d{2})(?P<s>)(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])"),
    re.compile(r"(?P<Y>(?:18|19|20|21)\d{2})年(?P<m>\d{1,2})月(?P<d>\d{1,2})日"),
    re.compile(r"(?P<Y>(?:18|19|20|21)\d{2})년 ?(?P<m>\d{1,2})월 ?(?P<d>\d{1,2})일"),
    re.compile(r"(?P<G>(?:18|19|20|21)\d{2})-?W(?P<V>0[1-9]|[1-4]\d|5[0-3]|[1-9](?!\d))(?:-?(?P<u>[1-7]))?"),
    re.compile(rf"{_OF_YEAR}(?P<s> ?[/-] ?|\.|,? )(?P<G>(?:18|19|20|21)\d{{2}})"),
    re.compile(rf"(?P<G>(?:18|19|20|21)\d{{2}})(?P<s>[ /-]?){_OF_YEAR}"),
    re.compile(r"(?P<Y>(?:18|19|20|21)\d{2})-(?P<j>00[1-9]|0[1-9]\d|[12]\d{2}|3[0-5]\d|36[0-6])"),
)
_TIME = re.compile(
    r"(?P<gap>[T ]| {1,2}|, )(?P<H>\d{1,2})(?P<c>:|)(?P<M>\d{2})(?P<S>(?P=c)\d{2})?(?P<f>[.,]\d{1,9})?"
    rf"(?P<p> ?[AaPp][Mm])?(?P<z>Z| ?[+-]\d{{2}}:\d{{2}}| ?[+-]\d{{4}}| {ZONE})?"
)
_CLOCK = re.compile(r"-?(?P<H>\d{1,3}):[0-5]\d(?P<S>:[0-5]\d(?P<f>[.,]\d{1,9})?)?(?P<p> ?[AaPp][Mm])?")
_WEEKDAY = re.compile(r"(?P<day>[^\W\d_]{2,10}(?:-feira)?\.?)(?P<gap>,? )(?=\S)")
_OCLOCK = re.compile(rf"(?P<time>\d\d?[:.]\d\d(?::\d\d)?)(?P<end> (?:Uhr|[Hh]|hrs|uur|heures)|(?P<pace>{PACE}))")
_HOURS = re.compile(r"(?P<H>[01]?\d|2[0-3])(?P<h>[hH])[0-5]\d")
_DAYS = re.compile(r"-?\d+ days?,? (?:[+-]?\d{1,2}:\d{2}:\d{2}(\.\d+)?)?")
_MONTHS = {name.casefold() for known in LANGUAGES.values() for key in "Bb" for name in known.names[key]}
# A time of the day, and what stands behind it in all cells: an unknown zone, or a place in brackets.
_PLACE = re.compile(
    r"(?P<time>.*\d:\d\d(?:\.\d+)?(?: ?[AaPp][Mm])?)"
    r"(?P<place>(?! ?[AP]M$) ?"
    r"(?:[A-Z]{2,5}|[(\[]?[A-Z][A-Za-z]+/[A-Za-z_/]+[)\]]?|(?:UTC|GMT) ?[+-]\d{1,2}(?::?\d\d)?)(?<!Z))"
)
_KNOWN = re.compile(f" ?{ZONE}")
_SAMPLE = 2_000
_MOST = 0.9


@dataclass(frozen=True)
class Found:
    """Format of a column of times.

    Parameters
    ----------
    kind : {"date", "duration"}
    format : str or None
    doubt : str, default=""
        Fact that the cells leave open.
    other : str, default=""
        The format that they could have, too.
    """

    kind: str
    format: str | None
    doubt: str = ""
    other: str = ""


def time_format(texts: Sequence[str], day_first: bool | None = None, most: float = _MOST) -> Found | None:
    """Return the format of a sample of distinct texts.

    Parameters
    ----------
    texts : sequence of str
        Distinct texts, missing ones left out.
    day_first : bool or None, default=None
        Whether other columns of the table write the day before the month.
    most : float, default=0.9
        Fraction of the texts that must have the format.

    Returns
    -------
    Found or None
        None if fewer texts are times of one format.
    """
    texts = texts[:: max(1, len(texts) // _SAMPLE)]
    if not texts:
        return None
    if after := _before_words(texts, most):
        return after
    if laps := lap_format(texts, most):
        return Found("duration", laps.text)
    for pattern in (_CLOCK, _DAYS):
        matched = [found for found in map(pattern.fullmatch, texts) if found]
        if len(matched) >= most * len(texts):
            form = _clock(matched) if pattern is _CLOCK else None
            return None if pattern is _CLOCK and form is None else Found("duration", form)
    matched = [found for found in map(_HOURS.fullmatch, texts) if found]
    if len(matched) >= most * len(texts):
        dash = "-" if any(len(each["H"]) == 1 for each in matched) else ""
        doubt = "times of the day, or codes" if matched[0]["h"] == "H" else ""
        return Found("duration", f"%{dash}H{matched[0]['h']}%M", doubt)
    if lengths := LengthFormat.learn(texts, most):
        return Found("duration", lengths.text)
    if after := _after_weekdays(texts, day_first, most) or _before_places(texts, day_first, most):
        return after
    for pattern in _DATES:
        matched = [found for found in (_split(text, pattern) for text in texts) if found]
        if len(matched) >= most * len(texts):
            return _described(matched, day_first)
    return None


def _before_words(texts: Sequence[str], most: float) -> Found | None:
    """Recognise times of the day before a word, as in 10:30 Uhr or 10.30 h, and paces such as 4:56 min/km."""
    matched = [found for found in map(_OCLOCK.fullmatch, texts) if found]
    if not matched or len(matched) < most * len(texts) or len({each["end"] for each in matched}) > 1:
        return None
    end = matched[0]["end"]
    if matched[0]["pace"]:
        laps = lap_format([f"{each['time']}.0" for each in matched], most)
        return laps and Found("duration", laps.text.partition(".")[0] + end)
    if all("." in each["time"] for each in matched):
        dash = "-" if any(len(each["time"]) == 4 for each in matched) else ""
        return Found("duration", f"%{dash}H.%M{end}")
    clock = [found for found in (_CLOCK.fullmatch(each["time"]) for each in matched) if found]
    form = _clock(clock) if len(clock) == len(matched) else None
    return form and Found("duration", form + end)


def _after_weekdays(texts: Sequence[str], day_first: bool | None, most: float) -> Found | None:
    """Recognise dates that follow the names of days of the week."""
    matched = [found for found in map(_WEEKDAY.match, texts) if found]
    directive, language, count = named((each["day"] for each in matched), "Aa")
    if not count or count < most * len(texts):
        return None
    found = time_format([each.string[each.end() :] for each in matched], day_first)
    if found is None or found.kind != "date" or found.other:
        return None
    form, _, own = (found.format or DAY).partition(LANGUAGE)
    if own and own != language:
        directive, _, count = named((each["day"] for each in matched), "Aa", own)
        language = own if count >= most * len(texts) else "en"
    end = "" if language == "en" else LANGUAGE + language
    return Found("date", f"%{directive}{matched[0]['gap']}{form}{end}", found.doubt)


def _before_places(texts: Sequence[str], day_first: bool | None, most: float) -> Found | None:
    """Recognise time stamps before one and the same name of a zone that is not known, such as IST."""
    matched = [found for found in map(_PLACE.fullmatch, texts) if found and not _KNOWN.fullmatch(found["place"])]
    (end, count), *_ = Counter(each["place"] for each in matched).most_common(1) or [("", 0)]
    if not count or count < most * len(texts):
        return None
    found = time_format([each["time"] for each in matched if each["place"] == end], day_first)
    if found is None or found.kind != "date" or found.format is None or LANGUAGE in found.format:
        return None
    local = "" if "z" in found.format[-2:] else f"times of one zone ({end.strip()}), which is not known here"
    return Found("date", found.format + end, "; ".join(filter(None, [found.doubt, local])), "")


def _split(text: str, pattern: re.Pattern) -> tuple[re.Match, re.Match | None] | None:
    date = pattern.match(text)
    if not date or ("month" in pattern.groupindex and date["month"].casefold() not in _MONTHS):
        return None
    rest = text[date.end() :]
    time = _TIME.fullmatch(rest) if rest else None
    # Without colons, times have all digits, as in 20240131T235503.
    if rest and (not time or (not time["c"] and (time["gap"] != "T" or len(time["H"]) < 2))):
        return None
    return date, time


def _clock(matched: list[re.Match]) -> str | None:
    """Return the format of clocks; None where only some have seconds, or a half of the day."""
    if len({(bool(each["S"]), bool(each["p"])) for each in matched}) > 1:
        return None
    hours = [each["H"] for each in matched]
    dash = (
        "-"
        if any(len(hour) == 1 for hour in hours) and not any(hour[0] == "0" and hour != "0" for hour in hours)
        else ""
    )
    fraction = Fraction.learn([each["f"] or "" for each in matched])
    seconds = (":%S" + (fraction.text if fraction else "")) if matched[0]["S"] else ""
    half = matched[0]["p"] and matched[0]["p"][:-2] + "%p"
    return f"%{dash}{'I' if half else 'H'}:%M{seconds}{half or ''}"


def _described(matched: list[tuple], day_first: bool | None) -> Found | None:
    dates = [date for date, _ in matched]
    groups = dates[0].re.groupindex
    doubt = other = end = ""
    if "a" in groups:
        day, doubt = _order(dates, day_first)
        form = _numbered(dates, day)
        other = _numbered(dates, not day) if doubt else ""
    elif "G" in groups:
        form, doubt = _week(dates)
    elif "j" in groups:
        form, doubt = "%Y-%j", "a year and a day of it, or numbers of cases"
    else:
        form, _, language = _one_date(dates).partition(LANGUAGE)
        end = language and LANGUAGE + language
    if "Y" in groups and any(len(date["Y"]) == 2 for date in dates):
        doubt = doubt or "years of two digits: 69 to 99 are read as 1969 to 1999, the others as 20xx"
    present = [time for _, time in matched if time]
    dash = "-" if any(len(time["H"]) == 1 for time in present) else ""
    fraction = Fraction.learn([time["f"] or "" for time in present if time["S"]])
    times = Counter(_time(time, dash, fraction) for _, time in matched)
    abbreviated = [time["name"] for time in present if time["name"]]
    if abbreviated and len(abbreviated) == len(matched):
        end_of_zone = directive(abbreviated)
        if end_of_zone is None:
            return None
        times = Counter(f"{_time(time, dash, fraction)} {end_of_zone}" for _, time in matched)
    zones = offsets(pd.Series([time["z"] and f"00{time['z']}" for time in present], dtype=object))
    if len(zones) > 1:
        # Z is an offset among others.
        zone = "Z" if zones[0] == "Z" and any(time["z"] == "Z" for time in present) else "%:z"
        times = Counter(re.sub("Z$|%:z$", zone, tail) for tail in times.elements())
    bare = {re.sub("Z$|%:z$|%z$", "", tail) for tail in times}
    if len(bare) == 1 and all(tail not in bare for tail in times):
        # Z and +00:00 are the same offset.
        times = Counter({times.most_common(1)[0][0]: len(matched)})
    if len(times) > 1:
        iso = form == "%Y-%m-%d" and all(time is None or time["p"] is None for _, time in matched)
        # A mixture of dates and time stamps can be read in ISO 8601 only.
        tail = times.most_common(1)[0][0]
        return Found("date", None if iso else form + tail + end, doubt, other)
    tail = next(iter(times))
    plain = form == "%Y-%m-%d" and not tail
    return Found("date", None if plain else form + tail + end, doubt, other and other + tail)


def _week(dates: list[re.Match]) -> tuple[str, str]:
    date = dates[0]
    week = f"%{'-' * any(len(each['V']) == 1 for each in dates)}V"
    if "w" in date.re.groupindex:
        order = (date["w"], week, date["s"], "%G") if date.start("w") == 0 else ("%G", date["s"], date["w"], week)
        return "".join(order), "weeks, each read as its Monday"
    dash = "-" * ("-W" in date[0])
    if not all(each["u"] for each in dates):
        return f"%G{dash}W{week}", "weeks, each read as its Monday" if not any(each["u"] for each in dates) else ""
    return f"%G{dash}W{week}" + "-" * (date[0][-2] == "-") + "%u", ""


def _order(dates: list[re.Match], day_first: bool | None) -> tuple[bool, str]:
    """Return whether the day comes before the month, and the evidence against it."""
    first, second = max(int(date["a"]) for date in dates), max(int(date["b"]) for date in dates)
    if first > 12 and second <= 12:
        return True, ""
    if second > 12 and first <= 12:
        return False, ""
    if first > 12:
        over = sum(int(date["a"]) > 12 for date in dates), sum(int(date["b"]) > 12 for date in dates)
        return over[0] >= over[1], "some cells have the day first and some the month"
    if day_first is not None:
        return day_first, "no day is above 12; day and month are read in the order of the other columns"
    return dates[0]["s"] != "/" or first >= second, "no day is above 12, so that day and month could be exchanged"


def _numbered(dates: list[re.Match], day_first: bool) -> str:
    dash = "-" if any(len(date[key]) == 1 for date in dates for key in "ab") else ""
    pair = [f"%{dash}d", f"%{dash}m"]
    year = "%Y" if len(dates[0]["Y"]) == 4 else "%y"
    return dates[0]["s"].join([*(pair if day_first else pair[::-1]), year])


def _one_date(dates: list[re.Match]) -> str:
    date = dates[0]
    known = date.re.groupindex
    parts = {"Y": "%Y" if len(date["Y"]) == 4 else "%y"}
    for key in "dm":
        if key in known:
            parts[key] = f"%-{key}" if any(len(each[key]) == 1 for each in dates) else f"%{key}"
    if "o" in known and any(each["o"] for each in dates):
        parts["d"] = "%+d"
    end = ""
    if "month" in known:
        directive, language, _ = named((each["month"] for each in dates), "Bb")
        parts["m"] = f"%{directive or 'b'}"
        end = "" if language == "en" else LANGUAGE + language
    ends = {"d": date.end("o")} if "o" in known else {}
    spans = sorted((date.span("month" if key == "m" and "month" in known else key), key) for key in parts)
    text, last = "", 0
    for (start, stop), key in spans:
        text += date.string[last:start] + parts[key]
        last = ends.get(key, stop)
    return text + date.string[last : date.end()] + end


def _time(time: re.Match | None, dash: str, fraction: Fraction | None) -> str:
    if time is None:
        return ""
    text = f"{time['gap']}%{dash}{'I' if time['p'] else 'H'}{time['c']}%M" + f"{time['c']}%S" * bool(time["S"])
    if time["f"] or (time["S"] and fraction and fraction.end):
        text += fraction.text
    if time["p"]:
        text += (" " if time["p"][0] == " " else "") + "%p"
    if time["z"] and not time["name"]:
        zone = time["z"]
        text += " " * (zone[0] == " ") + ("Z" if zone == "Z" else "%:z" if ":" in zone else "%z")
    return text
