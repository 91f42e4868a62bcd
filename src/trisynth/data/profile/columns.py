"""Profile of one column: its kind, its format, and what is doubtful about it."""

import json
from collections.abc import Collection
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api import types

from trisynth.data.cells import Cells, matches
from trisynth.data.dataset import Column
from trisynth.data.formats import OR, QUANTITIES, NumberFormat, format_of
from trisynth.data.formats.dates import DAY
from trisynth.data.formats.digits import Digits
from trisynth.data.formats.zones import of_zones
from trisynth.data.profile import identifiers, names, times
from trisynth.data.profile.base import Context, Doubt, Profile
from trisynth.data.profile.numbers import marked_numbers, mixed_powers, number_format, same_unit, several_units
from trisynth.data.profile.whole import whole_dates

# Fewer different numbers among texts are categories, such as 1, 2, 3 and more.
_FEW = 10
_HALF = 0.5
_THOUSANDS = 'format: "1.234"'
# More different numbers without the unit of the others are no codes, and most pairs that a line of yaml lists.
_FEW_BARE, _MOST_PAIRS = 5, 40
# Beyond the first, floats miss whole numbers, and generators would make others of them; so few are codes.
_EXACT, _FEW_LARGE = 2**53, 50
_SAMPLE = 2_000
_OF_DAY = r"([01][0-9]|2[0-3])[0-5][0-9]"
# The same as 9.30.
_DOTTED, _DOTTED_WIDTH = r"([01]?[0-9]|2[0-3])\.[0-5][0-9]", 5


def profile(
    cells: Cells,
    facts: Column | None = None,
    missing: Collection[object] = (),
    context: Context | None = None,
    target: bool = False,
) -> Profile:
    """Infer the kind and the format of a column as far as they are not declared.

    Parameters
    ----------
    cells : Cells
    facts : Column, optional
        Declared facts.
    missing : collection, optional
        Texts or numbers that stand for a missing cell, besides those of ``facts``.
    context : Context, optional
    target : bool, default=False
        A target is never an identifier or free text.
    """
    facts, context = facts or Column(), context or Context()
    absent = cells.absent([*missing, *(facts.missing or ())])
    present = np.flatnonzero(~absent)
    if cells.typed is not None:
        return _typed(cells, present, facts, target)
    texts, counts = cells.texts, cells.counts
    if absent.any():
        texts, counts = texts.take(pa.array(present)), counts[present]
    kind = facts.kind
    if kind not in (None, "number", "date", "duration") or not len(texts):
        return Profile(facts if kind else replace(facts, kind="number"))
    if facts.format is not None:
        return Profile(facts)
    sample = texts.take(pa.array(range(0, len(texts), max(1, len(texts) // _SAMPLE)))).to_pylist()
    if digits := Digits.of(sample):
        return _other_digits(cells, digits, facts, missing, context, target)
    if kind in ("date", "duration"):
        return times.times(facts, sample, context, cells.name)
    if kind is None and (found := whole_dates(cells, present, sample)):
        return Profile(replace(facts, kind="date", format=found), times.as_dates(found, counts))
    if kind is None and not cells.numeric[present].all() and (found := times.time(cells.name, texts, sample, context)):
        return times.found_times(facts, found, counts)
    if kind is None and len(texts) > _FEW and names.of_clock(cells.name) and matches(texts, _DOTTED).all():
        doubt = Doubt("times of the day, or numbers", int(counts.sum()), "read as %H.%M", "kind: number")
        form = "%H.%M" if (pc.utf8_length(texts).to_numpy() == _DOTTED_WIDTH).all() else "%-H.%M"
        return Profile(replace(facts, kind="duration", format=form), (doubt,))
    if kind is None and matches(texts, r"[+-]?0[0-9]+").any() and cells.numeric[present].all():
        if len(texts) > _FEW and names.of_clock(cells.name) and matches(texts, _OF_DAY).all():
            doubt = Doubt("four digits that are times of the day", int(counts.sum()), "read as %H%M", "kind: category")
            return Profile(replace(facts, kind="duration", format="%H%M"), (doubt,))
        return _texts(cells.name, texts, counts, facts, target)
    plain = bool(cells.numeric[present].all())
    if plain and matches(texts, ".*[0-9.][eE].*").any() and (both := mixed_powers(sample)):
        return Profile(replace(facts, kind="number", format=both))
    form = number_format(sample, context.comma)
    numbers = _number(facts, form, texts, counts, plain)
    if kind == "number":
        return numbers
    if plain or (form and _mostly_numbers(numbers.facts.format, texts, counts)):
        if not target and matches(texts, r"[+-]?[0-9]+").all():
            reason = identifiers.whole_number(cells.name, _integers(texts), int(counts.sum()))
            if reason:
                return _identifier(facts, reason, counts)
            if _few_large(_integers(texts), counts):
                return _large(facts, counts)
            if names.of_code(cells.name) and len(set(pc.utf8_length(texts).to_pylist())) == 1:
                doubt = Doubt(
                    "whole numbers that are codes (its name)", int(counts.sum()), "kept as categories", "kind: number"
                )
                return Profile(replace(facts, kind="category"), (doubt,))
        return numbers
    return _texts(cells.name, texts, counts, facts, target)


def _other_digits(
    cells: Cells, digits: Digits, facts: Column, missing: Collection[object], context: Context, target: bool
) -> Profile:
    """Infer a column of numbers or times whose digits are not the usual ones."""
    texts = pa.array(digits.plain(cells.texts.to_pylist()), pa.string())
    plain = Cells(cells.name, cells.codes, None, texts, cells.counts, ordered=cells.ordered)
    found = profile(plain, facts, missing, context, target)
    kind, form = found.facts.kind, found.facts.format
    if kind not in QUANTITIES:
        return found
    if form is None:
        form = {"number": "1*", "date": DAY}.get(kind)
    both = Doubt("digits of two scripts", int(cells.counts.sum()), "read as the same numbers")
    doubts = (*found.doubts, *([both] if digits.usual else []))
    return Profile(replace(found.facts, format=form and digits.form(form)), doubts)


def _typed(cells: Cells, present: np.ndarray, facts: Column, target: bool) -> Profile:
    """Infer the kind of a column whose source has types."""
    dtype = cells.typed.dtype
    if facts.kind is not None:
        return Profile(facts)
    if types.is_datetime64_any_dtype(dtype):
        return Profile(replace(facts, kind="date"))
    if types.is_timedelta64_dtype(dtype):
        return Profile(replace(facts, kind="duration"))
    if types.is_integer_dtype(dtype) and not target:
        values, counts = np.asarray(cells.typed[present]), cells.counts[present]
        if len(values) and values.min() > 18_500_101 and values.max() < 21_501_231:
            texts = [str(value) for value in values]
            if format_of("date", "%Y%m%d").parse(texts).notna().all():
                return Profile(replace(facts, kind="date", format="%Y%m%d"), times.as_dates("%Y%m%d", counts))
        if len(values) and (reason := identifiers.whole_number(cells.name, values, int(counts.sum()))):
            return _identifier(facts, reason, counts)
        if types.is_signed_integer_dtype(dtype) and _few_large(values, counts):
            return _large(facts, counts)
    return Profile(replace(facts, kind="number"))


def _few_large(values: np.ndarray, counts: np.ndarray) -> bool:
    """Find a few repeated whole numbers that a float does not hold exactly."""
    if not 0 < len(values) <= min(_FEW_LARGE, counts.sum() / 2) or counts.sum() < identifiers.LEAST:
        return False
    return max(abs(int(values.min())), abs(int(values.max()))) > _EXACT


def _large(facts: Column, counts: np.ndarray) -> Profile:
    doubt = Doubt("a few whole numbers beyond 2**53", int(counts.sum()), "kept as categories", "kind: number")
    return Profile(replace(facts, kind="category"), (doubt,))


def _identifier(facts: Column, reason: str, counts: np.ndarray, kind: str = "identifier") -> Profile:
    what = "identifiers" if kind == "identifier" else "free text"
    doubts = [Doubt(f"{what} ({reason})", int(counts.sum()), "not used as a feature", "kind: category")]
    if kind == "identifier" and facts.person is None and len(counts) < identifiers.NEARLY * counts.sum():
        problem = f"{len(counts):,} identifiers that repeat, perhaps of persons"
        how = "rows with the same one may be on both sides of a split"
        doubts.append(Doubt(problem, int(counts.sum()), how, "person: true"))
    return Profile(replace(facts, kind=kind), tuple(doubts))


def _texts(name: str, texts: pa.Array, counts: np.ndarray, facts: Column, target: bool) -> Profile:
    cells = texts.to_pylist()
    kind, reason = ("category", "") if target or facts.categories else identifiers.text(name, cells, counts)
    if of_zones(cells):
        how = "not used as a feature; write offsets such as +01:00 instead, so that they are used as times"
        return Profile(replace(facts, kind="text"), (Doubt("times of several zones", int(counts.sum()), how),))
    if _versions_or_dates(texts):
        kind = "category" if len(texts) < counts.sum() / 2 or target else "text"
        how = "not used as a feature" if kind == "text" else "kept as categories"
        doubt = Doubt("versions, or dates such as 1.6.14", int(counts.sum()), how, "kind: date")
        return Profile(replace(facts, kind=kind), (doubt,))
    if identifiers.several(cells):
        how = "not used as a feature" if kind == "text" else "kept as categories"
        split = f"{how}; give each number a column of its own, so that it is used as a number"
        doubt = Doubt(identifiers.SEVERAL, int(counts.sum()), split, "kind: category" if reason else "kind: text")
        return Profile(replace(facts, kind=kind), (doubt,))
    marks = [] if target else marked_numbers(cells)
    if not target and (marks or (units := several_units(cells))):
        kind = "text" if reason else "category"
        how = "not used as a feature" if reason else "kept as categories"
        what = "marks" if marks else "units"
        how = f"{how}; give the numbers and their {what} a column each, so that they are used as numbers"
        shown = ", ".join((marks or units)[:4])
        problem = f"numbers with marks ({shown})" if marks else f"numbers in several units ({shown})"
        doubt = Doubt(problem, int(counts.sum()), how, "kind: category" if reason else "")
        return Profile(replace(facts, kind=kind), (doubt,))
    return _identifier(facts, reason, counts, kind) if reason else Profile(replace(facts, kind=kind))


def _versions_or_dates(texts: pa.Array) -> bool:
    texts = texts[:_SAMPLE]
    return bool(matches(texts, r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{2}").mean() > _HALF)


def _integers(texts: pa.Array) -> np.ndarray:
    try:
        return pc.cast(texts, pa.int64()).to_numpy()
    except pa.ArrowInvalid:
        # Python converts no text of more than 4,300 digits; a decimal number does.
        return np.array([int(Decimal(text)) for text in texts.to_pylist()], dtype=object)


def _mostly_numbers(form: str | None, texts: pa.Array, counts: np.ndarray) -> bool:
    """Return whether a column is one of numbers, with a few texts among them."""
    read = format_of("number", form).parse(texts).notna().to_numpy()
    if read.all():
        return True
    others = int((~read).sum())
    enough = read.sum() > _FEW and counts[read].sum() >= counts.sum() / 2
    return bool(enough and others <= max(5, read.sum() / 10))


def _number(facts: Column, form: NumberFormat | None, texts: pa.Array, counts: np.ndarray, plain: bool) -> Profile:
    """Describe a column of numbers, of which some may be written in a second way."""
    text = _needed(form, texts)
    if text is None or (plain and not form.marked):
        if len(texts) > _FEW and matches(texts, r"[1-9][0-9]{0,2}\.[0-9]{3}").all():
            doubt = Doubt(
                "three decimals in all cells, or thousands", int(counts.sum()), "read as decimals", _THOUSANDS
            )
            return Profile(replace(facts, kind="number", format=text), (doubt,))
        return Profile(replace(facts, kind="number", format=text))
    if form.exponent and not form.decimals and not form.more:
        doubt = Doubt("numbers with a power of ten, or codes", int(counts.sum()), "read as numbers", "kind: category")
        return Profile(replace(facts, kind="number", format=text), (doubt,))
    unread = format_of("number", text).parse(texts).isna().to_numpy()
    other = number_format(texts.filter(pa.array(unread)).to_pylist()) if unread.any() else None
    if other is None or not same_unit(form, other):
        return _beside_bare(replace(facts, kind="number", format=text), form, texts, counts)
    second = other.text or "1"
    both = f"{text}{OR}{second}"
    cells = int(counts[unread & format_of("number", both).parse(texts.to_pylist()).notna().to_numpy()].sum())
    doubt = Doubt(f"written as {second}, the others as {text}", cells, "read as the same number")
    return Profile(replace(facts, kind="number", format=both), (doubt,))


def _beside_bare(facts: Column, form: NumberFormat, texts: pa.Array, counts: np.ndarray) -> Profile:
    """Describe a column of numbers with a unit, some of which lack it: they are of the same scale, or perhaps not."""
    unit = (form.prefix + form.suffix).strip()
    plain = matches(texts, r"[-+]?[0-9][0-9.,]*") if unit else np.zeros(len(texts), bool)
    if plain.sum() <= _FEW_BARE or plain.all():
        return Profile(facts)
    bare, cells = texts.filter(pa.array(plain)).to_pylist(), int(counts[plain].sum())
    values, others = (form.parse(texts.filter(pa.array(part))).astype(float) for part in (plain, ~plain))
    if unit == "%" and values.abs().max() <= 1 < others.abs().median():
        changed = dict(zip(bare, form.print((100 * values).round(10)), strict=True))
        pairs = ", ".join(f"{_quoted(cell)}: {_quoted(percent)}" for cell, percent in changed.items())
        doubt = Doubt(
            "between 0 and 1 without %, perhaps fractions",
            cells,
            "read as percent as they stand; fractions need to be multiplied by 100",
            f"values: {{{pairs}}}" if len(changed) <= _MOST_PAIRS else "",
        )
        return Profile(facts, (doubt,))
    second = getattr(number_format(bare), "text", None) or "1*"
    doubt = Doubt(f"written without {unit}", cells, "read as the same number")
    return Profile(replace(facts, format=f"{facts.format}{OR}{second}"), (doubt,))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _needed(form: NumberFormat | None, texts: pa.Array) -> str | None:
    """Return the format if plain numbers would be written in another way."""
    if form is None:
        return None
    if not form.marked and (not form.decimals or not matches(texts, r".*\.[0-9]*0").any()):
        return None
    return form.text
