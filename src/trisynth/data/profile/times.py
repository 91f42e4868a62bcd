"""Profile of columns of dates, time stamps and durations."""

import re
from dataclasses import replace

import numpy as np
import pyarrow as pa

from trisynth.data.cells import matches
from trisynth.data.dataset import Column
from trisynth.data.formats import OR, format_of
from trisynth.data.formats.dates import DAY
from trisynth.data.profile import names
from trisynth.data.profile.base import Context, Doubt, Profile
from trisynth.data.profile.dates import Found, time_format
from trisynth.data.profile.whole import of_ordinal

_SOME, _HALF, _MOST = 0.3, 0.5, 0.9
# Most formats of one column.
_FORMATS = 4
# Of births, 31 is 1931.
_LAST_BIRTH = 30
# Day of the year.
_ORDINAL = "%j"
# Titres such as 1:160 among 1:20 and 1:40.
_RATIO = re.compile(r"\d+:\d+")
_PARTS = {"%Y-%m": r"[0-9]{4}-[0-9]{2}", "%Y": r"[0-9]{4}"}


def time(name: str, texts: pa.Array, sample: list[str], context: Context) -> Found | None:
    """Recognise times of one format, or of several."""
    found = time_format(sample, context.day_first, _HALF)
    few = found is None
    found = found or time_format(sample, context.day_first, _SOME)
    if found is None or (few and found.kind != "date") or (_ORDINAL in (found.format or "") and not of_ordinal(name)):
        return None
    if re.fullmatch(r"(%-?[dm]\.){2}%y", found.format or "") and (names.of_version(name) or _versions(name, found)):
        return None
    unread = format_of(found.kind, found.format).parse(texts).isna().to_numpy()
    if unread.mean() > (1 - _SOME if few else _HALF):
        return None
    rest = texts.filter(pa.array(unread)).to_pylist()
    if found.kind == "duration" and any(_RATIO.fullmatch(text) for text in rest):
        return None
    if found.kind == "date" and found.format is None and (forms := _partial(texts)):
        return Found("date", OR.join([DAY, *forms]), "some dates without a day or a month")
    if found.kind == "date":
        found = _with_others(name, found, rest, context)
        if few and format_of("date", found.format).parse(texts).notna().mean() < _MOST:
            return None
    return _of_births(name, found, texts)


def _with_others(name: str, found: Found, rest: list[str], context: Context) -> Found:
    """Add the formats of the dates that the first one does not read."""
    forms, doubts, swapped = [found.format or DAY], [found.doubt], ""
    while rest and len(forms) < _FORMATS:
        other = time_format(rest, context.day_first, _MOST if len(forms) > 1 else _HALF)
        if other is None or other.kind != "date" or (_ORDINAL in (other.format or "") and not of_ordinal(name)):
            break
        form = other.format or DAY
        unread = format_of("date", form).parse(rest).isna().to_numpy()
        if form in forms or unread.mean() > _HALF:
            break
        swapped = OR.join([*forms, other.other]) if other.other else swapped
        forms.append(form)
        doubts.append(other.doubt)
        rest = [text for text, gone in zip(rest, unread, strict=True) if gone]
    if len(forms) == 1:
        return found
    many = {2: "two", 3: "three", 4: "four"}[len(forms)]
    doubt = next(filter(None, [*doubts[1:], doubts[0]]), "")
    return Found("date", OR.join(forms), "; ".join(filter(None, [f"dates in {many} formats", doubt])), swapped)


def _of_births(name: str, found: Found, texts: pa.Array) -> Found:
    """Read years of two digits as past ones where they are those of births."""
    form = found.format or ""
    if found.kind != "date" or "%y" not in form or OR in form or not names.of_birth(name):
        return found
    years = np.unique(format_of("date", form).parse(texts).dropna().dt.year % 100)
    if not len(years):
        return found
    # The years end before the longest gap on the circle of a century.
    gaps = np.diff(np.append(years, years[0] + 100))
    last = int(years[gaps.argmax()])
    last += 2000 if last <= _LAST_BIRTH else 1900
    read = last - (last - years) % 100
    if (read == np.where(years >= 69, 1900, 2000) + years).all():
        return found
    doubt = f"years of two digits, read as {read.min()} to {read.max()} because births are past"
    return Found("date", form.replace("%y", f"%y{{{last - 99}}}"), doubt, form)


def _versions(name: str, found: Found) -> bool:
    """Return whether 1.6.14 is more likely a version: no day is above 12, and the name does not mean a date."""
    return bool(found.other) and not names.of_date(name)


def _partial(texts: pa.Array) -> list[str]:
    """Return the formats of years and months among days; ISO 8601 would read them as the first day."""
    found = {form: matches(texts, pattern) for form, pattern in _PARTS.items()}
    whole = matches(texts, r"[0-9]{4}-[0-9]{2}-[0-9]{2}.+").any()
    return [] if whole else [form for form, matched in found.items() if matched.any()]


def times(facts: Column, sample: list[str], context: Context, name: str) -> Profile:
    """Infer the format of a column that is declared to hold dates or durations."""
    if facts.kind == "date" and matches(pa.array(sample), r"[0-9]{5}(\.[0-9]+)?").mean() > 0.5:
        return Profile(replace(facts, format="excel"))
    found = time_format(sample, context.day_first)
    if found and found.kind == facts.kind:
        return found_times(facts, found, np.ones(len(sample), int))
    return Profile(facts)


def found_times(facts: Column, found: Found, counts: np.ndarray) -> Profile:
    """Describe a column whose format was found."""
    code = found.kind == "duration" or _ORDINAL in str(found.format)
    settle = f'format: "{found.other}"' if found.other else "kind: category" if code else ""
    doubts = (Doubt(found.doubt, int(counts.sum()), f"read as {found.format}", settle),) if found.doubt else ()
    return Profile(replace(facts, kind=found.kind, format=found.format), doubts)


def as_dates(form: str, counts: np.ndarray) -> tuple[Doubt, ...]:
    """Tell that whole numbers are read as dates."""
    how = {"excel": "days since 1900, as Excel counts them", "unix": "seconds since 1970", "%G%V": "weeks"}.get(
        form, form
    )
    return (Doubt("numbers that look like dates", int(counts.sum()), f"read as {how}", "kind: number"),)
